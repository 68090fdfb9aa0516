//! Who may not speak as they do.

use gt_core::Hash;
use gt_core::base64url;
use gt_core::json::Value;
use gt_ledger::create::NewPublisher;

use super::written::Written;
use super::{Spoiler, repeats_nothing};
use crate::partnership::{Registrar, child, decision};

#[test]
fn another_agencys_key_and_a_wrong_key_speak_for_nobody() {
    let mut spoiler = Spoiler::new();
    let mut other = spoiler.home.enrol("hospital", "ods:RX1", Some(&spoiler.server.url));
    let stranger = gt_core::key::PrivateKey::from_seed(&[9; 32]);
    let (id, of_stranger) = (spoiler.publisher.id.to_string(), stranger.public().thumbprint().to_string());

    let written = spoiler.written().header(&id, other.id.to_string());
    let body = written.signed_by(&other.key);
    spoiler.refused("the hospital's key for the council's publisher", 403, "key_not_in_force", &body);

    let as_council =
        Written::of(&other.peek("decision.recorded", &decision())).payload("ods:RX1", "gss:E06000999");
    let body = as_council.signed_by(&other.key);
    spoiler.refused("the hospital in the council's name", 403, "wrong_agency", &body);

    let body = spoiler.written().payload(r#""seq":"#, r#""on_behalf_of":"ods:RX1","seq":"#);
    let body = body.signed_by(&spoiler.publisher.key);
    spoiler.refused("the council for the hospital", 403, "not_on_behalf_of", &body);

    let body = spoiler.written().signed_by(&other.key);
    spoiler.refused("the hospital's signature under the council's name", 403, "bad_signature", &body);

    let body = spoiler.written().header(&id, &of_stranger).signed_by(&stranger);
    spoiler.refused("a key that nobody enrolled", 403, "key_not_in_force", &body);

    let written = spoiler.written().header(&id, &of_stranger).payload(&id, &of_stranger);
    let body = written.signed_by(&stranger);
    spoiler.refused("a publisher that nobody enrolled", 403, "unknown_publisher", &body);

    let statement = other.next(&child(1), 1);
    assert_eq!(spoiler.client.publish(&statement).status, 201, "the hospital goes on in its own name");
    spoiler.log_repeats_nothing();
}

#[test]
fn one_flipped_bit_of_a_signature_is_noticed() {
    let mut spoiler = Spoiler::new();
    let compact = spoiler.written().signed_by(&spoiler.publisher.key);
    let text = String::from_utf8(compact).expect("ASCII");
    let (jws, disclosures) = text.split_once('~').expect("a tilde");
    let (signed, signature) = jws.rsplit_once('.').expect("a signature");
    let signature: [u8; 64] = base64url::decode_array(signature).expect("64 bytes");
    // A good statement follows each refusal, so what is sent here is at a place that is taken by then: the first only
    // counts, and the others are refused as what they are, bad signatures and no forks.
    for bit in [0, 7, 255, 256, 300, 511] {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let spoilt = format!("{signed}.{}~{disclosures}", base64url::encode(&flipped));
        spoiler.refused(&format!("bit {bit}"), 403, "bad_signature", spoilt.as_bytes());
    }
    let integrity = spoiler.server.analyst().get("/v1/integrity").json();
    assert_eq!(integrity["items"].as_array().map(Vec::len), Some(0), "nobody forked: {integrity}");
}

#[test]
fn a_weak_key_is_not_enrolled() {
    let mut spoiler = Spoiler::new();
    let registrar = Registrar::of(&spoiler.home);
    // The identity, a point of order 2 and one of order 8: signatures by nobody verify with them.
    let order_2 = [[0xEC; 1].as_slice(), &[0xFF; 30], &[0x7F]].concat();
    let order_8 = base64url::decode("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o").expect("32 bytes");
    for point in [[&[1][..], &[0; 31]].concat(), order_2, order_8] {
        let x = base64url::encode(&point);
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let new = NewPublisher {
            agency: &gt_core::agency::AgencyCode::parse("police:32").expect("a code"),
            name: "Marigold",
            kind: "police",
            key: Value::parse(jwk.as_bytes()).expect("JSON"),
            publisher: Hash::of(jwk.as_bytes()),
            proof: base64url::encode(&[0; 64]),
            endorsement: None,
            recovery: false,
        };
        let statement = registrar.registration(&spoiler.client, &new);
        spoiler.refused("a weak key", 422, "weak_key", statement.to_compact().as_bytes());
    }
    let publishers = spoiler.client.get("/v1/publishers").json();
    assert_eq!(publishers["items"].as_array().map(Vec::len), Some(2), "the ledger itself and the council");
}

#[test]
fn only_the_registrar_speaks_for_the_registry() {
    let mut spoiler = Spoiler::new();
    let registrar = Registrar::of(&spoiler.home);
    let revocation = registrar.revocation(&spoiler.client, &spoiler.publisher.id);
    let (seq, prev) = spoiler.client.head(&revocation.payload().publisher);
    let (next, head) = spoiler.client.head(&spoiler.publisher.id);
    let written = Written::of(&revocation)
        .header(&revocation.kid().to_string(), spoiler.publisher.id.to_string())
        .payload(&revocation.payload().publisher.to_string(), spoiler.publisher.id.to_string())
        .payload("ledger:registrar", "gss:E06000999")
        .payload(&format!(r#""seq":{seq}"#), format!(r#""seq":{next}"#))
        .payload(&prev.to_string(), head.to_string());
    let body = written.signed_by(&spoiler.publisher.key);
    spoiler.refused("a publisher that revokes", 403, "not_registrar", &body);
    let body = Written::of(&revocation).signed_by(&spoiler.publisher.key);
    spoiler.refused("a publisher that signs as the registrar", 403, "bad_signature", &body);
}

#[test]
fn a_revoked_publisher_is_heard_no_more_and_keeps_its_receipts() {
    let mut spoiler = Spoiler::new();
    let mut leaver = spoiler.home.enrol("charity", "charity:999001", Some(&spoiler.server.url));
    let early = leaver.next(&child(1), 1);
    assert_eq!(spoiler.client.publish(&early).status, 201);
    let index = spoiler.client.size() - 1;

    let revocation = Registrar::of(&spoiler.home).revocation(&spoiler.client, &leaver.id);
    assert_eq!(spoiler.client.publish(&revocation).status, 201);
    let late = leaver.next(&child(1), 2);
    spoiler.refused("a revoked key", 403, "publisher_revoked", late.to_compact().as_bytes());
    // Whoever still has the key and rewrites what it signed earlier is no less a forger for the revocation.
    let fork = Written::of(&early).payload(r#""Home""#, r#""Placement""#).signed_by(&leaver.key);
    spoiler.refused("a revoked key at a place that is taken", 409, "chain_fork", &fork);
    let integrity = spoiler.server.analyst().get("/v1/integrity").json();
    assert_eq!(integrity["items"][0]["publisher"], leaver.id.to_string(), "{integrity}");

    let again = spoiler.client.publish(&early);
    assert_eq!(again.status, 200, "what was sealed stays so: {}", again.text());
    assert_eq!(spoiler.home.prove(again.text(), early.hash()).entry.index.0, index);
    repeats_nothing("a receipt", &again);
}
