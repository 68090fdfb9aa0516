//! A ledger whose entries are in a stream: nodes that seal, follow, race, lose their server and are lied to. Every server is a real one.

#[path = "../broker/mod.rs"]
mod broker;
#[path = "../partnership/mod.rs"]
mod partnership;

mod both_homes;
mod catching_up;
mod configuring;
mod contradictions;
mod following;
mod foreign;
mod outages;
mod racing;
mod unknown;
