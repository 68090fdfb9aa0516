//! The log's files: entry bundles, hash tiles, vault records, the checkpoint.

mod reader;
mod ready;
mod recover;
mod writer;

pub use reader::{LogReader, Published, ReadError, bundle_bytes};
pub use ready::newest;
pub(crate) use recover::listed;
pub use recover::{RecoverError, Recovered, recover};
pub use writer::{LogWriter, SealedEntry};
