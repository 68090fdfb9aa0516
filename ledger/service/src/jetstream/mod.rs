//! The second home of a ledger: a NATS `JetStream` stream that several nodes share (DESIGN section 5, `docs/FORMATS.md` section 8).
//!
//! A sealer commits a batch by one atomic publish, fenced by the stream's last sequence; every node reads the stream and applies whole
//! batches to its own data folder. What a message holds is in [`message`]; which messages make a batch, in [`assemble`]; how a commit
//! whose outcome is unknown is settled, in [`publish`].

pub mod assemble;
mod epoch;
mod follow;
mod join;
mod keys;
pub mod message;
mod names;
mod node;
mod port;
mod position;
mod publish;
mod read;
mod register;
pub mod servers;
pub mod setup;

pub use follow::News;
pub use join::JoinError;
pub use names::{
    ALERT_STREAM, ANSWERED_SUBJECT, CHECKPOINT_STREAM, CHECKPOINT_SUBJECT, INTAKE_SUBJECTS, LEDGER_STREAM,
    NODE_STREAM, Prefix, alert_subject, intake_subject, keyring_bucket, keyring_stream,
};
pub use node::{NodeOptions, OpenPort, Outgoing, past_alerts};
pub use port::Port;
pub use read::StreamError;
pub use register::NodeState;

pub(crate) use epoch::{Buckets, NextKeyring};
pub(crate) use join::join;
pub(crate) use node::{Opening, start};
pub(crate) use position::Position;
pub(crate) use register::{Register, Saying};
