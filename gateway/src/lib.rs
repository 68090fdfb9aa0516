//! The gateway: HTTP, the agent, and everything behind the `goldenthread` program's commands.

pub mod access;
pub mod agent;
pub mod bench;
pub mod cli;
pub mod client;
mod control;
pub mod delivery;
pub mod demo;
pub mod draft;
pub mod evidence;
pub mod follow;
pub mod http;
pub mod keyfile;
pub mod nats;
pub mod node;
pub mod outbox;
pub mod plain;
pub mod problem;
pub mod publish;
pub mod reading;
mod retention;
pub mod witness;
