use super::*;
use crate::agency::AgencyCode;
use crate::json::Object;
use crate::json::Value;
use crate::key::PrivateKey;
use proptest::prelude::*;

const CHILD: &str = "nhs.1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const MOTHER: &str = "nhs.1:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[7; 32])
}

fn json(text: &str) -> Value {
    Value::parse(text.as_bytes()).expect("test JSON")
}

fn person(pseudonym: &str, role: &str) -> Value {
    json(&format!(r#"{{"pseudonym":"{pseudonym}","role":"{role}"}}"#))
}

fn draft(members: Vec<(&str, DraftMember)>) -> Draft {
    let key = key();
    Draft {
        iss: AgencyCode::parse("gss:E06000005").expect("a code"),
        aud: "ledger.example/first".into(),
        iat: 1_780_000_000,
        publisher: key.public().thumbprint(),
        on_behalf_of: None,
        seq: 3,
        prev: Hash::of(b"before"),
        event_type: EventType::parse("decision.recorded").expect("a type"),
        version: 1,
        members: members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect(),
        kept: Vec::new(),
    }
}

fn usual() -> Draft {
    draft(vec![
        ("decision", DraftMember::Clear(Value::from("Share"))),
        ("recipients", DraftMember::Clear(json(r#"[{"agency":"ods:RX1","internal":false}]"#))),
        ("child", DraftMember::Disclosed(vec![person(CHILD, "Child")])),
        ("others", DraftMember::Disclosed(vec![person(MOTHER, "Parent"), person(CHILD, "Sibling")])),
        ("rationale", DraftMember::Disclosed(vec![Value::from("Bruising seen twice.")])),
        ("times", DraftMember::Disclosed(vec![json(r#"{"occurred_at":"2026-03-01T09:00:00Z"}"#)])),
    ])
}

fn salts() -> impl FnMut() -> [u8; 16] {
    let mut n = 0_u8;
    move || {
        n += 1;
        [n; 16]
    }
}

fn signed(draft: &Draft) -> Signed {
    sign(draft, &key(), salts()).expect("a sound draft")
}

fn refusal(text: &str) -> &'static str {
    match Statement::parse(text.as_bytes()) {
        Ok(statement) => statement.require_complete().expect_err("must be refused").code(),
        Err(error) => error.code(),
    }
}

/// Signs `data` as it is written, sound or not.
fn with_data(data: &str) -> String {
    let mut payload = Object::default();
    for (name, value) in json(&payload_text(&usual())).as_object().expect("an object").iter() {
        payload.insert(name, value.clone());
    }
    payload.insert("data", json(data));
    compact(&Value::Object(payload).to_text())
}

fn payload_text(draft: &Draft) -> String {
    let statement = signed(draft).statement;
    let payload = statement.jws().split('.').nth(1).expect("three parts").to_owned();
    String::from_utf8(base64url::decode(&payload).expect("base64url")).expect("UTF-8")
}

fn compact(payload: &str) -> String {
    let kid = key().public().thumbprint();
    with_header(&format!(r#"{{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"{kid}"}}"#), payload)
}

fn with_header(header: &str, payload: &str) -> String {
    let signed =
        format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    format!("{signed}.{}~", base64url::encode(&key().sign(signed.as_bytes())))
}

#[test]
fn a_signed_draft_reads_back_verifies_and_is_complete() {
    let signed = signed(&usual());
    let text = signed.statement.to_compact();
    let read = Statement::parse(text.as_bytes()).expect("sound");
    assert_eq!(read, signed.statement);
    assert_eq!(read.to_compact(), text);
    assert_eq!(read.require_complete(), Ok(()));
    assert_eq!(read.verify(&key().public()), Ok(()));
    assert_eq!(read.hash(), Hash::of(read.jws().as_bytes()));
    let other = PrivateKey::from_seed(&[8; 32]).public();
    assert!(matches!(read.verify(&other), Err(StatementError::WrongKey { .. })));
}

#[test]
fn each_disclosure_has_its_owner() {
    let ownership = signed(&usual()).statement.ownership().expect("sound owners");
    let child = Owner::Person(Pseudonym::parse(CHILD).expect("sound"));
    let mother = Owner::Person(Pseudonym::parse(MOTHER).expect("sound"));
    assert_eq!(ownership.primary, child);
    assert_eq!(
        ownership.of_disclosures,
        [child.clone(), mother.clone(), child.clone(), child.clone(), child.clone()]
    );
    assert_eq!(ownership.distinct, [child, mother.clone()]);

    let person_only = draft(vec![
        ("times", DraftMember::Disclosed(vec![json("{}")])),
        ("person", DraftMember::Disclosed(vec![person(MOTHER, "PersonOfConcern")])),
    ]);
    assert_eq!(signed(&person_only).statement.ownership().expect("sound").primary, mother);

    let nobody = draft(vec![("times", DraftMember::Disclosed(vec![json("{}")]))]);
    let agency = Owner::Agency(AgencyCode::parse("gss:E06000005").expect("a code"));
    assert_eq!(signed(&nobody).statement.ownership().expect("sound").primary, agency);
    assert_eq!(Owner::from_key_text(&agency.key_text()), Some(agency));
}

#[test]
fn kept_disclosures_stay_at_home_and_can_be_shown_later() {
    let mut draft = usual();
    draft.kept = vec!["rationale".into()];
    let signed = signed(&draft);
    assert_eq!(signed.kept.len(), 1);
    assert_eq!(signed.statement.require_complete(), Ok(()));
    let later = format!("{}{}~", signed.statement.to_compact(), signed.kept[0].1);
    let shown = Statement::parse(later.as_bytes()).expect("a presentation");
    assert_eq!(shown.hash(), signed.statement.hash());
    assert_eq!(shown.require_complete().expect_err("a sealer refuses it").code(), "kept_but_sent");
    draft.kept = vec!["child".into()];
    assert!(sign(&draft, &key(), salts()).is_err());
}

#[test]
fn nothing_can_be_stripped_added_or_doubled() {
    let text = signed(&usual()).statement.to_compact();
    let parts: Vec<&str> = text.trim_end_matches('~').split('~').collect();
    let join = |parts: &[&str]| format!("{}~", parts.join("~"));
    assert_eq!(refusal(&join(&parts[..parts.len() - 1])), "disclosure_missing");
    let doubled: Vec<&str> = parts.iter().chain(&parts[1..2]).copied().collect();
    assert_eq!(refusal(&join(&doubled)), "disclosure_repeated");
    let foreign = Disclosure::encode(&[99; 16], &Value::from("x"));
    assert_eq!(refusal(&format!("{text}{foreign}~")), "disclosure_unreferenced");
    assert_eq!(refusal(&format!("{text}a.b.c")), "key_binding_jwt");
    assert_eq!(refusal(text.trim_end_matches('~')), "key_binding_jwt");
    assert_eq!(refusal(parts[0]), "not_compact");
    assert_eq!(refusal("a.b~"), "not_compact");
    assert_eq!(refusal("a.b.c.d~"), "not_compact");
}

#[test]
fn data_holds_codes_and_well_placed_digests_only() {
    let digest = Hash::of(b"x");
    for (data, code) in [
        (r#"{"a":"Two words"}"#.to_owned(), "personal_data_in_clear"),
        (r#"{"a":""}"#.into(), "personal_data_in_clear"),
        (r#"{"a":5}"#.into(), "personal_data_in_clear"),
        (r#"{"a":null}"#.into(), "personal_data_in_clear"),
        (r#"{"a":"9990000018"}"#.into(), "personal_data_in_clear"),
        (r#"{"a":"2026-03-01T09:00:00Z"}"#.into(), "personal_data_in_clear"),
        (format!(r#"{{"a":"{CHILD}"}}"#), "personal_data_in_clear"),
        (r#"{"a":[{"b":["deep text"]}]}"#.into(), "personal_data_in_clear"),
        (r#"{"Name":true}"#.into(), "data_member_name"),
        (format!(r#"{{"a":{{"_sd":["{digest}"]}}}}"#), "digest_misplaced"),
        (format!(r#"{{"a":{{"...":"{digest}"}}}}"#), "digest_misplaced"),
        (format!(r#"{{"a":[true,{{"...":"{digest}"}}]}}"#), "digest_misplaced"),
        (format!(r#"{{"a":{{"b":[{{"...":"{digest}"}}]}}}}"#), "digest_misplaced"),
        (format!(r#"{{"_sd":["{digest}"]}}"#), "data_member_name"),
        (r#"{"a":[{"...":"short"}]}"#.into(), "digest_misplaced"),
        (
            format!(r#"{{"rationale":[{{"...":"{digest}"}},{{"...":"{}"}}]}}"#, Hash::of(b"y")),
            "too_many_elements",
        ),
        (format!(r#"{{"a":[{{"...":"{digest}"}}],"b":[{{"...":"{digest}"}}]}}"#), "digest_repeated"),
        (r#"{"kept":["rationale"]}"#.into(), "kept_bad"),
        (format!(r#"{{"a":[{{"...":"{digest}"}}],"kept":["a","a"]}}"#), "kept_bad"),
        (format!(r#"{{"child":[{{"...":"{digest}"}}],"kept":["child"]}}"#), "kept_bad"),
        (format!(r#"{{"a":[{{"...":"{digest}"}}]}}"#), "disclosure_missing"),
    ] {
        assert_eq!(refusal(&with_data(&data)), code, "{data}");
    }
}

#[test]
fn disclosures_are_strict_too() {
    for (disclosure, code) in [
        (r#"["AAAAAAAAAAAAAAAAAAAAAA",{"a":1,"a":2}]"#, "json_duplicate_member"),
        (r#"["AAAAAAAAAAAAAAAAAAAAAA"]"#, "disclosure_malformed"),
        (r#"["AAAAAAAAAAAAAAAAAAAAAA","a","b"]"#, "disclosure_malformed"),
        (r#"{"salt":1}"#, "disclosure_malformed"),
        (r#"[7,"a"]"#, "disclosure_malformed"),
        (r#"["AAAAAAAAAAAAAAAAAAAA","a"]"#, "salt_too_short"),
        (r#"["not base64url at all!","a"]"#, "salt_too_short"),
        (r#"["AAAAAAAAAAAAAAAAAAAAAA",{"_sd":[]}]"#, "digest_in_disclosure"),
        (r#"["AAAAAAAAAAAAAAAAAAAAAA",[{"...":"x"}]]"#, "digest_in_disclosure"),
    ] {
        let text = base64url::encode(disclosure.as_bytes());
        let digest = Disclosure::digest_of(&text);
        let statement = with_data(&format!(r#"{{"a":[{{"...":"{digest}"}}]}}"#));
        assert_eq!(refusal(&format!("{statement}{text}~")), code, "{disclosure}");
    }
    let spare = "AB";
    let digest = Disclosure::digest_of(spare);
    let statement = with_data(&format!(r#"{{"a":[{{"...":"{digest}"}}]}}"#));
    assert_eq!(refusal(&format!("{statement}{spare}~")), "base64url");
}

#[test]
fn header_and_payload_are_exactly_theirs() {
    let payload = payload_text(&usual());
    let kid = key().public().thumbprint();
    for header in [
        r#"{"alg":"none","typ":"statement+sd-jwt","kid":"KID"}"#,
        r#"{"alg":"Ed25519","typ":"JWT","kid":"KID"}"#,
        r#"{"alg":"Ed25519","typ":"statement+sd-jwt"}"#,
        r#"{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"KID","crit":[]}"#,
        r#"{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"short"}"#,
        "[]",
    ] {
        assert_eq!(
            refusal(&with_header(&header.replace("KID", &kid.to_string()), &payload)),
            "header",
            "{header}"
        );
    }
    let eddsa = format!(r#"{{"typ":"statement+sd-jwt","kid":"{kid}","alg":"EdDSA"}}"#);
    assert!(Statement::parse(with_header(&eddsa, &payload).as_bytes()).is_ok());
    for (from, to, code) in [
        (r#""iss":"gss:E06000005""#, r#""iss":"E06000005""#, "payload_member_bad"),
        (r#""seq":3"#, r#""seq":-1"#, "payload_member_bad"),
        (r#""seq":3"#, r#""seq":"3""#, "payload_member_bad"),
        (r#""seq":3,"#, "", "payload_member_missing"),
        (r#""seq":3"#, r#""seq":3.0"#, "json_number"),
        (r#""seq":3"#, r#""seq":3,"seq":4"#, "json_duplicate_member"),
        (r#""seq":3"#, r#""seq":3,"nonce":4"#, "payload_member_unknown"),
        (r#""version":1"#, r#""version":0"#, "payload_member_bad"),
        (r#""version":1"#, r#""version":65536"#, "payload_member_bad"),
        (r#""_sd_alg":"sha-256""#, r#""_sd_alg":"sha-512""#, "payload_member_bad"),
        (r#""type":"decision.recorded""#, r#""type":"Decision""#, "payload_member_bad"),
        (r#""aud":"#, r#""aud":["x"],"aux":"#, "payload_member_unknown"),
    ] {
        assert!(payload.contains(from), "{from}");
        assert_eq!(refusal(&compact(&payload.replace(from, to))), code, "{to}");
    }
}

#[test]
fn sizes_are_bounded_before_anything_is_parsed() {
    assert_eq!(refusal(&"a".repeat(MAX_PRESENTATION_BYTES + 1)), "too_long");
    assert_eq!(refusal(&format!("{}~", "a".repeat(MAX_STATEMENT_BYTES + 1))), "too_long");
    let text = signed(&usual()).statement.to_compact();
    assert_eq!(refusal(&format!("{text}{}~", "A".repeat(MAX_DISCLOSURE_BYTES + 1))), "too_long");
    let crowd = (0..=u8::try_from(MAX_OWNERS).expect("small"))
        .map(|n| person(&format!("nhs.1:{}", base64url::encode(&[n; 32])), "Sibling"));
    let crowded = draft(vec![("others", DraftMember::Disclosed(crowd.collect()))]);
    let owners = signed(&crowded).statement.ownership().expect_err("too many");
    assert_eq!(owners.code(), "too_many_owners");
}

#[test]
fn a_child_is_named_by_a_pseudonym() {
    for child in [json(r#"{"role":"Child"}"#), person("9990000018", "Child"), Value::from(CHILD)] {
        let draft = draft(vec![("child", DraftMember::Disclosed(vec![child]))]);
        let error = signed(&draft).statement.ownership().expect_err("no pseudonym");
        assert_eq!(error.code(), "bad_pseudonym");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let _ = Statement::parse(&bytes);
    }

    #[test]
    fn any_flipped_bit_is_found(at: prop::sample::Index, bit in 0..8) {
        let mut bytes = signed(&usual()).statement.to_compact().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let sound = Statement::parse(&bytes).and_then(|statement| {
            statement.require_complete()?;
            statement.verify(&key().public())
        });
        prop_assert!(sound.is_err());
    }
}
