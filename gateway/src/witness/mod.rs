//! Witnesses over HTTP (C2SP tlog-witness): the service that one runs, and how a ledger reaches those of others.

mod service;
mod transport;

pub use service::{WitnessServer, WitnessServerError};
pub use transport::HttpTransport;
