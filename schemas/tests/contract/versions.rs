//! An older version is checked by its own rules and comes out as the current one.

use std::collections::BTreeMap;

use gt_schemas::{
    Event, EventType, HarmSuspicion, SignedData, members_at, read_opened, validate_draft, validate_opened,
};
use serde_json::{Value, json};

use crate::examples;

fn data(name: &str) -> Value {
    examples::all().into_iter().find(|example| example.name == name).unwrap().data
}

fn harm(event: Event) -> HarmSuspicion {
    let Event::MissingEnded(ended) = event else { panic!("another type") };
    ended.harm
}

#[test]
fn version_1_of_missing_ended_says_suspected_or_not() {
    for (suspected, expected) in [(true, HarmSuspicion::Suspected), (false, HarmSuspicion::NotSuspected)] {
        let mut data = data("missing.ended.v1");
        data["harm_suspected"] = suspected.into();
        assert_eq!(validate_draft("missing.ended", 1, &data).map(harm), Ok(expected));

        let mut disclosed: BTreeMap<_, _> = data.as_object().unwrap().clone().into_iter().collect();
        let flag = disclosed.remove("harm_suspected").unwrap();
        let clear = [("harm_suspected".to_owned(), flag)].into_iter().collect();
        let disclosed: BTreeMap<_, _> =
            disclosed.into_iter().map(|(name, value)| (name, vec![value])).collect();
        let whole = SignedData::of_values(&clear, &disclosed);
        assert_eq!(validate_opened("missing.ended", 1, &whole, &[]).map(harm), Ok(expected));
        let left = SignedData::new(&clear, 0);
        assert_eq!(read_opened("missing.ended", 1, &left).map(harm), Ok(expected));
    }
}

#[test]
fn only_harm_differs_between_the_versions_of_missing_ended() {
    let old = validate_draft("missing.ended", 1, &data("missing.ended.v1")).unwrap();
    let new = validate_draft("missing.ended", 2, &data("missing.ended")).unwrap();
    assert_eq!(old, new);

    let mut kept = data("missing.ended.v1");
    kept["kept"] = json!(["place"]);
    assert_eq!(validate_draft("missing.ended", 1, &kept).unwrap().kept(), ["place"]);
}

#[test]
fn version_1_of_a_decision_asks_for_no_authoriser_and_is_the_same_otherwise() {
    let mut decision = data("decision.recorded.withhold");
    let read = |version| validate_draft("decision.recorded", version, &decision);
    assert_eq!(read(1), read(2));

    decision.as_object_mut().unwrap().remove("authoriser");
    assert_eq!(decision, data("decision.recorded.withhold.v1"));
    assert!(validate_draft("decision.recorded", 1, &decision).is_ok());
    let error = validate_draft("decision.recorded", 2, &decision).unwrap_err();
    assert_eq!((error.code(), error.path.as_str()), ("missing_member", "/authoriser"));
}

#[test]
fn each_version_has_its_own_members() {
    let names = |version| -> Vec<_> {
        members_at(EventType::MissingEnded, version).unwrap().iter().map(|member| member.name).collect()
    };
    assert_eq!((names(1)[0], names(2)[0]), ("harm_suspected", "harm"));
    assert_eq!(members_at(EventType::MissingEnded, 3).unwrap_err().code(), "unknown_version");
    assert_eq!(EventType::of("missing.ended", 1), Ok(EventType::MissingEnded));
    let unknown = EventType::of("missing.ended", 3).unwrap_err();
    assert_eq!(unknown.to_string(), "the event: is of an unknown version; expected 2 or 1");
}
