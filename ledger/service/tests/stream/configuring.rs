//! Every node goes by the same configuration: the latest that is in the stream.

use std::thread;

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_schemas::Configuration;
use serde_json::json;

use crate::broker::{Broker, deliver, wait_for_size, wait_until};
use crate::partnership::{Home, configuration};

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

/// The sealer that loses takes back what its batch had changed.
#[test]
fn of_two_configurations_in_one_place_every_node_has_the_same() {
    let broker = Broker::new();
    let folders = [broker.home.data(), broker.new_folder()];
    let (one, other) = (broker.node(&folders[0]), broker.node(&folders[1]));
    for round in 0..10 {
        let contenders = [(&one, 100 + round), (&other, 200 + round)];
        let statements = contenders.map(|(node, hours)| configured(&broker.home, node, hours));
        let sealed: Vec<_> = thread::scope(|scope| {
            let each = contenders.iter().zip(&statements);
            let running: Vec<_> = each
                .map(|((node, hours), statement)| scope.spawn(move || (*hours, deliver(node, statement))))
                .collect();
            running.into_iter().map(|thread| thread.join().expect("ends")).collect()
        });
        let won: Vec<_> =
            sealed.iter().filter_map(|(hours, answer)| Some((*hours, answer.as_ref().ok()?))).collect();
        let [(hours, won)] = won[..] else { panic!("one of the two is sealed: {}", won.len()) };
        let lost = sealed.iter().find_map(|(_, answer)| answer.as_ref().err()).expect("the other is not");
        assert_eq!(lost.code(), "chain_fork");
        for node in [&one, &other] {
            wait_for_size(node, won.index.0 + 1);
            wait_for_configuration(node, won.index, hours);
        }
    }
}
