//! Real NATS servers to test with: a ledger in a stream, and nodes that follow it.

#![allow(dead_code)] // Each test binary uses a part of it.

pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::Client;
use gt_core::entry::Entry;
use gt_core::statement::Statement;
use gt_core::{Hash, LeafIndex, tree};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::jetstream::setup::{Setup, Wanted};
use gt_ledger::jetstream::{NodeOptions, Prefix};
use gt_ledger::open::OpenLedgerError;
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use gt_ledger::secrets::{Secrets, file};
use tokio::runtime::Runtime;

use crate::partnership::Home;
use proxy::Proxy;
use server::Server;

/// How long anything may take before a test gives up; no test rests on its being short.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server, and a ledger whose entries are in its stream.
pub(crate) struct Broker {
    pub(crate) server: Server,
    pub(crate) home: Home,
    pub(crate) runtime: Runtime,
    folders: AtomicU64,
    /// By what address nodes reach the server, if not by its own.
    by: Option<Proxy>,
}

impl Broker {
    /// A new ledger, put into new streams.
    pub(crate) fn new() -> Self {
        Self::with_entries(|_, _| {})
    }

    /// A new ledger that was used before it was put into new streams.
    pub(crate) fn with_entries(fill: impl FnOnce(&Home, &Ledger)) -> Self {
        let home = Home::new();
        let ledger = home.open();
        fill(&home, &ledger);
        drop(ledger);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let broker = Self { server: Server::start(), home, runtime, folders: AtomicU64::new(0), by: None };
        let (setup, epoch) = (broker.setup(), broker.epoch());
        broker.runtime.block_on(setup.create(&epoch, WANTED)).expect("streams are made");
        broker.fill(&broker.home.data());
        broker
    }

    /// From here on nodes see masked headers as the server's own.
    pub(crate) fn unmask(&mut self) {
        self.by = Some(Proxy::unmasking(&self.server.address()));
    }

    /// Puts a folder into the streams.
    pub(crate) fn fill(&self, data: &Path) {
        self.runtime.block_on(self.setup().fill(data, &self.home.secrets())).expect("streams are filled");
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup { client: self.client(), prefix: Prefix::default() }
    }

    pub(crate) fn epoch(&self) -> String {
        self.home.secrets().kek().epoch()
    }

    /// A connection to the server.
    pub(crate) fn client(&self) -> Client {
        self.client_to(&self.by.as_ref().map_or_else(|| self.server.url(), Proxy::url))
    }

    /// A connection to the server by way of this address.
    pub(crate) fn client_to(&self, url: &str) -> Client {
        let options = async_nats::ConnectOptions::new()
            .ignore_discovered_servers()
            .reconnect_delay_callback(|_| Duration::from_millis(20));
        self.runtime.block_on(options.connect(url)).expect("connects")
    }

    /// A folder that is not there yet.
    pub(crate) fn new_folder(&self) -> PathBuf {
        let n = self.folders.fetch_add(1, Ordering::Relaxed);
        self.home.folder.path().join(format!("node{n}"))
    }

    /// A copy of a folder, as an operator would make it.
    pub(crate) fn copy_of(&self, folder: &Path) -> PathBuf {
        let copy = self.new_folder();
        copy_folder(folder, &copy);
        copy
    }

    pub(crate) fn options(&self, client: Client, only_follows: bool) -> NodeOptions {
        let (prefix, runtime) = (Prefix::default(), self.runtime.handle().clone());
        NodeOptions { client, prefix, only_follows, runtime }
    }

    /// A full node on a folder.
    pub(crate) fn node(&self, folder: &Path) -> Ledger {
        self.try_node(folder).expect("the node opens")
    }

    pub(crate) fn try_node(&self, folder: &Path) -> Result<Ledger, OpenLedgerError> {
        open(folder, &self.home.secrets(), &self.options(self.client(), false))
    }

    /// A full node that reaches the server by this address.
    pub(crate) fn node_by(&self, folder: &Path, url: &str) -> Ledger {
        open(folder, &self.home.secrets(), &self.options(self.client_to(url), false)).expect("the node opens")
    }

    /// A node that only follows, and has no key that signs.
    pub(crate) fn follower(&self, folder: &Path) -> Ledger {
        self.try_follower(folder).expect("the follower opens")
    }

    pub(crate) fn try_follower(&self, folder: &Path) -> Result<Ledger, OpenLedgerError> {
        open(folder, &self.followers_secrets(), &self.options(self.client(), true))
    }

    /// The ledger's secrets without the key that signs checkpoints.
    pub(crate) fn followers_secrets(&self) -> Secrets {
        let folder = self.home.folder.path().join("follower.secrets");
        if !folder.exists() {
            copy_folder(&self.home.secrets_folder(), &folder);
            for key in [file::CHECKPOINT, file::CHECKPOINT_ML_DSA] {
                fs::remove_file(folder.join(key)).expect("removed");
            }
        }
        Secrets::load(&folder).expect("sound secrets")
    }

    /// A receipt holds under the ledger's pin, and is for this statement.
    pub(crate) fn check_receipt(&self, sealed: &Sealed, statement: &Statement) {
        check_receipt(&self.home, sealed, statement);
    }
}

pub(crate) fn open(
    folder: &Path,
    secrets: &Secrets,
    options: &NodeOptions,
) -> Result<Ledger, OpenLedgerError> {
    Ledger::open_node(folder, secrets, Box::new(SystemClock::default()), options)
}

/// The streams of tests: on one server, and far from full.
pub(crate) const WANTED: Wanted = Wanted { replicas: 1, max_bytes: 256 << 20 };

/// A receipt holds under the ledger's pin, and is for this statement.
pub(crate) fn check_receipt(home: &Home, sealed: &Sealed, statement: &Statement) {
    let (keys, _) = home.pin.parse().expect("a pin");
    let bytes = sealed.receipt.extra.as_ref().expect("the entry");
    let entry = Entry::parse(bytes).expect("an entry");
    assert_eq!((entry.index, entry.statement), (sealed.index, statement.hash()));
    sealed.receipt.verify(&tree::leaf_hash(bytes), &home.pin.origin, &keys).expect("the receipt verifies");
}

pub(crate) fn prepared(statement: &Statement) -> Prepared {
    Prepared::new(statement.to_compact().as_bytes()).expect("sound")
}

/// Seals a statement the way an outbox does: the same bytes again, until they are sealed or refused for good.
pub(crate) fn deliver(ledger: &Ledger, statement: &Statement) -> Result<Sealed, Refusal> {
    let since = Instant::now();
    loop {
        match ledger.seal_blocking(statement.to_compact().as_bytes()) {
            Err(Refusal::Superseded | Refusal::Unavailable | Refusal::Busy) if since.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            answer => return answer,
        }
    }
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "not in {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a node has this many entries.
pub(crate) fn wait_for_size(ledger: &Ledger, size: u64) {
    wait_until(&format!("{size} entries"), || ledger.log().size().0 >= size || ledger.is_stopped());
    assert_eq!(ledger.log().size().0, size, "stopped: {}", ledger.is_stopped());
}

/// The statements of a log, by index; each must stand in it once.
pub(crate) fn statements_of(ledger: &Ledger) -> Vec<Hash> {
    let size = ledger.log().size().0;
    let entry = |index| {
        let bytes = ledger.log().entry_bytes(LeafIndex(index)).expect("reads");
        Entry::parse(&bytes).expect("an entry").statement
    };
    let statements: Vec<Hash> = (0..size).map(entry).collect();
    let mut once = statements.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), statements.len(), "a statement is sealed twice");
    statements
}

/// The integrity alerts of one pattern.
pub(crate) fn alerts(ledger: &Ledger, pattern: &str) -> Vec<serde_json::Value> {
    ledger.integrity_alerts().into_iter().filter(|alert| alert["pattern"] == pattern).collect()
}

/// What every node of a ledger must have alike: every file of the log and the vault, by its path.
pub(crate) fn sealed_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for part in ["tile", "open", "vault"] {
        collect(folder, &PathBuf::from(part), &mut files);
    }
    files.insert("checkpoint".into(), fs::read(folder.join("checkpoint")).expect("a checkpoint"));
    files
}

/// Two folders have the same log and vault, byte for byte.
pub(crate) fn assert_same_folders(one: &Path, other: &Path) {
    let (one, other) = (sealed_files(one), sealed_files(other));
    assert!(one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    for (path, bytes) in &one {
        assert!(other[path] == *bytes, "{} differs", path.display());
    }
}

fn collect(root: &Path, at: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(items) = fs::read_dir(root.join(at)) else { return };
    for item in items {
        let item = item.expect("reads");
        let path = at.join(item.file_name());
        if item.file_type().expect("reads").is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(path, fs::read(item.path()).expect("reads"));
        }
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for item in fs::read_dir(from).expect("reads") {
        let item = item.expect("reads");
        let to = to.join(item.file_name());
        if item.file_type().expect("reads").is_dir() {
            copy_folder(&item.path(), &to);
        } else {
            // With its permissions: secrets that others can read are refused.
            fs::copy(item.path(), to).expect("copied");
        }
    }
}

/// What was kept of a contradiction: the files of each time, by name.
pub(crate) fn evidence(folder: &Path) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
    let mut times: Vec<PathBuf> = fs::read_dir(folder.join("state/evidence"))
        .map(|items| items.map(|item| item.expect("reads").path()).collect())
        .unwrap_or_default();
    times.sort();
    times
        .into_iter()
        .map(|time| {
            let mut files = BTreeMap::new();
            collect(&time, Path::new(""), &mut files);
            files
        })
        .collect()
}
