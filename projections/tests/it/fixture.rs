//! A small fictional log.

use std::collections::BTreeMap;
use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::position::{LeafIndex, TreeSize};
use gt_core::statement::EventType;
use gt_core::time::Timestamp;
use gt_core::{Hash, base64url};
use gt_ledger::record::{ContextId, OpenElement, OpenStatement, OwnerId, Record};
use gt_projections::{
    Alert, AlertChange, AlertFilter, AsOf, ContextNaming, Options, Page, Projector, Queries,
};
use serde_json::{Map, Value, json};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;
/// 2026-01-01T00:00:00Z
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000;
/// 2026-10-01T00:00:00Z: when the fixture's log begins to receive.
const RECEIVED_FROM: i64 = 1_790_812_800_000;

pub(crate) const POLICE: &str = "police:32";
pub(crate) const COUNCIL: &str = "gss:E06000005";
pub(crate) const SCHOOL: &str = "gias:123456";

/// An event before it is sealed. Its name stands for it in references, and makes its statement's hash.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) type_name: &'static str,
    pub(crate) agency: &'static str,
    pub(crate) child: u8,
    pub(crate) clear: Value,
    pub(crate) disclosed: Map<String, Value>,
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

pub(crate) fn statement_hash(name: &str) -> Hash {
    Hash::of(name.as_bytes())
}

pub(crate) fn owner(child: u8) -> OwnerId {
    OwnerId::from_bytes([child; 16])
}

pub(crate) fn place(number: u8) -> String {
    format!("uprn.1:{}", base64url::encode(Hash::of(&[number]).as_bytes()))
}

fn event(
    name: &str,
    type_name: &'static str,
    agency: &'static str,
    child: u8,
    time: i64,
    clear: Value,
) -> Event {
    let disclosed = json!({"times": {"occurred_at": at(time).to_string()}});
    let Value::Object(disclosed) = disclosed else { unreachable!() };
    Event { name: name.to_owned(), type_name, agency, child, clear, disclosed }
}

pub(crate) fn started(name: &str, agency: &'static str, child: u8, kind: &str, time: i64) -> Event {
    event(
        name,
        "missing.started",
        agency,
        child,
        time,
        json!({"kind": kind, "from": "Home", "risk": "Medium"}),
    )
}

pub(crate) fn ended(name: &str, agency: &'static str, child: u8, time: i64) -> Event {
    event(name, "missing.ended", agency, child, time, json!({"harm": "NotSuspected"}))
}

pub(crate) fn linked(name: &str, agency: &'static str, child: u8, context: u8, time: i64) -> Event {
    let clear = json!({"kind": "Place", "risk": "CCE", "source": "School", "nature": "Fact"});
    let mut event = event(name, "context.linked", agency, child, time, clear);
    event.disclosed.insert("context".into(), json!({"ref": place(context)}));
    event
}

/// A decision that breaks no rule of practice.
pub(crate) fn decided(name: &str, agency: &'static str, child: u8, decision: &str, time: i64) -> Event {
    let shares = decision != "Withhold";
    let disposition = if shares { "Shared" } else { "Withheld" };
    let mut clear = json!({
        "decision": decision, "trigger": "Request", "harm_level": "SignificantHarm", "purpose": "ProtectFromHarm",
        "collected_for": "Same",
        "items": [{"category": "Welfare", "nature": "Fact", "accuracy": "Verified", "class": "Personal", "identifies": true, "disposition": disposition}],
        "consent": {"status": "NotSought", "why_not": "RiskToChild"},
        "recipients": [{"agency": COUNCIL, "internal": false, "has_safeguarding_role": true, "identity_verified": true}],
    });
    if shares {
        clear["lawful_basis"] =
            json!([{"kind": "Article6", "code": "e"}, {"kind": "Gateway", "code": "CA2004s11"}]);
        clear["informed"] = json!({"status": "Before"});
        clear["proportionality"] =
            json!({"necessary": true, "relevant": true, "adequate": true, "minimum": true});
        clear["identity_protection"] = json!({"risk": false});
        clear["method"] = json!({"channel": "Portal", "secure": true});
    } else {
        clear["withhold"] = json!({"ground": "NotNecessary"});
    }
    let mut event = event(name, "decision.recorded", agency, child, time, clear);
    if shares {
        event.disclosed["times"]["shared_at"] = json!(at(time).to_string());
    }
    event
}

impl Event {
    pub(crate) fn refers(mut self, member: &str, to: &str) -> Self {
        let refs = self.disclosed.entry("refs").or_insert_with(|| json!({}));
        refs[member] = json!(statement_hash(to).to_string());
        self
    }

    /// The event, sealed.
    pub(crate) fn seal(&self, index: u64, received_at: Timestamp) -> Record {
        let element =
            |value: &Value| vec![OpenElement { owner: owner(self.child), element: 0, value: value.clone() }];
        let mut disclosed: BTreeMap<String, Vec<OpenElement>> =
            self.disclosed.iter().map(|(name, value)| (name.clone(), element(value))).collect();
        disclosed.insert("child".into(), element(&json!({"pseudonym": "nhs.1:secret", "role": "Child"})));
        let statement = OpenStatement {
            iss: AgencyCode::parse(self.agency).unwrap(),
            on_behalf_of: None,
            iat: 0,
            version: gt_schemas::EventType::parse(self.type_name).map_or(1, gt_schemas::EventType::version),
            clear: self.clear.as_object().unwrap().clone(),
            disclosed,
            kept: Vec::new(),
            primary: Some(owner(self.child)),
        };
        Record {
            entry: Entry {
                index: LeafIndex(index),
                prev: Hash::ZERO,
                received_at,
                registry: 0,
                links: Vec::new(),
                statement: statement_hash(&self.name),
            },
            publisher: Hash::ZERO,
            seq: index,
            event_type: EventType::parse(self.type_name).unwrap(),
            statement: Some(statement),
        }
    }
}

/// When the fixture's log receives an entry: two of them in every minute.
pub(crate) fn received(index: u64) -> Timestamp {
    at(RECEIVED_FROM + i64::try_from(index / 2).unwrap() * MINUTE)
}

pub(crate) fn seal_all(events: &[Event]) -> Vec<Record> {
    events.iter().zip(0..).map(|(event, index)| event.seal(index, received(index))).collect()
}

/// The head after these records; the root stands in for a real one.
pub(crate) fn head_after(records: &[Record]) -> AsOf {
    let last = records.last().unwrap();
    let size = last.entry.index.size_through();
    AsOf { tree_size: size, root: Hash::of(&size.0.to_be_bytes()), received_at: Some(last.entry.received_at) }
}

pub(crate) struct Naming;

impl ContextNaming for Naming {
    fn context_id(&self, reference: &str) -> ContextId {
        let hash = Hash::of(reference.as_bytes());
        ContextId::from_bytes(*hash.as_bytes().first_chunk().unwrap())
    }
}

pub(crate) fn context(number: u8) -> ContextId {
    Naming.context_id(&place(number))
}

pub(crate) fn small() -> Options {
    Options { cache_bytes: 4 << 20, flush_every_ms: 60_000, ..Options::default() }
}

pub(crate) fn open(folder: &Path) -> Projector {
    Projector::open(folder, small()).unwrap_or_else(|error| panic!("{error:?}")).projector
}

pub(crate) fn apply(projector: &mut Projector, records: &[Record]) -> Vec<AlertChange> {
    projector.apply(records, head_after(records), &Naming).unwrap()
}

/// Folds events into fresh views, in one batch.
pub(crate) struct Views {
    pub(crate) projector: Projector,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) changes: Vec<AlertChange>,
}

impl Views {
    pub(crate) fn of(events: &[Event]) -> Self {
        Self::of_records(&seal_all(events))
    }

    pub(crate) fn of_records(records: &[Record]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut projector = open(folder.path());
        let changes = if records.is_empty() { Vec::new() } else { apply(&mut projector, records) };
        assert_eq!(projector.position(), TreeSize(records.len() as u64));
        Self { projector, folder, changes }
    }

    pub(crate) fn queries(&self) -> Queries {
        self.projector.queries()
    }

    pub(crate) fn alerts(&self) -> Vec<Alert> {
        alerts(&self.queries(), None)
    }
}

pub(crate) fn alerts(queries: &Queries, received_until: Option<Timestamp>) -> Vec<Alert> {
    let page = Page { limit: 500, received_until, ..Page::default() };
    queries.alerts(&AlertFilter::default(), &page).unwrap().items
}
