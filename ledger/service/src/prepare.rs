//! What can be said of a statement by looking at it alone. Pure, so every submitter does it for itself, in parallel.

use gt_core::statement::{Disclosure, Owner, Ownership, Statement};
use gt_schemas::SignedData;

use crate::configured;
use crate::refusal::Refusal;

/// A statement that is sound in itself: structure, completeness, owners, schema. Its signer and its place are still to be checked.
pub struct Prepared {
    /// What its disclosures say is not needed to seal it, and is much of the memory that it takes.
    pub(crate) statement: Statement<()>,
    /// `None` for the ledger's own types.
    pub(crate) ownership: Option<Ownership>,
    pub(crate) bytes: usize,
    /// It seals an erasure, and comes from it.
    pub(crate) of_erasure: bool,
}

impl Prepared {
    /// Reads the compact SD-JWT.
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::of(Statement::parse(bytes)?)
    }

    /// Checks a statement that was parsed with all its disclosures.
    pub fn of(statement: Statement) -> Result<Self, Refusal> {
        statement.require_complete()?;
        let payload = statement.payload();
        let ownership = if payload.event_type.is_ledgers_own() {
            configured::read(payload).transpose()?;
            None
        } else {
            let ownership = statement.ownership()?;
            check_schema(&statement)?;
            Some(ownership)
        };
        let disclosures = statement.disclosures().iter().map(|disclosure| disclosure.text().len() + 1);
        let bytes = statement.jws().len() + 1 + disclosures.sum::<usize>();
        Ok(Self { statement: statement.without_values(), ownership, bytes, of_erasure: false })
    }

    /// What an erasure seals. No submitter can: the keys would live on.
    pub(crate) fn of_erasure(statement: Statement) -> Self {
        let bytes = statement.jws().len();
        Self { statement: statement.without_values(), ownership: None, bytes, of_erasure: true }
    }

    /// The statement.
    pub fn statement(&self) -> &Statement<()> {
        &self.statement
    }

    /// Its distinct owners; none for the ledger's own types.
    pub fn owners(&self) -> &[Owner] {
        self.ownership.as_ref().map_or(&[], |ownership| &ownership.distinct)
    }
}

fn check_schema(statement: &Statement) -> Result<(), Refusal> {
    let (payload, data) = (statement.payload(), said(statement));
    gt_schemas::validate_opened(payload.event_type.as_str(), payload.version, &data, payload.data.kept())?;
    Ok(())
}

/// What it says, as the schemas read it.
fn said(statement: &Statement) -> SignedData<'_> {
    let data = &statement.payload().data;
    let members = data.members();
    let mut ordered: Vec<_> = statement.disclosures().iter().collect();
    // By their names: which of several is refused first does not depend on the order of the payload.
    let name = |disclosure: &Disclosure| members[disclosure.member_position()].name();
    ordered.sort_by_key(|disclosure| (name(disclosure), disclosure.element()));
    let mut said = SignedData::new(data.clear(), ordered.len());
    for disclosure in ordered {
        said.disclose(name(disclosure), disclosure.value());
    }
    said
}
