//! Witnesses (C2SP tlog-witness), both sides.
//!
//! A [`Witness`] signs the checkpoints of ledgers that it knows, each only if it extends the one that it signed before, and keeps what
//! shows that a ledger has told two histories.
//!
//! A ledger that has witnesses ([`Witnessing`]) asks them for their signatures after it has sealed ([`rounds`]), gives out receipts under
//! checkpoints that they have signed, if it is told to, and seals nothing on top of a history that contradicts what they have seen.

mod candidates;
mod comparing;
mod cosigner;
mod forks;
mod held;
mod home;
mod logs;
mod peer;
mod rounds;
mod transport;

pub use comparing::WitnessContradiction;
pub use cosigner::{AddError, Witness};
pub use home::{WitnessError, WitnessFile, WitnessFolder};
pub use logs::{Logs, LogsError};
pub use peer::PeerFault;
pub use rounds::{WitnessStatus, Witnessing, WitnessingError};
pub use transport::{Reply, Transport, TransportError};

pub(crate) use rounds::Rounds;
