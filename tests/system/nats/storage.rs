//! What servers store: it may fill up, and what they acknowledged is in their files.

use std::time::{Duration, Instant};

use serde_json::json;

use super::ledger::Ledger;
use super::turn;
use crate::partnership::{child, copy_folder};

/// Room for some hundred entries.
const LITTLE: u64 = 300_000;

#[test]
fn a_full_stream_makes_publishers_wait_and_loses_nothing() {
    let _turn = turn();
    let mut ledger = Ledger::start_with(1, LITTLE);
    let mut council = ledger.publisher("council");
    let load = ledger.load();
    let client = ledger.nodes[0].client();
    let mut refused = None;
    ledger.until("the stream is full", || {
        let statement = refused.take().unwrap_or_else(|| council.next(&child(1), 1));
        let reply = client.publish(&statement);
        if matches!(reply.status, 200 | 201) {
            ledger.keep(statement.hash(), reply.text());
            return false;
        }
        assert_eq!((reply.status, reply.problem().as_str()), (503, "unavailable"), "{}", reply.text());
        refused = Some(statement);
        true
    });
    // What is smaller may still have found room.
    let (mut count, mut since) = (0, Instant::now());
    ledger.until("nobody is acknowledged any more", || {
        if ledger.receipts.count() != count {
            (count, since) = (ledger.receipts.count(), Instant::now());
        }
        since.elapsed() > Duration::from_secs(4)
    });
    let stored = ledger.broker.stream("LEDGER")["state"]["bytes"].as_u64().expect("a number");
    assert!(stored <= LITTLE && stored > LITTLE / 2, "{stored} bytes");
    let raised = ledger.broker.update("LEDGER", &[("max_bytes", json!(LITTLE * 1000))]);
    assert!(raised["error"].is_null(), "{raised}");
    ledger.until_more(40);
    load.finish();
    let statement = refused.expect("it was refused");
    let reply = client.publish(&statement);
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
    ledger.keep(statement.hash(), reply.text());
    ledger.all_agree();
}

/// A power cut as far as an ordinary process can play it: the files as they are at one moment, in the middle of the server's work, are all
/// that it has afterwards.
#[test]
fn what_was_acknowledged_is_in_the_servers_files() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    let load = ledger.load();
    for round in 0..2 {
        ledger.until_more(60);
        ledger.cluster.freeze(0);
        let (store, copy) = (ledger.cluster.store(0), ledger.home.at(&format!("store{round}")));
        copy_folder(&store, &copy);
        ledger.cluster.kill(0);
        std::fs::remove_dir_all(&store).expect("a writable folder");
        copy_folder(&copy, &store);
        ledger.cluster.launch(0);
        ledger.cluster.until_ready();
    }
    ledger.until_more(30);
    load.finish();
    ledger.all_agree();
}
