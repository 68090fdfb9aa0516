//! Ledgers under faults and under load: processes that are killed and frozen, system calls that fail, disks that are full, clocks that jump,
//! views that are damaged, readers that do not read. After each fault what was promised is held against what is there (`standing.rs`).
//!
//! [`a_ledger_survives_faults`] and [`nodes_survive_faults`] are the short version. [`soak`] draws faults at random for as long as it is
//! told (`tests/soak/run`); `GT_SEED` brings the same ones again, at other moments.

mod clock;
mod damage;
mod embedded;
mod faults;
mod injection;
mod readers;
mod record;
mod space;
mod standing;
mod struck;
mod suffering;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use injection::{Failing, Injection, files_in};
pub(crate) use record::{End, Record};
pub(crate) use standing::{Standing, is_sound, rows};
pub(crate) use struck::Call;

use crate::nats::{Hit, chapter};
use crate::partnership::Random;
use embedded::{Publishing, World};
use faults::Fault;

/// How many faults a ledger lives through before the next one begins anew: what is checked after each grows with the log.
const FAULTS_OF_A_LEDGER: usize = 8;
/// The same for several nodes, whose end is compared in more ways.
const FAULTS_OF_NODES: usize = 5;
/// How long a server of the stream is frozen.
const FROZEN: Duration = Duration::from_secs(30);

#[test]
fn a_ledger_survives_faults() {
    let (mut record, mut random) = (Record::default(), Random::seeded());
    let faults = Fault::some(&mut random);
    alone(Publishing::Directly, faults, &mut random, &mut record);
    record.finish();
}

#[test]
fn nodes_survive_faults() {
    let (mut record, mut random) = (Record::default(), Random::seeded());
    let hits = [Hit::FreezeServer(Duration::from_secs(2)), Hit::CallsOfSealer];
    chapter(&hits, &mut random, &mut record);
    record.finish();
}

/// `GT_SOAK_MINUTES` says for how long, `GT_SOAK_RESULT` where to write the result (without an extension).
#[test]
#[ignore = "it takes as long as it is told: tests/soak/run"]
fn soak() {
    let minutes = std::env::var("GT_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let file = std::env::var_os("GT_SOAK_RESULT").map(PathBuf::from);
    let (mut record, mut random) = (Record::lasting(Duration::from_mins(minutes), file), Random::seeded());
    while record.goes_on() {
        // Drawn beforehand, so that a seed means the same faults however long each of them takes.
        let (of_streams, mut of_life) = (random.once_in(3), random.split());
        // A broken promise ends a ledger's life, and not the soak.
        let life = catch_unwind(AssertUnwindSafe(|| {
            if of_streams {
                let draw = |_| Hit::drawn(&mut of_life, FROZEN);
                let hits: Vec<Hit> = (0..FAULTS_OF_NODES).map(draw).collect();
                chapter(&hits, &mut of_life, &mut record);
            } else {
                let draw = |_| Fault::drawn(&mut of_life);
                let faults = (0..FAULTS_OF_A_LEDGER).map(draw).collect();
                alone(Publishing::WithOutboxes, faults, &mut of_life, &mut record);
            }
        }));
        if let Err(panic) = life {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            record.fail(text.as_deref().unwrap_or("a panic without a text"));
        }
    }
    record.finish();
}

fn alone(publishing: Publishing, faults: Vec<Fault>, random: &mut Random, record: &mut Record) {
    let mut world = World::new(publishing, record);
    for fault in faults {
        if !record.goes_on() {
            break;
        }
        world.live_through(fault, &mut random.split(), record);
    }
    world.end(record);
}
