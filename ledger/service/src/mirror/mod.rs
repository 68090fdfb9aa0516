//! Mirrors: copies of a ledger's open log, as static files in C2SP's tlog-tiles layout, that anybody may keep and serve.
//!
//! A mirror believes nothing: it works the tree out from the entries, holds it against what is served and what is signed, and goes on only
//! from what it has. So whoever keeps one notices when a ledger's keys sign another history, and can prove it (`docs/FORMATS.md`
//! section 13).

mod compare;
mod copying;
mod error;
mod folder;
mod head;
mod relation;
mod succession;
mod tiles;
mod writer;

pub use compare::{CompareError, Comparison, compare};
pub use error::{LogFault, MirrorError};
pub use folder::{MirrorFolder, Progress, Round};
pub use relation::Side;
