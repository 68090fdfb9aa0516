//! A ledger on several nodes: made with `nats init`, served by two that can seal and one that follows, and at the end the same on all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gt_core::Hash;
use gt_core::entry::Entry;
use serde_json::Value;

use super::broker::Broker;
use super::cluster::Cluster;
use super::load::{Kept, Load, Receipts};
use super::nodes::{Node, servers, share_secrets};
use crate::partnership::{Client, Home, Publisher, path, run, within};

/// How long any one thing may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);
/// For what other tests leave over.
const MAX_BYTES: u64 = 1 << 30;

/// The publishers of every partnership; the first two are in the folder before there are several nodes.
const PUBLISHERS: [(&str, &str); 5] = [
    ("council", "gss:E06000999"),
    ("hospital", "ods:RX1"),
    ("force", "police:32"),
    ("charity", "charity:999001"),
    ("school", "gss:E06000998"),
];

/// Nodes on servers, and everything that was ever acknowledged.
pub(super) struct Ledger {
    pub(super) home: Home,
    pub(super) cluster: Cluster,
    pub(super) broker: Arc<Broker>,
    /// Two full nodes, then the follower, then whichever came later.
    pub(super) nodes: Vec<Node>,
    pub(super) receipts: Arc<Receipts>,
    publishers: BTreeMap<&'static str, Publisher>,
    /// How many entries there were before the first receipt was kept.
    base: u64,
}

impl Ledger {
    /// A partnership on so many servers.
    pub(super) fn start(servers: usize) -> Self {
        Self::start_with(servers, MAX_BYTES)
    }

    /// The same, with so many bytes for the stream of sealed entries.
    pub(super) fn start_with(count: usize, max_bytes: u64) -> Self {
        let cluster = Cluster::start(count);
        let home = Home::new();
        let mut publishers = BTreeMap::new();
        for (name, agency) in &PUBLISHERS[..2] {
            publishers.insert(*name, home.enrol(name, agency, None));
        }
        nats_init(&home.data(), &cluster, max_bytes);
        let names = [("data", false), ("standby", false), ("follower", true)];
        let mut nodes = Vec::new();
        for (name, follows) in names {
            let data = home.at(name);
            if name != "data" {
                share_secrets(&home.data(), &data, follows);
            }
            let mut node = Node::new(&data, follows, &cluster);
            node.start();
            nodes.push(node);
        }
        let broker = Arc::new(Broker::connect(&cluster.url()));
        let receipts = Arc::default();
        let mut ledger = Self { home, cluster, broker, nodes, receipts, publishers, base: 0 };
        for (name, agency) in &PUBLISHERS[2..] {
            // On the node that never seals: what it takes, it hands on.
            let publisher = ledger.home.enrol(name, agency, Some(&ledger.follower().url()));
            ledger.publishers.insert(*name, publisher);
            ledger.until_level("the new publisher is known everywhere");
        }
        ledger.base = ledger.follower().client().size();
        ledger
    }

    pub(super) fn follower(&self) -> &Node {
        &self.nodes[2]
    }

    /// Takes out a publisher, to sign with.
    pub(super) fn publisher(&mut self, name: &'static str) -> Publisher {
        self.publishers.remove(name).expect("it is one of the partnership's, and was not taken before")
    }

    /// Sets publishers to work: over HTTP at any of the nodes, over NATS, through an agent and through `publish`.
    pub(super) fn load(&mut self) -> Load {
        self.with(Load::new(Arc::clone(&self.receipts), self.cluster.url()))
    }

    /// The same about so many children, with so much time between two statements of a publisher.
    pub(super) fn load_about(&mut self, children: u64, pace: Duration) -> Load {
        self.with(Load::about(children, pace, Arc::clone(&self.receipts), self.cluster.url()))
    }

    fn with(&mut self, mut load: Load) -> Load {
        let urls = self.nodes.iter().map(Node::url).collect();
        load.over_http(self.publisher("hospital"), urls);
        load.over_nats(self.publisher("force"), Arc::clone(&self.broker));
        load.by_outboxes(&self.home, ["charity", "school"]);
        load
    }

    /// The node that seals at present, once there is exactly one that says so.
    pub(super) fn sealer(&self) -> usize {
        let mut found = None;
        self.until("one node is the sealer", || {
            let sealers: Vec<usize> =
                (0..self.nodes.len()).filter(|at| self.nodes[*at].is_sealer()).collect();
            found = (sealers.len() == 1).then(|| sealers[0]);
            found.is_some()
        });
        found.expect("it was found")
    }

    /// Adds a follower on this folder, which may be a copy of another node's or not there at all, and starts it.
    pub(super) fn add_follower(&mut self, name: &str) {
        let data = self.home.at(name);
        share_secrets(&self.home.data(), &data, true);
        let mut node = Node::new(&data, true, &self.cluster);
        node.start();
        self.nodes.push(node);
    }

    /// Waits until something holds. If it does not come to, what the nodes have written is shown.
    pub(super) fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        if !within(PATIENCE, holds) {
            self.give_up(what);
        }
    }

    /// Waits until so many more receipts have come.
    pub(super) fn until_more(&self, count: usize) {
        let wanted = self.receipts.count() + count;
        self.until("more receipts come", || self.receipts.count() >= wanted);
    }

    /// Waits until all nodes that run have the same entries, and their views too.
    pub(super) fn until_level(&self, what: &str) {
        self.until(what, || {
            let mut all = self.nodes.iter().filter(|node| node.runs()).map(Node::status);
            let Some(Some(first)) = all.next() else { return false };
            first.projected == first.size
                && all.all(|one| one.is_some_and(|one| (one.size, one.projected) == (first.size, first.size)))
        });
    }

    /// Waits until every node that runs has come as far as the furthest was at one moment.
    pub(super) fn until_caught_up(&self) {
        let sizes = self.nodes.iter().filter_map(|node| Some(node.status()?.size));
        let furthest = sizes.max().expect("a node that answers");
        self.until("every node has caught up", || {
            let mut running = self.nodes.iter().filter(|node| node.runs());
            running.all(|node| node.status().is_some_and(|status| status.size >= furthest))
        });
    }

    /// Keeps a receipt that did not come of the load.
    pub(super) fn keep(&self, statement: Hash, receipt: &str) {
        self.receipts.keep(statement, receipt);
    }

    /// The end of every test: the load has stopped, every node runs. What was acknowledged stands in the log, once; nothing else does; and
    /// all nodes have the same.
    pub(super) fn all_agree(&mut self) {
        assert!(self.nodes.iter().all(Node::runs), "all nodes are to be compared");
        self.until_level("all nodes have the same entries");
        self.alerts_are_the_same();
        self.until_level("all nodes have the entries that say so");
        let reads = self.nodes[0].client().reads();
        self.until("all nodes have the same checkpoint", || {
            let checkpoints: BTreeSet<Vec<u8>> =
                self.nodes.iter().map(|node| node.client().get("/checkpoint").body).collect();
            checkpoints.len() == 1
        });
        self.nodes.iter_mut().for_each(Node::stop);
        self.folders_are_the_same();
        self.receipts_stand(&entries(&self.nodes[0].data), reads);
        for node in &self.nodes {
            let report = run(["fsck", "--json", "--data", path(&node.data)]).succeeded().json();
            assert_eq!(report["verdict"], "sound", "{}: {report}", node.name);
        }
    }

    /// Somebody who may read people's data on this node.
    pub(super) fn analyst(&self, node: &Node) -> Client {
        node.client().with_token(&self.home.token)
    }

    fn alerts_are_the_same(&self) {
        let alerts: Vec<Vec<Value>> = self.nodes.iter().map(|node| self.alerts(node)).collect();
        for (node, found) in self.nodes.iter().zip(&alerts) {
            if *found != alerts[0] {
                let differing = found.iter().zip(&alerts[0]).find(|(one, other)| one != other);
                eprintln!(
                    "{} and {} alerts, which differ first in {differing:?}",
                    found.len(),
                    alerts[0].len()
                );
                self.give_up(&format!("{} has the alerts of {}", node.name, self.nodes[0].name));
            }
        }
    }

    /// All alerts that a node has. What its answers reflect is left out: each of these reads is sealed.
    fn alerts(&self, node: &Node) -> Vec<Value> {
        let (mut alerts, mut next) = (Vec::new(), Some(String::new()));
        while let Some(cursor) = next {
            let mut page = Value::Null;
            // Servers that were just killed may be too slow to seal the read in time: then it is asked for again.
            self.until("a read is recorded", || {
                let reply = self.analyst(node).get(&format!("/v1/alerts?limit=500{cursor}"));
                let recorded = reply.status != 503;
                if recorded {
                    page = reply.json();
                }
                recorded
            });
            let items = page["items"].as_array().unwrap_or_else(|| panic!("{}: {page}", node.name));
            alerts.extend(items.iter().cloned());
            next = page["next"].as_str().map(|cursor| format!("&cursor={cursor}"));
        }
        alerts
    }

    fn folders_are_the_same(&self) {
        let first = contents(&self.nodes[0].data);
        for node in &self.nodes[1..] {
            let other = contents(&node.data);
            let names: BTreeSet<&PathBuf> = first.keys().chain(other.keys()).collect();
            let different: Vec<_> =
                names.into_iter().filter(|name| first.get(*name) != other.get(*name)).collect();
            assert!(different.is_empty(), "{} and {}: {different:?}", self.nodes[0].name, node.name);
        }
    }

    fn receipts_stand(&self, entries: &[Entry], reads: u64) {
        let sealed: BTreeMap<Hash, u64> =
            entries.iter().map(|entry| (entry.statement, entry.index.0)).collect();
        assert_eq!(sealed.len(), entries.len(), "no statement has two entries");
        let mut acknowledged = BTreeSet::new();
        for Kept { statement, receipt, .. } in self.receipts.all() {
            let verdict = self.home.prove(&receipt, statement);
            assert_eq!(sealed.get(&statement), Some(&verdict.entry.index.0), "{statement}");
            acknowledged.insert(statement);
        }
        let others = entries.len() - acknowledged.len();
        assert_eq!(others as u64, self.base + reads, "every further entry was acknowledged, or is a read's");
    }

    /// Says first what was waited for and where the nodes stand, since of a long output the beginning is what is seen. Alerts are left
    /// out of the logs: they are most of the lines.
    fn give_up(&self, what: &str) -> ! {
        let receipts = self.receipts.count();
        eprintln!("it never happened that {what}; receipts: {receipts}");
        self.nodes.iter().for_each(|node| eprintln!("{}: {:?}", node.name, node.status()));
        for node in &self.nodes {
            let log = node.log_text();
            let lines: Vec<&str> =
                log.lines().filter(|line| !line.contains("\"message\":\"alert ")).collect();
            let last = lines[lines.len().saturating_sub(25)..].join("\n");
            eprintln!("--- {}:\n{last}", node.name);
        }
        panic!("it never happened that {what}; receipts: {receipts}");
    }
}

/// `goldenthread nats init`, until all streams are made and hold what the folder holds.
pub(super) fn nats_init(data: &Path, cluster: &Cluster, max_bytes: u64) {
    let max_bytes = max_bytes.to_string();
    let mut arguments = vec!["nats", "init", "--json", "--max-bytes", &max_bytes, "--data", path(data)];
    let servers = servers(cluster);
    arguments.extend(servers.iter().map(String::as_str));
    let mut ended = run(&arguments);
    for _ in 0..10 {
        // Servers that have just found each other lose sight of one another for a moment, while they close connections that they made
        // twice. What was made by then is there for the next attempt.
        if ended.code == Some(0) || !ended.stderr.contains("peer offline (10005)") {
            break;
        }
        std::thread::sleep(Duration::from_millis(300));
        ended = run(&arguments);
    }
    let done = ended.succeeded().json();
    assert_eq!(done["uploaded"], done["entries"]);
    assert!(done["entries"].as_u64() >= Some(2), "{done}");
}

/// The log's entries, read from a folder whose node has stopped.
pub(crate) fn entries(data: &Path) -> Vec<Entry> {
    let (mut entries, mut bundles) = (Vec::new(), 0);
    loop {
        let name = format!("entries/{bundles:03}");
        let bytes = std::fs::read(data.join("tile").join(&name));
        let Ok(bytes) = bytes.or_else(|_| std::fs::read(data.join("open").join(&name))) else {
            return entries;
        };
        let mut rest = bytes.as_slice();
        while let Some((length, after)) = rest.split_first_chunk() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            entries.push(Entry::parse(entry).expect("an entry"));
            rest = after;
        }
        bundles += 1;
    }
}

/// What nodes must have alike, by path: the public log and its checkpoint, and what is encrypted beside it.
fn contents(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left: Vec<PathBuf> = ["checkpoint", "tile", "open", "vault"].map(PathBuf::from).to_vec();
    while let Some(name) = left.pop() {
        let file = data.join(&name);
        if let Ok(items) = std::fs::read_dir(&file) {
            left.extend(items.map(|item| name.join(item.expect("a readable folder").file_name())));
        } else if let Ok(bytes) = std::fs::read(&file) {
            found.insert(name, bytes);
        }
    }
    assert!(found.len() >= 4, "{}: {:?}", data.display(), found.keys());
    found
}

/// The longest time between two receipts from this moment on.
pub(super) fn longest_pause(receipts: &Receipts, from: Instant) -> Duration {
    let mut times: Vec<Instant> =
        receipts.all().iter().map(|kept| kept.at).filter(|at| *at >= from).collect();
    times.push(from);
    times.sort();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}
