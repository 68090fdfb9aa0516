//! What happens in the ledger of the base bundles, and these bundles.

use gt_core::LeafIndex;
use gt_core::bundle::{About, Bundle, Why};
use gt_core::json::Value;
use gt_core::statement::{DraftMember, Pseudonym};

use super::world::{SECOND_REGISTRAR, Show, Signer, World, ledger_keys, pseudonym, time, usual};
use crate::document::object;
use crate::ledger::{
    CHARITY, CHARITY_FIRST_KEY, COUNCIL, COUNCIL_KEY, POLICE, POLICE_KEY, RECOVERY, SCHOOL, SERVICE, agency,
    id,
};

/// How many entries the base bundles' checkpoint covers. The ledger goes on to [`GROWN`].
pub(crate) const SIZE: u64 = 25;
/// How many entries there are in the end.
pub(crate) const GROWN: u64 = 30;

/// The seed of the council's second key.
pub(crate) const COUNCIL_SECOND_KEY: u8 = 11;
/// The seed of the key of the police's second system.
pub(crate) const POLICE_SECOND_SYSTEM: u8 = 16;
/// The seed of the key of the police's third system.
const POLICE_THIRD_SYSTEM: u8 = 17;

pub(crate) const COUNCIL_SYSTEM: Signer =
    Signer { publisher: COUNCIL_KEY, key: COUNCIL_KEY, agency: COUNCIL, on_behalf_of: None };
pub(crate) const COUNCIL_ROTATED: Signer = Signer { key: COUNCIL_SECOND_KEY, ..COUNCIL_SYSTEM };
pub(crate) const POLICE_SYSTEM: Signer =
    Signer { publisher: POLICE_KEY, key: POLICE_KEY, agency: POLICE, on_behalf_of: None };
const POLICE_SECOND: Signer =
    Signer { publisher: POLICE_SECOND_SYSTEM, key: POLICE_SECOND_SYSTEM, agency: POLICE, on_behalf_of: None };
const CHARITY_SYSTEM: Signer =
    Signer { publisher: CHARITY_FIRST_KEY, key: CHARITY_FIRST_KEY, agency: CHARITY, on_behalf_of: None };
const SERVICE_SYSTEM: Signer =
    Signer { publisher: SERVICE, key: SERVICE, agency: "ledger:service", on_behalf_of: None };

/// The child that the child's bundle is about.
pub(crate) fn maya() -> Pseudonym {
    pseudonym("nhs", "Maya")
}

/// The same child, as her school knows her.
pub(crate) fn maya_at_school() -> Pseudonym {
    pseudonym("upn", "Maya")
}

/// Who heard her once, and is named in nothing else.
pub(crate) fn officer() -> Pseudonym {
    pseudonym("staff", "an officer")
}

/// Her brother.
pub(crate) fn noah() -> Pseudonym {
    pseudonym("nhs", "Noah")
}

pub(crate) fn person(whom: &Pseudonym) -> Value {
    object([("pseudonym", Value::from(whom.as_str()))])
}

pub(crate) fn one(value: impl Into<Value>) -> DraftMember {
    DraftMember::Disclosed(vec![value.into()])
}

/// A decision about a child, with a rationale.
pub(crate) fn about(child: &Pseudonym, rationale: &str) -> Vec<(&'static str, DraftMember)> {
    vec![
        ("decision", DraftMember::Clear(Value::from("Share"))),
        ("child", one(person(child))),
        ("rationale", one(rationale)),
    ]
}

/// A ledger with its service, a configuration, a council that may speak for a school, and the police.
pub(crate) fn begun() -> World {
    let mut world = usual();
    let service = world.registration(SERVICE, "ledger:service", "The ledger's own service", None);
    world.registrar("publisher.registered", service);
    let empty = || object::<&str>([]);
    let configuration = ["legal", "thresholds", "calendar"].map(|name| (name.to_owned(), empty()));
    world.registrar("ledger.configured", configuration.into());
    let mut council = world.registration(COUNCIL_KEY, COUNCIL, "Children's case system", None);
    council.push(("on_behalf_of".to_owned(), Value::Array(vec![Value::from(SCHOOL)])));
    world.registrar("publisher.registered", council);
    let police = world.registration(POLICE_KEY, POLICE, "Missing persons system", None);
    world.registrar("publisher.registered", police);
    world
}

/// The whole story.
pub(crate) fn told() -> World {
    let mut world = begun();
    first_half(&mut world);
    second_half(&mut world);
    assert_eq!(world.size(), SIZE, "the base bundles' checkpoint covers the story up to here");
    afterwards(&mut world);
    assert_eq!(world.size(), GROWN);
    world
}

/// Entries 5 to 12.
fn first_half(world: &mut World) {
    let mut first = about(&maya(), "She told her teacher that she is afraid at home.");
    first.push(("assessment", one("Kept by the council.")));
    let mut draft = world.draft(COUNCIL_SYSTEM, "decision.recorded", first);
    draft.kept = vec!["assessment".to_owned()];
    world.seal_draft(COUNCIL_SYSTEM, &draft, |_| {});
    let times = object([("occurred_at", Value::from("2026-03-02T07:30:00Z"))]);
    world.state(
        POLICE_SYSTEM,
        "missing.started",
        vec![
            ("child", one(person(&maya()))),
            ("times", one(times)),
            ("notes", one("Last seen at a bus stop.")),
        ],
    );
    let second = world.registration(POLICE_SECOND_SYSTEM, POLICE, "Custody system", Some(POLICE_KEY));
    world.registrar("publisher.registered", second);
    world.state(
        POLICE_SECOND,
        "disclosure.received",
        vec![("child", one(person(&maya()))), ("practitioner", one(person(&officer())))],
    );
    let mut of_brother = about(&noah(), "He was in the car as well.");
    of_brother.push(("others", one(person(&maya()))));
    world.state(COUNCIL_SYSTEM, "decision.recorded", of_brother);
    let for_school = Signer { on_behalf_of: Some(SCHOOL), ..COUNCIL_SYSTEM };
    world.state(for_school, "meeting.held", about(&maya(), "The school was heard."));
    world.registrar("ledger.rotated", ledger_keys(SECOND_REGISTRAR, RECOVERY));
    world.registrar_key = SECOND_REGISTRAR;
    let rotation = world.new_key(COUNCIL_KEY, COUNCIL_SECOND_KEY, COUNCIL, Some(COUNCIL_KEY));
    world.registrar("publisher.rotated", rotation);
}

/// Entries 13 to 24.
fn second_half(world: &mut World) {
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&noah(), "He stays with his aunt."));
    let identities = DraftMember::Disclosed(vec![person(&maya()), person(&maya_at_school())]);
    world.state(
        COUNCIL_ROTATED,
        "identifier.linked",
        vec![("identifiers", identities), ("reason", one("The school nurse holds both numbers."))],
    );
    let for_school = Signer { on_behalf_of: Some(SCHOOL), ..COUNCIL_ROTATED };
    world.state(for_school, "meeting.held", about(&maya_at_school(), "She is back at school."));
    world.state(POLICE_SYSTEM, "decision.recorded", about(&noah(), "No further action."));
    let revocation = vec![
        ("publisher".to_owned(), Value::String(id(POLICE_KEY).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
        ("suspect_from".to_owned(), Value::String(time(8).to_string())),
    ];
    world.registrar("publisher.revoked", revocation);
    world.state(POLICE_SECOND, "decision.recorded", about(&maya(), "An officer visits on Friday."));
    world.state(
        SERVICE_SYSTEM,
        "record.accessed",
        vec![("purpose", DraftMember::Clear(Value::from("Review")))],
    );
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&maya(), "A plan was agreed."));
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&noah(), "A plan was agreed."));
    let mut third = world.registration(POLICE_THIRD_SYSTEM, POLICE, "Replacement system", None);
    third.push(("recovery".to_owned(), Value::Bool(true)));
    world.registrar("publisher.registered", third);
    world.state(POLICE_SECOND, "decision.recorded", about(&maya_at_school(), "The visit took place."));
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&noah(), "He may visit his father."));
}

/// Entries 25 to 29, beyond the base bundles' checkpoint.
fn afterwards(world: &mut World) {
    let charity = world.registration(CHARITY_FIRST_KEY, CHARITY, "Helpline", None);
    world.registrar("publisher.registered", charity);
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&maya(), "The plan was reviewed."));
    world.state(POLICE_SECOND, "decision.recorded", about(&noah(), "Closed."));
    world.state(CHARITY_SYSTEM, "referral.made", about(&noah(), "He called."));
    world.state(COUNCIL_ROTATED, "decision.recorded", about(&maya(), "The plan ended."));
}

/// The same ledger up to entry 12, and another history from there on, under the same keys.
pub(crate) fn forked() -> World {
    let mut world = begun();
    first_half(&mut world);
    for _ in world.size()..GROWN {
        world.state(COUNCIL_ROTATED, "decision.recorded", about(&noah(), "Nothing happened."));
    }
    world
}

pub(crate) fn child(world: &World) -> Bundle {
    let records = [
        (5, Show::Whole),
        (6, Show::Without(&[("notes", Why::Ended)])),
        (8, Show::Whole),
        (9, Show::Without(&[("child", Why::Withheld), ("rationale", Why::Withheld)])),
        (10, Show::Whole),
        (14, Show::Whole),
        (15, Show::Whole),
        (18, Show::Absent(Why::Withheld)),
        (20, Show::Whole),
        (23, Show::Whole),
    ];
    world.bundle(About::Child { subjects: vec![maya(), maya_at_school()] }, SIZE, &records)
}

pub(crate) fn entries(world: &World) -> Bundle {
    let records = [
        (5, Show::Whole),
        (6, Show::Whole),
        (8, Show::Whole),
        (9, Show::Without(&[("rationale", Why::Withheld)])),
        (10, Show::Whole),
        (13, Show::Whole),
        (14, Show::Whole),
    ];
    world.bundle(About::Entries { first: LeafIndex(5), last: LeafIndex(14) }, SIZE, &records)
}

pub(crate) fn of_agency(world: &World) -> Bundle {
    let records = [6, 8, 16, 18, 23].map(|index| (index, Show::Whole));
    world.bundle(About::Agency { agency: agency(POLICE) }, SIZE, &records)
}

pub(crate) fn alert(world: &World) -> Bundle {
    let records = [(5, Show::WithKept), (6, Show::Whole), (16, Show::Whole)];
    world.bundle(alerted(), SIZE, &records)
}

/// An alert, of whose entries nothing is claimed.
pub(crate) fn alerted() -> About {
    About::Alert { alert: "fqsKLgLMjYzc95AwCaETnA".to_owned(), pattern: "repeat-missing".to_owned() }
}

/// Noah's record, passed off as Maya's.
pub(crate) fn passed_off(world: &World) -> Bundle {
    as_mayas(world, noah(), &[9, 13, 16, 21, 24])
}

/// The officer's record, passed off as Maya's: she is named in all of it.
pub(crate) fn officers(world: &World) -> Bundle {
    as_mayas(world, officer(), &[8])
}

/// Somebody's whole record, passed off as Maya's.
fn as_mayas(world: &World, whose: Pseudonym, indexes: &[u64]) -> Bundle {
    let records: Vec<(u64, Show)> = indexes.iter().map(|index| (*index, Show::Whole)).collect();
    let mut bundle = world.bundle(About::Child { subjects: vec![whose] }, SIZE, &records);
    bundle.manifest.about = About::Child { subjects: vec![maya()] };
    bundle.completeness[0].subject = maya();
    bundle
}

/// The other history, from entry 5 to its last.
pub(crate) fn forked_entries(world: &World) -> Bundle {
    let indexes = (5..SIZE).filter(|index| !world.is_registrars(*index));
    let records: Vec<(u64, Show)> = indexes.map(|index| (index, Show::Whole)).collect();
    world.bundle(About::Entries { first: LeafIndex(5), last: LeafIndex(SIZE - 1) }, SIZE, &records)
}
