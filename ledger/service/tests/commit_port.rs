//! What `CommitPort` promises, checked on both implementations: the data folder alone, and the stream on a real server.

mod broker;
mod partnership;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use broker::raw::{entries_after, head_after};
use broker::{Broker, evidence};
use gt_core::agency::AgencyCode;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::statement::{Owner, Pseudonym};
use gt_core::{Hash, LeafIndex, TreeSize};
use gt_ledger::disk::Disk;
use gt_ledger::jetstream::Port;
use gt_ledger::keyring::{KeyRecord, Keyring, Proposals};
use gt_ledger::log::{LogReader, Published, recover};
use gt_ledger::sealer::{CommitError, CommitPort, Embedded, SealedBatch};
use partnership::{Home, child};
use serde_json::json;

/// A port that is open on a folder, and the log that it commits to.
struct Open {
    port: Box<dyn CommitPort>,
    log: Arc<LogReader>,
}

/// Something whose ports can be opened one after the other.
trait Store {
    fn home(&self) -> &Home;
    fn folder(&self) -> PathBuf;
    fn open(&self) -> Open;
}

impl Store for Home {
    fn home(&self) -> &Home {
        self
    }

    fn folder(&self) -> PathBuf {
        self.data()
    }

    fn open(&self) -> Open {
        let root = self.data();
        let checkpoint = fs::read(root.join("checkpoint")).expect("a checkpoint");
        let checkpoint = SignedCheckpoint::parse(&checkpoint).expect("a checkpoint");
        let writer = recover(Disk::new(&root, None), Some(checkpoint.checkpoint())).expect("recovers").writer;
        let log = Arc::new(LogReader::new(&root, Published { checkpoint, open_tiles: writer.open_tiles() }));
        Open { port: Box::new(Embedded::new(writer, Arc::clone(&log))), log }
    }
}

/// One folder of a ledger in a stream.
struct OfStream<'a> {
    broker: &'a Broker,
    folder: PathBuf,
}

impl Store for OfStream<'_> {
    fn home(&self) -> &Home {
        &self.broker.home
    }

    fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    fn open(&self) -> Open {
        // A port does not follow; what is announced and not settled yet is found by following.
        self.broker.node(&self.folder).close();
        let options = self.broker.options(self.broker.client(), false);
        let opened = Port::open(&self.folder, &self.home().secrets(), &options).expect("opens");
        Open { port: Box::new(opened.port), log: opened.log }
    }
}

fn proposals(store: &dyn Store, owners: &[u8]) -> Vec<KeyRecord> {
    let keyring = Keyring::open(&store.folder(), store.home().secrets().kek()).expect("opens");
    let mut proposed = Proposals::default();
    let agency = AgencyCode::parse("gss:E06000005").expect("a code");
    for owner in owners {
        let owner = Owner::Person(Pseudonym::parse(&child(*owner)).expect("a pseudonym"));
        keyring.propose(&owner, &agency, &mut proposed);
    }
    proposed.into_records()
}

fn sign(home: &Home, size: TreeSize, root: Hash) -> SignedCheckpoint {
    let head = gt_core::checkpoint::Checkpoint::new(partnership::ORIGIN, size, root).expect("sound");
    home.secrets().log_signer().expect("a key").sign(head).expect("signed")
}

fn batch(log: &LogReader, keys: Vec<KeyRecord>, count: u64, salt: &str) -> SealedBatch {
    SealedBatch { keys, entries: entries_after(log, count, salt) }
}

/// Commits a batch all the way, and checks what is promised of each step.
fn commit(store: &dyn Store, open: &mut Open, keys: Vec<KeyRecord>, count: u64, salt: &str) {
    let before = open.log.size();
    let batch = batch(&open.log, keys, count, salt);
    let expected = head_after(&open.log, &batch.entries);
    let (size, root) = open.port.commit(&batch).expect("commits");
    assert_eq!((size, root), (expected.size(), expected.root()), "the head is that of all entries");
    assert_eq!(open.log.size(), before, "what is not announced is not shown");
    let checkpoint = sign(store.home(), size, root);
    open.port.announce(checkpoint.clone()).expect("announces");
    let published = open.log.published();
    assert_eq!(published.checkpoint, checkpoint);
    for (entry, index) in batch.entries.iter().zip(before.0..) {
        assert_eq!(open.log.entry_bytes(LeafIndex(index)).expect("reads"), entry.bytes, "in their order");
    }
    let on_disk = fs::read(store.folder().join("checkpoint")).expect("a checkpoint");
    assert_eq!(on_disk, checkpoint.to_string().into_bytes(), "durable before receipts go out");
}

fn a_batch_is_committed_whole_in_order_and_durably(store: &dyn Store) {
    let mut open = store.open();
    let first = open.log.size().0;
    let mut size = first;
    // Over the end of a bundle, and without settling now and then: receipts have gone out by then.
    for (at, count) in [1_u64, 2, 300, 1, 7].into_iter().enumerate() {
        assert!(open.port.is_current().expect("knows"));
        commit(store, &mut open, Vec::new(), count, &format!("batch {at}"));
        size += count;
        assert_eq!(open.log.size().0, size);
        if at % 2 == 0 {
            open.port.settle().expect("settles");
        }
        if at == 2 {
            open = store.open_again(open);
        }
    }
    let all: Vec<_> =
        (first..size).map(|index| open.log.entry_bytes(LeafIndex(index)).expect("reads")).collect();
    let open = store.open_again(open);
    assert_eq!(open.log.size().0, size, "what was announced is there after a restart");
    for (index, entry) in (first..).zip(&all) {
        assert_eq!(&open.log.entry_bytes(LeafIndex(index)).expect("reads"), entry);
    }
    assert_eq!(head_after(&open.log, &[]), *open.log.published().checkpoint.checkpoint());
}

fn keys_are_agreed_on_and_durable_with_their_batch(store: &dyn Store) {
    let mut open = store.open();
    let proposed = proposals(store, &[1, 2, 3]);
    assert_eq!(proposed.len(), 6);
    let held = open.port.share_keys(proposed.clone()).expect("shared");
    assert_eq!(held, proposed, "nobody else has proposed others");
    commit(store, &mut open, held, 2, "with keys");
    let open = store.open_again(open);
    drop(open);
    assert_eq!(proposals(store, &[1, 2, 3]), [], "the folder's keyring holds them");
    assert_eq!(proposals(store, &[4]).len(), 2);
}

trait Again: Store {
    /// Closes a port and opens another on the same folder.
    fn open_again(&self, open: Open) -> Open {
        drop(open);
        self.open()
    }
}

impl<S: Store + ?Sized> Again for S {}

#[test]
fn the_folder_alone_keeps_the_promises() {
    a_batch_is_committed_whole_in_order_and_durably(&Home::new());
    keys_are_agreed_on_and_durable_with_their_batch(&Home::new());
}

#[test]
fn the_stream_keeps_the_promises() {
    let broker = Broker::new();
    let store = OfStream { broker: &broker, folder: broker.home.data() };
    keys_are_agreed_on_and_durable_with_their_batch(&store);
    a_batch_is_committed_whole_in_order_and_durably(&store);
}

/// What was committed and not announced is in the stream: a start finds it there, and signs it.
#[test]
fn what_the_stream_acknowledged_survives_its_sealer() {
    let broker = Broker::new();
    let store = OfStream { broker: &broker, folder: broker.home.data() };
    let mut open = store.open();
    let batch = batch(&open.log, Vec::new(), 3, "unannounced");
    let (size, root) = open.port.commit(&batch).expect("commits");
    drop(open);
    let ledger = broker.node(&store.folder);
    assert_eq!(*ledger.published().checkpoint.checkpoint(), *sign(&broker.home, size, root).checkpoint());
}

fn two_stores(broker: &Broker) -> (OfStream<'_>, OfStream<'_>) {
    let folder = broker.copy_of(&broker.home.data());
    (OfStream { broker, folder: broker.home.data() }, OfStream { broker, folder })
}

#[test]
fn of_two_ports_one_commits_and_the_other_hears_of_it() {
    let broker = Broker::new();
    let (first, second) = two_stores(&broker);
    let (mut winner, mut loser) = (first.open(), second.open());
    for count in [1, 5] {
        commit(&first, &mut winner, Vec::new(), count, "winner");
        let (last, before) = (broker.last_sequence(), loser.log.size());
        assert!(!loser.port.is_current().expect("knows"));
        assert!(winner.port.is_current().expect("knows"));
        for lost in [1, 5] {
            let batch = batch(&loser.log, Vec::new(), lost, "loser");
            let refused = loser.port.commit(&batch).expect_err("the fence does not hold");
            assert!(matches!(refused, CommitError::Superseded), "{refused}");
            assert!(refused.is_nothing_committed());
        }
        assert_eq!((broker.last_sequence(), loser.log.size()), (last, before), "nothing of it is anywhere");
        drop(loser);
        loser = second.open();
        assert_eq!(loser.log.size(), winner.log.size());
    }
    // Having caught up, it wins as well as the other.
    commit(&second, &mut loser, Vec::new(), 2, "second");
    assert!(matches!(
        winner.port.commit(&batch(&winner.log, Vec::new(), 1, "first")),
        Err(CommitError::Superseded)
    ));
}

#[test]
fn who_proposes_keys_second_gets_those_of_the_first() {
    let broker = Broker::new();
    let (first, second) = two_stores(&broker);
    let (mut one, mut other) = (first.open(), second.open());
    let held = one.port.share_keys(proposals(&first, &[1, 2])).expect("shared");
    let late = proposals(&second, &[2, 3]);
    let got = other.port.share_keys(late.clone()).expect("shared");
    for record in &held {
        // All of them: a batch that rests on them says only up to where the keyring must be known.
        assert!(got.contains(record), "what was read on the way is not lost");
    }
    let news: Vec<_> =
        late.iter().filter(|record| !held.iter().any(|there| there.name == record.name)).collect();
    assert_eq!(news.len(), 2);
    assert!(news.iter().all(|record| got.contains(record)));
    assert_eq!(got.len(), held.len() + news.len(), "one record of each name");
    // And the folder's keyring has them with the next commit.
    commit(&second, &mut other, got, 1, "with the first one's keys");
    drop(other);
    assert_eq!(proposals(&second, &[1, 2, 3]), []);
}

#[test]
fn what_a_full_stream_refuses_is_nowhere_and_the_next_commit_works() {
    let broker = Broker::new();
    let store = OfStream { broker: &broker, folder: broker.home.data() };
    let mut open = store.open();
    let bytes = broker.stream_info("LEDGER")["state"]["bytes"].as_u64().expect("a number");
    let last = broker.last_sequence();
    broker.update_stream("LEDGER", &json!({"max_bytes": bytes + 2000}));
    let entries = batch(&open.log, Vec::new(), 20, "too much");
    let refused = open.port.commit(&entries).expect_err("there is no room");
    assert!(matches!(refused, CommitError::Refused(_)), "{refused}");
    assert!(refused.is_nothing_committed());
    assert_eq!(broker.last_sequence(), last, "not even the part for which there was room");
    assert!(open.port.is_current().expect("knows"));
    broker.update_stream("LEDGER", &json!({"max_bytes": 256 << 20}));
    commit(&store, &mut open, Vec::new(), 20, "again");
    assert_eq!(evidence(&store.folder), []);
}

#[test]
fn a_port_outlives_its_server() {
    let mut broker = Broker::new();
    let folder = broker.home.data();
    let (broker_options, secrets) = (broker.options(broker.client(), false), broker.home.secrets());
    let mut opened = Port::open(&folder, &secrets, &broker_options).expect("opens");
    let before = broker.last_sequence();
    broker.server.kill();
    assert!(opened.port.is_current().is_err(), "nobody knows");
    broker.server.run();
    let batch = batch(&opened.log, Vec::new(), 3, "after the restart");
    opened.port.commit(&batch).expect("the same port goes on");
    assert_eq!(broker.last_sequence(), before + 3);
}
