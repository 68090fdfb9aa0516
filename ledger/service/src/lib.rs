//! The ledger on disk: the data folder, the sealer, the vault and keyring, recovery and `fsck`.
//!
//! Start reading at [`ledger::Ledger`]. A statement goes from [`prepare`] through the [`sealer`]'s two threads to the
//! [`log`]; everything that [`open`] rebuilds at a start is derived from there. [`witness`] is about those who watch it.

pub mod audit;
pub mod backup;
pub mod bundle;
mod bytes;
pub mod clock;
mod configured;
pub mod create;
pub mod disk;
pub mod erasure;
mod index;
mod integrity;
pub mod jetstream;
mod key_command;
pub mod keyring;
pub mod layout;
pub mod ledger;
pub mod log;
pub mod mirror;
pub mod open;
mod open_ledger;
pub mod prepare;
pub mod private_keys;
mod random;
pub mod record;
pub mod refusal;
pub mod sealer;
pub mod secrets;
mod snapshot;
mod state;
pub mod values;
pub mod vault;
pub mod witness;

pub use configured::Configured;
pub use index::IndexError;
pub use ledger::Ledger;
pub use snapshot::StateStart;
pub use state::StateError;
