//! Whole-system tests: the `goldenthread` program as agencies, registrars and analysts meet it.
//!
//! Every test runs real processes on folders and ports of its own, which end with the test. It waits for conditions and
//! never for time. `GT_PROGRAM` names a program to test instead of the one that is built here.

mod access;
mod agents;
mod backups;
mod bundles;
mod configuring;
mod crashes;
mod erasing;
mod live;
mod mirrors;
mod nats;
mod officer;
mod partnership;
mod private_keys;
mod refusals;
mod registrar;
mod retention;
mod shutdown;
mod survival;
mod tampering;
mod views;
mod witnesses;
