//! The registrar's chain, folded into the registry.

use gt_core::chain::{Chain, Place};
use gt_core::json::Value;
use gt_core::key::PublicKey;
use gt_core::registry::{Publisher, Registry};
use gt_core::statement::Statement;
use gt_core::verify::verify_authorship;
use gt_core::{Hash, LeafIndex};
use serde_json::Value as Json;

use crate::document::{self, NewCase, integer, list, number, object, text};
use crate::ledger::{
    self, COUNCIL, COUNCIL_KEY, RECOVERY, REGISTRAR, RegistrarChain, STRANGER, TRUST, TRUST_KEY, entry_zero,
    genesis, ledger_data, new_key, public, registration, revocation, usual_chain,
};
use crate::{registry_members, registry_refused};

pub(crate) fn outcome(whole: &Json, case: &Json) -> Value {
    match folded(whole, case) {
        Ok(registry) => described(&registry),
        Err((position, code)) => {
            let last = list(case, "statements").len() - 1;
            assert_eq!(position, last, "{}: {code}, but not at the last statement", case["name"]);
            document::refused(code)
        }
    }
}

/// Folds the statements; on a refusal, the position of the statement and the code.
fn folded(whole: &Json, case: &Json) -> Result<Registry, (usize, &'static str)> {
    let mut folding: Option<(Registry, Chain)> = None;
    for (position, item) in list(case, "statements").iter().enumerate() {
        let at = |code| (position, code);
        let statement =
            Statement::parse(text(item, "statement").as_bytes()).map_err(|error| at(error.code()))?;
        let (index, payload) = (LeafIndex(number(item, "index")), statement.payload());
        let Some((registry, chain)) = &mut folding else {
            let genesis = Hash::parse(text(whole, "genesis")).expect("a hash");
            let registry = Registry::create(genesis, payload).map_err(|error| at(error.code()))?;
            verify_authorship(&statement, &registry).map_err(|fault| at(fault.code()))?;
            let mut chain = Chain::new(Hash::ZERO);
            chain.push(index, statement.hash());
            folding = Some((registry, chain));
            continue;
        };
        verify_authorship(&statement, registry).map_err(|fault| at(fault.code()))?;
        match chain.place(payload.seq, &payload.prev) {
            Place::Next => registry.apply(index, payload).map_err(|error| at(error.code()))?,
            Place::Taken(_) | Place::TakenEarlier => return Err(at("chain_fork")),
            Place::Gap => return Err(at("chain_gap")),
            Place::OtherPredecessor => return Err(at("chain_prev")),
        }
        chain.push(index, statement.hash());
    }
    Ok(folding.expect("at least one statement").0)
}

fn described(registry: &Registry) -> Value {
    let keys = registry.ledger_keys();
    let kid = |key: &PublicKey| Value::String(key.thumbprint().to_string());
    let vkeys = keys.verifier_keys.iter().map(|key| Value::String(key.to_string()));
    let publishers = registry.publishers().map(|(id, publisher)| publisher_facts(*id, publisher));
    let configured = registry.configured_at().map(|index| ("configured_at", integer(index.0)));
    let facts = [
        ("statements", integer(registry.statements())),
        ("registrar_id", Value::String(registry.registrar_id().to_string())),
        ("registrar_key", kid(&keys.registrar)),
        ("recovery_key", kid(&keys.recovery)),
        ("verifier_keys", Value::Array(vkeys.collect())),
        ("publishers", Value::Array(publishers.collect())),
    ];
    document::accepted(facts.into_iter().chain(configured))
}

fn publisher_facts(id: Hash, publisher: &Publisher) -> Value {
    let keys = publisher.keys.iter().map(|(index, key)| {
        object([("enrolled_at", integer(index.0)), ("kid", Value::String(key.thumbprint().to_string()))])
    });
    let agencies = publisher.on_behalf_of.iter().map(|agency| Value::from(agency.as_str()));
    let revoked = publisher.revoked.map_or(Value::Null, |(index, suspect_from)| {
        let time = suspect_from.map_or(Value::Null, |time| Value::String(time.to_string()));
        object([("index", integer(index.0)), ("suspect_from", time)])
    });
    object([
        ("id", Value::String(id.to_string())),
        ("agency", Value::from(publisher.agency.as_str())),
        ("name", Value::from(publisher.name.as_str())),
        ("kind", Value::from(publisher.kind.as_str())),
        ("on_behalf_of", Value::Array(agencies.collect())),
        ("keys", Value::Array(keys.collect())),
        ("revoked", revoked),
    ])
}

pub(crate) fn document() -> Value {
    let mut cases = accepted();
    cases.extend(ends_and_rotations());
    cases.extend(configurations());
    cases.extend(registry_refused::cases());
    cases.extend(registry_members::cases());
    document::document(
        "The registrar's chain (DESIGN 4, FORMATS 6). All statements but the last are sound; the last is accepted or refused \
         as expected. The first is entry 0 of a log whose entry 0 is `entry_zero`; `genesis` is that entry's leaf hash.",
        vec![
            ("origin", Value::from(ledger::ORIGIN)),
            ("entry_zero", Value::String(crate::entries::utf8(&entry_zero()))),
            ("genesis", Value::String(genesis().to_string())),
        ],
        cases,
        outcome,
    )
}

pub(crate) fn case(case: NewCase, chain: &RegistrarChain) -> NewCase {
    case.with("statements", chain.to_json())
}

pub(crate) fn marked_recovery(mut members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    members.push(("recovery".to_owned(), Value::Bool(true)));
    members
}

/// The members of `ledger.created` and `ledger.rotated`.
pub(crate) fn ledger_members(registrar: u8, recovery: u8, notes: &[u8]) -> Vec<(String, Value)> {
    let data = ledger_data(&public(registrar), &public(recovery), notes);
    data.as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// A ledger with one council.
pub(crate) fn with_council() -> RegistrarChain {
    RegistrarChain::new().then("publisher.registered", registration(COUNCIL_KEY, COUNCIL, None))
}

fn accepted() -> Vec<NewCase> {
    let chain = with_council;
    let accepted =
        |name: &str, rule: &str, chain: &RegistrarChain| case(NewCase::accepted(name, rule), chain);
    let first = "FORMATS 6: the first key of an agency needs no endorsement";
    let later = "DESIGN 4: an agency's further keys carry the signature of one of its valid keys, or are marked recovery";
    vec![
        accepted("ledger.created alone", "DESIGN 4: entry 0 is ledger.created", &RegistrarChain::new()),
        accepted("the first key of an agency", first, &chain()),
        accepted("a ledger in use", first, &usual_chain()),
        accepted(
            "a second publisher of the agency, endorsed",
            later,
            &chain().then("publisher.registered", registration(TRUST_KEY, COUNCIL, Some(COUNCIL_KEY))),
        ),
        accepted(
            "a second publisher of the agency, as recovery",
            later,
            &chain().then("publisher.registered", marked_recovery(registration(TRUST_KEY, COUNCIL, None))),
        ),
        accepted(
            "a publisher of another agency",
            first,
            &chain().then("publisher.registered", registration(TRUST_KEY, TRUST, None)),
        ),
        accepted(
            "a rotation endorsed by the key before",
            later,
            &chain().then("publisher.rotated", new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(COUNCIL_KEY))),
        ),
        accepted(
            "a rotation as recovery",
            later,
            &chain()
                .then("publisher.rotated", marked_recovery(new_key(COUNCIL_KEY, STRANGER, COUNCIL, None))),
        ),
    ]
}

/// The members of `ledger.configured`. What stands in them is not the registry's to judge.
pub(crate) fn configuration(hours: u64) -> Vec<(String, Value)> {
    let thresholds = object([("long_missing", object([("hours", integer(hours))]))]);
    let members = [("legal", object([("bases", Value::Array(Vec::new()))])), ("thresholds", thresholds)];
    let calendar = ("calendar", object([("division", Value::from("England"))]));
    members.into_iter().chain([calendar]).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn configurations() -> Vec<NewCase> {
    let rule = "FORMATS 6: the latest ledger.configured is in force";
    let configured = || with_council().then("ledger.configured", configuration(24));
    let again = configured()
        .then("publisher.registered", registration(TRUST_KEY, TRUST, None))
        .then("ledger.configured", configuration(12));
    let mut retained = configuration(24);
    retained.push(("retention".to_owned(), object([("rules", Value::Array(Vec::new()))])));
    let kept = with_council().then("ledger.configured", retained);
    vec![
        case(NewCase::accepted("a configuration", rule), &configured()),
        case(NewCase::accepted("a second configuration", rule), &again),
        case(NewCase::accepted("a configuration with retention rules", rule), &kept),
    ]
}

fn ends_and_rotations() -> Vec<NewCase> {
    let chain = with_council;
    let accepted =
        |name: &str, rule: &str, chain: &RegistrarChain| case(NewCase::accepted(name, rule), chain);
    let later = "DESIGN 4: an agency's further keys carry the signature of one of its valid keys, or are marked recovery";
    let ledger = "DESIGN 4: ledger.rotated, signed by registrar or recovery key, replaces the ledger's keys";
    let revoked = chain().then("publisher.revoked", revocation(COUNCIL_KEY));
    let plain = revocation(COUNCIL_KEY).into_iter().filter(|(name, _)| name != "suspect_from").collect();
    vec![
        accepted("a revocation", "DESIGN 4: revocation may carry suspect_from", &revoked),
        accepted(
            "a revocation without suspect_from",
            "FORMATS 6: suspect_from is optional",
            &chain().then("publisher.revoked", plain),
        ),
        accepted(
            "a new publisher for an agency whose only one is revoked, as recovery",
            later,
            &revoked.then("publisher.registered", marked_recovery(registration(TRUST_KEY, COUNCIL, None))),
        ),
        accepted(
            "new verifier keys",
            ledger,
            &RegistrarChain::new().then("ledger.rotated", ledger_members(REGISTRAR, RECOVERY, &[50, 51])),
        ),
        accepted(
            "the recovery key replaces the registrar's, which then signs on",
            ledger,
            &chain()
                .signed_by(RECOVERY)
                .then("ledger.rotated", ledger_members(30, RECOVERY, &[50]))
                .signed_by(30)
                .then("publisher.registered", registration(TRUST_KEY, TRUST, None)),
        ),
    ]
}
