//! Nodes that have witnesses: whichever of them seals, its receipts satisfy the policy.

use std::collections::BTreeSet;
use std::time::Duration;

use gt_core::policy::Policy;
use gt_core::receipt::Receipt;

use super::broker::Answer;
use super::ledger::Ledger;
use super::nodes::Node;
use super::turn;
use crate::partnership::{child, path, run};
use crate::witnesses::watching::{Watching, policy_of_all};

/// Longer than a take-over, and than a receipt waits.
const PATIENCE: Duration = Duration::from_secs(8);

fn satisfies(policy: &Policy, answer: &Answer) {
    let receipt = Receipt::parse(answer.receipt().as_bytes()).expect("a receipt");
    assert_eq!(policy.check(&receipt.checkpoint).map(|by| by.len()), Ok(2));
}

#[test]
fn witnesses_sign_for_whichever_node_seals() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    let mut council = ledger.publisher("council");
    let subject = format!("gt.intake.{}.{}", council.agency, council.id);
    let mut witness = Watching::start(&ledger.home, "w1");
    let (file, policy) = policy_of_all(&ledger.home, &[&witness]);
    for node in &mut ledger.nodes[..2] {
        node.stop();
        node.also(&["--witnesses", path(&file), "--require-quorum", "--quorum-wait", "2"]);
        node.start();
    }
    let broker = std::sync::Arc::clone(&ledger.broker);
    // Sent again until there is a receipt, as an outbox does.
    let publish = |compact: &str| loop {
        match broker.ask(&subject, compact.as_bytes(), PATIENCE) {
            Some(answer) if answer.status < 300 => return answer,
            Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
            None => {}
        }
    };
    for round in 0..2 {
        let statement = council.next(&child(round), round);
        let answer = publish(&statement.to_compact());
        satisfies(&policy, &answer);
        ledger.home.prove(&answer.receipt(), statement.hash());
        let sealer = ledger.sealer();
        ledger.nodes[sealer].kill();
        // The other one takes over, and compares with the witness before it signs.
        let statement = council.next(&child(round), round + 10);
        let answer = publish(&statement.to_compact());
        satisfies(&policy, &answer);
        ledger.home.prove(&answer.receipt(), statement.hash());
        assert_ne!(ledger.sealer(), sealer);
        ledger.nodes[sealer].start();
    }

    witness.kill();
    let statement = council.next(&child(3), 30);
    let refused = broker.ask(&subject, statement.to_compact().as_bytes(), PATIENCE).expect("an answer");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "not_witnessed"), "{}", refused.text());
    witness.come_back();
    let answer = publish(&statement.to_compact());
    assert_eq!(answer.status, 200, "it was sealed before");
    satisfies(&policy, &answer);
    ledger.until_level("all nodes have the same entries");
    // The cosignatures differ: each node asks for its own.
    let head = |node: &Node| {
        let checkpoint = node.client().get("/checkpoint");
        checkpoint.text().split("\n\n").next().expect("a note's text").to_owned()
    };
    let heads: BTreeSet<String> = ledger.nodes.iter().map(head).collect();
    assert_eq!(heads.len(), 1, "{heads:?}");
    for node in &mut ledger.nodes {
        node.stop();
        let report = run(["fsck", "--json", "--data", path(&node.data)]).succeeded().json();
        assert_eq!(report["verdict"], "sound", "{}: {report}", node.name);
    }
}
