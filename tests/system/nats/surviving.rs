//! Faults drawn at random for nodes on three servers: for as many as are wanted, on one ledger under load.

use std::time::{Duration, Instant};

use super::ledger::{Ledger, longest_pause};
use super::turn;
use crate::partnership::{Client, Random, within};
use crate::survival::{Failing, Injection, Record, Standing, files_in, is_sound, rows};

/// So many more receipts show that publishers go on.
const ENOUGH: usize = 20;
/// How long a fault may take until it shows.
const STRIKING: Duration = Duration::from_secs(20);

/// A ledger's life: made, hit by so many faults, each followed by checks, and compared with itself on all nodes at the end.
pub(crate) fn chapter(record: &mut Record, random: &mut Random, faults: usize, frozen: Duration) {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let (load, mut standing) = (ledger.load(), Standing::default());
    ledger.until_more(ENOUGH);
    for _ in 0..faults {
        let since = Instant::now();
        let outcome = suffer(&mut ledger, random, record, frozen);
        ledger.until_more(ENOUGH);
        let pause = longest_pause(&ledger.receipts, since);
        check(&mut ledger, &mut standing);
        record.end(format!("{outcome}; longest time without a receipt {:.1} s", pause.as_secs_f64()));
    }
    load.finish();
    ledger.all_agree();
    record.count(ledger.receipts.count());
    views_are_what_a_rebuild_gives(&mut ledger);
}

fn suffer(ledger: &mut Ledger, random: &mut Random, record: &mut Record, frozen: Duration) -> String {
    let at = |random: &mut Random| usize::try_from(random.below(3)).expect("one of three");
    match random.below(6) {
        0 => {
            let node = ledger.sealer();
            record.begin("nodes", "kill -9 of the sealer".to_owned());
            ledger.nodes[node].kill();
            ledger.until_more(ENOUGH);
            ledger.nodes[node].start();
            "the other one took over".to_owned()
        }
        1 => {
            let node = at(random);
            record.begin("nodes", format!("kill -9 of {}", ledger.nodes[node].name));
            ledger.nodes[node].kill();
            ledger.nodes[node].start();
            "up again".to_owned()
        }
        2 => {
            let server = at(random);
            record.begin("nodes", format!("kill -9 of nats-server {}", server + 1));
            ledger.cluster.kill(server);
            ledger.until_more(ENOUGH);
            ledger.cluster.launch(server);
            ledger.cluster.until_ready();
            "the others went on".to_owned()
        }
        3 => {
            let server = at(random);
            record.begin("nodes", format!("nats-server {} frozen for {} s", server + 1, frozen.as_secs()));
            let since = Instant::now();
            ledger.cluster.freeze(server);
            ledger.until("it was frozen for long enough", || since.elapsed() > frozen);
            ledger.cluster.thaw(server);
            ledger.cluster.until_ready();
            "the others went on".to_owned()
        }
        _ => suffer_calls(ledger, random, record),
    }
}

/// Calls of the sealer, or of any node, fail. A node that does not know what its folder holds stops, and another one seals.
fn suffer_calls(ledger: &mut Ledger, random: &mut Random, record: &mut Record) -> String {
    let node =
        if random.once_in(2) { ledger.sealer() } else { usize::try_from(random.below(3)).expect("few") };
    let failing = Failing::drawn(random.below(Failing::KINDS), random);
    record.begin("nodes", format!("of {} {}", ledger.nodes[node].name, failing.to_text()));
    let (files, log) = (files_in(&ledger.nodes[node].data), ledger.home.at("strace.log"));
    let injection = match Injection::attach(ledger.nodes[node].id(), &failing, &files, &log) {
        Ok(injection) => injection,
        Err(why) => {
            record.leave_out(&format!("calls that fail need strace, and to be allowed to trace: {why}"));
            return "left out".to_owned();
        }
    };
    if !within(STRIKING, || injection.has_struck()) {
        injection.detach();
        return "no such call was made".to_owned();
    }
    let client = Client::impatient(&ledger.nodes[node].url(), STRIKING);
    let stopped =
        within(Duration::from_secs(3), || client.try_get("/readyz").is_ok_and(|reply| reply.status == 503));
    let call = injection.detach();
    ledger.until_more(ENOUGH);
    ledger.nodes[node].kill();
    ledger.nodes[node].start();
    format!("{call} failed; the node {}", if stopped { "sealed nothing more" } else { "went on" })
}

/// The follower at rest, while the others go on: it has caught up, its folder is sound and holds everything that was acknowledged.
fn check(ledger: &mut Ledger, standing: &mut Standing) {
    standing.learn(&ledger.home, &ledger.receipts.all());
    ledger.until_caught_up();
    ledger.nodes[2].stop();
    let data = ledger.nodes[2].data.clone();
    is_sound(&ledger.home, &data);
    standing.check_log(&data);
    ledger.nodes[2].start();
}

/// All nodes are at rest with the same log: their views are the same, and the same as those that a follower makes anew.
fn views_are_what_a_rebuild_gives(ledger: &mut Ledger) {
    let all: Vec<Vec<u8>> = ledger.nodes.iter().map(|node| rows(&node.data)).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "nodes have the same views");
    let follower = &mut ledger.nodes[2];
    std::fs::remove_dir_all(follower.data.join("views")).expect("it had views");
    follower.start();
    follower.stop();
    assert!(rows(&follower.data) == all[0], "the views are those of a rebuild");
}
