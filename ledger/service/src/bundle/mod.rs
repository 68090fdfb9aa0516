//! Making evidence bundles (`docs/FORMATS.md` section 12) out of a ledger: from one that is open, [`Ledger::bundle`], or from a data
//! folder that a running ledger may have open, [`ReadOnlyLedger::bundle`].
//!
//! A bundle is made under one checkpoint, chosen once everything that it must cover is known. What is read is what the ledger has
//! sealed under that checkpoint, whatever is sealed meanwhile. A bundle that would exceed its limit is refused before it is put together.
//!
//! [`Ledger::bundle`]: crate::Ledger::bundle

mod budget;
mod disclose;
mod error;
mod held;
mod make;
mod read_only;
mod registrar;
mod request;
mod select;
mod subjects;

pub use error::MakeBundleError;
pub use read_only::ReadOnlyLedger;
pub use request::{BundleRequest, Selection, Subject, Withhold};

pub(crate) use held::Held;
pub(crate) use make::make;
