//! A ledger whose entries are in a stream: nodes that seal, follow, race, lose their server and are lied to. Every server is a real one.

#[path = "../broker/mod.rs"]
mod broker;
#[path = "../partnership/mod.rs"]
mod partnership;

#[path = "../erasure/scene.rs"]
#[allow(dead_code)] // Only its words are needed here.
mod scene;
#[path = "../state_opened/mod.rs"]
#[allow(dead_code)]
mod state_opened;
#[path = "../surviving_disk/mod.rs"]
#[allow(dead_code)]
mod surviving_disk;

mod both_homes;
mod catching_up;
mod configuring;
mod contradictions;
mod epochs;
mod erasing;
mod erasing_cuts;
mod following;
mod following_cuts;
mod foreign;
mod outages;
mod racing;
mod renewals;
mod unknown;
