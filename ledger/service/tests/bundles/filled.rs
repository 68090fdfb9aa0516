//! A ledger with a generated history in it, and what verifying its bundles takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use gt_core::bundle::{Bundle, BundleInputs, BundleVerdict, OpenLog, OpenLogError, Verdict, verify_bundle};
use gt_core::checkpoint::Checkpoint;
use gt_core::json::Value;
use gt_core::statement::{Draft, DraftMember, EventType, Pseudonym};
use gt_core::time::Timestamp;
use gt_core::verify::Pin;
use gt_core::{LeafIndex, TreeSize};
use gt_history::{HistoryEvent, Plan, Planted, generate};
use gt_ledger::Ledger;
use gt_ledger::audit::read_pin;
use gt_ledger::bundle::{BundleRequest, Selection, Subject};
use gt_schemas::{Place, members};

use crate::partnership::{Home, ORIGIN, Publisher, now};

/// A ledger, open, and what was sealed in it.
pub(crate) struct Filled {
    pub(crate) home: Home,
    pub(crate) ledger: Ledger,
    pub(crate) events: Vec<HistoryEvent>,
    /// The agencies that have signed.
    pub(crate) agencies: Vec<String>,
    /// The pseudonyms of children that events are about, in the order of the text.
    pub(crate) children: Vec<Pseudonym>,
    /// Checkpoints that were held on the way.
    pub(crate) held: Vec<Checkpoint>,
}

/// One for all tests: filling takes some seconds.
pub(crate) static FILLED: LazyLock<Filled> = LazyLock::new(|| Filled::new(600));

impl Filled {
    pub(crate) fn new(events: usize) -> Self {
        let plan = Plan {
            seed: 11,
            events,
            agencies: 8,
            children: 15,
            years: 1,
            planted: Planted { consent_reliance: 0, silent_edge: 0, ..Planted::each(1) },
        };
        let events = generate(&plan).events;
        let home = Home::new();
        let ledger = home.open();
        let mut publishers: BTreeMap<String, Publisher> = BTreeMap::new();
        let mut held = vec![checkpoint(&ledger)];
        for (n, event) in events.iter().enumerate() {
            let seed = u8::try_from(publishers.len() + 1).unwrap();
            let publisher = publishers
                .entry(event.agency.clone())
                .or_insert_with(|| home.register(&ledger, &event.agency, seed));
            let draft = draft(publisher, event);
            let statement = publisher.sign(&draft);
            publisher.seq += 1;
            publisher.prev = statement.hash();
            ledger.seal_blocking(statement.to_compact().as_bytes()).unwrap();
            if n % 97 == 0 {
                held.push(checkpoint(&ledger));
            }
        }
        let children: BTreeSet<&str> =
            events.iter().filter_map(|event| event.data["child"]["pseudonym"].as_str()).collect();
        let children = children.into_iter().map(|text| Pseudonym::parse(text).unwrap()).collect();
        Self { home, ledger, agencies: publishers.into_keys().collect(), children, events, held }
    }

    pub(crate) fn size(&self) -> TreeSize {
        self.ledger.log().size()
    }

    pub(crate) fn pin(&self) -> Pin {
        read_pin(&self.home.pin).unwrap()
    }

    /// Checks a bundle with everything that there is to check it against.
    pub(crate) fn verify(&self, bundle: &Bundle, known: Option<&Checkpoint>) -> BundleVerdict {
        let mut log = self.open_log();
        let pin = self.pin();
        let inputs = BundleInputs { pin: Some(&pin), policy: None, known, log: Some(&mut log) };
        verify_bundle(bundle.to_string().as_bytes(), inputs)
    }

    /// It holds, in every respect.
    pub(crate) fn assert_sound(&self, bundle: &Bundle) {
        let verdict = self.verify(bundle, None);
        assert_eq!((&verdict.faults, &verdict.unknowns), (&Vec::new(), &Vec::new()));
        assert_eq!(verdict.verdict, Verdict::Sound);
    }

    pub(crate) fn open_log(&self) -> Entries<'_> {
        Entries { ledger: &self.ledger, next: 0 }
    }
}

/// The open log of a ledger.
pub(crate) struct Entries<'l> {
    ledger: &'l Ledger,
    next: u64,
}

impl OpenLog for Entries<'_> {
    fn next_entry(&mut self) -> Result<Option<Vec<u8>>, OpenLogError> {
        let read = self.ledger.log().entries_bytes(LeafIndex(self.next), 1).map_err(|_| OpenLogError)?;
        self.next += 1;
        Ok(read.into_iter().next())
    }
}

pub(crate) fn checkpoint(ledger: &Ledger) -> Checkpoint {
    ledger.published().checkpoint.checkpoint().clone()
}

pub(crate) fn made_at() -> Timestamp {
    Timestamp::parse("2026-07-01T09:00:00.000Z").unwrap()
}

pub(crate) fn ask(selection: Selection) -> BundleRequest {
    BundleRequest::new(selection, made_at())
}

pub(crate) fn child(pseudonym: &Pseudonym) -> Selection {
    Selection::Child(Subject::Pseudonym(pseudonym.clone()))
}

pub(crate) fn range(first: u64, last: u64) -> Selection {
    Selection::Entries { first: LeafIndex(first), last: LeafIndex(last) }
}

/// What an agency's system signs of an event.
pub(crate) fn draft(publisher: &Publisher, event: &HistoryEvent) -> Draft {
    let known = members(gt_schemas::EventType::parse(event.event_type).unwrap());
    let strict = |value: &serde_json::Value| Value::parse(value.to_string().as_bytes()).unwrap();
    let member = |(name, value): (&String, &serde_json::Value)| {
        let place = known.iter().find(|member| member.name == name).unwrap().place;
        let member = match place {
            Place::Clear => DraftMember::Clear(strict(value)),
            Place::Disclosed { many: true, .. } => {
                DraftMember::Disclosed(value.as_array().unwrap().iter().map(strict).collect())
            }
            Place::Disclosed { many: false, .. } => DraftMember::Disclosed(vec![strict(value)]),
        };
        (name.clone(), member)
    };
    Draft {
        iss: publisher.agency.clone(),
        aud: ORIGIN.into(),
        iat: now(),
        publisher: publisher.id,
        on_behalf_of: None,
        seq: publisher.seq,
        prev: publisher.prev,
        event_type: EventType::parse(event.event_type).unwrap(),
        version: event.version,
        members: event.data.as_object().unwrap().iter().map(member).collect(),
        kept: Vec::new(),
    }
}
