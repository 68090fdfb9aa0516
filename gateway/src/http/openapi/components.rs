//! The schemas of what is asked and answered. Objects may get more members; what is named here stays.

use std::collections::BTreeMap;

use gt_projections::Pattern;
use gt_schemas::{Configuration, EvidenceState, FindingCode, FlowQuestion, HowToShare, WithholdGround};
use serde_json::{Map, Value, json};

use super::super::route::{agency, codes, component, hash, number, reference, text, time};
use super::{access, erasures, events, lists, rows};

/// Every component, by name.
pub(super) fn all() -> BTreeMap<String, Value> {
    let named = [
        publishing(),
        ledger(),
        advice(),
        alerts(),
        rows::all(),
        lists::all(),
        access::all(),
        erasures::all(),
    ]
    .into_iter()
    .flatten();
    named.map(|(name, schema)| (name.to_owned(), schema)).chain(events::drafts()).collect()
}

pub(super) type Named = Vec<(&'static str, Value)>;

/// An object that always has these members.
pub(super) fn object(about: &str, members: Value) -> Value {
    let required: Vec<String> = members.as_object().map(Map::keys).into_iter().flatten().cloned().collect();
    let mut schema = json!({"description": about, "type": "object", "required": required});
    schema["properties"] = members;
    schema
}

/// The same, with members that it may have besides.
pub(super) fn object_with(about: &str, members: Value, optional: &Value) -> Value {
    let mut schema = object(about, members);
    for (name, member) in optional.as_object().into_iter().flatten() {
        schema["properties"][name] = member.clone();
    }
    schema
}

/// What may be null instead.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": vec![schema, json!({"type": "null"})]})
}

pub(super) fn list(element: Value) -> Value {
    let mut schema = json!({"type": "array"});
    schema["items"] = element;
    schema
}

pub(super) fn flag() -> Value {
    json!({"type": "boolean"})
}

fn problem() -> Value {
    let members = json!({
        "type": {"type": "string", "description": "`urn:goldenthread:problem:` and the code. Stable."},
        "title": text(),
        "status": number(),
        "detail": {"type": "string", "description": "A sentence for a person."},
        "code": {"type": "string", "pattern": "^[a-z_0-9]+$", "description": "Stable."},
    });
    let optional = json!({
        "path": {"type": "string", "description": "Where, as a JSON pointer into what was sent."},
        "expected": {"type": "string", "description": "What may stand there."},
        "next_seq": {"type": "integer", "description": "Of problems with a chain: the next `seq`."},
        "head": {"type": "string", "description": "Of problems with a chain: the hash of the last statement."},
    });
    object_with("An RFC 9457 problem. It repeats no value that came in.", members, &optional)
}

fn publishing() -> Named {
    let line = json!({
        "description": "A line of the answer to NDJSON: sealed, or a problem.",
        "anyOf": [
            object("It is sealed.", json!({
                "status": {"enum": [200, 201]}, "index": number(), "statement": hash(), "receipt": text(),
            })),
            object("It is not.", json!({"status": number(), "problem": component("Problem")})),
        ],
    });
    vec![
        ("Problem", problem()),
        ("PublishedLine", line),
        (
            "ChainHead",
            object(
                "Where a publisher's chain ends.",
                json!({"publisher": hash(), "next_seq": number(), "head": hash()}),
            ),
        ),
    ]
}

fn ledger() -> Named {
    let key = object(
        "A key, from an entry on.",
        json!({"since_entry": number(), "kid": hash(), "key": {"type": "object"}}),
    );
    let revoked = object("Its end.", json!({"at_entry": number(), "suspect_from": or_null(time())}));
    let publisher = json!({
        "publisher": hash(), "agency": agency(), "name": text(), "kind": text(), "on_behalf_of": list(agency()),
        "keys": list(key), "revoked": or_null(revoked),
    });
    let ledger = json!({
        "origin": text(), "genesis": hash(), "verifier_keys": list(text()), "registrar": hash(), "size": number(),
        "witnesses": list(component("WitnessStatus")),
    });
    let configuration = json!({
        "configuration": component("Configuration"), "entry": or_null(number()), "size": number(),
    });
    let mut rules = Configuration::json_schema();
    if let Some(members) = rules.as_object_mut() {
        members.remove("$schema");
        members.remove("$id");
    }
    events::point_into(&mut rules, "#/components/schemas/Configuration/$defs/");
    let entry = json!({"entry": {"type": "object"}, "leaf_hash": hash()});
    let read = json!({
        "statement": {"type": ["string", "null"], "description": "With a token of a role that may read it: the compact SD-JWT with the disclosures that can be read."},
        "record": codes(["readable", "ended"]),
    });
    let ready = json!({
        "sealing": flag(), "role": codes(["sealer", "standby", "follower"]), "tree_size": number(), "projected": number(),
        "following": flag(),
        "waits_for_key": or_null(object(
            "The next key-encryption key, which this node needs to go on.", json!({"epoch": number(), "kek": text()}),
        )),
        "witnesses": list(component("WitnessStatus")),
    });
    let witness = json!({
        "name": text(), "url": text(), "size": number(), "cosigned_at": or_null(time()), "problem": or_null(text()),
    });
    vec![
        ("Ledger", object("What pins a ledger.", ledger)),
        ("Configuration", rules),
        (
            "ConfigurationInForce",
            object(
                "The configuration, and the entry that sealed it; null for the standard one.",
                configuration,
            ),
        ),
        ("Publisher", object("A system that is or was allowed to sign.", publisher)),
        (
            "Publishers",
            object("The registry.", json!({"items": list(component("Publisher")), "registry": number()})),
        ),
        ("Entry", object_with("An entry.", entry, &read)),
        (
            "InclusionProof",
            object(
                "RFC 6962.",
                json!({"index": number(), "size": number(), "root": hash(), "path": list(hash())}),
            ),
        ),
        (
            "ConsistencyProof",
            object("RFC 6962.", json!({"from": number(), "to": number(), "path": list(hash())})),
        ),
        ("Readiness", object("What the node does.", ready)),
        (
            "WitnessStatus",
            object(
                "A witness: the size of the checkpoint that it signed last since the start and when, by its own clock; why it did not sign, when it was asked last.",
                witness,
            ),
        ),
    ]
}

fn advice() -> Named {
    let question = json!({
        "type": "object",
        "description": "What is asked. Members of `data` that are there are checked like those of a draft.",
        "required": ["data"],
        "properties": {
            "agency": agency(),
            "data": {"type": "object", "description": "A decision's data as in its draft, of which any member may be missing."},
        },
        "additionalProperties": false,
    });
    let flow = json!({"version": number(), "outcome": codes(["MayShare", "DoNotShare", "SeekAdvice"])});
    let outcome = json!({
        "how": list(codes(HowToShare::ALL.iter().map(|code| code.as_str()))),
        "ground": codes(WithholdGround::ALL.iter().map(|code| code.as_str())),
        "escalate": {"type": "boolean", "description": "The concern must go to children's social care or the police all the same."},
        "unanswered": codes(FlowQuestion::ALL.iter().map(|code| code.as_str())),
    });
    let finding = json!({
        "code": codes(FindingCode::ALL.iter().map(|code| code.as_str())),
        "sentence": text(),
        "source": text(),
        "items": {"type": "array", "items": number(), "description": "Indexes into the items concerned; empty if it is about the whole."},
    });
    let evidence =
        json!({"member": text(), "state": codes(EvidenceState::ALL.iter().map(|code| code.as_str()))});
    let evidence = object_with(
        "A member that evidences a rule. It shows codes and no text.",
        evidence,
        &json!({"codes": true}),
    );
    let rule = json!({"number": {"type": "integer", "minimum": 1, "maximum": 7}, "title": text(), "evidence": list(evidence)});
    let missing = json!({"missing": {"type": "array", "items": text(), "description": "Of a recorded decision: the members that it should have."}});
    let member = object("A member that a complete record has.", json!({"path": text(), "required": text()}));
    let advice = json!({
        "flow": component("Flow"),
        "findings": list(component("Finding")),
        "golden_rules": list(component("GoldenRule")),
        "missing": list(member),
        "configuration": or_null(number()),
    });
    vec![
        ("Question", question),
        ("Flow", object_with("Where the flowchart leads, and its version.", flow, &outcome)),
        ("Finding", object("A rule of practice that is broken: it asks a person to look.", finding)),
        ("GoldenRule", object_with("One of the seven golden rules, and what evidences it.", rule, &missing)),
        (
            "Advice",
            object("Advice, and the entry that sealed the configuration; null for the standard one.", advice),
        ),
    ]
}

fn alerts() -> Named {
    let handling = json!({
        "index": number(), "received_at": time(), "agency": agency(), "step": codes(["assigned", "reviewed"]),
    });
    let handling =
        object_with("What somebody did.", handling, &json!({"to": or_null(agency()), "outcome": text()}));
    let retraction = json!({"at": time(), "by": number(), "replaced_by": or_null(reference())});
    let alert = json!({
        "id": reference(),
        "pattern": codes(Pattern::ALL.map(Pattern::as_str)),
        "version": number(),
        "thresholds": true,
        "window": object("The event times that it spans.", json!({"from": time(), "to": time()})),
        "subject": object("Whom or what it is about.", json!({"kind": codes(["child", "person", "context", "agency", "edge"]), "id": true})),
        "entries": list(number()),
        "sentence": text(),
        "raised_at": time(),
        "raised_by": number(),
        "status": codes(["open", "assigned", "reviewed", "retracted"]),
        "handling": list(handling),
        "retraction": or_null(object("How it lost its reason.", retraction)),
    });
    let change = json!({
        "index": {"type": "integer", "minimum": 0, "description": "The entry that caused it; where a deadline passed, the entry that comes next."},
        "received_at": {"type": "string", "format": "date-time", "description": "When that entry was received, or when the deadline passed."},
        "change": codes(["raised", "changed", "assigned", "reviewed", "retracted"]),
        "alert": component("Alert"),
    });
    let lost = json!({"reason": codes(["forgotten", "too_slow"])});
    let lost_more = json!({
        "asked_after": or_null(text()), "complete_after": text(), "resume_after": or_null(text()),
    });
    let integrity = object_with(
        "About a publisher's chain or the stream.",
        json!({"id": text(), "pattern": text()}),
        &json!({}),
    );
    vec![
        ("Alert", object("It asks a person to look, and decides nothing.", alert)),
        ("AlertChange", object("What happened to an alert, and the alert right after.", change)),
        ("Lost", object_with("What a reader of the stream has lost, and where to go on.", lost, &lost_more)),
        ("IntegrityAlerts", object("Integrity alerts.", json!({"items": list(integrity)}))),
    ]
}
