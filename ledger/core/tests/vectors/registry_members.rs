//! Statements of the registrar that are refused for their members.

use gt_core::base64url;
use gt_core::json::{Object, Value};
use gt_core::note::NoteSigner;

use crate::document::{NewCase, object};
use crate::ledger::{
    COUNCIL, COUNCIL_KEY, RECOVERY, REGISTRAR, RegistrarChain, STRANGER, TRUST, TRUST_KEY, Writing,
    created_with, new_key, note_signer, public, registration, revocation,
};
use crate::registry::{case, configuration, ledger_members, with_council};
use crate::registry_refused::{Members, put, refused, without};

const MEMBERS: &str = "FORMATS 6: data is exactly its type's";
const ORIGINS: &str =
    "FORMATS 6: origin is a text of 1–200 bytes, without white space, control characters and +";
const KEYS: &str = "DESIGN 2: keys are canonically encoded and not of small order";

pub(crate) fn cases() -> Vec<NewCase> {
    let mut cases = keys();
    cases.extend(
        registration_members()
            .into_iter()
            .map(|(name, members)| says(name, "registry_member", "publisher.registered", members)),
    );
    cases.extend(other_members());
    cases.extend(origins());
    cases.extend(unknown_members());
    cases
}

fn says(name: &str, code: &'static str, event_type: &str, members: Members) -> NewCase {
    refused(name, MEMBERS, code, &with_council().then(event_type, members))
}

fn keys() -> Vec<NewCase> {
    let jwk = |bytes: &[u8]| {
        let mut members = public(TRUST_KEY).to_jwk().as_object().expect("an object").clone();
        members.insert("x", Value::String(base64url::encode(bytes)));
        Value::Object(members)
    };
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut not_canonical = [0xFF; 32];
    (not_canonical[0], not_canonical[31]) = (0xEE, 0x7F);
    let trust = || registration(TRUST_KEY, TRUST, None);
    let registers = |name: &str, code: &'static str, members: Members| {
        refused(name, KEYS, code, &RegistrarChain::new().then("publisher.registered", members))
    };
    let rotation = new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(COUNCIL_KEY));
    vec![
        registers("a key of small order is registered", "weak_key", put(trust(), "key", jwk(&neutral))),
        registers(
            "a key in another encoding is registered",
            "bad_key",
            put(trust(), "key", jwk(&not_canonical)),
        ),
        registers("a key of 31 bytes is registered", "bad_key", put(trust(), "key", jwk(&[7; 31]))),
        refused(
            "a rotation to a key of small order",
            KEYS,
            "weak_key",
            &with_council().then("publisher.rotated", put(rotation, "key", jwk(&neutral))),
        ),
        refused(
            "a recovery key of small order",
            KEYS,
            "weak_key",
            &RegistrarChain::new().then(
                "ledger.rotated",
                put(ledger_members(REGISTRAR, RECOVERY, &[50]), "recovery", jwk(&neutral)),
            ),
        ),
    ]
}

/// What is replaced in a registration's members.
fn registration_members() -> Vec<(&'static str, Members)> {
    let trust = || registration(TRUST_KEY, TRUST, None);
    vec![
        ("no name", without(trust(), "name")),
        ("a blank name", put(trust(), "name", " ")),
        ("a name of 201 bytes", put(trust(), "name", "n".repeat(201))),
        ("a name with a newline", put(trust(), "name", "Case\nsystem")),
        ("a kind in capitals", put(trust(), "kind", "Health")),
        ("a kind of 33 characters", put(trust(), "kind", "k".repeat(33))),
        ("an agency of an unknown scheme", put(trust(), "agency", "nhs:RX1")),
        ("a publisher id cut short", put(trust(), "publisher", "AAAA")),
        ("no key", without(trust(), "key")),
        ("no proof", without(trust(), "proof")),
        ("a proof of 63 bytes", put(trust(), "proof", base64url::encode(&[7; 63]))),
        ("recovery is text", put(trust(), "recovery", "true")),
        ("an endorsement that is text", put(trust(), "endorsement", "signed")),
        ("on_behalf_of is no list", put(trust(), "on_behalf_of", COUNCIL)),
        (
            "on_behalf_of holds no agency",
            put(trust(), "on_behalf_of", Value::Array(vec![Value::from("school")])),
        ),
    ]
}

fn other_members() -> Vec<NewCase> {
    let ledger = || ledger_members(REGISTRAR, RECOVERY, &[50]);
    let bad =
        |name: &str, event_type: &str, members: Members| says(name, "registry_member", event_type, members);
    let nine: Vec<u8> = (50..59).collect();
    let foreign = NoteSigner::new("elsewhere.example", &[50; 32]).expect("a name").verifier_key().to_string();
    let broken = note_signer(50).verifier_key().to_string().replacen('+', "+0", 1);
    let vkeys = |text: &str| put(ledger(), "verifier_keys", Value::Array(vec![Value::from(text)]));
    let revocation = || revocation(COUNCIL_KEY);
    vec![
        bad("no reason", "publisher.revoked", without(revocation(), "reason")),
        bad("a reason of two words", "publisher.revoked", put(revocation(), "reason", "key lost")),
        bad("suspect_from is a date", "publisher.revoked", put(revocation(), "suspect_from", "2026-03-01")),
        bad("no verifier key", "ledger.rotated", ledger_members(REGISTRAR, RECOVERY, &[])),
        bad("nine verifier keys", "ledger.rotated", ledger_members(REGISTRAR, RECOVERY, &nine)),
        bad("a verifier key of another name", "ledger.rotated", vkeys(&foreign)),
        bad("a verifier key that is none", "ledger.rotated", vkeys(&broken)),
        bad("an origin with a space", "ledger.rotated", put(ledger(), "origin", "ledger example")),
        bad("no registrar", "ledger.rotated", without(ledger(), "registrar")),
        bad("no legal bases", "ledger.configured", without(configuration(24), "legal")),
        bad("no thresholds", "ledger.configured", without(configuration(24), "thresholds")),
        bad("a calendar that is a text", "ledger.configured", put(configuration(24), "calendar", "England")),
        bad("retention that is a text", "ledger.configured", put(configuration(24), "retention", "75 years")),
    ]
}

/// A ledger of this name, whose verifier key is of that name too.
fn of_origin(origin: &str) -> RegistrarChain {
    let vkey = NoteSigner::new(origin, &[50; 32]).expect("a name").verifier_key().to_string();
    let members = put(ledger_members(REGISTRAR, RECOVERY, &[50]), "origin", origin);
    let members = put(members, "verifier_keys", Value::Array(vec![Value::String(vkey)]));
    let created = Writing { aud: origin.into(), ..created_with(&object(members)) };
    RegistrarChain::beginning(created.signed_by(REGISTRAR))
}

fn origins() -> Vec<NewCase> {
    let bad = |name: &str, origin: &str| refused(name, ORIGINS, "registry_member", &of_origin(origin));
    let longest = format!("ledger.example/{}", "o".repeat(185));
    vec![
        case(NewCase::accepted("an origin of 200 bytes", ORIGINS), &of_origin(&longest)),
        bad("an origin of 200 characters and 201 bytes", &format!("{}é", &longest[1..])),
        bad("an origin with the control character U+007F", "ledger.example/\u{7f}first"),
        bad("an origin with the control character U+009B", "ledger.example/\u{9b}first"),
    ]
}

fn unknown_members() -> Vec<NewCase> {
    let trust = || registration(TRUST_KEY, TRUST, None);
    let rotation = || new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(COUNCIL_KEY));
    let mut endorsement = rotation()[3].1.as_object().expect("an object").clone();
    endorsement.insert("note", Value::from("x"));
    let endorsement = put(rotation(), "endorsement", Value::Object(endorsement));
    let unknown =
        |name: &str, event_type: &str, members: Members| says(name, "unknown_member", event_type, members);
    let payload = with_council().next("publisher.registered", trust()).payload();
    let payload = payload.replacen(r#""version":1"#, r#""version":2"#, 1);
    let header = crate::ledger::header(REGISTRAR);
    let mut second_version = with_council();
    let statement = crate::ledger::compact(header.as_bytes(), payload.as_bytes(), REGISTRAR, &[]);
    second_version.statements.push((6, statement));
    let ledger = put(ledger_members(REGISTRAR, RECOVERY, &[50]), "note", "x");
    vec![
        unknown("an unknown member of a registration", "publisher.registered", put(trust(), "note", "x")),
        unknown("an unknown member of a rotation", "publisher.rotated", put(rotation(), "name", "x")),
        unknown("an unknown member of an endorsement", "publisher.rotated", endorsement),
        unknown(
            "an unknown member of a revocation",
            "publisher.revoked",
            put(revocation(COUNCIL_KEY), "note", "x"),
        ),
        unknown("an unknown member of a rotation of the ledger", "ledger.rotated", ledger),
        unknown(
            "an unknown member of a configuration",
            "ledger.configured",
            put(configuration(24), "budget", Value::Object(Object::default())),
        ),
        says("a type that the registrar does not have", "unknown_type", "publisher.renamed", trust()),
        says("an agency's type", "unknown_type", "missing.started", Vec::new()),
        refused("version 2 of a type", MEMBERS, "unknown_version", &second_version),
    ]
}
