//! Statements of the registrar that are refused.

use gt_core::Hash;
use gt_core::base64url;
use gt_core::json::Value;

use crate::document::{NewCase, object};
use crate::ledger::{
    COUNCIL, COUNCIL_KEY, POLICE, RECOVERY, REGISTRAR, RegistrarChain, SERVICE, STRANGER, TRUST, TRUST_KEY,
    Writing, created, created_with, id, ledger_data, new_key, parsed, public, registration, revocation,
};
use crate::registry::{case, configuration, ledger_members, marked_recovery, with_council};

pub(crate) type Members = Vec<(String, Value)>;

const FIRST: &str = "DESIGN 4: entry 0 is ledger.created, and nothing else is";
const ID: &str = "DESIGN 4: a publisher's id is the thumbprint of its first key, for ever";
const ONCE: &str = "DESIGN 4: a key is registered once ever";
const PROOF: &str = "DESIGN 4: with the new key's own signature over genesis hash, publisher id and agency";
const ENDORSED: &str =
    "DESIGN 4: an agency's further keys carry the signature of one of its valid keys, or are marked recovery";
const FINAL: &str = "DESIGN 4: revocation is final";
const OWN: &str = "FORMATS 3: the scheme ledger is kept for the ledger's own publishers";
const SIGNER: &str =
    "DESIGN 4: rotation acts from the entry after it; ledger.rotated is signed by registrar or recovery key";
const CHAIN: &str = "FORMATS 6: the registrar's later statements chain to ledger.created";

pub(crate) fn cases() -> Vec<NewCase> {
    [beginnings(), registrations(), endorsements(), ends(), signers(), one_key_for_two(), misplaced()]
        .concat()
}

pub(crate) fn refused(name: &str, rule: &str, code: &'static str, chain: &RegistrarChain) -> NewCase {
    case(NewCase::refused(name, rule, code), chain)
}

/// The members with one of them replaced.
pub(crate) fn put(mut members: Members, name: &str, value: impl Into<Value>) -> Members {
    members.retain(|(member, _)| member != name);
    members.push((name.to_owned(), value.into()));
    members
}

pub(crate) fn without(mut members: Members, name: &str) -> Members {
    members.retain(|(member, _)| member != name);
    members
}

fn signature(seed: u8, message: &[u8]) -> Value {
    Value::String(base64url::encode(&crate::ledger::key(seed).sign(message)))
}

fn beginnings() -> Vec<NewCase> {
    let sound = created_with(&ledger_data(&public(REGISTRAR), &public(RECOVERY), &[50]));
    let only = |writing: &Writing, seed: u8| RegistrarChain::beginning(writing.signed_by(seed));
    let begins = |name: &str, code: &'static str, writing: Writing| {
        refused(name, FIRST, code, &only(&writing, REGISTRAR))
    };
    let registers = Writing::of_registrar(
        0,
        Hash::ZERO,
        "publisher.registered",
        &object(registration(COUNCIL_KEY, COUNCIL, None)),
    );
    let again = Writing::of_registrar(
        1,
        parsed(&created()).hash(),
        "ledger.created",
        &object(ledger_members(REGISTRAR, RECOVERY, &[50])),
    );
    vec![
        begins("another type stands first", "not_genesis", registers),
        begins("it is not the first of its chain", "not_genesis", Writing { seq: 1, ..sound.clone() }),
        begins("it has a predecessor", "not_genesis", Writing { prev: Hash::of(b"before"), ..sound.clone() }),
        begins("an agency creates it", "not_genesis", Writing { iss: COUNCIL.into(), ..sound.clone() }),
        begins(
            "its publisher is not the registrar's key",
            "not_genesis",
            Writing { publisher: id(RECOVERY), ..sound.clone() },
        ),
        begins(
            "it speaks to another ledger than it creates",
            "not_genesis",
            Writing { aud: "ledger.example/second".into(), ..sound.clone() },
        ),
        begins(
            "it is on behalf of somebody",
            "not_genesis",
            Writing { more: format!(r#""on_behalf_of":"{COUNCIL}","#), ..sound.clone() },
        ),
        refused(
            "another key than the registrar's signed it",
            FIRST,
            "key_not_in_force",
            &only(&sound, STRANGER),
        ),
        refused("ledger.created again", FIRST, "not_genesis", &RegistrarChain::new().then_writing(&again)),
    ]
}

fn registrations() -> Vec<NewCase> {
    let registers = |name: &str, rule: &str, code: &'static str, members: Members| {
        refused(name, rule, code, &with_council().then("publisher.registered", members))
    };
    let trust = || registration(TRUST_KEY, TRUST, None);
    let other = RegistrarChain::new().then("publisher.registered", registration(TRUST_KEY, TRUST, None));
    let rotated =
        with_council().then("publisher.rotated", new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(COUNCIL_KEY)));
    let taken = object(registration(STRANGER, TRUST, None));
    let service = registration(SERVICE, "ledger:service", None);
    let registrars = registration(TRUST_KEY, "ledger:registrar", None);
    let of_another = put(trust(), "proof", signature(STRANGER, b"gt/key/1"));
    let for_another = put(registration(TRUST_KEY, POLICE, None), "agency", TRUST);
    let as_rotation =
        new_key(COUNCIL_KEY, TRUST_KEY, TRUST, None).into_iter().find(|(name, _)| name == "proof");
    let for_another_id = put(trust(), "proof", as_rotation.expect("a proof").1);
    let listed = put(trust(), "on_behalf_of", Value::Array(vec![Value::from("ledger:service")]));
    vec![
        registers(
            "the id is of another key",
            ID,
            "not_its_key",
            put(trust(), "publisher", id(STRANGER).to_string()),
        ),
        registers(
            "the publisher is registered already",
            ID,
            "already_registered",
            registration(COUNCIL_KEY, COUNCIL, Some(COUNCIL_KEY)),
        ),
        registers("the registrar's key", ONCE, "key_seen_before", registration(REGISTRAR, TRUST, None)),
        registers("the recovery key", ONCE, "key_seen_before", registration(RECOVERY, TRUST, None)),
        refused("a key that another publisher rotated to", ONCE, "key_seen_before", &{
            let next = Writing { data: taken.to_text(), ..rotated.next("publisher.registered", Vec::new()) };
            rotated.then_writing(&next)
        }),
        refused(
            "a rotation to another publisher's key",
            ONCE,
            "key_seen_before",
            &other
                .then("publisher.registered", registration(COUNCIL_KEY, COUNCIL, None))
                .then("publisher.rotated", new_key(COUNCIL_KEY, TRUST_KEY, COUNCIL, Some(COUNCIL_KEY))),
        ),
        refused(
            "a rotation to the key in force",
            ONCE,
            "key_seen_before",
            &with_council()
                .then("publisher.rotated", new_key(COUNCIL_KEY, COUNCIL_KEY, COUNCIL, Some(COUNCIL_KEY))),
        ),
        registers("the proof is another key's", PROOF, "bad_proof", of_another),
        registers("the proof is for another agency", PROOF, "bad_proof", for_another),
        registers("the proof is for another publisher", PROOF, "bad_proof", for_another_id),
        registers("the service publisher, later than first", OWN, "reserved_agency", service),
        registers("a publisher for the registrar's own code", OWN, "reserved_agency", registrars),
        registers("on behalf of the ledger", OWN, "reserved_agency", listed),
    ]
}

fn endorsements() -> Vec<NewCase> {
    let registers = |name: &str, members: Members| {
        let chain = with_council().then("publisher.registered", registration(TRUST_KEY, TRUST, None));
        refused(name, ENDORSED, "not_endorsed", &chain.then("publisher.registered", members))
    };
    let further = |endorser| registration(STRANGER, COUNCIL, endorser);
    let forged = {
        let kid = Value::String(id(COUNCIL_KEY).to_string());
        let of_another = signature(COUNCIL_KEY, b"gt/endorse/1");
        put(further(None), "endorsement", object([("kid", kid), ("signature", of_another)]))
    };
    let by_rotation = |name: &str, chain: RegistrarChain, members: Members| {
        refused(name, ENDORSED, "not_endorsed", &chain.then("publisher.rotated", members))
    };
    let rotated =
        with_council().then("publisher.rotated", new_key(COUNCIL_KEY, 40, COUNCIL, Some(COUNCIL_KEY)));
    let revoked = with_council().then("publisher.revoked", revocation(COUNCIL_KEY));
    let by_revoked = revoked.then("publisher.registered", further(Some(COUNCIL_KEY)));
    vec![
        registers("a further key without an endorsement", further(None)),
        registers("endorsed by another agency's key", further(Some(TRUST_KEY))),
        registers("endorsed by itself", further(Some(STRANGER))),
        registers("endorsed by the registrar", further(Some(REGISTRAR))),
        registers("an endorsement of other bytes", forged),
        registers("recovery is false", put(further(None), "recovery", Value::Bool(false))),
        refused("endorsed by a revoked publisher's key", ENDORSED, "not_endorsed", &by_revoked),
        by_rotation(
            "a rotation without an endorsement",
            with_council(),
            new_key(COUNCIL_KEY, STRANGER, COUNCIL, None),
        ),
        by_rotation(
            "a rotation endorsed by its own new key",
            with_council(),
            new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(STRANGER)),
        ),
        by_rotation(
            "a rotation endorsed by a key that was rotated out",
            rotated,
            new_key(COUNCIL_KEY, STRANGER, COUNCIL, Some(COUNCIL_KEY)),
        ),
    ]
}

fn ends() -> Vec<NewCase> {
    let revoked = || with_council().then("publisher.revoked", revocation(COUNCIL_KEY));
    let rotation = marked_recovery(new_key(COUNCIL_KEY, STRANGER, COUNCIL, None));
    let unknown = "DESIGN 4: the log itself says which key spoke for which agency";
    vec![
        refused(
            "a revoked publisher is revoked again",
            FINAL,
            "publisher_revoked",
            &revoked().then("publisher.revoked", revocation(COUNCIL_KEY)),
        ),
        refused(
            "a revoked publisher is rotated, as recovery",
            FINAL,
            "publisher_revoked",
            &revoked().then("publisher.rotated", rotation),
        ),
        refused(
            "a revoked publisher is registered again",
            FINAL,
            "already_registered",
            &revoked()
                .then("publisher.registered", marked_recovery(registration(COUNCIL_KEY, COUNCIL, None))),
        ),
        refused(
            "nobody is revoked",
            unknown,
            "unknown_publisher",
            &with_council().then("publisher.revoked", revocation(STRANGER)),
        ),
        refused(
            "nobody is rotated",
            unknown,
            "unknown_publisher",
            &with_council()
                .then("publisher.rotated", new_key(STRANGER, TRUST_KEY, COUNCIL, Some(COUNCIL_KEY))),
        ),
        refused(
            "the registrar is revoked",
            unknown,
            "unknown_publisher",
            &with_council().then("publisher.revoked", revocation(REGISTRAR)),
        ),
    ]
}

fn signers() -> Vec<NewCase> {
    let trust = || registration(TRUST_KEY, TRUST, None);
    let rotated = || RegistrarChain::new().then("ledger.rotated", ledger_members(30, RECOVERY, &[50]));
    let moved = put(ledger_members(REGISTRAR, RECOVERY, &[50]), "origin", "ledger.example/second");
    let note = gt_core::note::NoteSigner::new("ledger.example/second", &[50; 32])
        .expect("a name")
        .verifier_key()
        .to_string();
    let moved = put(moved, "verifier_keys", Value::Array(vec![Value::String(note)]));
    let used = registration(TRUST_KEY, TRUST, None);
    vec![
        refused(
            "an agency's key signs for the registrar",
            SIGNER,
            "key_not_in_force",
            &RegistrarChain::new().signed_by(COUNCIL_KEY).then("publisher.registered", trust()),
        ),
        refused(
            "the recovery key registers",
            SIGNER,
            "key_not_in_force",
            &RegistrarChain::new().signed_by(RECOVERY).then("publisher.registered", trust()),
        ),
        refused(
            "the recovery key configures",
            SIGNER,
            "key_not_in_force",
            &RegistrarChain::new().signed_by(RECOVERY).then("ledger.configured", configuration(24)),
        ),
        refused(
            "the registrar's key that was replaced signs on",
            SIGNER,
            "key_not_in_force",
            &rotated().then("publisher.registered", trust()),
        ),
        refused(
            "the new key signs its own rotation",
            SIGNER,
            "key_not_in_force",
            &RegistrarChain::new().signed_by(30).then("ledger.rotated", ledger_members(30, RECOVERY, &[50])),
        ),
        refused(
            "the registrar's key becomes one that an agency has",
            ONCE,
            "key_seen_before",
            &RegistrarChain::new()
                .then("publisher.registered", used)
                .then("ledger.rotated", ledger_members(TRUST_KEY, RECOVERY, &[50])),
        ),
        refused(
            "the registrar's key becomes the recovery key",
            ONCE,
            "key_seen_before",
            &RegistrarChain::new().then("ledger.rotated", ledger_members(RECOVERY, 31, &[50])),
        ),
        refused(
            "the origin changes",
            "DESIGN 4: verifiers pin the origin, which never changes",
            "origin_changed",
            &RegistrarChain::new().then("ledger.rotated", moved),
        ),
    ]
}

/// The recovery key is there for when the registrar's is lost or stolen.
fn one_key_for_two() -> Vec<NewCase> {
    let created = created_with(&ledger_data(&public(REGISTRAR), &public(REGISTRAR), &[50]));
    let rotates = |name: &str, registrar, recovery| {
        let members = ledger_members(registrar, recovery, &[50]);
        refused(name, ONCE, "key_seen_before", &RegistrarChain::new().then("ledger.rotated", members))
    };
    vec![
        refused(
            "the recovery key is the registrar's",
            ONCE,
            "key_seen_before",
            &RegistrarChain::beginning(created.signed_by(REGISTRAR)),
        ),
        rotates("the recovery key becomes the registrar's", REGISTRAR, REGISTRAR),
        rotates("one new key for registrar and recovery", 30, 30),
    ]
}

fn misplaced() -> Vec<NewCase> {
    let late = with_council().next("publisher.registered", registration(TRUST_KEY, TRUST, None));
    let refuse = |name: &str, rule: &str, code: &'static str, writing: &Writing| {
        refused(name, rule, code, &with_council().then_writing(writing))
    };
    vec![
        refuse("a number is left out", CHAIN, "chain_gap", &Writing { seq: 3, ..late.clone() }),
        refuse("a number comes twice", CHAIN, "chain_fork", &Writing { seq: 1, ..late.clone() }),
        refuse(
            "another predecessor",
            CHAIN,
            "chain_prev",
            &Writing { prev: Hash::of(b"another"), ..late.clone() },
        ),
        refuse(
            "another ledger",
            "DESIGN 2: aud is the ledger's origin",
            "wrong_audience",
            &Writing { aud: "ledger.example/second".into(), ..late },
        ),
    ]
}
