//! Faults drawn at random for nodes on three servers: for as many as are wanted, on one ledger under load.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ledger::{Ledger, longest_pause};
use super::turn;
use crate::partnership::{Client, Random, within};
use crate::survival::{Call, End, Failing, Injection, Record, Standing, files_in, is_sound, rows};

/// So many more receipts show that publishers go on.
const ENOUGH: usize = 20;
/// Slow enough for a log that can be checked again and again.
const PACE: Duration = Duration::from_millis(60);
/// So many that none has thousands of episodes in a long life: each statement about a child has the views look at all of them.
const CHILDREN: u64 = 600;
/// How long a fault may take until it shows.
const STRIKING: Duration = Duration::from_secs(20);
/// How long a node may take until it says that it seals nothing more.
const SHOWING: Duration = Duration::from_secs(3);

/// What can happen to a ledger of several nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hit {
    /// `kill -9` of the node that seals, which stays away until the other one has taken over.
    KillSealer,
    /// `kill -9` of any node, which is started again at once.
    KillNode,
    /// `kill -9` of a server, which stays away for a while.
    KillServer,
    /// A server stands still for so long.
    FreezeServer(Duration),
    /// Calls of a server fail.
    CallsOfServer,
    /// Calls of the sealer fail.
    CallsOfSealer,
    /// Calls of any node fail.
    CallsOfNode,
}

impl Hit {
    /// Any of them.
    pub(crate) fn drawn(random: &mut Random, frozen: Duration) -> Self {
        match random.below(7) {
            0 => Self::KillSealer,
            1 => Self::KillNode,
            2 => Self::KillServer,
            3 => Self::FreezeServer(frozen),
            4 => Self::CallsOfServer,
            5 => Self::CallsOfSealer,
            _ => Self::CallsOfNode,
        }
    }
}

/// A ledger's life: made, hit in these ways, each followed by checks, and compared with itself on all nodes at the end.
pub(crate) fn chapter(hits: &[Hit], random: &mut Random, record: &mut Record) {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let (load, mut standing) = (ledger.load_about(CHILDREN, PACE), Standing::default());
    ledger.until_more(ENOUGH);
    for hit in hits {
        if !record.goes_on() {
            break;
        }
        let since = Instant::now();
        let outcome = suffer(&mut ledger, *hit, &mut random.split(), record);
        ledger.until_more(ENOUGH);
        let pause = longest_pause(&ledger.receipts, since);
        check(&mut ledger, &mut standing);
        let pause = format!("; longest time without a receipt {:.1} s", pause.as_secs_f64());
        record.end(outcome.and(&pause));
    }
    load.finish();
    ledger.all_agree();
    record.count(ledger.receipts.count());
    views_are_what_a_rebuild_gives(&mut ledger);
}

fn suffer(ledger: &mut Ledger, hit: Hit, random: &mut Random, record: &mut Record) -> End {
    let at = usize::try_from(random.below(3)).expect("one of three");
    match hit {
        Hit::KillSealer => {
            let node = ledger.sealer();
            record.begin("nodes", "kill -9 of the sealer".to_owned());
            ledger.nodes[node].kill();
            ledger.until_more(ENOUGH);
            ledger.nodes[node].start_until_it_serves();
            End::Struck("the other one took over".into())
        }
        Hit::KillNode => {
            record.begin("nodes", format!("kill -9 of {}", ledger.nodes[at].name));
            ledger.nodes[at].kill();
            ledger.nodes[at].start_until_it_serves();
            End::Struck("up again".into())
        }
        Hit::KillServer => {
            record.begin("nodes", format!("kill -9 of nats-server {}", at + 1));
            ledger.cluster.kill(at);
            ledger.until_more(ENOUGH);
            ledger.cluster.launch(at);
            ledger.cluster.until_ready();
            End::Struck("the others went on".into())
        }
        Hit::FreezeServer(time) => {
            record.begin("nodes", format!("nats-server {} frozen for {} s", at + 1, time.as_secs()));
            let since = Instant::now();
            ledger.cluster.freeze(at);
            ledger.until("it was frozen for long enough", || since.elapsed() > time);
            ledger.cluster.thaw(at);
            ledger.cluster.until_ready();
            End::Struck("the others went on".into())
        }
        Hit::CallsOfServer => suffer_calls_of_a_server(ledger, at, random, record),
        Hit::CallsOfSealer => suffer_calls(ledger, ledger.sealer(), random, record),
        Hit::CallsOfNode => suffer_calls(ledger, at, random, record),
    }
}

/// Calls of a node fail. One that does not know what its folder holds stops, and another one seals.
fn suffer_calls(ledger: &mut Ledger, node: usize, random: &mut Random, record: &mut Record) -> End {
    let failing = Failing::drawn(random.below(Failing::KINDS), random);
    record.begin("nodes", format!("of {} {}", ledger.nodes[node].name, failing.to_text()));
    let data = ledger.nodes[node].data.clone();
    let client = Client::impatient(&ledger.nodes[node].url(), STRIKING);
    let has_stopped = || client.try_get("/readyz").is_ok_and(|reply| reply.json()["sealing"] == false);
    let mut stopped = false;
    let struck = strike(ledger, ledger.nodes[node].id(), &failing, &files_in(&data), record, || {
        stopped = within(SHOWING, has_stopped);
    });
    let calls = match struck {
        Ok(calls) => calls,
        Err(end) => return end,
    };
    if let Some(call) = calls.iter().find(|call| call.must_stop(&data)) {
        // It may have failed just now, when it had been waited for long enough.
        stopped = stopped || within(STRIKING, has_stopped);
        assert!(stopped, "{} of {} failed, and it goes on", call.to_text(&data), ledger.nodes[node].name);
    }
    if stopped {
        let reply = client.get("/checkpoint");
        assert_eq!(reply.status, 200, "it answers readers: {}", reply.text());
    }
    ledger.until_more(ENOUGH);
    ledger.nodes[node].kill();
    ledger.nodes[node].start_until_it_serves();
    let came = if stopped { "sealed nothing more" } else { "went on" };
    End::Struck(format!("{} failed; the node {came}", calls[0].to_text(&data)))
}

/// A server cannot keep what the stream gives it; the two others are more than half.
fn suffer_calls_of_a_server(
    ledger: &mut Ledger,
    server: usize,
    random: &mut Random,
    record: &mut Record,
) -> End {
    let failing = Failing::of_open_files(random);
    record.begin("nodes", format!("of nats-server {} {}", server + 1, failing.to_text()));
    let store = ledger.cluster.store(server);
    let process = ledger.cluster.id(server);
    let struck = strike(ledger, process, &failing, &files_in(&store), record, || ledger.until_more(ENOUGH));
    let calls = match struck {
        Ok(calls) => calls,
        Err(end) => return end,
    };
    ledger.cluster.kill(server);
    ledger.cluster.launch(server);
    ledger.cluster.until_ready();
    End::Struck(format!("{} failed; the others went on", calls[0].to_text(&store)))
}

/// Makes calls of a process fail until it shows what comes of it. Returns those that failed, of which there is one; or that none did.
fn strike(
    ledger: &Ledger,
    process: u32,
    failing: &Failing,
    files: &[PathBuf],
    record: &mut Record,
    showing: impl FnOnce(),
) -> Result<Vec<Call>, End> {
    let injection = Injection::attach(process, failing, files, &ledger.home.at("strace.log"));
    let injection = injection.map_err(|why| {
        record.leave_out(&why);
        End::LeftOut("no tracing".into())
    })?;
    if !within(STRIKING, || injection.has_struck()) {
        injection.detach();
        return Err(End::Missed("no such call failed".into()));
    }
    showing();
    Ok(injection.detach())
}

/// The follower at rest, while the others go on: it has caught up, its folder is sound and holds everything that was acknowledged.
fn check(ledger: &mut Ledger, standing: &mut Standing) {
    standing.learn(&ledger.home, &ledger.receipts.all());
    ledger.until_caught_up();
    ledger.nodes[2].stop();
    let data = ledger.nodes[2].data.clone();
    is_sound(&ledger.home, &data);
    standing.check_log(&data);
    ledger.nodes[2].start_until_it_serves();
}

/// All nodes are at rest with the same log: their views are the same, and the same as those that a follower makes anew.
fn views_are_what_a_rebuild_gives(ledger: &mut Ledger) {
    let all: Vec<Vec<u8>> = ledger.nodes.iter().map(|node| rows(&node.data)).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "nodes have the same views");
    let follower = &mut ledger.nodes[2];
    std::fs::remove_dir_all(follower.data.join("views")).expect("it had views");
    follower.start_until_it_serves();
    follower.stop();
    assert!(rows(&follower.data) == all[0], "the views are those of a rebuild");
}
