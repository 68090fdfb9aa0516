//! The registry's rules, as publishers and the registrar meet them at the ledger.

mod partnership;

use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::registry::endorsement_message;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use partnership::{Home, Publisher, child};

fn seal(ledger: &Ledger, statement: &Statement) -> Result<Sealed, Refusal> {
    ledger.seal_blocking(statement.to_compact().as_bytes())
}

fn code(result: Result<Sealed, Refusal>) -> &'static str {
    result.expect_err("must be refused").code()
}

fn patterns(ledger: &Ledger) -> Vec<String> {
    let alerts = ledger.integrity_alerts();
    alerts.iter().filter_map(|alert| alert["pattern"].as_str().map(ToOwned::to_owned)).collect()
}

fn endorsed_by(
    home: &Home,
    old: &Publisher,
    new: &PrivateKey,
    publisher: &Publisher,
) -> (gt_core::Hash, String) {
    let message =
        endorsement_message(&home.genesis(), &publisher.id, &new.public().thumbprint(), &publisher.agency);
    (old.key.public().thumbprint(), base64url::encode(&old.key.sign(&message)))
}

fn revocation(home: &Home, ledger: &Ledger, publisher: &Publisher) -> Statement {
    let members = vec![
        ("publisher", Value::String(publisher.id.to_string())),
        ("reason", Value::from("key_compromise")),
        ("suspect_from", Value::from("2026-01-01T00:00:00Z")),
    ];
    home.registrar_says(ledger, "publisher.revoked", members)
}

fn rotation(home: &Home, ledger: &Ledger, publisher: &Publisher, new: &PrivateKey) -> Statement {
    let (kid, signature) = endorsed_by(home, publisher, new, publisher);
    let endorsement = [("kid", kid.to_string()), ("signature", signature)];
    let endorsement = endorsement.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text)));
    let members = vec![
        ("publisher", Value::String(publisher.id.to_string())),
        ("key", new.public().to_jwk()),
        ("proof", Value::String(home.proof(new, &publisher.id, &publisher.agency))),
        ("endorsement", Value::Object(endorsement.collect())),
    ];
    home.registrar_says(ledger, "publisher.rotated", members)
}

/// Another statement in the place of the publisher's first, signed with its present key.
fn fork(home: &Home, publisher: &Publisher) -> Statement {
    let mut forked = Publisher::new(publisher.agency.as_str(), 1, home.genesis());
    (forked.id, forked.key) = (publisher.id, PrivateKey::from_seed(&publisher.key.to_seed()));
    forked.next(&child(77))
}

#[test]
fn a_revoked_publisher_is_not_heard_but_keeps_its_receipts() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let first = council.next(&child(1));
    let sealed = seal(&ledger, &first).expect("sealed");
    seal(&ledger, &revocation(&home, &ledger, &council)).expect("revoked");

    let next = council.next(&child(1));
    let size = ledger.log().size();
    assert_eq!(code(seal(&ledger, &next)), "publisher_revoked");
    assert_eq!(code(seal(&ledger, &revocation(&home, &ledger, &council))), "publisher_revoked");
    let rotated = rotation(&home, &ledger, &council, &PrivateKey::from_seed(&[2; 32]));
    assert_eq!(code(seal(&ledger, &rotated)), "publisher_revoked");
    let again = seal(&ledger, &first).expect("the receipt of a duplicate");
    assert_eq!((again.index, again.duplicate), (sealed.index, true));
    assert_eq!(code(seal(&ledger, &fork(&home, &council))), "chain_fork");
    let expected = ["chain-fork", "publisher-suspect"];
    assert_eq!(
        patterns(&ledger),
        expected,
        "a revoked key that forks its chain is seen, and so is what it is suspected of"
    );
    assert_eq!(ledger.log().size(), size);
    drop(ledger);

    let ledger = home.open();
    assert_eq!(code(seal(&ledger, &next)), "publisher_revoked");
    assert_eq!(seal(&ledger, &first).expect("the receipt of a duplicate").index, sealed.index);
    assert_eq!(patterns(&ledger), expected);
}

#[test]
fn a_rotated_key_goes_on_with_the_chain_and_the_old_one_keeps_its_receipts() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let first = council.next(&child(1));
    let sealed = seal(&ledger, &first).expect("sealed");
    let new = PrivateKey::from_seed(&[2; 32]);
    seal(&ledger, &rotation(&home, &ledger, &council, &new)).expect("rotated");
    let old_key_again = rotation(&home, &ledger, &council, &PrivateKey::from_seed(&[1; 32]));
    assert_eq!(code(seal(&ledger, &old_key_again)), "key_seen_before");

    let with_old_key = council.draft(&child(1));
    assert_eq!(code(seal(&ledger, &council.sign(&with_old_key))), "key_not_in_force");
    assert_eq!(seal(&ledger, &first).expect("the receipt of a duplicate").index, sealed.index);
    assert_eq!(code(seal(&ledger, &fork(&home, &council))), "chain_fork");
    assert_eq!(ledger.integrity_alerts().len(), 1, "a restored backup signs with the key that it had");
    let mut stranger = Publisher::new("gss:E06000005", 9, home.genesis());
    stranger.id = council.id;
    assert_eq!(code(seal(&ledger, &stranger.next(&child(1)))), "key_not_in_force");

    council.key = new;
    let second = council.next(&child(1));
    let second_sealed = seal(&ledger, &second).expect("the chain goes on with the new key");
    drop(ledger);

    let ledger = home.open();
    assert_eq!(seal(&ledger, &first).expect("the receipt of a duplicate").index, sealed.index);
    assert_eq!(seal(&ledger, &second).expect("the receipt of a duplicate").index, second_sealed.index);
    seal(&ledger, &council.next(&child(1))).expect("the chain goes on");
}

#[test]
fn the_registrar_cannot_enrol_what_the_rules_refuse() {
    let home = Home::new();
    let ledger = home.open();
    let council = home.register(&ledger, "gss:E06000005", 1);
    let size = ledger.log().size();

    let police = Publisher::new("police:32", 2, home.genesis());
    let mut weak = home.new_publisher(&police);
    let mut identity = [0; 32];
    identity[0] = 1;
    let jwk = [("kty", "OKP".to_owned()), ("crv", "Ed25519".to_owned()), ("x", base64url::encode(&identity))];
    weak.key =
        Value::Object(jwk.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text))).collect());
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &weak))), "weak_key");

    let mut unproven = home.new_publisher(&police);
    unproven.proof = home.proof(&council.key, &police.id, &police.agency);
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &unproven))), "bad_proof");
    let mut not_its_key = home.new_publisher(&police);
    not_its_key.publisher = gt_core::Hash::of(b"somebody");
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &not_its_key))), "not_its_key");
    assert_eq!(
        code(seal(&ledger, &home.enrol(&ledger, &home.new_publisher(&council)))),
        "already_registered"
    );

    let second = Publisher::new("gss:E06000005", 3, home.genesis());
    let mut quiet = home.new_publisher(&second);
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &quiet))), "not_endorsed");
    quiet.endorsement = Some(endorsed_by(&home, &police, &second.key, &second));
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &quiet))), "not_endorsed");

    let code_of_service = gt_core::agency::AgencyCode::service();
    let mut posing = Publisher::new("gss:E06000005", 4, home.genesis());
    posing.agency = code_of_service;
    assert_eq!(code(seal(&ledger, &home.enrol(&ledger, &home.new_publisher(&posing)))), "reserved_agency");
    let own = home.registrar_says(&ledger, "missing.started", vec![("kind", Value::from("Missing"))]);
    seal(&ledger, &own).expect_err("the registrar speaks of keys and of nothing else");
    assert_eq!(ledger.log().size(), size, "nothing that was refused left a trace");

    quiet.endorsement = Some(endorsed_by(&home, &council, &second.key, &second));
    seal(&ledger, &home.enrol(&ledger, &quiet)).expect("a second system that the first one vouches for");
    let third = Publisher::new("gss:E06000005", 5, home.genesis());
    let mut recovered = home.new_publisher(&third);
    recovered.recovery = true;
    seal(&ledger, &home.enrol(&ledger, &recovered)).expect("a recovery, which raises an alert");
    assert_eq!(patterns(&ledger), ["key-by-recovery"]);
    assert_eq!(ledger.registry().publishers().filter(|(_, one)| one.agency == council.agency).count(), 3);
}
