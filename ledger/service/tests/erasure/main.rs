//! Erasure: what goes, what stays, what forbids it, and what a crash leaves of it.

#[path = "../partnership/mod.rs"]
mod partnership;
#[path = "../state_opened/mod.rs"]
mod state_opened;
#[path = "../surviving_disk/mod.rs"]
mod surviving_disk;

mod erasure_crashes;
mod erasure_refused;
mod erasure_renewal;
mod erasure_state;
mod erasure_stays;
mod scene;
