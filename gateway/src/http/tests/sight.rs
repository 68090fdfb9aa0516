//! Which records who sees: agencies, panels, practitioners, and whoever is named on a restricted record.

use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use super::served::Reply;
use super::{COUNCIL, POLICE, Partnership, SCHOOL, decision, example};
use crate::access::reader::Reader;

#[test]
fn agencies_see_their_own_what_was_shared_with_them_and_nothing_else() {
    let partnership = Partnership::new();
    let entry = format!("/v1/entries/{}", partnership.decision);
    let page = format!("/v1/decisions/{}", partnership.decision);
    let timeline = format!("/v1/children/{}/timeline", partnership.child);
    let items = |reply: &Reply| reply.json["items"].as_array().map_or(usize::MAX, Vec::len);
    for role in [AccessRole::Manager, AccessRole::Practitioner] {
        let council = partnership.of_agency(role, COUNCIL);
        assert_eq!(items(&partnership.served.get(&council, "/v1/decisions")), 1);
        assert_eq!(items(&partnership.served.get(&council, &timeline)), 3);
        let whole = partnership.served.get(&council, &entry);
        assert!(whole.json["statement"].as_str().is_some_and(|text| text.ends_with('~')), "{}", whole.text);
        // It was shared with the police: the decision, and nothing of what the council said besides.
        let police = partnership.of_agency(role, POLICE);
        assert_eq!(items(&partnership.served.get(&police, "/v1/decisions")), 1);
        assert_eq!(items(&partnership.served.get(&police, &timeline)), 1);
        assert!(partnership.served.get(&police, &entry).status.is_success());
        let link = partnership.served.get(&police, &format!("/v1/entries/{}", partnership.decision + 1));
        assert_eq!((link.status.as_u16(), link.code()), (403, "outside_scope"));
        // The school was told nothing.
        let school = partnership.of_agency(role, SCHOOL);
        assert_eq!(items(&partnership.served.get(&school, "/v1/decisions")), 0);
        assert_eq!(items(&partnership.served.get(&school, &format!("/v1/decisions?agency={COUNCIL}"))), 0);
        for path in [&entry, &page, &timeline] {
            let reply = partnership.served.get(&school, path);
            assert_eq!((reply.status.as_u16(), reply.code()), (403, "outside_scope"), "{path}");
            assert!(!reply.text.contains(COUNCIL), "{path}: {}", reply.text);
        }
        let body = json!({"pseudonym": partnership.pseudonym}).to_string();
        let known = partnership.served.send(&school, Method::POST, "/v1/subjects", &[], &body);
        let stranger = json!({"pseudonym": partnership.pseudonym.replace("nhs.1", "nhs.2")}).to_string();
        let unknown = partnership.served.send(&school, Method::POST, "/v1/subjects", &[], &stranger);
        assert_eq!(known.json, unknown.json, "whether a child is known is not told");
        let by_place =
            partnership.served.get(&council, &format!("/v1/decisions?context={}", partnership.place));
        assert_eq!(by_place.code(), "outside_scope");
    }
    // What a school says itself is its own, and a withheld decision is not for those from whom it was withheld.
    let mut withheld = example("decision.recorded.withhold.json");
    withheld["child"]["pseudonym"] = json!(partnership.pseudonym);
    withheld["recipients"][0]["agency"] = json!(COUNCIL);
    let index = partnership.served.publish(2, &partnership.school, "decision.recorded", &withheld);
    partnership.served.projected();
    let school = partnership.of_agency(AccessRole::Manager, SCHOOL);
    assert!(partnership.served.get(&school, &format!("/v1/entries/{index}")).status.is_success());
    let council = partnership.of_agency(AccessRole::Manager, COUNCIL);
    let from = partnership.served.get(&council, &format!("/v1/entries/{index}"));
    assert_eq!((from.status.as_u16(), from.code()), (403, "outside_scope"));
    assert_eq!(items(&partnership.served.get(&council, "/v1/decisions")), 1);
}

#[test]
fn named_children_are_the_only_ones_of_a_panel_and_of_a_practitioner() {
    let partnership = Partnership::new();
    let mut other = decision();
    other["child"]["pseudonym"] = json!(format!("nhs.1:{}", "A".repeat(43)));
    other.as_object_mut().expect("an object").remove("others");
    let index = partnership.served.publish(1, &partnership.council, "decision.recorded", &other);
    partnership.served.projected();
    let other = partnership.served.reference(&format!("nhs.1:{}", "A".repeat(43)));
    for role in [AccessRole::PanelReviewer, AccessRole::Practitioner] {
        let token = partnership.token(role);
        let list = partnership.served.get(&token, "/v1/decisions");
        assert_eq!(list.json["items"].as_array().map(Vec::len), Some(1), "{}", list.text);
        for path in [
            format!("/v1/entries/{index}"),
            format!("/v1/decisions/{index}"),
            format!("/v1/children/{other}/timeline"),
        ] {
            let reply = partnership.served.get(&token, &path);
            assert_eq!((reply.status.as_u16(), reply.code()), (403, "outside_scope"), "{path}");
        }
    }
}

#[test]
fn a_restricted_record_is_for_those_who_are_named() {
    let partnership = Partnership::new();
    partnership.restrict("record.restricted");
    let (mash, manager) = (partnership.token(AccessRole::Mash), partnership.token(AccessRole::Manager));
    let paths = [
        format!("/v1/entries/{}", partnership.decision),
        format!("/v1/decisions/{}", partnership.decision),
        format!("/v1/children/{}/timeline", partnership.child),
        format!("/v1/children/{}/episodes", partnership.child),
    ];
    for token in [&mash, &manager] {
        for path in &paths {
            let reply = partnership.served.get(token, path);
            assert_eq!((reply.status.as_u16(), reply.code()), (403, "record_restricted"), "{path}");
        }
        let list = partnership.served.get(token, "/v1/decisions");
        assert_eq!(list.json["items"], json!([]));
    }
    let alerts = partnership.served.get(&mash, "/v1/alerts").json;
    let about = |alert: &Value| alert["subject"]["id"] == partnership.child.to_string();
    assert!(!alerts["items"].as_array().expect("a list").iter().any(about));
    // Somebody of the hub asks, and the manager approves.
    let asked = partnership.served.send(&mash, Method::POST, "/v1/break-glass", &[], &partnership.question());
    assert_eq!(asked.status, 202, "{}", asked.text);
    let approve = asked.json["approve"].as_str().expect("a path");
    let approved = partnership.served.send(&manager, Method::POST, approve, &[], "");
    assert_eq!(approved.status, 201, "{}", approved.text);
    for path in &paths {
        assert!(partnership.served.get(&mash, path).status.is_success(), "{path}");
    }
    let other =
        partnership.served.token(AccessRole::Mash, |reader| Reader { subject: "Other".into(), ..reader });
    assert_eq!(partnership.served.get(&other, &paths[0]).code(), "record_restricted");
    assert_eq!(partnership.served.get(&manager, &paths[0]).code(), "record_restricted");
    // A release that is to come releases nothing yet.
    let mut later = example("record.released.json");
    later["child"]["pseudonym"] = json!(partnership.pseudonym);
    later["times"]["occurred_at"] = json!("2999-01-01T09:00:00Z");
    partnership.served.publish(1, &partnership.council, "record.released", &later);
    partnership.served.projected();
    assert_eq!(partnership.served.get(&other, &paths[0]).code(), "record_restricted");
    partnership.restrict("record.released");
    assert!(partnership.served.get(&other, &paths[0]).status.is_success());
}

#[test]
fn an_auditor_gets_counts_and_no_small_ones_and_no_parts() {
    let partnership = Partnership::new();
    let auditor = partnership.token(AccessRole::Auditor);
    let ways = partnership.served.get(&auditor, "/v1/sharing");
    let way = &ways.json["items"][0];
    assert_eq!(
        (&way["from"], &way["shares"], &way["last_shared_at"]),
        (&json!(COUNCIL), &Value::Null, &Value::Null)
    );
    let counts = partnership.served.get(&auditor, "/v1/findings/agencies?format=csv");
    assert!(counts.text.contains(COUNCIL) && counts.text.contains(",true,,"), "{}", counts.text);
    for part in [
        "/v1/sharing?since=2026-01-01T00:00:00Z",
        "/v1/findings/agencies?to=2026-01-01T00:00:00Z",
        "/v1/sharing/agencies?as_of=2099-01-01T00:00:00Z",
        "/v1/agreements?review_before=2026-01-01T00:00:00Z",
    ] {
        let reply = partnership.served.get(&auditor, part);
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "counts_of_all_only"), "{part}");
    }
}
