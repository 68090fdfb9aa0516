//! How fast records are folded into the views: `cargo bench -p gt-projections`.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout)] // The fixture is the tests', and this is a measurement.

#[path = "../tests/it/fixture/mod.rs"]
mod fixture;

use std::time::Instant;

use gt_projections::{Options, Projector};

use fixture::{COUNCIL, DAY, NEW_YEAR, POLICE, SCHOOL, apply, decided, ended, linked, received, started};

fn main() {
    const RECORDS: u64 = 100_000;
    let event = |n: u64| {
        let (name, child) = (n.to_string(), u8::try_from(n / 4 * 31 % 251).unwrap());
        let time = NEW_YEAR + i64::try_from(n * 7919 % 500).unwrap() * DAY;
        match n % 10 {
            0 => started(&name, POLICE, child, "Missing", time),
            1 => ended(&name, POLICE, child, time),
            2 | 3 => linked(&name, SCHOOL, child, u8::try_from(n * 13 % 241).unwrap(), time),
            _ => decided(&name, COUNCIL, child, "Share", time),
        }
    };
    let records: Vec<_> = (0..RECORDS).map(|n| event(n).seal(n, received(n))).collect();
    let folder = tempfile::tempdir().unwrap();
    let opened = Projector::open(folder.path(), Options::default());
    let mut projector = opened.unwrap_or_else(|error| panic!("{error:?}")).projector;
    let begun = Instant::now();
    for batch in records.chunks(1000) {
        apply(&mut projector, batch);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.0} records/s, position {}", 100_000.0 / seconds, projector.position());
}
