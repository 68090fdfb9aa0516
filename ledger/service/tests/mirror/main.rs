//! Mirrors of logs that grow, break off, are tampered with, and fork.

#[path = "../surviving_disk/mod.rs"]
mod surviving_disk;

mod copying;
mod faults;
mod forks;
mod interruptions;
mod log;
mod power_cuts;
