//! How an event is read from a record: the only module that touches JSON members.

use std::collections::BTreeMap;

use gt_core::statement::Pseudonym;
use gt_ledger::record::{OpenStatement, Record};
use serde_json::{Map, Value};

use super::{
    ContextNaming, DecisionFacts, EndFacts, Facts, LinkFacts, MissingKind, StartFacts, StatementRef,
    ViewEvent,
};
use crate::notation;

/// What a record gives the views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// An event. `absent` names the members that the views would have used and that could not be read.
    Event { event: Box<ViewEvent>, absent: Vec<&'static str> },
    /// The statement's record key is gone.
    StatementUnreadable,
    /// There is no telling whose it is.
    ChildUnreadable,
    /// Not a type, or not a version of it, that the views interpret.
    NotInterpreted,
}

/// The decision's clear codes that the views keep.
const DECISION_CODES: [&str; 5] = ["decision", "trigger", "purpose", "collected_for", "harm_level"];
/// The decision's times that the views keep, besides `occurred_at`.
const DECISION_TIMES: [&str; 5] = ["decided_at", "aware_at", "shared_at", "review_at", "acknowledged_at"];
/// More recipients than this are not listed in a row; the statement has them all.
const MAX_RECIPIENTS: usize = 32;
/// The version of the event types that this crate interprets.
const VERSION: u16 = 1;

/// Reads a record. Nothing that it holds makes it fail: what cannot be read is said.
pub(crate) fn read(record: &Record, naming: &dyn ContextNaming) -> Reading {
    type ReadFacts = fn(&OpenStatement, &dyn ContextNaming, &mut Vec<&'static str>) -> Facts;
    let facts: ReadFacts = match record.event_type.as_str() {
        "decision.recorded" => |open, _, _| Facts::Decision(decision(open)),
        "missing.started" => |open, _, _| Facts::MissingStarted(started(open)),
        "missing.ended" => |open, _, _| Facts::MissingEnded(ended(open)),
        "context.linked" => |open, naming, absent| Facts::ContextLinked(linked(open, naming, absent)),
        _ => return Reading::NotInterpreted,
    };
    let Some(open) = &record.statement else { return Reading::StatementUnreadable };
    if open.version != VERSION {
        return Reading::NotInterpreted;
    }
    let Some(child) = open.disclosed.get("child").and_then(|elements| elements.first()) else {
        return Reading::ChildUnreadable;
    };
    let mut absent = Vec::new();
    let occurred_at = member(open, "times", "occurred_at").and_then(notation::parse_moment);
    if occurred_at.is_none() {
        absent.push("times");
    }
    let event = ViewEvent {
        index: record.entry.index.0,
        received_at: record.entry.received_at.as_millis(),
        agency: open.iss.to_string(),
        on_behalf_of: open.on_behalf_of.as_ref().map(ToString::to_string),
        statement: StatementRef::of(&record.entry.statement),
        supersedes: member(open, "refs", "supersedes").and_then(StatementRef::parse),
        child: child.owner,
        occurred_at,
        facts: facts(open, naming, &mut absent),
    };
    Reading::Event { event: Box::new(event), absent }
}

fn decision(open: &OpenStatement) -> DecisionFacts {
    let mut codes: BTreeMap<String, String> = DECISION_CODES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), code(&open.clear, name)?)))
        .collect();
    for (object, inner, name) in [("consent", "status", "consent"), ("withhold", "ground", "withhold_ground")]
    {
        let found = open.clear.get(object).and_then(Value::as_object).and_then(|object| code(object, inner));
        codes.extend(found.map(|found| (name.to_owned(), found)));
    }
    let recipients = open.clear.get("recipients").and_then(Value::as_array).into_iter().flatten();
    let times = DECISION_TIMES.iter().filter_map(|name| {
        Some(((*name).to_owned(), member(open, "times", name).and_then(notation::parse_moment)?))
    });
    DecisionFacts {
        codes,
        emergency: flag(&open.clear, "emergency"),
        recipients: recipients
            .filter_map(|recipient| code(recipient.as_object()?, "agency"))
            .take(MAX_RECIPIENTS)
            .collect(),
        times: times.collect(),
    }
}

fn started(open: &OpenStatement) -> StartFacts {
    let away = open.clear.get("kind").and_then(Value::as_str) == Some("AwayWithoutAuthorisation");
    StartFacts {
        kind: if away { MissingKind::AwayWithoutAuthorisation } else { MissingKind::Missing },
        from: code(&open.clear, "from"),
        risk: code(&open.clear, "risk"),
    }
}

fn ended(open: &OpenStatement) -> EndFacts {
    EndFacts {
        harm_suspected: flag(&open.clear, "harm_suspected"),
        of: member(open, "refs", "episode").and_then(StatementRef::parse),
    }
}

fn linked(open: &OpenStatement, naming: &dyn ContextNaming, absent: &mut Vec<&'static str>) -> LinkFacts {
    let reference = member(open, "context", "ref").filter(|reference| Pseudonym::parse(reference).is_ok());
    if reference.is_none() {
        absent.push("context");
    }
    LinkFacts {
        context: reference.map(|reference| naming.context_id(reference)),
        kind: code(&open.clear, "kind"),
        risk: code(&open.clear, "risk"),
    }
}

/// A text inside a disclosed member of one element.
fn member<'a>(open: &'a OpenStatement, name: &str, inner: &str) -> Option<&'a str> {
    open.disclosed.get(name)?.first()?.value.get(inner)?.as_str()
}

/// A code in the clear. Anything that is not the form of a code is left out, so that no text can enter a view.
fn code(clear: &Map<String, Value>, name: &str) -> Option<String> {
    let text = clear.get(name)?.as_str()?;
    let sound = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
    sound.then(|| text.to_owned())
}

fn flag(clear: &Map<String, Value>, name: &str) -> bool {
    clear.get(name).and_then(Value::as_bool).unwrap_or(false)
}
