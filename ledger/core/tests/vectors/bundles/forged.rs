//! Ledgers whose sealer accepted what it must not, and signed that with the ledger's own keys. Only a verifier that goes by the
//! rules itself finds it.

use gt_core::bundle::{About, Bundle};
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::link::Link;
use gt_core::statement::Draft;
use gt_core::{Hash, LeafIndex, base64url};

use super::story::{
    COUNCIL_ROTATED, COUNCIL_SECOND_KEY, COUNCIL_SYSTEM, POLICE_SYSTEM, about, alerted, begun, maya, noah,
    one, person,
};
use super::world::{SECOND_REGISTRAR, Show, Signer, World, ledger_keys, time};
use crate::document::object;
use crate::ledger::{
    COUNCIL, COUNCIL_KEY, POLICE, POLICE_KEY, RECOVERY, REGISTRAR, STRANGER, TRUST, TRUST_KEY, Writing,
    agency, compact, header, id,
};
use crate::signatures;

/// A bundle of all the world's entries from `first` on, whole, about an alert; they are the agencies'.
fn from(world: &World, first: u64) -> Bundle {
    let size = world.size();
    let indexes = (first..size).filter(|index| !world.is_registrars(*index));
    let records: Vec<(u64, Show)> = indexes.map(|index| (index, Show::Whole)).collect();
    world.bundle(alerted(), size, &records)
}

/// A bundle of the registrar's chain alone.
fn chain_of(world: &World) -> Bundle {
    world.bundle(alerted(), world.size(), &[])
}

fn decision(world: &World, by: Signer) -> Draft {
    world.draft(by, "decision.recorded", about(&noah(), "A decision."))
}

/// Statements of signers who may not speak so, one a record.
pub(crate) fn signers() -> Bundle {
    let mut world = begun();
    seal_raw(&mut world, signatures::with_neutral_r);
    seal_raw(&mut world, |signed| crate::ledger::key(STRANGER).sign(signed.as_bytes()));
    let rotation = world.new_key(COUNCIL_KEY, COUNCIL_SECOND_KEY, COUNCIL, Some(COUNCIL_KEY));
    world.registrar("publisher.rotated", rotation);
    revoke_police(&mut world);
    let sealed = |world: &mut World, by: Signer, change: &dyn Fn(&mut Draft)| {
        let mut draft = decision(world, by);
        change(&mut draft);
        world.seal_draft(by, &draft, |_| {});
    };
    sealed(&mut world, COUNCIL_SYSTEM, &|_| {});
    sealed(&mut world, POLICE_SYSTEM, &|_| {});
    let stranger = Signer { publisher: STRANGER, key: STRANGER, ..COUNCIL_SYSTEM };
    sealed(&mut world, stranger, &|_| {});
    sealed(&mut world, COUNCIL_ROTATED, &|draft| draft.iss = agency(POLICE));
    sealed(&mut world, COUNCIL_ROTATED, &|draft| draft.on_behalf_of = Some(agency(TRUST)));
    sealed(&mut world, Signer { key: STRANGER, ..COUNCIL_SYSTEM }, &|_| {});
    sealed(&mut world, COUNCIL_ROTATED, &|draft| draft.iat += 306);
    sealed(&mut world, COUNCIL_ROTATED, &|draft| "ledger.example/second".clone_into(&mut draft.aud));
    let mut in_clear = Writing::of_council(r#"{"rationale":"in the clear"}"#);
    in_clear.prev = world.genesis();
    let in_clear = in_clear.signed_by(COUNCIL_SECOND_KEY);
    world.seal(in_clear.trim_end_matches('~').to_owned(), Vec::new(), &[], |_| {});
    // Ends on a sound one, dated as late as is allowed.
    sealed(&mut world, COUNCIL_ROTATED, &|draft| draft.iat += 305);
    from(&world, 5)
}

/// The registrar's last statement, which the sealer does not count and the bundle has among its records.
pub(crate) fn uncounted() -> Bundle {
    let mut world = begun();
    let revocation = vec![
        ("publisher".to_owned(), Value::String(id(POLICE_KEY).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
    ];
    let revocation = world.of_registrar("publisher.revoked", revocation).signed_by(world.registrar_key);
    world.seal(revocation.trim_end_matches('~').to_owned(), Vec::new(), &[], |_| {});
    world.state(POLICE_SYSTEM, "decision.recorded", about(&noah(), "After the revocation."));
    from(&world, 5)
}

/// A statement under the council's first key with a signature that `sign` makes of its `H.P`.
fn seal_raw(world: &mut World, sign: impl Fn(&str) -> [u8; 64]) {
    let mut writing = Writing::of_council("{}");
    writing.prev = world.genesis();
    let part = |text: &str| base64url::encode(text.as_bytes());
    let signed = format!("{}.{}", part(&header(COUNCIL_KEY)), part(&writing.payload()));
    let jws = format!("{signed}.{}", base64url::encode(&sign(&signed)));
    world.seal(jws, Vec::new(), &[], |_| {});
}

fn revoke_police(world: &mut World) {
    let members = vec![
        ("publisher".to_owned(), Value::String(id(POLICE_KEY).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
    ];
    world.registrar("publisher.revoked", members);
}

/// Publishers' chains that do not hold.
pub(crate) fn chains() -> Bundle {
    let mut world = begun();
    world.state(COUNCIL_SYSTEM, "decision.recorded", about(&noah(), "First."));
    let mut sealed = |by: Signer, change: &dyn Fn(&mut Draft)| {
        let mut draft = decision(&world, by);
        change(&mut draft);
        world.seal_draft(by, &draft, |_| {});
    };
    sealed(COUNCIL_SYSTEM, &|draft| draft.prev = Hash::of(b"another"));
    sealed(COUNCIL_SYSTEM, &|draft| draft.seq = 1);
    sealed(COUNCIL_SYSTEM, &|draft| draft.seq = 0);
    sealed(COUNCIL_SYSTEM, &|draft| draft.seq = 7);
    sealed(POLICE_SYSTEM, &|draft| draft.prev = Hash::ZERO);
    sealed(POLICE_SYSTEM, &|_| {});
    from(&world, 5)
}

/// Entries that do not follow one another.
pub(crate) fn entries() -> Bundle {
    let mut world = begun();
    let mut sealed = |change: &dyn Fn(&mut Entry)| {
        let draft = decision(&world, COUNCIL_SYSTEM);
        world.seal_draft(COUNCIL_SYSTEM, &draft, change);
    };
    sealed(&|_| {});
    sealed(&|entry| entry.prev = Hash::of(b"another"));
    sealed(&|entry| entry.received_at = time(2));
    sealed(&|_| {});
    sealed(&|entry| entry.registry += 1);
    sealed(&|entry| entry.index = LeafIndex(99));
    sealed(&|entry| entry.received_at = time(7));
    from(&world, 5)
}

/// A registration with a key of small order, and the signature that laxer verifiers accept for it.
pub(crate) fn weak_key() -> Bundle {
    let mut world = begun();
    let mut members = world.registration(TRUST_KEY, TRUST, "Community health system", None);
    for (name, value) in &mut members {
        match name.as_str() {
            "key" => *value = signatures::weak_jwk(),
            "publisher" => {
                // RFC 7638 of the weak key, so that nothing but the key is wrong.
                let jwk = signatures::weak_jwk();
                let x = jwk.as_object().and_then(|jwk| jwk.get("x")?.as_str()).expect("an x");
                let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
                *value = Value::String(Hash::of(canonical.as_bytes()).to_string());
            }
            _ => {}
        }
    }
    world.registrar("publisher.registered", members);
    chain_of(&world)
}

/// A second key of an agency that nobody of the agency vouched for.
pub(crate) fn not_endorsed() -> Bundle {
    let mut world = begun();
    let members = world.registration(TRUST_KEY, COUNCIL, "A second system", None);
    world.registrar("publisher.registered", members);
    chain_of(&world)
}

/// A key whose holder did not sign for it.
pub(crate) fn bad_proof() -> Bundle {
    let mut world = begun();
    let mut members = world.registration(TRUST_KEY, TRUST, "Community health system", None);
    let of_another = world.registration(STRANGER, TRUST, "Community health system", None);
    let proof = of_another.into_iter().find(|(name, _)| name == "proof").expect("a proof");
    members.retain(|(name, _)| name != "proof");
    members.push(proof);
    world.registrar("publisher.registered", members);
    chain_of(&world)
}

/// A publisher under another id than its key's thumbprint.
pub(crate) fn not_its_key() -> Bundle {
    let mut world = begun();
    let mut members = world.registration(TRUST_KEY, TRUST, "Community health system", None);
    for (name, value) in &mut members {
        if name == "publisher" {
            *value = Value::String(id(STRANGER).to_string());
        }
    }
    world.registrar("publisher.registered", members);
    chain_of(&world)
}

/// A publisher rotates to the key that it has.
pub(crate) fn key_twice() -> Bundle {
    let mut world = begun();
    let members = world.new_key(COUNCIL_KEY, COUNCIL_KEY, COUNCIL, Some(COUNCIL_KEY));
    world.registrar("publisher.rotated", members);
    chain_of(&world)
}

/// A type that the registrar does not seal.
pub(crate) fn unknown_type() -> Bundle {
    let mut world = begun();
    world.registrar("ledger.renamed", Vec::new());
    chain_of(&world)
}

/// The old key signs on after `ledger.rotated`.
pub(crate) fn old_registrar() -> Bundle {
    let mut world = begun();
    world.registrar("ledger.rotated", ledger_keys(SECOND_REGISTRAR, RECOVERY));
    revoke_police(&mut world);
    chain_of(&world)
}

/// The recovery key signs what only the registrar may.
pub(crate) fn recovery_registers() -> Bundle {
    let mut world = begun();
    world.registrar_key = RECOVERY;
    revoke_police(&mut world);
    chain_of(&world)
}

/// The recovery key replaces the registrar's: sound.
pub(crate) fn recovered() -> Bundle {
    let mut world = begun();
    world.registrar_key = RECOVERY;
    world.registrar("ledger.rotated", ledger_keys(SECOND_REGISTRAR, RECOVERY));
    world.registrar_key = SECOND_REGISTRAR;
    revoke_police(&mut world);
    chain_of(&world)
}

/// A statement of the registrar whose writing was changed before it was signed.
fn registrar_said(change: impl FnOnce(&mut Writing)) -> Bundle {
    let mut world = begun();
    let members = vec![
        ("publisher".to_owned(), Value::String(id(POLICE_KEY).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
    ];
    let mut writing = world.of_registrar("publisher.revoked", members);
    change(&mut writing);
    world.seal_of_registrar(&writing.signed_by(world.registrar_key));
    chain_of(&world)
}

pub(crate) fn registrar_skips() -> Bundle {
    registrar_said(|writing| writing.seq += 1)
}

pub(crate) fn registrar_forgets() -> Bundle {
    registrar_said(|writing| writing.prev = Hash::of(b"another"))
}

pub(crate) fn registrar_elsewhere() -> Bundle {
    registrar_said(|writing| "ledger.example/second".clone_into(&mut writing.aud))
}

/// A publisher's statement in the registrar's chain.
pub(crate) fn not_the_registrar() -> Bundle {
    let mut world = begun();
    let mut writing = world.of_registrar("publisher.revoked", Vec::new());
    writing.publisher = id(COUNCIL_KEY);
    COUNCIL.clone_into(&mut writing.iss);
    world.seal_of_registrar(&writing.signed_by(COUNCIL_KEY));
    chain_of(&world)
}

/// Another ledger under the same name and keys, which begins otherwise.
pub(crate) fn other_genesis() -> Bundle {
    let mut world = World::created(STRANGER);
    let service = world.registration(3, "ledger:service", "The ledger's own service", None);
    world.registrar("publisher.registered", service);
    chain_of(&world)
}

/// A ledger whose first statement somebody else signed: under the stranger's own `kid`, or under the registrar's.
pub(crate) fn created_by_another(kid: u8) -> Bundle {
    let data = object(ledger_keys(REGISTRAR, RECOVERY));
    let payload = Writing::of_registrar(0, Hash::ZERO, "ledger.created", &data).payload();
    chain_of(&World::beginning(&compact(header(kid).as_bytes(), payload.as_bytes(), STRANGER, &[])))
}

/// The registrar's last entry counts one statement too many.
pub(crate) fn registrar_miscounts() -> Bundle {
    let mut world = begun();
    let members = vec![
        ("publisher".to_owned(), Value::String(id(POLICE_KEY).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
    ];
    let compact = world.of_registrar("publisher.revoked", members).signed_by(world.registrar_key);
    world.seal_of_registrar_with(&compact, |entry| entry.registry += 1);
    chain_of(&world)
}

/// A sealer that did not link what it sealed: entry 6 names Maya and has no link of hers; entry 8 names Noah and has one; entry 9
/// repeats the name of her first link.
pub(crate) fn links() -> World {
    let mut world = begun();
    world.state(COUNCIL_SYSTEM, "decision.recorded", about(&maya(), "Linked."));
    world.state(COUNCIL_SYSTEM, "decision.recorded", about(&noah(), "Noah's."));
    let mut both = about(&noah(), "Both, and linked so.");
    both.push(("others", one(person(&maya()))));
    world.state(COUNCIL_SYSTEM, "decision.recorded", both);
    let draft = world.draft(COUNCIL_SYSTEM, "decision.recorded", about(&maya(), "Hers, and not linked so."));
    world.seal_draft(COUNCIL_SYSTEM, &draft, |entry| entry.links.clear());
    world
}

/// Entry 6 repeats the name of Maya's only link.
pub(crate) fn repeated_link() -> World {
    let mut world = begun();
    world.state(COUNCIL_SYSTEM, "decision.recorded", about(&maya(), "Linked."));
    let name = world.links(&maya(), world.size()).links[0].name;
    let draft = decision(&world, COUNCIL_SYSTEM);
    world.seal_draft(COUNCIL_SYSTEM, &draft, |entry| {
        entry.links.push(Link { name, commitment: [7; 16] });
    });
    world
}

/// All that [`repeated_link`]'s links say about Maya.
pub(crate) fn of_repeated_link(world: &World) -> Bundle {
    world.bundle(About::Child { subjects: vec![maya()] }, world.size(), &[(5, Show::Whole)])
}

/// All records of [`links`], and the lists that the sealer keeps of both children.
pub(crate) fn not_linked(world: &World) -> Bundle {
    let records = [5, 6, 7, 8].map(|index| (index, Show::Whole));
    world.bundle(About::Child { subjects: vec![maya(), noah()] }, world.size(), &records)
}
