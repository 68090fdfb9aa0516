//! A stream that contradicts what a node has sealed: the node stops, keeps what shows it, and changes nothing.

use std::fs;
use std::path::Path;

use gt_core::Hash;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::key::PrivateKey;
use gt_ledger::Ledger;
use gt_ledger::open::OpenLedgerError;
use gt_ledger::refusal::Refusal;
use serde_json::json;

use crate::broker::raw::{RawMessage, batch, closing, entries_after, head_after, sign};
use crate::broker::{Broker, alerts, evidence, prepared, sealed_files, wait_until};
use crate::partnership::{Publisher, child};

fn used() -> (Broker, Ledger, Publisher) {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    for n in 0..6 {
        ledger.seal_blocking(council.next(&child(n)).to_compact().as_bytes()).expect("sealed");
    }
    (broker, ledger, council)
}

/// The node has stopped, and whoever looks finds why.
fn has_stopped(ledger: &Ledger, folder: &Path, before: usize) {
    wait_until("the node stops", || ledger.is_stopped() && evidence(folder).len() > before);
    let found = alerts(ledger, "stream-contradiction");
    assert_eq!(found.len(), 1, "{found:?}");
    let kept = evidence(folder);
    assert_eq!(kept.len(), before + 1, "once");
    let own = kept[before].get(Path::new("own-checkpoint-now")).expect("what the node itself held then");
    SignedCheckpoint::parse(own).expect("a checkpoint");
}

/// A node does not start on this stream, keeps what shows why, and changes nothing of what is sealed.
fn does_not_start(broker: &Broker, folder: &Path) {
    let (before, kept) = (sealed_files(folder), evidence(folder).len());
    let opened = broker.try_node(folder);
    assert!(matches!(opened, Err(OpenLedgerError::NotCaughtUp)), "{:?}", opened.err());
    assert!(sealed_files(folder) == before, "what is sealed is not touched");
    assert_eq!(evidence(folder).len(), kept + 1);
    let alerts = fs::read_to_string(folder.join("state/integrity.ndjson")).expect("alerts");
    assert!(alerts.contains("stream-contradiction"));
}

/// Publishes messages into a stream that was made anew; atomic batches under names of their own.
fn refill(broker: &Broker, messages: &[RawMessage]) {
    let mut batch: Vec<RawMessage> = Vec::new();
    for message in messages {
        batch.push(message.clone());
        if message.headers.iter().any(|(name, _)| *name == "Gt-Head") {
            broker.publish(&batch);
            batch.clear();
        }
    }
    assert!(batch.is_empty());
}

/// The number of messages of a prefix of whole batches, all but the last of them.
fn but_the_last_batch(messages: &[RawMessage]) -> usize {
    let ends = |message: &RawMessage| message.headers.iter().any(|(name, _)| *name == "Gt-Head");
    messages[..messages.len() - 1].iter().rposition(ends).expect("more than one batch") + 1
}

#[test]
fn a_stream_made_anew_and_empty() {
    let (broker, ledger, _) = used();
    broker.recreate_stream();
    has_stopped(&ledger, &broker.home.data(), 0);
    ledger.close();
    drop(ledger);
    does_not_start(&broker, &broker.home.data());
}

#[test]
fn a_stream_put_back_to_an_older_copy() {
    let (broker, ledger, mut council) = used();
    let messages = broker.messages();
    ledger.close();
    drop(ledger);
    broker.recreate_stream();
    refill(&broker, &messages[..but_the_last_batch(&messages)]);
    does_not_start(&broker, &broker.home.data());
    // Filled up to where it was, it is the same ledger again.
    refill(&broker, &messages[but_the_last_batch(&messages)..]);
    let ledger = broker.node(&broker.home.data());
    ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
}

#[test]
fn a_stream_made_anew_with_other_entries() {
    let (broker, ledger, _) = used();
    let messages = broker.messages();
    let older = broker.copy_of(&broker.home.data());
    ledger.close();
    drop(ledger);
    let mut size = 0;
    for (length, more) in [(1, 0), (3, 0), (3, 4)] {
        // The same up to the last batch, and then something else in its place: as much, or more.
        broker.recreate_stream();
        // Otherwise the checkpoint of the true history would stop the fork.
        broker.forget_checkpoints();
        refill(&broker, &messages[..but_the_last_batch(&messages)]);
        let fork = broker.new_folder();
        let node = broker.node(&fork);
        size = size.max(node.log().size().0);
        for (at, length) in [length, more].into_iter().enumerate().filter(|(_, length)| *length > 0) {
            let entries = entries_after(node.log(), length, "another history");
            let head = head_after(node.log(), &entries);
            broker.publish(&batch(&format!("fork{at}"), &entries, &closing(head.clone())));
            wait_until("the fork grows", || node.log().size() == head.size());
        }
        drop(node);
        does_not_start(&broker, &broker.home.data());
        let differs = &evidence(&broker.home.data()).pop().expect("kept");
        assert!(differs.keys().any(|name| name.ends_with("0000-own-entry")), "{:?}", differs.keys());
        assert!(differs.keys().any(|name| name.to_string_lossy().ends_with("stream-entry")));
    }
    assert!(size > 0 && older.exists());
}

#[test]
fn the_same_stream_cut_short() {
    let (broker, ledger, _) = used();
    // A stream that is restored keeps the time at which it was made.
    let last = broker.last_sequence();
    ledger.close();
    drop(ledger);
    let file = broker.home.data().join("state/stream.json");
    let position = fs::read_to_string(&file).expect("a position");
    let of_more = position.replace(&format!("\"sequence\":{last}"), &format!("\"sequence\":{}", last + 40));
    assert_ne!(position, of_more);
    fs::write(&file, of_more).expect("written");
    // The folder holds everything that the stream holds, so all is well, wherever it believed itself to be.
    let ledger = broker.node(&broker.home.data());
    assert!(!ledger.is_stopped());
    let written = fs::read_to_string(&file).expect("a position");
    assert!(written.contains(&format!("\"sequence\":{last}")), "{written}");
}

#[test]
fn a_checkpoint_of_the_ledgers_key_with_another_root() {
    let (broker, ledger, mut council) = used();
    let size = ledger.log().size().0;
    let other = broker.sign(size - 2, Hash::of(b"another root"));
    broker.publish_checkpoint(&other);
    has_stopped(&ledger, &broker.home.data(), 0);
    let kept = evidence(&broker.home.data()).remove(0);
    let signed = kept.iter().find(|(name, _)| name.ends_with("0000-signed-checkpoint")).expect("kept").1;
    assert_eq!(*signed, other.to_string().into_bytes());
    let refused = ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes());
    assert!(matches!(refused, Err(Refusal::Stopped)));
    assert_eq!(ledger.log().size().0, size, "reading goes on");
    ledger.close();
    drop(ledger);
    // It is the newest on the broker, so a new start meets it too.
    does_not_start(&broker, &broker.home.data());
}

/// Somebody has signed more than there is: this node must not sign something else in its place.
#[test]
fn a_checkpoint_of_the_ledgers_key_beyond_the_stream() {
    let (broker, ledger, mut council) = used();
    let (size, last) = (ledger.log().size().0, broker.last_sequence());
    let seen = ledger.watch_announced();
    broker.publish_checkpoint(&broker.sign(size + 1, Hash::of(b"what nobody has seen")));
    wait_until("the checkpoint has come in", || *seen.borrow() > size);
    let statement = council.next(&child(1));
    wait_until("the node stops", || {
        let refused = ledger.seal_blocking(statement.to_compact().as_bytes()).expect_err("must be refused");
        assert!(matches!(refused, Refusal::Superseded | Refusal::Stopped), "{refused}");
        ledger.is_stopped()
    });
    assert_eq!((ledger.log().size().0, broker.last_sequence()), (size, last), "nothing else was signed");
    has_stopped(&ledger, &broker.home.data(), 0);
}

#[test]
fn a_checkpoint_of_another_key_is_nothing() {
    let (broker, ledger, mut council) = used();
    let size = ledger.log().size().0;
    for size in [size - 1, size, size + 10] {
        broker.publish_checkpoint(&sign(&PrivateKey::from_seed(&[9; 32]), size, Hash::of(b"another root")));
    }
    let junk = RawMessage { subject: "gt.checkpoint".into(), headers: Vec::new(), payload: b"junk".to_vec() };
    broker.publish(&[junk]);
    let statement = council.next(&child(1));
    let answer = ledger.submit(prepared(&statement)).blocking_recv().expect("answered");
    broker.check_receipt(&answer.expect("sealed"), &statement);
    ledger.close();
    assert!(!ledger.is_stopped());
    drop(ledger);
    let ledger = broker.node(&broker.home.data());
    assert_eq!(ledger.integrity_alerts(), [] as [serde_json::Value; 0]);
    assert_eq!(evidence(&broker.home.data()), []);
}

#[test]
fn a_message_that_is_gone_from_the_middle() {
    let (broker, ledger, _) = used();
    ledger.close();
    drop(ledger);
    let messages = broker.messages();
    let mut config = broker.stream_info("LEDGER")["config"].clone();
    config["deny_delete"] = json!(false);
    broker.api("STREAM.DELETE.LEDGER", &json!({})).expect("deleted");
    broker.api("STREAM.CREATE.LEDGER", &config).expect("made without what keeps its messages");
    refill(&broker, &messages);
    broker.node(&broker.home.data()).close();
    broker.api("STREAM.MSG.DELETE.LEDGER", &json!({"seq": 3})).expect("deleted");
    // Who has read past it misses nothing; who reads from the start, does.
    broker.node(&broker.home.data()).close();
    fs::remove_file(broker.home.data().join("state/stream.json")).expect("removed");
    does_not_start(&broker, &broker.home.data());
    assert!(broker.try_node(&broker.new_folder()).is_err(), "nothing can be made from it");
}

/// The running node reads on, and one of the messages that it should have read is gone.
#[test]
fn a_running_node_notices_that_a_message_is_gone() {
    let (broker, ledger, _) = used();
    ledger.close();
    let messages = broker.messages();
    drop(ledger);
    let mut config = broker.stream_info("LEDGER")["config"].clone();
    config["deny_delete"] = json!(false);
    broker.api("STREAM.DELETE.LEDGER", &json!({})).expect("deleted");
    broker.api("STREAM.CREATE.LEDGER", &config).expect("made without what keeps its messages");
    refill(&broker, &messages);
    let folder = broker.home.data();
    broker.node(&folder).close();
    let junk = RawMessage { subject: "gt.ledger.x".into(), headers: Vec::new(), payload: b"junk".to_vec() };
    let gone = broker.publish(std::slice::from_ref(&junk));
    broker.api("STREAM.MSG.DELETE.LEDGER", &json!({"seq": gone})).expect("deleted");
    broker.publish(&[junk]);
    does_not_start(&broker, &folder);
}
