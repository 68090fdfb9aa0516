//! The answer to somebody who asks to see the record (UK GDPR Article 15), in two steps and with a person between them.
//!
//! 1. [`Worksheet::of`] lists what a child's full bundle says, statement by statement and disclosure by disclosure, each with the exemptions
//!    that *may* stand against disclosing it and the facts that suggest them. Every `decision` is null.
//! 2. A person decides. [`decided`] takes a worksheet back only if each decision is made and it is this bundle's; [`copy`] leaves out what is
//!    withheld, as bundles do; [`page::of_copy`] is the page for who asked.
//!
//! Nothing is decided here. Which facts suggest what is data, in `exemptions.json`.

mod catalogue;
mod copy;
mod decide;
mod facts;
pub(crate) mod page;
mod worksheet;

pub(crate) use copy::{Grown, copy, grown};
pub(crate) use decide::{Decided, decided};
pub(crate) use worksheet::Worksheet;

#[cfg(test)]
mod tests;
