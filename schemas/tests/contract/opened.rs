//! Signed data: what the sealer checks, and what a view reads of what is left.

use std::collections::BTreeMap;

use gt_json::Document;
use gt_schemas::{
    Event, EventType, Place, SchemaError, Shape, SignedData, json_schema_at, members, members_at,
    read_opened, validate_opened,
};
use serde_json::{Map, Value, json};

use crate::examples::{self, Example, validator};

/// An example as the core opens it, with nothing kept unless the draft says so.
pub(crate) struct Signed {
    event_type: EventType,
    version: u16,
    clear: Map<String, Value>,
    disclosed: BTreeMap<String, Vec<Value>>,
    kept: Vec<String>,
}

impl Signed {
    /// A member that no reader takes as it is here stands where it would if it were.
    pub(crate) fn of(example: &Example) -> Self {
        let mut signed = Self {
            event_type: example.event_type,
            version: example.version,
            clear: Map::new(),
            disclosed: BTreeMap::new(),
            kept: example
                .data
                .get("kept")
                .and_then(|kept| serde_json::from_value(kept.clone()).ok())
                .unwrap_or_default(),
        };
        for member in members_at(example.event_type, example.version).unwrap() {
            let Some(value) = example.data.get(member.name).cloned() else { continue };
            match member.place {
                Place::Clear => drop(signed.clear.insert(member.name.to_owned(), value)),
                Place::Disclosed { .. } if signed.kept.iter().any(|kept| kept == member.name) => {}
                Place::Disclosed { many, .. } => {
                    let values = match value {
                        Value::Array(elements) if many => elements,
                        value => vec![value],
                    };
                    signed.disclosed.insert(member.name.to_owned(), values);
                }
            }
        }
        signed
    }

    fn share() -> Self {
        Self::of(examples::all().iter().find(|example| example.name == "decision.recorded.share").unwrap())
    }

    pub(crate) fn validate(&self) -> Result<Event, SchemaError> {
        read_both_ways(&self.clear, &self.disclosed, |data| {
            validate_opened(self.event_type.as_str(), self.version, data, &self.kept)
        })
    }

    pub(crate) fn read(&self) -> Result<Event, SchemaError> {
        read_both_ways(&self.clear, &self.disclosed, |data| {
            read_opened(self.event_type.as_str(), self.version, data)
        })
    }

    fn refusal(&self) -> (&'static str, String) {
        let error = self.validate().unwrap_err();
        (error.code(), error.path)
    }

    fn keep(&mut self, member: &str) {
        self.disclosed.remove(member).unwrap();
        self.kept.push(member.to_owned());
    }

    /// The `data` that is signed, with made-up digests.
    fn data(&self) -> Value {
        let digest = |n: usize| json!({ "...": format!("{}{}A", "A".repeat(41), n % 10) });
        let digests = |many: usize| (0..many).map(digest).collect::<Vec<_>>();
        let mut data = self.clear.clone();
        data.extend(self.disclosed.iter().map(|(name, values)| (name.clone(), digests(values.len()).into())));
        data.extend(self.kept.iter().map(|name| (name.clone(), digests(1).into())));
        data.insert("kept".to_owned(), json!(self.kept));
        Value::Object(data)
    }
}

/// What is read of values of `serde_json`'s, as gateways read them, which must be what is read of strict documents, as sealers and
/// views do: the same event, or the same refusal of the same place. Where more than one thing is wrong the place depends on the order of
/// members, so that in another order it is only refused.
fn read_both_ways(
    clear: &Map<String, Value>,
    disclosed: &BTreeMap<String, Vec<Value>>,
    read: impl Fn(&SignedData<'_>) -> Result<Event, SchemaError>,
) -> Result<Event, SchemaError> {
    let of_values = read(&SignedData::of_values(clear, disclosed));
    for otherwise in [false, true] {
        // As a sealer has it: members in the clear in one document, all disclosures in another.
        let text = |value: &Value| if otherwise { otherwise_written(value) } else { value.to_string() };
        let clear = Document::parse(text(&Value::Object(clear.clone())).into_bytes()).unwrap();
        let (mut document, mut places) = (Document::with_capacity(100), Vec::new());
        for (name, values) in disclosed {
            places.push((name, None));
            for value in values {
                places.push((name, Some(document.add(text(value).as_bytes()).unwrap())));
            }
        }
        let mut data = SignedData::new(clear.root().as_object().unwrap(), places.len());
        for (name, place) in places {
            match place {
                None => data.add_member(name),
                Some(place) => data.disclose(name, document.at(place)),
            }
        }
        let of_documents = read(&data);
        match (&of_values, &of_documents) {
            (Ok(one), Ok(other)) => assert_eq!(one.to_draft(), other.to_draft()),
            (Err(_), Err(_)) if otherwise => {}
            (Err(one), Err(other)) => assert_eq!((one.code(), &one.path), (other.code(), &other.path)),
            _ => panic!("of values {of_values:?}, of documents {of_documents:?}"),
        }
    }
    of_values
}

/// The same value as another text: members in the reverse order, texts in escapes, spaces between.
fn otherwise_written(value: &Value) -> String {
    let escaped = |text: &str| {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{}\"", units.concat())
    };
    match value {
        Value::String(text) => escaped(text),
        Value::Array(elements) => {
            format!("[ {} ]", elements.iter().map(otherwise_written).collect::<Vec<_>>().join(" , "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{} : {}", escaped(name), otherwise_written(value))
            };
            format!("{{ {} }}", members.iter().rev().map(member).collect::<Vec<_>>().join(" ,\n"))
        }
        value => value.to_string(),
    }
}

#[test]
fn signed_examples_are_accepted() {
    for example in examples::all() {
        let signed = Signed::of(&example);
        let event = signed.validate().unwrap_or_else(|error| panic!("{}: {error}", example.name));
        assert_eq!(event.kept(), signed.kept);
        let child = event.child().map(|child| child.pseudonym.as_str());
        assert_eq!(child, example.data.pointer("/child/pseudonym").and_then(Value::as_str));
        let occurred_at = event.occurred_at().map(|at| at.to_string());
        let times = example.data.pointer("/times/occurred_at").and_then(Value::as_str);
        assert_eq!(occurred_at.as_deref(), times.filter(|_| !event.kept().contains(&"times")));
        let validator = validator(example.event_type, example.version, Shape::Signed);
        assert!(validator.is_valid(&signed.data()), "{}", example.name);
        assert!(!validator.is_valid(&example.data), "{}", example.name);
    }
}

#[test]
fn the_schema_of_a_disclosure_is_among_the_definitions() {
    for example in examples::all() {
        let mut schema = json_schema_at(example.event_type, example.version, Shape::Signed).unwrap();
        for (name, values) in Signed::of(&example).disclosed {
            let definitions = schema["$defs"].take();
            let validator = jsonschema::validator_for(
                &json!({ "$ref": format!("#/$defs/disclosed_{name}"), "$defs": definitions.clone() }),
            )
            .unwrap();
            assert!(values.iter().all(|value| validator.is_valid(value)), "{} {name}", example.name);
            assert!(!validator.is_valid(&json!(7)), "{} {name}", example.name);
            schema["$defs"] = definitions;
        }
    }
}

#[test]
fn what_is_kept_counts_as_present() {
    let mut signed = Signed::share();
    for member in ["rationale", "times", "identity_protection_steps", "item_details"] {
        signed.keep(member);
    }
    let event = signed.validate().unwrap();
    assert_eq!(event.kept(), ["rationale", "times", "identity_protection_steps", "item_details"]);
    assert!(event.occurred_at().is_none());
}

#[test]
fn what_is_stripped_is_missed() {
    for member in ["child", "rationale", "times", "identity_protection_steps", "practitioner"] {
        let mut signed = Signed::share();
        signed.disclosed.remove(member);
        assert_eq!(signed.refusal(), ("missing_member", format!("/{member}")));
    }
}

#[test]
fn members_stand_in_their_place() {
    let mut signed = Signed::share();
    signed.clear.insert("rationale".to_owned(), json!("Because"));
    assert_eq!(signed.refusal(), ("not_clear", "/rationale".to_owned()));

    let mut signed = Signed::share();
    signed.disclosed.insert("emergency".to_owned(), vec![json!(true)]);
    assert_eq!(signed.refusal(), ("not_disclosable", "/emergency".to_owned()));

    let mut signed = Signed::share();
    signed.disclosed.insert("colour".to_owned(), vec![json!("Blue")]);
    assert_eq!(signed.refusal(), ("unknown_member", "/colour".to_owned()));

    let mut signed = Signed::share();
    signed.clear.insert("colour".to_owned(), json!("Blue"));
    assert_eq!(signed.refusal(), ("unknown_member", "/colour".to_owned()));
}

#[test]
fn disclosures_are_counted() {
    let mut signed = Signed::share();
    signed.disclosed.get_mut("rationale").unwrap().push(json!("Another one"));
    assert_eq!(signed.refusal(), ("bad_value", "/rationale".to_owned()));

    let mut signed = Signed::share();
    signed.disclosed.insert("others".to_owned(), Vec::new());
    assert_eq!(signed.refusal(), ("bad_value", "/others".to_owned()));
}

#[test]
fn kept_is_checked() {
    let mut signed = Signed::share();
    signed.keep("child");
    assert_eq!(signed.refusal(), ("not_keepable", "/kept/0".to_owned()));

    let mut signed = Signed::share();
    signed.kept.push("rationale".to_owned());
    assert_eq!(signed.refusal(), ("kept_disclosed", "/rationale".to_owned()));
}

#[test]
fn a_view_reads_what_is_left() {
    let mut signed = Signed::share();
    signed.disclosed.clear();
    let Ok(Event::DecisionRecorded(decision)) = signed.read() else { panic!("not read") };
    assert!(decision.shares_identifiable());
    assert!(decision.child.is_none() && decision.others.is_empty() && decision.rationale.is_none());

    let mut signed = Signed::share();
    signed.disclosed.get_mut("others").unwrap().remove(0);
    let Ok(Event::DecisionRecorded(decision)) = signed.read() else { panic!("not read") };
    assert_eq!(decision.others.len(), 1);

    signed.clear.remove("decision");
    assert_eq!(signed.read().unwrap_err().code(), "missing_member");
}

/// What views keep is what stands in the clear, and times and counts: no text, name, reference or pseudonym.
#[test]
fn the_compact_form_keeps_codes_and_times_and_nothing_else() {
    for example in examples::all() {
        let event = Signed::of(&example).validate().unwrap();
        let bytes = event.pack();
        let kept = Event::unpack(&bytes).unwrap_or_else(|| panic!("{}", example.name)).to_draft();
        for member in members(example.event_type) {
            let by_views =
                member.place == Place::Clear || member.name.ends_with("times") || member.name == "extent";
            let was = event.to_draft().get(member.name).cloned().filter(|_| by_views);
            assert_eq!(kept.get(member.name), was.as_ref(), "{} {}", example.name, member.name);
        }
        assert!(Event::unpack(&bytes[..bytes.len() - 1]).is_none());
        assert!(Event::unpack(&[&bytes[..], &[0]].concat()).is_none());
    }
}
