//! The JSON Schemas (2020-12) of the event types. They say what the Rust code says, save for what a schema cannot: that
//! a month has its days, that two members are equal, that two lists are as long as each other.

use schemars::generate::SchemaSettings;
use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use crate::definition::{Condition, Rules, conditions_of};
use crate::error::SchemaError;
use crate::event::EventType;
use crate::member::{Member, Place, Requirement};
use crate::reading::KEPT;

/// The two shapes of an event's `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As an agency's system writes it: every member plain.
    Draft,
    /// As it is signed: disclosable members are lists of digests. `$defs` has the schema of each member's disclosed
    /// value as `disclosed_<member>`.
    Signed,
}

impl Shape {
    /// Both shapes.
    pub const ALL: &[Self] = &[Self::Draft, Self::Signed];

    /// The shape's name, as it stands in the schema's file name and `$id`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Signed => "signed",
        }
    }
}

/// The JSON Schema of this shape of an event type's `data`, in its current version.
///
/// Members carry `x-gt-place` (`clear` or `disclosed`) and `x-gt-required` in words; disclosed ones `x-gt-owner` (`child`
/// or `named`) and `x-gt-keepable`; codes `x-gt-meanings`.
pub fn json_schema(event_type: EventType, shape: Shape) -> Value {
    let schema = event_type.schema(event_type.version(), shape);
    schema.expect("a type reads its current version").to_value()
}

/// The same in one of the versions that are read. An unknown version is refused.
pub fn json_schema_at(event_type: EventType, version: u16, shape: Shape) -> Result<Value, SchemaError> {
    event_type.schema(version, shape).map(Schema::to_value)
}

pub(crate) fn of<E: Rules>(event_type: EventType, version: u16, shape: Shape) -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let values = E::value_schemas(&mut generator);
    let mut definitions = generator.take_definitions(true);
    let mut properties = Map::new();
    for (member, value) in E::MEMBERS.iter().zip(values) {
        let property = match (member.place, shape) {
            (Place::Clear, _) | (Place::Disclosed { many: false, .. }, Shape::Draft) => value,
            (Place::Disclosed { many: true, .. }, Shape::Draft) => list_of(&value.to_value()),
            (Place::Disclosed { many, .. }, Shape::Signed) => {
                definitions.insert(format!("disclosed_{}", member.name), value.to_value());
                digests(member.name, many)
            }
        };
        let requirement = requirement::<E>(member, version);
        properties.insert(member.name.to_owned(), annotated(property, member, requirement).to_value());
    }
    properties.insert(KEPT.to_owned(), kept_schema::<E>());
    if shape == Shape::Signed {
        definitions.insert("Digest".to_owned(), digest());
    }
    let name = event_type.as_str();
    let mut schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:goldenthread:schema:{name}:v{version}:{}", shape.as_str()),
        "title": format!("{name} v{version}, {}", shape.as_str()),
        "description": E::DESCRIPTION.trim(),
        "type": "object",
        "properties": properties,
        "required": always_required::<E>(),
        "additionalProperties": false,
        "$defs": definitions,
    });
    let conditions = conditions::<E>(version, shape);
    if !conditions.is_empty() {
        schema.insert("allOf".to_owned(), conditions.into());
    }
    schema
}

fn always_required<E: Rules>() -> Vec<&'static str> {
    let always = E::MEMBERS.iter().filter(|member| member.requirement == Requirement::Always);
    always.map(|member| member.name).collect()
}

/// When a member is required in this version: a condition that came later does not count.
fn requirement<E: Rules>(member: &Member, version: u16) -> Requirement {
    let about = |condition: &&Condition<E>| condition.member.strip_prefix('/') == Some(member.name);
    match E::CONDITIONS.iter().find(about) {
        Some(condition) if condition.since > version => Requirement::Optional,
        _ => member.requirement,
    }
}

fn annotated(mut schema: Schema, member: &Member, requirement: Requirement) -> Schema {
    let mut annotate = |name: &str, value: Value| schema.insert(name.to_owned(), value);
    annotate("description", member.description.into());
    if let Requirement::When(condition) = requirement {
        annotate("x-gt-required", condition.into());
    }
    match member.place {
        Place::Clear => {
            annotate("x-gt-place", "clear".into());
        }
        Place::Disclosed { owner, keepable, .. } => {
            annotate("x-gt-place", "disclosed".into());
            annotate("x-gt-owner", owner.as_str().into());
            annotate("x-gt-keepable", keepable.into());
        }
    }
    schema
}

fn list_of(element: &Value) -> Schema {
    json_schema!({ "type": "array", "items": element, "minItems": 1 })
}

fn digests(member: &str, many: bool) -> Schema {
    let mut schema = list_of(&json!({ "$ref": "#/$defs/Digest" }));
    if !many {
        schema.insert("maxItems".to_owned(), 1.into());
    }
    schema.insert("x-gt-value".to_owned(), json!({ "$ref": format!("#/$defs/disclosed_{member}") }));
    schema
}

fn digest() -> Value {
    json!({
        "description": "RFC 9901: the SHA-256 digest of a disclosure of this element.",
        "type": "object",
        "properties": { "...": { "type": "string", "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$" } },
        "required": ["..."],
        "additionalProperties": false,
    })
}

fn kept_schema<E: Rules>() -> Value {
    let keepable = E::MEMBERS.iter().filter(|m| matches!(m.place, Place::Disclosed { keepable: true, .. }));
    json!({
        "description": "The disclosable members that the publisher keeps at home.",
        "type": "array",
        "items": { "enum": keepable.clone().map(|member| member.name).collect::<Vec<_>>() },
        "uniqueItems": true,
        "x-gt-place": "clear",
    })
}

/// The conditions as `if` and `then`, those of one condition joined, then what members say of each other.
fn conditions<E: Rules>(version: u16, shape: Shape) -> Vec<Value> {
    let mut joined: Vec<(Value, Vec<Value>)> = Vec::new();
    for condition in conditions_of::<E>(version) {
        let path: Vec<&str> = condition.member.split('/').skip(1).collect();
        let then = match path[..] {
            [member] => json!({ "required": [member] }),
            // In signed data the object is a digest, and says nothing of its members.
            [outer, _] if shape == Shape::Signed && is_disclosed::<E>(outer) => continue,
            [outer, inner] => json!({ "properties": { outer: { "required": [inner] } } }),
            _ => unreachable!("a condition names a member, or a member of a member"),
        };
        let holds = (condition.schema)();
        match joined.iter_mut().find(|(other, _)| *other == holds) {
            Some((_, thens)) => thens.push(then),
            None => joined.push((holds, vec![then])),
        }
    }
    let joined = joined.into_iter().map(|(holds, thens)| json!({ "if": holds, "then": { "allOf": thens } }));
    let mut all: Vec<Value> = joined.chain(E::agreement_schemas()).collect();
    if shape == Shape::Draft {
        all.extend(kept_is_present::<E>());
    }
    all
}

/// In a draft, what `kept` names is there all the same.
fn kept_is_present<E: Rules>() -> impl Iterator<Item = Value> {
    let keepable = E::MEMBERS.iter().filter(|m| matches!(m.place, Place::Disclosed { keepable: true, .. }));
    let may_be_absent = keepable.filter(|member| member.requirement != Requirement::Always);
    may_be_absent.map(|member| {
        json!({
            "if": {
                "properties": { KEPT: { "type": "array", "contains": { "const": member.name } } },
                "required": [KEPT],
            },
            "then": { "required": [member.name] },
        })
    })
}

fn is_disclosed<E: Rules>(name: &str) -> bool {
    E::MEMBERS.iter().any(|member| member.name == name && member.place != Place::Clear)
}
