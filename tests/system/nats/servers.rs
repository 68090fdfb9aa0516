//! Servers are killed, all of them or one by one, or cut off from the others for a while.

use std::time::{Duration, Instant};

use super::ledger::{Ledger, longest_pause};
use super::turn;

/// Long enough for the others to elect another leader.
const CUT: Duration = Duration::from_secs(7);

/// A node that the load does without for a while.
const FOLLOWER: usize = 2;

#[test]
fn each_server_in_turn_can_be_killed() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let load = ledger.load();
    ledger.until_more(40);
    let leader = ledger.cluster.named(&ledger.broker.leader("LEDGER"));
    for at in (0..3).map(|n| (leader + n) % 3) {
        let killed = Instant::now();
        ledger.cluster.kill(at);
        ledger.until_more(30);
        let pause = longest_pause(&ledger.receipts, killed);
        eprintln!("server {at} killed (the leader was {leader}): {} ms without a receipt", pause.as_millis());
        if at == leader {
            // Whoever loses a machine may lose a node and a server, and the node comes back first.
            ledger.nodes[FOLLOWER].kill();
            ledger.nodes[FOLLOWER].start_until_it_serves();
            assert!(ledger.nodes[FOLLOWER].log_text().contains("this server is away"));
        }
        ledger.cluster.launch(at);
        ledger.cluster.until_ready();
        ledger.until_more(10);
    }
    load.finish();
    ledger.all_agree();
}

#[test]
fn all_servers_can_be_killed_at_once() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let load = ledger.load();
    for _ in 0..2 {
        ledger.until_more(60);
        let killed = Instant::now();
        (0..3).for_each(|at| ledger.cluster.kill(at));
        (0..3).for_each(|at| ledger.cluster.launch(at));
        ledger.cluster.until_ready();
        ledger.until_more(30);
        let pause = longest_pause(&ledger.receipts, killed);
        eprintln!("all servers killed: {} ms without a receipt", pause.as_millis());
    }
    load.finish();
    ledger.all_agree();
}

#[test]
fn a_server_that_is_cut_off_misses_nothing_and_tears_nothing() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let load = ledger.load();
    ledger.until_more(40);
    let leader = ledger.cluster.named(&ledger.broker.leader("LEDGER"));
    for at in [leader, (leader + 1) % 3] {
        let frozen = Instant::now();
        ledger.cluster.freeze(at);
        ledger.until("it was cut off for long enough", || frozen.elapsed() > CUT);
        ledger.until_more(20);
        ledger.cluster.thaw(at);
        let pause = longest_pause(&ledger.receipts, frozen);
        eprintln!(
            "server {at} cut off (the leader was {leader}): {} ms without a receipt",
            pause.as_millis()
        );
        ledger.cluster.until_ready();
        ledger.until_more(20);
    }
    load.finish();
    ledger.all_agree();
}
