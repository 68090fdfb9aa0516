use super::*;
use crate::base64url;
use crate::json::{Object, Value};
use crate::key::PrivateKey;
use crate::note::NoteSigner;
use crate::statement::{Draft, DraftMember, EventType, sign};

const ORIGIN: &str = "ledger.example/first";

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

struct Made {
    registry: Registry,
    created: Statement,
}

fn statement(seed: u8, event_type: &str, seq: u64, prev: Hash, data: Vec<(&str, Value)>) -> Statement {
    let draft = Draft {
        iss: AgencyCode::registrar(),
        aud: ORIGIN.into(),
        iat: 1_780_000_000,
        publisher: key(1).public().thumbprint(),
        on_behalf_of: None,
        seq,
        prev,
        event_type: EventType::parse(event_type).expect("a type"),
        version: 1,
        members: data.into_iter().map(|(n, v)| (n.to_owned(), DraftMember::Clear(v))).collect(),
        kept: Vec::new(),
    };
    sign(&draft, &key(seed), || [0; 16]).expect("sound").statement
}

fn ledger_data(registrar: u8, recovery: u8) -> Vec<(&'static str, Value)> {
    let vkey = NoteSigner::new(ORIGIN, &[50; 32]).expect("a name").verifier_key().to_string();
    vec![
        ("origin", Value::from(ORIGIN)),
        ("verifier_keys", Value::Array(vec![Value::String(vkey)])),
        ("registrar", key(registrar).public().to_jwk()),
        ("recovery", key(recovery).public().to_jwk()),
    ]
}

fn made() -> Made {
    let created = statement(1, "ledger.created", 0, Hash::ZERO, ledger_data(1, 2));
    let registry = Registry::create(Hash::of(b"genesis"), created.payload()).expect("sound");
    Made { registry, created }
}

fn signature(bytes: [u8; 64]) -> Value {
    Value::String(base64url::encode(&bytes))
}

fn new_key(id_seed: u8, seed: u8, agency: &str, endorser: Option<u8>) -> Vec<(&'static str, Value)> {
    let (genesis, id) = (Hash::of(b"genesis"), key(id_seed).public().thumbprint());
    let agency = AgencyCode::parse(agency).expect("a code");
    let proof = key(seed).sign(&proof_message(&genesis, &id, &agency));
    let mut data = vec![
        ("publisher", Value::String(id.to_string())),
        ("key", key(seed).public().to_jwk()),
        ("proof", signature(proof)),
    ];
    if let Some(endorser) = endorser {
        let message = endorsement_message(&genesis, &id, &key(seed).public().thumbprint(), &agency);
        let members: Object = [
            ("kid".to_owned(), Value::String(key(endorser).public().thumbprint().to_string())),
            ("signature".to_owned(), signature(key(endorser).sign(&message))),
        ]
        .into_iter()
        .collect();
        data.push(("endorsement", Value::Object(members)));
    }
    data
}

fn registration(seed: u8, agency: &str, endorser: Option<u8>) -> Vec<(&'static str, Value)> {
    let mut data = new_key(seed, seed, agency, endorser);
    data.extend([
        ("agency", Value::from(agency)),
        ("name", Value::from("Case system")),
        ("kind", Value::from("council")),
    ]);
    data
}

fn apply(registry: &mut Registry, event_type: &str, data: Vec<(&str, Value)>) -> Result<(), RegistryError> {
    let index = LeafIndex(registry.statements());
    registry.apply(index, statement(1, event_type, registry.statements(), Hash::ZERO, data).payload())
}

fn said_by(seed: u8, publisher: u8, agency: &str) -> Statement {
    let draft = Draft {
        iss: AgencyCode::parse(agency).expect("a code"),
        aud: ORIGIN.into(),
        iat: 1,
        publisher: key(publisher).public().thumbprint(),
        on_behalf_of: None,
        seq: 0,
        prev: Hash::ZERO,
        event_type: EventType::parse("missing.started").expect("a type"),
        version: 1,
        members: Vec::new(),
        kept: Vec::new(),
    };
    sign(&draft, &key(seed), || [0; 16]).expect("sound").statement
}

const COUNCIL: &str = "gss:E06000005";

#[test]
fn the_genesis_statement_speaks_for_itself() {
    let made = made();
    assert_eq!(made.registry.registrar_id(), key(1).public().thumbprint());
    assert_eq!(made.created.verify(made.registry.signer(&made.created).expect("the registrar")), Ok(()));
    let late = statement(1, "ledger.created", 1, Hash::ZERO, ledger_data(1, 2));
    assert_eq!(Registry::create(Hash::ZERO, late.payload()), Err(RegistryError::NotGenesis));
    assert_eq!(
        made.registry.clone().apply(LeafIndex(1), made.created.payload()),
        Err(RegistryError::NotGenesis)
    );
}

#[test]
fn a_key_speaks_for_its_agency_until_it_is_revoked() {
    let Made { mut registry, .. } = made();
    assert_eq!(registry.signer(&said_by(3, 3, COUNCIL)), Err(SignerError::UnknownPublisher));
    apply(&mut registry, "publisher.registered", registration(3, COUNCIL, None)).expect("a first key");
    assert!(registry.signer(&said_by(3, 3, COUNCIL)).is_ok());
    assert_eq!(registry.signer(&said_by(4, 3, COUNCIL)), Err(SignerError::NotInForce));
    assert_eq!(registry.signer(&said_by(3, 3, "ods:RX1")), Err(SignerError::OtherAgency));

    apply(&mut registry, "publisher.rotated", new_key(3, 4, COUNCIL, Some(3))).expect("endorsed");
    assert_eq!(registry.signer(&said_by(3, 3, COUNCIL)), Err(SignerError::NotInForce));
    assert!(registry.signer(&said_by(4, 3, COUNCIL)).is_ok());

    let id = Value::String(key(3).public().thumbprint().to_string());
    let revoke = vec![("publisher", id), ("reason", Value::from("lost"))];
    apply(&mut registry, "publisher.revoked", revoke.clone()).expect("registered");
    assert_eq!(registry.signer(&said_by(4, 3, COUNCIL)), Err(SignerError::Revoked));
    assert_eq!(apply(&mut registry, "publisher.revoked", revoke), Err(RegistryError::Revoked));
    assert_eq!(
        apply(&mut registry, "publisher.rotated", new_key(3, 5, COUNCIL, Some(4))),
        Err(RegistryError::Revoked)
    );
}

#[test]
fn the_registrar_cannot_quietly_enrol_a_key_in_somebodys_name() {
    let Made { mut registry, .. } = made();
    apply(&mut registry, "publisher.registered", registration(3, COUNCIL, None)).expect("a first key");
    let register = |registry: &mut Registry, data| apply(registry, "publisher.registered", data);
    let before = registry.clone();
    assert_eq!(register(&mut registry, registration(4, COUNCIL, None)), Err(RegistryError::NotEndorsed));
    assert_eq!(register(&mut registry, registration(4, COUNCIL, Some(9))), Err(RegistryError::NotEndorsed));
    assert_eq!(
        register(&mut registry, registration(3, COUNCIL, Some(3))),
        Err(RegistryError::AlreadyRegistered)
    );
    assert_eq!(register(&mut registry, registration(1, "ods:RX1", None)), Err(RegistryError::KeySeenBefore));
    assert_eq!(
        register(&mut registry, registration(4, "ledger:service", None)),
        Err(RegistryError::ReservedAgency)
    );
    let mut stolen = registration(4, "ods:RX1", None);
    stolen[2].1 = signature(key(5).sign(b"anything"));
    assert_eq!(register(&mut registry, stolen), Err(RegistryError::BadProof));
    let mut renamed = registration(4, "ods:RX1", None);
    renamed[0].1 = Value::String(key(5).public().thumbprint().to_string());
    assert_eq!(register(&mut registry, renamed), Err(RegistryError::NotItsKey));
    assert_eq!(registry, before);
    register(&mut registry, registration(4, COUNCIL, Some(3))).expect("endorsed");
    let mut recovered = registration(5, COUNCIL, None);
    recovered.push(("recovery", Value::Bool(true)));
    assert!(registry.publishers().all(|(_, publisher)| publisher.recovered.is_empty()));
    register(&mut registry, recovered).expect("marked as recovery");
    let recovered = registry.publisher(&key(5).public().thumbprint()).expect("registered");
    assert_eq!(recovered.recovered.len(), 1, "and that can be seen for ever");
}

#[test]
fn the_recovery_key_can_replace_the_registrars_and_nothing_else() {
    let Made { mut registry, .. } = made();
    let rotated = statement(2, "ledger.rotated", 1, Hash::ZERO, ledger_data(6, 2));
    assert_eq!(rotated.verify(registry.signer(&rotated).expect("recovery key")), Ok(()));
    let register = statement(2, "publisher.registered", 1, Hash::ZERO, registration(3, COUNCIL, None));
    assert_eq!(registry.signer(&register), Err(SignerError::NotInForce));
    registry.apply(LeafIndex(1), rotated.payload()).expect("sound");
    let by_old = statement(1, "publisher.registered", 2, Hash::ZERO, registration(3, COUNCIL, None));
    assert_eq!(registry.signer(&by_old), Err(SignerError::NotInForce));
    let by_new = statement(6, "publisher.registered", 2, Hash::ZERO, registration(3, COUNCIL, None));
    assert!(registry.signer(&by_new).is_ok());
}

#[test]
fn the_recovery_key_is_never_the_registrars_own() {
    let created = statement(1, "ledger.created", 0, Hash::ZERO, ledger_data(1, 1));
    assert_eq!(Registry::create(Hash::of(b"genesis"), created.payload()), Err(RegistryError::KeySeenBefore));
    let Made { mut registry, .. } = made();
    let before = registry.clone();
    for (registrar, recovery) in [(6, 6), (1, 1), (2, 2), (2, 1)] {
        let refused = apply(&mut registry, "ledger.rotated", ledger_data(registrar, recovery));
        assert_eq!(refused, Err(RegistryError::KeySeenBefore), "{registrar} and {recovery}");
    }
    assert_eq!(registry, before);
}

#[test]
fn members_are_exactly_the_types() {
    let Made { mut registry, .. } = made();
    let mut more = registration(3, COUNCIL, None);
    more.push(("note", Value::from("x")));
    assert_eq!(apply(&mut registry, "publisher.registered", more), Err(RegistryError::UnknownMember));
    assert_eq!(apply(&mut registry, "publisher.vanished", Vec::new()), Err(RegistryError::UnknownType));
    let mut blank = registration(3, COUNCIL, None);
    blank[4].1 = Value::from(" ");
    assert_eq!(
        apply(&mut registry, "publisher.registered", blank),
        Err(RegistryError::Member { member: "name" })
    );
}

#[test]
fn the_latest_configuration_is_the_one_in_force() {
    let Made { mut registry, .. } = made();
    let empty = || Value::Object(Object::default());
    let data = || vec![("legal", empty()), ("thresholds", empty()), ("calendar", empty())];
    assert_eq!(registry.configured_at(), None);
    apply(&mut registry, "ledger.configured", data()).expect("sound");
    assert_eq!((registry.configured_at(), registry.statements()), (Some(LeafIndex(1)), 2));
    apply(&mut registry, "ledger.configured", data()).expect("sound");
    let mut without = data();
    without.remove(1);
    let refused = apply(&mut registry, "ledger.configured", without);
    assert_eq!(refused, Err(RegistryError::Member { member: "thresholds" }));
    assert_eq!((registry.configured_at(), registry.statements()), (Some(LeafIndex(2)), 3));
    let by_recovery = statement(2, "ledger.configured", 3, Hash::ZERO, data());
    assert_eq!(registry.signer(&by_recovery), Err(SignerError::NotInForce));
}
