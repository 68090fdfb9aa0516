use super::*;
use gt_core::key::PrivateKey;

fn signatory() -> Signatory {
    let key = PrivateKey::from_seed(&[3; 32]);
    let publisher = key.public().thumbprint();
    Signatory::new(key, publisher, AgencyCode::parse("police:32").unwrap(), "log.example/thread".into())
}

fn example(name: &str) -> serde_json::Value {
    let path = format!("{}/../schemas/examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn draft(kind: &str, data: &serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({"id": "d-1", "type": kind, "data": data})).unwrap()
}

#[test]
fn what_a_schema_discloses_is_disclosed_and_what_is_kept_stays_at_home() {
    let data = example("decision.recorded.share_part");
    let draft = signatory().check(&draft("decision.recorded", &data)).unwrap();
    let place = ChainPosition { seq: 4, prev: Hash::of(b"before"), iat: 1_770_000_000 };
    let signed = signatory().sign(&draft, place).unwrap();
    let payload = signed.statement.payload();
    assert_eq!((payload.seq, payload.prev, payload.iat), (4, place.prev, place.iat));
    assert_eq!(payload.data.kept(), ["recipient_names", "refs"]);
    let kept: Vec<&str> = signed.kept.iter().map(|(member, _)| member.as_str()).collect();
    assert_eq!(
        kept,
        ["recipient_names", "recipient_names", "refs"],
        "one a person, in sorted or given order"
    );
    let member = |name| payload.data.members().iter().find(|member| member.name() == name).unwrap();
    assert_eq!(member("recipient_names").digests().len(), 2);
    assert_eq!(member("rationale").digests().len(), 1);
    assert!(payload.data.clear().get("items").is_some() && payload.data.clear().get("rationale").is_none());
    assert_eq!(signed.statement.verify(&PrivateKey::from_seed(&[3; 32]).public()), Ok(()));
    assert_eq!(signed.statement.require_complete(), Ok(()));
}

#[test]
fn content_is_what_is_said_and_not_how_it_is_written() {
    let one = br#"{"id":"a","type":"missing.ended","data":{"harm":"Suspected","child":{"role":"Child","pseudonym":"x"}}}"#;
    let same = br#" {"data":{"child":{"pseudonym":"x","role":"Child"},"harm":"Suspected"},"version":2,"type":"missing.ended","id":"b"}"#;
    let other = br#"{"id":"a","type":"missing.ended","data":{"harm":"NotKnown","child":{"role":"Child","pseudonym":"x"}}}"#;
    let content = |text: &[u8]| CheckedDraft::parse_form(text).unwrap().content();
    assert_eq!(content(one), content(same));
    assert_ne!(content(one), content(other));
}

/// The schemas and the core agree on what stands in the clear, what may be kept and who owns it, for every type.
#[test]
fn every_example_makes_a_sound_statement() {
    let folder = format!("{}/../schemas/examples", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let name = file.strip_suffix(".json").unwrap();
        if name == "refused" {
            continue;
        }
        let kind = name.split('.').take(2).collect::<Vec<_>>().join(".");
        let current = gt_schemas::EventType::parse(&kind).unwrap().version();
        let version = if name.split('.').next_back() == Some("v1") { 1 } else { current };
        let draft = serde_json::json!({"id": name, "type": kind, "version": version, "data": example(name)});
        assert!(signatory().check(&serde_json::to_vec(&draft).unwrap()).is_ok(), "{name}");
    }
}

/// A journal replays drafts that were accepted under an older version; another version's members are refused.
#[test]
fn an_older_version_is_kept_and_signed_as_it_is() {
    let old = example("missing.ended.v1");
    let draft = |version: u16, data: &serde_json::Value| {
        let draft =
            serde_json::json!({"id": "d-1", "type": "missing.ended", "version": version, "data": data});
        serde_json::to_vec(&draft).unwrap()
    };
    let checked = signatory().check(&draft(1, &old)).unwrap();
    let replayed = CheckedDraft::parse_form(checked.to_text().as_bytes()).unwrap();
    assert_eq!(replayed.content(), checked.content());
    let place = ChainPosition { seq: 0, prev: Hash::ZERO, iat: 1_770_000_000 };
    let payload = signatory().sign(&replayed, place).unwrap().statement.payload().clone();
    assert_eq!(payload.version, 1);
    assert!(payload.data.clear().get("harm_suspected").is_some());
    assert_eq!(signatory().check(&draft(2, &old)).err().map(|error| error.code()), Some("unknown_member"));
    let new = example("missing.ended");
    assert_eq!(signatory().check(&draft(1, &new)).err().map(|error| error.code()), Some("unknown_member"));
}

#[test]
fn a_refusal_says_where_and_repeats_nothing() {
    let mut data = example("missing.ended");
    data["child"]["role"] = "Jo Bloggs".into();
    let problem = signatory().check(&draft("missing.ended", &data)).err().unwrap().problem();
    assert_eq!((problem.code(), problem.status()), ("bad_value", Some(422)));
    assert_eq!(problem.fact("path"), Some(&"/data/child/role".into()));
    assert!(!problem.to_json().to_string().contains("Bloggs"));
    let cases: [(&[u8], &str); 7] = [
        (b"{", "json_syntax"),
        (b"[]", "draft_malformed"),
        (br#"{"type":"missing.ended","data":{}}"#, "draft_malformed"),
        (br#"{"id":"","type":"missing.ended","data":{}}"#, "draft_malformed"),
        (br#"{"id":"a","type":"missing.ended","data":{},"seq":1}"#, "draft_malformed"),
        (br#"{"id":"a","type":"publisher.revoked","data":{}}"#, "unknown_type"),
        (br#"{"id":"a","type":"missing.ended","version":9,"data":{}}"#, "unknown_version"),
    ];
    for (text, code) in cases {
        assert_eq!(signatory().check(text).err().map(|error| error.code()), Some(code));
    }
    // These are the draft's own members, and not of its `data`.
    for ((text, _), path) in cases[4..].iter().zip(["/seq", "/type", "/version"]) {
        let problem = signatory().check(text).err().unwrap().problem();
        assert_eq!(problem.fact("path"), Some(&path.into()));
    }
    let of_a_person = signatory().check(br#"{"id":"a","type":"missing.ended","Jo Bloggs":1}"#).err().unwrap();
    assert_eq!(of_a_person.problem().fact("path"), Some(&"/*".into()));
    assert!(!of_a_person.to_string().contains("Bloggs"), "{of_a_person}");
    assert!(matches!(signatory().check(&vec![b' '; MAX_DRAFT_BYTES + 1]), Err(DraftError::TooLong)));
}

#[test]
fn a_draft_that_makes_too_long_a_statement_is_refused_before_it_is_queued() {
    let mut data = example("decision.recorded.share");
    let item = data["items"][0].clone();
    data["items"] = serde_json::Value::Array(vec![item; 400]);
    data.as_object_mut().unwrap().remove("item_details");
    let error = signatory().check(&draft("decision.recorded", &data)).err().unwrap();
    assert_eq!(error.code(), "too_long", "{error}");
}

#[test]
fn what_is_said_to_happen_in_a_time_to_come_is_refused_before_it_is_signed() {
    let now = SystemClock::default().wall_millis();
    let at = |millis: i64| {
        let mut data = example("missing.ended");
        let time = Time::from_millis(now + millis).unwrap().to_string();
        data["times"]["occurred_at"] = time.clone().into();
        (signatory().check(&draft("missing.ended", &data)).err(), time)
    };
    assert!(at(-1_000).0.is_none() && at(3_600_000).0.is_none(), "a clock may be an hour slow");
    let mut restricted = example("record.restricted");
    restricted["times"]["occurred_at"] =
        Time::from_millis(now + 7 * MOST_AHEAD_MILLIS).unwrap().to_string().into();
    assert!(signatory().check(&draft("record.restricted", &restricted)).is_ok(), "it is closed from now on");
    let (error, time) = at(2 * MOST_AHEAD_MILLIS);
    let problem = error.unwrap().problem();
    assert_eq!((problem.code(), problem.status()), ("occurs_ahead", Some(422)));
    assert_eq!(problem.fact("path"), Some(&"/data/times/occurred_at".into()));
    assert!(
        !problem.to_json().to_string().contains(&time),
        "when something happened to a child is personal data"
    );
}

#[test]
fn an_identifier_of_the_wrong_kind_is_named_where_it_was_written() {
    let key = PartnershipKey::new(std::num::NonZeroU16::MIN, zeroize::Zeroizing::new([7; 32]));
    let signatory = signatory().with_partnership_key(Some(key));
    let mut data = example("context.linked");
    data["context"] = serde_json::json!({"identifier": "nhs:9990000018"});
    let problem = signatory.check(&draft("context.linked", &data)).err().unwrap().problem();
    assert_eq!(
        (problem.code(), problem.fact("rule"), problem.fact("path")),
        ("plain_identifier", Some(&"other_kind".into()), Some(&"/data/context/identifier".into()))
    );
    data["context"] = serde_json::json!({"identifier": "uprn:100012345678"});
    data["child"] = serde_json::json!({"identifier": "uprn:100012345678", "role": "Child"});
    let problem = signatory.check(&draft("context.linked", &data)).err().unwrap().problem();
    assert_eq!(problem.fact("path"), Some(&"/data/child/identifier".into()));
    data["child"] = serde_json::json!({"identifier": "nhs:9990000018", "role": "Child"});
    assert!(signatory.check(&draft("context.linked", &data)).is_ok());
}
