//! Publishers that have an outbox, as processes that can be killed in the middle of their work.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use gt_core::Hash;
use serde_json::Value;

use super::load::Receipts;
use crate::partnership::{Client, Home, Process, eventually, path, the_program};

/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// `goldenthread agent`, which is started again when it was killed.
pub(super) struct Agent {
    start: Box<dyn Fn() -> Process + Send + Sync>,
    /// It, and where it listens.
    running: Mutex<(Process, String)>,
    sealed: AtomicUsize,
}

/// `goldenthread publish`, run again and again.
pub(super) struct Publish {
    arguments: Vec<String>,
    drafts: PathBuf,
    outcomes: PathBuf,
    log: PathBuf,
    running: Mutex<Option<Child>>,
    sealed: AtomicUsize,
}

impl Agent {
    pub(super) fn start(home: &Home, key: &str, servers: &str) -> Self {
        let (key, pin, log) = (home.key_file(key), home.pin_file(), home.at("agent.log"));
        let servers = servers.to_owned();
        let start = move || agent_of(&key, &pin, &servers, &log);
        let process = start();
        let url = process.listening();
        Self { start: Box::new(start), running: Mutex::new((process, url)), sealed: AtomicUsize::new(0) }
    }

    /// Posts a draft, and keeps the receipt if there is one already. Says whether there is.
    pub(super) fn post(&self, draft: &str, receipts: &Receipts) -> bool {
        let url = self.running().1.clone();
        // It may be killed meanwhile.
        let posted = Client::new(&url).try_post("/v1/drafts?wait=2", "application/json", draft.as_bytes());
        let Ok(reply) = posted else { return false };
        assert!(matches!(reply.status, 201 | 202), "{}", reply.text());
        let sealed = keep_sealed(receipts, &reply.json());
        self.sealed.fetch_add(usize::from(sealed), Ordering::AcqRel);
        sealed
    }

    /// `kill -9`, and up again.
    fn kill(&self) {
        let mut running = self.running();
        running.0.kill();
        let process = (self.start)();
        let url = process.listening();
        *running = (process, url);
    }

    fn running(&self) -> MutexGuard<'_, (Process, String)> {
        self.running.lock().expect("nothing panics with it")
    }
}

impl Publish {
    pub(super) fn new(home: &Home, key: &str, servers: &str) -> Self {
        Self {
            arguments: publish_arguments(home, key, servers),
            drafts: home.at("publish.drafts"),
            outcomes: home.at("publish.outcomes"),
            log: home.at("publish.log"),
            running: Mutex::new(None),
            sealed: AtomicUsize::new(0),
        }
    }

    /// Runs it with these drafts, one a line, and keeps the receipts of those that are sealed. Says whether all of them are.
    pub(super) fn run(&self, drafts: &str, receipts: &Receipts) -> bool {
        fs::write(&self.drafts, drafts).expect("a file");
        let outcomes = File::create(&self.outcomes).expect("a file");
        let log = OpenOptions::new().append(true).create(true).open(&self.log).expect("a log file");
        let mut command = the_program(&self.arguments);
        command.arg(&self.drafts).stdin(Stdio::null()).stdout(outcomes).stderr(log);
        *self.running() = Some(command.spawn().expect("the program starts"));
        let status = loop {
            // Looked at and not waited for, so that it can be killed meanwhile; and never after it was taken off the system's list.
            let ended = self.running().as_mut().and_then(|child| child.try_wait().expect("a child"));
            if let Some(status) = ended {
                *self.running() = None;
                break status;
            }
            thread::sleep(LOOK);
        };
        let text = fs::read_to_string(&self.outcomes).expect("a file");
        assert!(!text.contains("\"refused\""), "{text}");
        // It was killed, or has started while no server could be reached.
        if status.code() != Some(0) {
            return false;
        }
        let outcome = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
        let outcomes: Vec<Value> = text.lines().map(outcome).collect();
        assert_eq!(outcomes.len(), drafts.lines().count(), "{text}");
        assert!(outcomes.iter().all(|outcome| keep_sealed(receipts, outcome)), "{text}");
        self.sealed.fetch_add(outcomes.len(), Ordering::AcqRel);
        true
    }

    /// `kill -9`, once it runs.
    fn kill(&self) {
        eventually("`publish` is run", || self.running().as_mut().is_some_and(|child| child.kill().is_ok()));
    }

    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.running.lock().expect("nothing panics with it")
    }
}

/// Kills both, and waits until each has had more receipts since.
pub(super) fn kill(agent: &Agent, publish: &Publish) {
    let sealed = || [&agent.sealed, &publish.sealed].map(|count| count.load(Ordering::Acquire));
    agent.kill();
    publish.kill();
    let before = sealed();
    eventually("agent and `publish` go on", || sealed().iter().zip(before).all(|(now, then)| *now > then));
}

/// Starts `goldenthread agent` over NATS or HTTP.
pub(super) fn agent(home: &Home, key: &str, servers: &str, log: &Path) -> Process {
    agent_of(&home.key_file(key), &home.pin_file(), servers, log)
}

fn agent_of(key: &Path, pin: &Path, servers: &str, log: &Path) -> Process {
    let to = ["agent", "--json", "--listen", "127.0.0.1:0", "--to", servers];
    Process::start(to.into_iter().chain(["--key", path(key), "--pin", path(pin)]), log)
}

/// The arguments of `goldenthread publish`.
pub(super) fn publish_arguments(home: &Home, key: &str, servers: &str) -> Vec<String> {
    let files: [PathBuf; 2] = [home.key_file(key), home.pin_file()];
    let [key, pin] = files.map(|file| path(&file).to_owned());
    let words = ["publish", "--json", "--patience", "20", "--to", servers, "--key", &key, "--pin", &pin];
    words.map(ToOwned::to_owned).to_vec()
}

/// Keeps the receipt of a draft that is sealed; says whether it is.
pub(super) fn keep_sealed(receipts: &Receipts, outcome: &Value) -> bool {
    if outcome["status"] == "queued" {
        return false;
    }
    assert_eq!(outcome["status"], "sealed", "{outcome}");
    let hash = Hash::parse(outcome["statement"].as_str().expect("a hash")).expect("a hash");
    receipts.keep(hash, outcome["receipt"].as_str().expect("a receipt"));
    true
}
