//! The rows of views.

use gt_schemas::{
    ConsentStatus, ContextKind, Decision, DecisionField, DecisionReviewOutcome, EventType, FindingCode,
    HarmLevel, InformedStatus, Purpose, Trigger, WithholdGround,
};
use serde_json::{Value, json};

use super::super::route::{agency, codes, component, hash, number, reference, text, time};
use super::components::{Named, flag, list, object, or_null};

pub(super) fn all() -> Named {
    let as_of = json!({"tree_size": number(), "root": hash(), "received_at": or_null(time())});
    vec![
        ("AsOf", object("The log that an answer reflects: every entry below the size counts.", as_of)),
        ("Bundle", bundle()),
        ("BundleQuestion", bundle_question()),
        ("SubjectQuestion", subject_question()),
        ("SubjectReference", object("The reference.", json!({"ref": reference()}))),
        ("DecisionRow", decision_row()),
        ("DecisionPage", decision_page()),
        ("TimelineEvent", timeline_event()),
        ("Episode", episode()),
        ("ContextLink", context_link()),
    ]
}

fn bundle() -> Value {
    json!({
        "type": "object",
        "description": "An evidence bundle, as docs/FORMATS.md section 12 has it; schemas/bundle.v1.schema.json is its schema.",
        "required": ["format", "manifest", "checkpoint", "consistency", "registrar", "tip", "records", "completeness"],
    })
}

fn bundle_question() -> Value {
    let child = "The child's pseudonym, `nhs.1:…`, or its opaque reference.";
    let known = "Sizes of checkpoints that are held: a consistency proof is put in for each.";
    json!({
        "type": "object",
        "description": "Exactly one of `child`, `entries`, `agency` and `alert`, and what is withheld.",
        "properties": {
            "child": {"type": "string", "description": child},
            "entries": {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"},
            "agency": agency(),
            "alert": text(),
            "without": {"type": "array", "items": text(), "description": "Members whose disclosures are withheld."},
            "bare": {"type": "boolean", "description": "Whether all disclosures are withheld."},
            "statements": {"type": "boolean", "description": "False withholds the statements too."},
            "known": {"type": "array", "items": number(), "maxItems": 64, "description": known},
        },
        "additionalProperties": false,
    })
}

fn subject_question() -> Value {
    let one = |name: &str, about: &str| {
        json!({
            "type": "object",
            "required": [name],
            "properties": {name: {"type": "string", "description": about}},
            "additionalProperties": false,
        })
    };
    let (person, place) = ("A person's pseudonym, `nhs.1:…`.", "A place's or other context's, `uprn.1:…`.");
    let agreement = one("agreement", "The reference by which decisions name an agreement.");
    json!({"description": "Who or what.", "oneOf": [one("pseudonym", person), one("context", place), agreement]})
}

fn decision_row() -> Value {
    let members = json!({
        "index": number(),
        "child": or_null(reference()),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "decision": codes(Decision::ALL.iter().map(|code| code.as_str())),
        "trigger": codes(Trigger::ALL.iter().map(|code| code.as_str())),
        "purpose": codes(Purpose::ALL.iter().map(|code| code.as_str())),
        "harm_level": codes(HarmLevel::ALL.iter().map(|code| code.as_str())),
        "lawful_basis": {"type": "array", "items": text(), "description": "Each as kind and code: `Article6.e`."},
        "consent": codes(ConsentStatus::ALL.iter().map(|code| code.as_str())),
        "informed": or_null(codes(InformedStatus::ALL.iter().map(|code| code.as_str()))),
        "withhold_ground": or_null(codes(WithholdGround::ALL.iter().map(|code| code.as_str()))),
        "emergency": flag(),
        "recipients": list(agency()),
        "findings": list(codes(FindingCode::ALL.iter().map(|code| code.as_str()))),
        "occurred_at": or_null(time()),
        "aware_at": or_null(time()),
        "shared_at": or_null(time()),
        "review_at": or_null(time()),
        "received_at": time(),
        "corrected_by": list(number()),
        "superseded_by": or_null(number()),
    });
    object("A decision, as corrected since.", members)
}

fn decision_page() -> Value {
    let step = |members: Value| {
        let mut all = json!({
            "index": number(), "agency": agency(), "occurred_at": or_null(time()), "received_at": time(),
        });
        for (name, schema) in members.as_object().into_iter().flatten() {
            all[name] = schema.clone();
        }
        all
    };
    let correction =
        step(json!({"fields": list(codes(DecisionField::ALL.iter().map(|code| code.as_str())))}));
    let review = step(json!({
        "outcome": codes(DecisionReviewOutcome::ALL.iter().map(|code| code.as_str())),
        "informed": or_null(codes(InformedStatus::ALL.iter().map(|code| code.as_str()))),
    }));
    let members = json!({
        "as_of": component("AsOf"),
        "received_until": or_null(time()),
        "decision": component("DecisionRow"),
        "data": {"type": "object", "description": "The members in the clear and the times, corrected."},
        "findings": list(component("Finding")),
        "flow": or_null(component("Flow")),
        "golden_rules": list(component("GoldenRule")),
        "record": codes(["readable", "ended"]),
        "corrections": list(object("A correction that was applied.", correction)),
        "reviews": list(object("What a review came to.", review)),
        "alerts": list(component("Alert")),
    });
    object(
        "A decision's page. `flow` is null where the corrected decision contradicts itself; the golden rules show which disclosable members are there and \
         nothing of what they say.",
        members,
    )
}

fn timeline_event() -> Value {
    let members = json!({
        "index": number(),
        "child": or_null(reference()),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "due_at": or_null(time()),
        "type": codes(EventType::ALL.iter().map(|event_type| event_type.as_str())),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "codes": {"type": "object", "description": "Its codes, by member."},
        "superseded_by": or_null(number()),
    });
    object("An event about a child.", members)
}

fn episode() -> Value {
    let members = json!({
        "kind": or_null(codes(["Missing", "AwayWithoutAuthorisation"])),
        "started_at": or_null(time()),
        "ended_at": or_null(time()),
        "state": codes(["open", "ended", "end_not_reported", "start_not_reported"]),
        "from": or_null(text()),
        "risk": or_null(text()),
        "harm_suspected": flag(),
        "agencies": list(agency()),
        "entries": list(number()),
    });
    object("A missing episode.", members)
}

fn context_link() -> Value {
    let members = json!({
        "index": number(),
        "child": reference(),
        "kind": codes(ContextKind::ALL.iter().map(|code| code.as_str())),
        "risk": text(),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "ended_at": or_null(time()),
        "superseded_by": or_null(number()),
    });
    object("A child's link to a place or another context.", members)
}
