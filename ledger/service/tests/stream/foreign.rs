//! Messages that are no part of the ledger: void, one alert on every node, and sealing goes on.

use gt_core::Hash;
use gt_core::checkpoint::Checkpoint;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::Ledger;
use gt_ledger::jetstream::message::header;

use crate::broker::raw::{RawMessage, batch, closing, entries_after, head_after};
use crate::broker::{
    Broker, alerts, assert_same_folders, deliver, evidence, statements_of, wait_for_size, wait_until,
};
use crate::partnership::{ORIGIN, Publisher, child};

/// Ledgers must be closed before their connections' runtime ends, so they stand first.
struct Nodes {
    full: Ledger,
    standby: Ledger,
    follower: Ledger,
    council: Publisher,
    /// The alerts that every node must have by now: first and last sequence.
    expected: Vec<(u64, u64)>,
    broker: Broker,
}

impl Nodes {
    fn new() -> Self {
        let mut broker = Broker::new();
        broker.unmask();
        let full = broker.node(&broker.home.data());
        let council = broker.home.register(&full, "gss:E06000005", 1);
        let standby = broker.node(&broker.home.folder.path().join("standby"));
        let follower = broker.follower(&broker.home.folder.path().join("follower"));
        Self { full, standby, follower, council, expected: Vec::new(), broker }
    }

    fn nodes(&self) -> [&Ledger; 3] {
        [&self.full, &self.standby, &self.follower]
    }

    /// Seals on after void messages, and checks that every node has one alert of them, and the statement.
    fn goes_on(&mut self, first: u64, last: u64) {
        self.expected.push((first, last));
        let statement = self.council.next(&child(1));
        let size = self.full.log().size().0;
        let sealed = deliver(&self.full, &statement).expect("sealed");
        self.broker.check_receipt(&sealed, &statement);
        assert_eq!(self.broker.last_sequence(), last + 1, "the fence counts what is void");
        for node in self.nodes() {
            wait_for_size(node, size + 1);
            self.check_alerts(node);
        }
    }

    fn check_alerts(&self, node: &Ledger) {
        let found = || {
            let range = |alert: &serde_json::Value| {
                let number = |member: &str| alert[member].as_str().and_then(|text| text.parse().ok());
                (number("first").expect("a number"), number("last").expect("a number"))
            };
            alerts(node, "stream-void").iter().map(range).collect::<Vec<(u64, u64)>>()
        };
        wait_until("the alert", || found().len() >= self.expected.len());
        assert_eq!(found(), self.expected, "one alert each");
        assert!(!node.is_stopped());
    }

    /// At the end: nodes that start again, or are new, or have forgotten where they were, come to the same.
    fn ends(self) {
        let sealed = statements_of(&self.full);
        let fresh = self.broker.node(&self.broker.home.folder.path().join("fresh"));
        wait_for_size(&fresh, sealed.len() as u64);
        self.check_alerts(&fresh);
        let Self { broker, full, standby, follower, .. } = self;
        for node in [full, standby, follower, fresh] {
            node.close();
        }
        let data = broker.home.data();
        for other in ["standby", "follower", "fresh"] {
            assert_same_folders(&data, &broker.home.folder.path().join(other));
        }
        std::fs::remove_file(data.join("state/stream.json")).expect("removed");
        let again = broker.node(&data);
        assert_eq!(statements_of(&again), sealed);
        assert_eq!(alerts(&again, "stream-void").len(), self.expected.len(), "still one alert each");
        assert_eq!(evidence(&data), []);
    }
}

#[test]
fn messages_that_are_no_batch_are_void() {
    let mut nodes = Nodes::new();
    let entries = entries_after(nodes.full.log(), 1, "foreign");
    let head = head_after(nodes.full.log(), &entries);
    let whole = batch("foreign", &entries, &closing(head)).remove(0);
    let mut bare = whole.clone();
    bare.headers.clear();
    let mut elsewhere = whole.clone();
    elsewhere.subject = "gt.ledger.decision.recorded".into();
    let mut junk = whole.clone();
    junk.payload = b"what is this".to_vec();
    let mut headless = whole;
    headless.headers.retain(|(name, _)| *name != header::HEAD);
    for foreign in [bare, elsewhere, junk, headless] {
        let sequence = nodes.broker.publish(&[foreign]);
        nodes.goes_on(sequence, sequence);
    }
    nodes.ends();
}

/// A header of the server's own that a client sets must not mislead anybody about where a message stands.
#[test]
fn a_message_cannot_lie_about_its_place() {
    let mut nodes = Nodes::new();
    let liar = RawMessage {
        subject: "gt.ledger.missing.started".into(),
        headers: Vec::new(),
        payload: b"x".to_vec(),
    }
    .with("Nats-Sequence", "1")
    .with("Nats-Subject", "gt.ledger.x");
    let sequence = nodes.broker.publish(&[liar]);
    nodes.goes_on(sequence, sequence);
    nodes.ends();
}

/// Whole batches that do not extend the log.
#[test]
fn batches_that_do_not_fit_are_void() {
    let mut nodes = Nodes::new();
    for length in [1, 3] {
        for kind in 0..6 {
            let log = nodes.full.log();
            let size = log.size().0;
            let mut entries = entries_after(log, length, &format!("void {length} {kind}"));
            let mut head = head_after(log, &entries);
            let mut keys = 0;
            match kind {
                0 => head = Checkpoint::new(ORIGIN, head.size(), Hash::of(b"another root")).expect("sound"),
                1 => head = Checkpoint::new(ORIGIN, TreeSize(head.size().0 + 5), head.root()).expect("sound"),
                2 => {
                    // Right about the tree, but the entries do not name the one before.
                    let mut entry = gt_core::entry::Entry::parse(&entries[0].bytes).expect("an entry");
                    entry.prev = Hash::of(b"nobody");
                    entries[0] = crate::broker::raw::sealed(&entry, b"unchained");
                    head = head_after(log, &entries);
                }
                3 => {
                    // Beyond the end.
                    let mut entry = gt_core::entry::Entry::parse(&entries[0].bytes).expect("an entry");
                    entry.index = LeafIndex(size + 7);
                    entries[0] = crate::broker::raw::sealed(&entry, b"misplaced");
                }
                4 => {
                    // Names keys that never were, for which nobody must wait.
                    head = Checkpoint::new(ORIGIN, head.size(), Hash::of(b"another root")).expect("sound");
                    keys = 1 << 40;
                }
                _ => head = Checkpoint::new("ledger.example/other", head.size(), head.root()).expect("sound"),
            }
            let mut closing = closing(head);
            closing.keys = keys;
            let last = nodes.broker.publish(&batch(&format!("void{length}{kind}"), &entries, &closing));
            nodes.goes_on(last + 1 - length, last);
        }
    }
    nodes.ends();
}

/// What a server of an older version leaves after a power cut: the beginning of a batch, and no end.
#[test]
fn a_torn_run_is_void_once_another_batch_commits() {
    let mut nodes = Nodes::new();
    for length in [1, 3] {
        let entries = entries_after(nodes.full.log(), 5, &format!("torn{length}"));
        let head = head_after(nodes.full.log(), &entries);
        let mut messages = batch(&format!("torn{length}"), &entries, &closing(head));
        messages.truncate(length);
        let messages: Vec<RawMessage> = messages.into_iter().map(RawMessage::masked).collect();
        let last = nodes.broker.publish(&messages);
        for node in nodes.nodes() {
            nodes.check_alerts(node);
        }
        nodes.goes_on(last + 1 - length as u64, last);
    }
    nodes.ends();
}
