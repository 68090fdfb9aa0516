//! What can be said of a statement by looking at it alone. Pure, so every submitter does it for itself, in parallel.

use gt_core::json::{Lent, ValueRef};
use gt_core::statement::{Data, Owner, Ownership, Statement};
use gt_schemas::{Disclosed, Json, JsonObject};
use serde_json::{Map, Value};

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
    let payload = statement.payload();
    gt_schemas::validate_opened(
        payload.event_type.as_str(),
        payload.version,
        &lend_members(payload.data.clear().iter()),
        &disclosed(statement),
        payload.data.kept(),
    )?;
    Ok(())
}

/// The members in the clear, as views and panels are given them.
pub(crate) fn clear_members(data: &Data) -> Map<String, Value> {
    data.clear().iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
}

/// Its disclosures, as the schemas read them.
fn disclosed(statement: &Statement) -> Disclosed<'_> {
    let members = statement.payload().data.members();
    let mut ordered: Vec<_> = statement.disclosures().iter().collect();
    ordered.sort_by_key(|disclosure| (disclosure.member_position(), disclosure.element()));
    let mut disclosed = Disclosed::new();
    for disclosure in ordered {
        let name = members[disclosure.member_position()].name();
        disclosed.entry(name).or_default().push(lend(disclosure.value()));
    }
    disclosed
}

/// A value as the schemas read it.
fn lend(value: ValueRef<'_>) -> Json<'_> {
    match value.lent() {
        Lent::Null => Json::Null,
        Lent::Bool(flag) => Json::Bool(flag),
        Lent::Integer(number) => Json::Integer(number),
        Lent::String(text) => Json::Text(text),
        Lent::Array(elements) => Json::List(elements.map(lend).collect()),
        Lent::Object(members) => Json::Object(lend_members(members.iter())),
    }
}

fn lend_members<'v>(members: impl Iterator<Item = (&'v str, ValueRef<'v>)>) -> JsonObject<'v> {
    members.map(|(name, value)| (name, lend(value))).collect()
}

pub(crate) fn to_serde(value: ValueRef<'_>) -> Value {
    match value.lent() {
        Lent::Null => Value::Null,
        Lent::Bool(flag) => Value::Bool(flag),
        Lent::Integer(number) => Value::from(number),
        Lent::String(text) => Value::String(text.to_owned()),
        Lent::Array(elements) => Value::Array(elements.map(to_serde).collect()),
        Lent::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect())
        }
    }
}
