//! Two sealers of one ledger at once.

use std::collections::HashSet;
use std::path::PathBuf;

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;

use crate::broker::{
    Broker, assert_same_folders, deliver, prepared, statements_of, wait_for_size, wait_until,
};
use crate::partnership::{Publisher, child};

/// Ledgers must be closed before their connections' runtime ends, so they stand first.
struct Two {
    nodes: [Ledger; 2],
    folders: [PathBuf; 2],
    broker: Broker,
}

impl Two {
    fn new() -> Self {
        let broker = Broker::new();
        let folders = [broker.home.data(), broker.new_folder()];
        let nodes = folders.each_ref().map(|folder| broker.node(folder));
        Self { nodes, folders, broker }
    }

    fn register(&self, agency: &str, seed: u8) -> Publisher {
        let publisher = self.broker.home.register(&self.nodes[0], agency, seed);
        wait_for_size(&self.nodes[1], self.nodes[0].log().size().0);
        publisher
    }

    /// Both have the same log, and each reads everything in it.
    fn agree(self) -> usize {
        let size = self.nodes.iter().map(|node| node.log().size().0).max().expect("two");
        self.nodes.iter().for_each(|node| wait_for_size(node, size));
        let sealed = statements_of(&self.nodes[0]);
        for index in 0..size {
            let texts = self.nodes.each_ref().map(|node| node.presentation(LeafIndex(index)).expect("reads"));
            assert!(texts[0].is_some(), "{index} can be read");
            assert_eq!(texts[0], texts[1], "{index}");
        }
        for node in &self.nodes {
            assert!(!node.is_stopped());
            assert_eq!(node.integrity_alerts(), [] as [serde_json::Value; 0]);
            node.close();
        }
        assert_same_folders(&self.folders[0], &self.folders[1]);
        sealed.len()
    }
}

#[test]
fn each_statement_is_sealed_once_whoever_gets_it() {
    const EACH: u8 = 25;
    let two = Two::new();
    let before = two.nodes[0].log().size().0;
    let publishers: Vec<Publisher> = (0..4_u8)
        .map(|n| {
            two.register(["gss:E06000005", "police:32", "ods:RX1", "gias:123456"][usize::from(n)], n + 1)
        })
        .collect();
    std::thread::scope(|scope| {
        for (n, mut publisher) in publishers.into_iter().enumerate() {
            let two = &two;
            scope.spawn(move || {
                for at in 0..EACH {
                    let statement = publisher.next(&child(at % 6));
                    // To one node, to the other, and every fifth time to both.
                    let nodes = match (usize::from(at) + n) % 5 {
                        0 => vec![&two.nodes[0], &two.nodes[1]],
                        at => vec![&two.nodes[at % 2]],
                    };
                    let receipts: Vec<_> = nodes
                        .iter()
                        .map(|node| deliver(node, &statement).expect("sealed"))
                        .inspect(|sealed| two.broker.check_receipt(sealed, &statement))
                        .collect();
                    assert!(!receipts[0].duplicate);
                    assert!(receipts[1..].iter().all(|one| one.duplicate && one.index == receipts[0].index));
                }
            });
        }
    });
    assert_eq!(two.agree() as u64, before + 4 + 4 * u64::from(EACH));
}

#[test]
fn who_loses_says_so_and_then_follows() {
    let two = Two::new();
    let mut council = two.register("gss:E06000005", 1);
    let mut police = two.register("police:32", 2);
    wait_until("the second one follows", || !two.nodes[1].is_active());
    assert!(two.nodes[0].is_active());
    let (mut lost, mut won) = (0, 0);
    while lost == 0 {
        let (one, other): (Vec<Statement>, Vec<Statement>) =
            (0..4).map(|n| (council.next(&child(n)), police.next(&child(n)))).unzip();
        let submit = |node: &Ledger, statements: &[Statement]| -> Vec<_> {
            statements.iter().map(|statement| node.submit(prepared(statement))).collect()
        };
        let waiting = (submit(&two.nodes[0], &one), submit(&two.nodes[1], &other));
        for (answer, (node, statement)) in waiting
            .0
            .into_iter()
            .zip(one.iter().map(|statement| (0, statement)))
            .chain(waiting.1.into_iter().zip(other.iter().map(|statement| (1, statement))))
        {
            match answer.blocking_recv().expect("answered") {
                Ok(sealed) => {
                    won += 1;
                    two.broker.check_receipt(&sealed, statement);
                }
                // A gap is the same: the statement before it lost.
                Err(Refusal::Superseded | Refusal::ChainGap(_)) => {
                    lost += 1;
                    two.broker
                        .check_receipt(&deliver(&two.nodes[node], statement).expect("sealed"), statement);
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(won < 4000, "the two never meet");
    }
    // Whoever sealed last is active, and the other one is not.
    let statement = police.next(&child(1));
    two.broker.check_receipt(&deliver(&two.nodes[1], &statement).expect("sealed"), &statement);
    wait_until("one is active", || two.nodes[1].is_active() && !two.nodes[0].is_active());
    two.agree();
}

/// Both meet the same children for the first time: their keys are made once, whoever seals.
#[test]
fn owners_that_are_new_to_both_get_one_set_of_keys() {
    let two = Two::new();
    let mut council = two.register("gss:E06000005", 1);
    let mut police = two.register("police:32", 2);
    let children: Vec<String> = (0..20).map(child).collect();
    std::thread::scope(|scope| {
        for (node, publisher) in two.nodes.iter().zip([&mut council, &mut police]) {
            let children = &children;
            scope.spawn(move || {
                for about in children {
                    deliver(node, &publisher.next(about)).expect("sealed");
                }
            });
        }
    });
    let owners: HashSet<_> = children
        .iter()
        .map(|about| {
            let owner = gt_core::statement::Pseudonym::parse(about).expect("a pseudonym");
            let owner = gt_core::statement::Owner::Person(owner);
            let size = two.nodes.iter().map(|node| node.log().size().0).max().expect("two");
            two.nodes.iter().for_each(|node| wait_for_size(node, size));
            let ids = two.nodes.each_ref().map(|node| node.owner_id(&owner).expect("known"));
            assert_eq!(ids[0], ids[1], "one set of keys");
            ids[0]
        })
        .collect();
    assert_eq!(owners.len(), 20);
    two.agree();
}
