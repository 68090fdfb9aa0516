//! An agency's outbox while no server can be reached.

use serde_json::Value;

use super::ledger::Ledger;
use super::outboxes::{agent, keep_sealed};
use super::turn;
use crate::partnership::{Client, Process, child, draft_line};

const DRAFTS: u64 = 40;

fn post(client: &Client, n: u64, wait: u64) -> (u16, Value) {
    let draft = draft_line(&format!("a{n}"), &child(n % 3), n);
    let reply = client.post(&format!("/v1/drafts?wait={wait}"), "application/json", draft.as_bytes());
    (reply.status, reply.json())
}

#[test]
fn drafts_outlast_a_long_break_and_go_out_in_order() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let start = |ledger: &Ledger| {
        let process = agent(&ledger.home, "charity", &ledger.cluster.url(), &ledger.home.at("agent.log"));
        let client = Client::new(&process.listening());
        (process, client)
    };
    let (mut process, mut client): (Process, Client) = start(&ledger);
    assert_eq!(post(&client, 0, 20).0, 201);
    (0..3).for_each(|at| ledger.cluster.kill(at));
    for n in 1..DRAFTS {
        let (status, outcome) = post(&client, n, 0);
        assert_eq!((status, &outcome["status"]), (202, &Value::from("queued")), "{outcome}");
        if n == DRAFTS / 3 {
            process.kill();
            (process, client) = start(&ledger);
        } else if n == DRAFTS / 2 {
            process.signal("TERM");
            assert_eq!(process.ended().code(), Some(0), "{}", process.log_text());
            (process, client) = start(&ledger);
        }
    }
    (0..3).for_each(|at| ledger.cluster.launch(at));
    ledger.cluster.until_ready();
    let mut last = 0;
    for n in 0..DRAFTS {
        let mut outcome = Value::Null;
        ledger.until("the draft is sealed", || {
            outcome = post(&client, n, 10).1;
            outcome["status"] == "sealed"
        });
        assert!(keep_sealed(&ledger.receipts, &outcome));
        assert_eq!(outcome["seq"], n);
        let index = outcome["index"].as_u64().expect("an index");
        assert!(index > last, "draft {n} at {index} after {last}");
        last = index;
    }
    drop(process);
    ledger.all_agree();
}
