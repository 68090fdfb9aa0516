//! Every node goes by the same configuration: the latest that is in the stream.

use std::thread;

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_schemas::Configuration;
use serde_json::json;

use crate::broker::{Broker, deliver, wait_until};
use crate::partnership::{Home, Publisher, configuration};

/// The registrar's next configuration, with a threshold by which it can be told apart.
fn configured(home: &Home, ledger: &Ledger, hours: u32) -> Statement {
    let mut value = Configuration::standard().to_json();
    value["thresholds"]["long_missing"]["hours"] = json!(hours);
    home.registrar_says(ledger, Configuration::TYPE, configuration(&value))
}

fn wait_for_configuration(ledger: &Ledger, index: LeafIndex, hours: u32) {
    wait_until("the configuration", || ledger.configured().index >= Some(index));
    let configured = ledger.configured();
    assert_eq!(
        (configured.index, configured.configuration.thresholds.long_missing.hours),
        (Some(index), hours)
    );
}

#[test]
fn nodes_follow_what_another_has_sealed_and_find_it_after_a_restart() {
    let broker = Broker::new();
    let folders = [broker.home.data(), broker.new_folder(), broker.new_folder()];
    let first = broker.node(&folders[0]);
    let full = broker.node(&folders[1]);
    let follower = broker.follower(&folders[2]);
    for node in [&first, &full, &follower] {
        wait_for_configuration(node, LeafIndex(2), 24);
    }
    let sealed = deliver(&first, &configured(&broker.home, &first, 12)).expect("sealed").index;
    for node in [&first, &full, &follower] {
        wait_for_configuration(node, sealed, 12);
    }
    first.close();
    drop(first);
    let sealed = deliver(&full, &configured(&broker.home, &full, 6)).expect("sealed").index;
    wait_for_configuration(&follower, sealed, 6);
    follower.close();
    drop(follower);
    wait_for_configuration(&broker.node(&folders[0]), sealed, 6);
    wait_for_configuration(&broker.follower(&folders[2]), sealed, 6);
}

/// Two nodes at once seal the registrar's next statement: one a configuration, the other a registration. Where the
/// registration wins, the sealer that loses must take back the configuration that its batch had brought.
#[test]
fn a_configuration_that_was_not_committed_is_taken_back() {
    let broker = Broker::new();
    let (home, folders) = (&broker.home, [broker.home.data(), broker.new_folder()]);
    let (one, other) = (broker.node(&folders[0]), broker.node(&folders[1]));
    let mut in_force = (LeafIndex(2), 24);
    for round in 0..16_u8 {
        let (configures, registers) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let hours = 100 + u32::from(round);
        let agency = Publisher::new(&format!("police:{round}"), round, home.genesis());
        let statements = [configured(home, configures, hours), home.registration(registers, &agency)];
        let [configuration, registration] = thread::scope(|scope| {
            let nodes = [(configures, &statements[0]), (registers, &statements[1])];
            let threads = nodes.map(|(node, statement)| scope.spawn(move || deliver(node, statement)));
            threads.map(|thread| thread.join().expect("ends"))
        });
        let (won, lost) = match (configuration, registration) {
            (Ok(won), Err(lost)) => {
                in_force = (won.index, hours);
                (won, lost)
            }
            (Err(lost), Ok(won)) => (won, lost),
            _ => panic!("exactly one of the two is sealed"),
        };
        assert_eq!(lost.code(), "chain_fork");
        for node in [&one, &other] {
            wait_until("the batch", || *node.watch_size().borrow() > won.index.0);
            wait_for_configuration(node, in_force.0, in_force.1);
        }
    }
}
