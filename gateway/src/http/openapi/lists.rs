//! The rows of the views that count and compare.

use gt_schemas::{
    AgreementEnd, AgreementKind, Category, ContextKind, ContextRisk, FindingCode, Gateway,
    IdentityConfidence, IdentityEvidence, Nature, Rating, Source,
};
use serde_json::{Value, json};

use super::super::route::{agency, codes, component, number, reference, text, time};
use super::components::{Named, flag, list, object, or_null};

pub(super) fn all() -> Named {
    vec![
        ("ChildEpisode", child_episode()),
        ("Identity", identity()),
        ("RequestRow", request()),
        ("ContextRow", context()),
        ("PersonRow", person()),
        ("PersonLink", person_link()),
        (
            "SharingWay",
            shares(json!({"from": agency(), "to": agency()}), "What one agency shared with another."),
        ),
        (
            "AgencySharing",
            shares(
                json!({"agency": agency(), "recipients": number()}),
                "What one agency shared, with whomever: with how many others, and within it.",
            ),
        ),
        ("FindingCount", finding()),
        ("AgreementRow", agreement()),
    ]
}

fn one_of(all: &'static [&'static str]) -> Value {
    codes(all.iter().copied())
}

/// A count that is left out of what auditors get where it is small.
fn count() -> Value {
    json!({"type": ["integer", "null"], "minimum": 0, "description": "Null to auditors where it is under 5."})
}

fn millis(about: &str) -> Value {
    json!({"type": "integer", "description": about})
}

fn child_episode() -> Value {
    let child = object("Whose it is.", json!({"child": reference()}));
    json!({"description": "A missing episode, and whose it is.", "allOf": [child, component("Episode")]})
}

fn identity() -> Value {
    let link = json!({
        "index": number(),
        "other": reference(),
        "linked": flag(),
        "holds": {"type": "boolean", "description": "Whether the two are linked directly now: of what is said about a pair, the latest holds."},
        "evidence": one_of(IdentityEvidence::CODES),
        "confidence": one_of(IdentityConfidence::CODES),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "superseded_by": or_null(number()),
    });
    let link = object("What was said of it and another one.", link);
    let members = json!({"id": reference(), "stands_for_all": flag(), "links": list(link)});
    object("One of a person's identifiers. One of them stands for the person in lists and alerts.", members)
}

fn request() -> Value {
    let members = json!({
        "index": number(),
        "child": or_null(reference()),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "requester": or_null(agency()),
        "rating": one_of(Rating::CODES),
        "categories": list(one_of(Category::CODES)),
        "gateway": or_null(one_of(Gateway::CODES)),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "due_at": time(),
        "state": codes(["open", "overdue", "answered"]),
        "left_ms": millis("Milliseconds until it is due, from now or from the answer; below zero it is, or was, late by so much."),
        "answered_at": or_null(time()),
        "answered_by": or_null(number()),
        "answer": or_null(codes(["request.answered", "request.refused", "decision.recorded"])),
    });
    object("A request for information about a child, and its clock.", members)
}

fn context() -> Value {
    let members = json!({
        "context": reference(),
        "children": number(),
        "links": number(),
        "kinds": list(one_of(ContextKind::CODES)),
        "risks": list(one_of(ContextRisk::CODES)),
        "agencies": list(agency()),
        "first_at": time(),
        "last_at": time(),
    });
    object("A place or another context, and what its links say.", members)
}

fn person() -> Value {
    let members = json!({
        "person": reference(),
        "children": number(),
        "links": number(),
        "decisions": number(),
        "risks": list(one_of(ContextRisk::CODES)),
        "agencies": list(agency()),
        "first_at": time(),
        "last_at": time(),
    });
    object("A person of concern, and what is said of the person.", members)
}

fn person_link() -> Value {
    let members = json!({
        "index": number(),
        "child": or_null(reference()),
        "risk": one_of(ContextRisk::CODES),
        "source": one_of(Source::CODES),
        "nature": one_of(Nature::CODES),
        "agency": agency(),
        "on_behalf_of": or_null(agency()),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "ended_at": or_null(time()),
        "superseded_by": or_null(number()),
    });
    object("A link to a person of concern.", members)
}

fn shares(of: Value, about: &str) -> Value {
    let counts = json!({
        "shares": count(),
        "children": count(),
        "by_consent": count(),
        "under_agreement": count(),
        "timed": count(),
        "median_ms": or_null(millis("From knowing to sharing, in milliseconds, by nearest rank over those that are timed.")),
        "p90_ms": or_null(millis("The 90th percentile, likewise.")),
        "first_shared_at": or_null(time()),
        "last_shared_at": or_null(time()),
    });
    let mut members = of;
    for (name, schema) in counts.as_object().into_iter().flatten() {
        members[name] = schema.clone();
    }
    object(about, members)
}

fn finding() -> Value {
    let members = json!({
        "agency": agency(),
        "code": one_of(FindingCode::CODES),
        "breach": {"type": "boolean", "description": "Whether it is about what the law asks for; the others warn."},
        "decisions": count(),
        "sentence": text(),
    });
    object("How many of an agency's decisions have a finding.", members)
}

fn agreement() -> Value {
    let members = json!({
        "agreement": reference(),
        "kind": one_of(AgreementKind::CODES),
        "parties": list(agency()),
        "registered_at": time(),
        "reviewed_at": or_null(time()),
        "next_review_at": or_null(time()),
        "review_due_at": or_null(time()),
        "review_overdue": flag(),
        "ended_at": or_null(time()),
        "end": or_null(one_of(AgreementEnd::CODES)),
        "shares": count(),
        "entries": list(number()),
    });
    object(
        "An information sharing agreement. It is to be reviewed when it says, and at least every so many months (threshold).",
        members,
    )
}
