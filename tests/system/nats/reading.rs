//! Reads on every node, all of which sign with the ledger's one service key: each is sealed once, and none is taken for a fork.

use std::thread;

use super::ledger::Ledger;
use super::turn;

const READERS: usize = 2;
const READS: usize = 20;

#[test]
fn every_node_has_its_reads_sealed_and_races_are_no_forks() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    let load = ledger.load();
    let token = ledger.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    // The key that signs tokens is every node's, and so is the list of what was revoked.
    let before = ledger.follower().client().reads();
    thread::scope(|threads| {
        for node in &ledger.nodes {
            for _ in 0..READERS {
                let reader = node.client().with_token(&token);
                threads.spawn(move || {
                    let mut read = 0;
                    while read < READS {
                        let reply = reader.get("/v1/decisions");
                        // A node may be told by nobody for a moment that its read is sealed; whoever reads asks again.
                        assert!([200, 503].contains(&reply.status), "{}", reply.text());
                        read += usize::from(reply.status == 200);
                    }
                });
            }
        }
    });
    let wanted = (ledger.nodes.len() * READERS * READS) as u64;
    load.finish();
    ledger.until_level("all nodes have the reads");
    assert!(ledger.follower().client().reads() >= before + wanted, "each was sealed");
    for node in &ledger.nodes {
        let integrity = node.client().with_token(&token).get("/v1/integrity").json();
        assert_eq!(integrity["items"], serde_json::json!([]), "{}", node.name);
    }
    ledger.all_agree();
}
