//! NATS: the one place where connections are made, and an agency's side of the intake.
//!
//! A connection is described by [`NatsOptions`] and made by [`NatsOptions::connect`]: with time-outs, with a ping every two
//! seconds so that a dead line is noticed in seconds, and made again for ever once it was up. Credentials come from a file
//! that nobody else can read, never from an address. Publishing is a core NATS request to [`intake_subject`]; nothing of it
//! is kept by the broker, so no answer means: send the same bytes again.

mod address;
mod connect;
mod credentials;
mod error;
mod exchange;
mod intake;
mod line;
#[cfg(test)]
mod tests;

pub(crate) use address::is_nats;
pub use address::parse_servers;
pub use connect::{NatsArgs, NatsOptions};
pub use credentials::new_user_seed;
pub use error::ConnectError;
pub(crate) use exchange::Exchange;
pub use exchange::{IntakeError, Patience};
pub use gt_ledger::jetstream::intake_subject;
pub(crate) use intake::Intake;
pub use intake::{MAX_REPLY_BYTES, STATUS_HEADER};
pub(crate) use line::Line;
#[cfg(test)]
pub(crate) use tests::test_server;
