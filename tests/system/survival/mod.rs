//! Ledgers under faults and under load: processes that are killed and frozen, system calls that fail, disks that are full, clocks that jump,
//! views that are damaged, readers that do not read. After each fault what was promised is held against what is there (`standing.rs`).
//!
//! [`a_ledger_survives_each_fault`] and [`nodes_survive_faults`] are the short version. [`soak`] draws faults at random for as long as it is
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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use injection::{Failing, Injection, files_in};
pub(crate) use record::Record;
pub(crate) use standing::{Standing, is_sound, rows};

use crate::partnership::Random;
use embedded::World;
use faults::Fault;

/// How many faults a ledger lives through before the next one begins anew: what is checked after each grows with the log.
const FAULTS_OF_A_LEDGER: usize = 8;
/// How long a server of the stream is frozen.
const FROZEN: Duration = Duration::from_secs(30);

#[test]
fn a_ledger_survives_each_fault() {
    let (mut record, mut random) = (Record::new(None), Random::seeded());
    let mut world = World::new(&mut record);
    for fault in Fault::each_once(&mut random) {
        world.live_through(fault, &mut random, &mut record);
    }
    world.end(&mut record);
    record.finish();
}

#[test]
fn nodes_survive_faults() {
    let (mut record, mut random) = (Record::new(None), Random::seeded());
    crate::nats::chapter(&mut record, &mut random, 3, Duration::from_secs(3));
    record.finish();
}

/// `GT_SOAK_MINUTES` says for how long, `GT_SOAK_RESULT` where to write the result (without an extension).
#[test]
#[ignore = "it takes as long as it is told: tests/soak/run"]
fn soak() {
    let minutes = std::env::var("GT_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let file = std::env::var_os("GT_SOAK_RESULT").map(PathBuf::from);
    let (mut record, mut random) = (Record::new(file), Random::seeded());
    while record.elapsed() < Duration::from_mins(minutes) {
        // A broken promise ends a ledger's life, and not the soak.
        let of_streams = random.once_in(3);
        let chapter = catch_unwind(AssertUnwindSafe(|| {
            if of_streams {
                crate::nats::chapter(&mut record, &mut random, FAULTS_OF_A_LEDGER, FROZEN);
            } else {
                alone(&mut record, &mut random);
            }
        }));
        if let Err(panic) = chapter {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            record.fail(text.unwrap_or_else(|| "a panic without a text".to_owned()));
        }
    }
    record.finish();
}

fn alone(record: &mut Record, random: &mut Random) {
    let mut world = World::new(record);
    for _ in 0..FAULTS_OF_A_LEDGER {
        let fault = Fault::drawn(random);
        world.live_through(fault, random, record);
    }
    world.end(record);
}
