use proptest::prelude::*;

use super::*;
use crate::json::MAX_INTEGER;

fn any_index() -> impl Strategy<Value = LeafIndex> {
    (0..=MAX_INTEGER.unsigned_abs()).prop_map(LeafIndex)
}

fn any_hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash::from_bytes)
}

fn any_subject() -> impl Strategy<Value = Pseudonym> {
    any::<[u8; 32]>().prop_map(|bytes| {
        Pseudonym::parse(&format!("nhs.1:{}", base64url::encode(&bytes))).expect("of its form")
    })
}

fn any_text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,24}"
}

fn any_why() -> impl Strategy<Value = Why> {
    prop_oneof![Just(Why::Withheld), Just(Why::Ended)]
}

fn any_about() -> impl Strategy<Value = About> {
    prop_oneof![
        (any_index(), any_index()).prop_map(|(first, last)| About::Entries { first, last }),
        prop::collection::btree_set(any_subject(), 1..=MAX_SUBJECTS)
            .prop_map(|subjects| About::Child { subjects: subjects.into_iter().collect() }),
        "(gss|police):[A-Z0-9]{1,16}"
            .prop_map(|code| About::Agency { agency: AgencyCode::parse(&code).expect("of its form") }),
        ("[A-Za-z0-9_-]{1,64}", "[a-z-]{1,32}").prop_map(|(alert, pattern)| About::Alert { alert, pattern }),
    ]
}

fn any_stated() -> impl Strategy<Value = StatedRecord> {
    let left_out = (any_hash(), any_why()).prop_map(|(digest, why)| LeftOut { digest, why });
    let lists = (prop::collection::vec(any_text(), 0..3), prop::collection::vec(left_out, 0..3));
    (any_text(), any_text(), lists).prop_map(|(proof, statement, (disclosures, left_out))| StatedRecord {
        proof,
        statement,
        disclosures,
        left_out,
    })
}

fn any_record() -> impl Strategy<Value = BundleRecord> {
    prop_oneof![
        any_stated().prop_map(BundleRecord::Stated),
        (any_text(), any_why()).prop_map(|(proof, why)| BundleRecord::Absent { proof, why }),
    ]
}

fn any_links() -> impl Strategy<Value = SubjectLinks> {
    let opening = (any_index(), any_index(), any::<[u8; 16]>(), any::<[u8; 32]>())
        .prop_map(|(n, index, name, blinding)| LinkOpening { n: n.0, index, name, blinding });
    (any_subject(), prop::collection::vec(opening, 0..3), any::<[u8; 16]>())
        .prop_map(|(subject, links, next)| SubjectLinks { subject, links, next })
}

fn any_bundle() -> impl Strategy<Value = Bundle> {
    let made_at =
        (0_i64..4_000_000_000_000).prop_map(|millis| Timestamp::from_millis(millis).expect("in range"));
    let manifest = (any_about(), made_at, prop::collection::vec(any_index(), 0..4))
        .prop_map(|(about, made_at, entries)| Manifest { about, made_at, entries });
    let texts = (any_text(), any_text(), prop::collection::vec(any_text(), 0..3));
    let records = (prop::collection::vec(any_stated(), 1..3), prop::collection::vec(any_record(), 0..3));
    (manifest, texts, records, prop::collection::vec(any_links(), 0..3)).prop_map(
        |(manifest, (checkpoint, tip, consistency), (registrar, records), completeness)| Bundle {
            manifest,
            checkpoint,
            consistency,
            registrar,
            tip,
            records,
            completeness,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn bundles_round_trip(bundle in any_bundle()) {
        prop_assert_eq!(Bundle::parse(bundle.to_string().as_bytes()), Ok(bundle));
    }

    #[test]
    fn nothing_makes_the_parser_panic(bundle in any_bundle(), at: prop::sample::Index, put: u8, wild: Vec<u8>) {
        let mut bytes = bundle.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = put;
        let _ = Bundle::parse(&bytes);
        prop_assert!(Bundle::parse(&wild).is_err());
    }

    /// A member that is taken away or of another form is named by its own place.
    #[test]
    fn a_missing_member_is_named(bundle in any_bundle(), which in 0_usize..8) {
        let Value::Object(mut members) = bundle.to_json() else { unreachable!("a bundle is an object") };
        let name = members.iter().nth(which).expect("eight members").0.to_owned();
        let place = format!("/{name}");
        members.insert(name.clone(), Value::Null);
        let refused = Bundle::parse(Value::Object(members.clone()).to_text().as_bytes()).expect_err("null");
        prop_assert_eq!((refused.code(), refused.place()), ("bundle_member", place.as_str()));
        members.remove(&name);
        let refused = Bundle::parse(Value::Object(members).to_text().as_bytes()).expect_err("missing");
        prop_assert_eq!((refused.code(), refused.place()), ("bundle_member", place.as_str()));
    }
}

#[test]
fn a_text_that_is_too_long_or_of_another_format_is_refused_as_such() {
    let long = vec![b' '; MAX_BUNDLE_BYTES + 1];
    assert_eq!(Bundle::parse(&long), Err(BundleError::TooLong { bytes: MAX_BUNDLE_BYTES + 1 }));
    let other = Bundle::parse(br#"{"format":"gt/bundle/2"}"#).expect_err("another format");
    assert_eq!((other.code(), other.place()), ("bundle_format", "/format"));
    let cut = Bundle::parse(br#"{"format":"gt/bundle/1","#).expect_err("cut off");
    assert_eq!((cut.code(), cut.place()), ("json_syntax", ""));
    assert_eq!(Bundle::parse(b"[]").expect_err("a list").place(), "");
}
