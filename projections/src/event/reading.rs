//! How an event is read from a record: the only module that touches JSON members.

use gt_core::base64url;
use gt_core::erasure;
use gt_core::position::LeafIndex;
use gt_core::statement::Pseudonym;
use gt_ledger::record::{ContextId, OpenStatement, OwnerId, Record};
use gt_ledger::values::{Clear, Said};
use gt_schemas::{EventType, Requirement, SignedData, members, read_opened};
use serde_json::{Map, Value};

use super::{ContextNaming, Refs, StatementRef, ViewEvent};

/// Records as the views read them: what folding needs of them, and nothing else. Reading takes about as long as folding, and needs no
/// views, so whoever has a thread to spare reads ahead there.
#[derive(Debug)]
pub struct Readings(pub(crate) Vec<ReadRecord>);

/// A record, read.
#[derive(Debug)]
pub(crate) struct ReadRecord {
    pub(crate) index: LeafIndex,
    pub(crate) received_at: i64,
    /// Whether it seals an erasure.
    pub(crate) erases: bool,
    pub(crate) reading: Reading,
}

impl Readings {
    /// Reads records. Nothing that they hold makes it fail: what cannot be read is counted when they are folded.
    pub fn of<C: Clear, V: Said>(records: &[Record<C, V>], naming: &dyn ContextNaming) -> Self {
        let read_one = |record: &Record<C, V>| ReadRecord {
            index: record.entry.index,
            received_at: record.entry.received_at.as_millis(),
            erases: record.event_type.as_str() == erasure::TYPE,
            reading: read(record, naming),
        };
        Self(records.iter().map(read_one).collect())
    }
}

/// What a record gives the views.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    /// An event. `absent` names the members that the views would have used and that could not be read.
    Event { event: Box<ViewEvent>, absent: Vec<&'static str> },
    /// The rules in force from here on.
    Configuration(Box<Map<String, Value>>),
    /// The statement's record key is gone.
    StatementUnreadable,
    /// There is no telling whose it is.
    ChildUnreadable,
    /// Of this type, which the views do not interpret, or not in its version.
    NotInterpreted(String),
}

fn read<C: Clear, V: Said>(record: &Record<C, V>, naming: &dyn ContextNaming) -> Reading {
    let name = record.event_type.as_str();
    if name == "ledger.configured" {
        let clear = record.statement.as_ref().map(|statement| Box::new(statement.clear.to_map()));
        return clear.map_or(Reading::StatementUnreadable, Reading::Configuration);
    }
    let not_interpreted = || Reading::NotInterpreted(name.to_owned());
    let Some(event_type) = EventType::parse(name) else { return not_interpreted() };
    let Some(open) = &record.statement else { return Reading::StatementUnreadable };
    // A later sealer knew a version, or members, that this program does not.
    let Ok(event) = read_opened(name, open.version, &clear_and_times(open)) else {
        return not_interpreted();
    };
    let child = owners(open, "child").next();
    if child.is_none() && is_about_a_child(event_type) {
        return Reading::ChildUnreadable;
    }
    let mut absent = Vec::new();
    if event.occurred_at().is_none() {
        absent.push("times");
    }
    let context = context(open, naming);
    if context.is_none() && name.starts_with("context.") {
        absent.push("context");
    }
    let event = ViewEvent {
        index: record.entry.index.0,
        received_at: record.entry.received_at.as_millis(),
        agency: open.iss.to_string(),
        on_behalf_of: open.on_behalf_of.as_ref().map(ToString::to_string),
        statement: StatementRef::of(&record.entry.statement),
        child,
        context,
        persons: persons(name, open),
        identified: owners(open, "identifiers").collect(),
        refs: refs(event_type, record, open, naming),
        event,
        superseded: None,
    };
    Reading::Event { event: Box::new(event), absent }
}

/// Whether views read a disclosed member's value, and not only whose it is: times, counts, references, and what somebody is to the child.
/// No text, and no name.
pub fn is_read(member: &str) -> bool {
    is_time_or_count(member) || ["context", "refs", "others"].contains(&member)
}

fn is_time_or_count(member: &str) -> bool {
    member.ends_with("times") || member.ends_with("extent")
}

/// The members that views read as events have them: those in the clear, and of the disclosed ones times and counts.
fn clear_and_times<C: Clear, V: Said>(open: &OpenStatement<C, V>) -> SignedData<'_> {
    let mut data = SignedData::new(open.clear.lend(), 2);
    for (name, elements) in open.disclosed.iter().filter(|(name, _)| is_time_or_count(name)) {
        data.add_member(name);
        for element in elements {
            data.disclose(name, element.value.lend());
        }
    }
    data
}

fn is_about_a_child(event_type: EventType) -> bool {
    members(event_type)
        .iter()
        .any(|member| member.name == "child" && member.requirement == Requirement::Always)
}

/// The owners of a member's elements, in their order.
fn owners<'o, C, V>(
    open: &'o OpenStatement<C, V>,
    name: &str,
) -> impl Iterator<Item = OwnerId> + use<'o, C, V> {
    open.disclosed.get(name).into_iter().flatten().map(|element| element.owner)
}

fn context<C, V: Said>(open: &OpenStatement<C, V>, naming: &dyn ContextNaming) -> Option<ContextId> {
    let reference = value(open, "context")?.text_of("ref").filter(|text| Pseudonym::parse(text).is_ok())?;
    Some(naming.context_id(reference))
}

/// The persons of concern whom the event names.
fn persons<C, V: Said>(name: &str, open: &OpenStatement<C, V>) -> Vec<OwnerId> {
    if name.starts_with("person.") {
        return owners(open, "person").collect();
    }
    let others = open.disclosed.get("others").into_iter().flatten();
    let of_concern = others.filter(|element| element.value.text_of("role") == Some("PersonOfConcern"));
    of_concern.map(|element| element.owner).collect()
}

fn refs<C, V: Said>(
    event_type: EventType,
    record: &Record<C, V>,
    open: &OpenStatement<C, V>,
    naming: &dyn ContextNaming,
) -> Refs {
    let refs = value(open, "refs");
    let member = |inner: &str| refs?.text_of(inner);
    let statement = |inner: &str| member(inner).and_then(StatementRef::parse);
    let agreement = |reference: &str| naming.context_id(&format!("agreement {reference}"));
    let registers = event_type.as_str() == "agreement.registered";
    Refs {
        supersedes: statement("supersedes"),
        request: statement("request"),
        decision: statement("decision"),
        episode: statement("episode"),
        referral: statement("referral"),
        agreement: member("agreement").map(agreement),
        agreement_by_hash: registers.then(|| agreement(&record.entry.statement.to_string())),
        alert: member("alert").and_then(|id| base64url::decode_array(id).ok()),
    }
}

/// What a disclosed member of one element says.
fn value<'o, C, V>(open: &'o OpenStatement<C, V>, name: &str) -> Option<&'o V> {
    Some(&open.disclosed.get(name)?.first()?.value)
}
