//! Every read about people is sealed before it is answered; and texts are read under an approval.

use gt_schemas::AccessRole;
use serde_json::json;
use ureq::http::Method;

use super::{Partnership, SCHOOL, decision};
use crate::access::policy::TABLE;
use crate::access::reader::Reader;

#[test]
fn an_analyst_reads_texts_only_with_a_second_persons_approval() {
    let partnership = Partnership::new();
    let served = &partnership.served;
    let analyst = partnership.token(AccessRole::Analyst);
    let entry = format!("/v1/entries/{}", partnership.decision);
    let asked = served.send(&analyst, Method::POST, "/v1/break-glass", &[], &partnership.question());
    let approve = asked.json["approve"].as_str().expect("a path").to_owned();
    assert_eq!(served.get(&analyst, &entry).code(), "approval_needed");
    // The same person in another role is no second person, and an analyst approves nothing.
    let same = served.token(AccessRole::Mash, |reader| Reader { subject: "a Analyst".into(), ..reader });
    assert_eq!(served.send(&same, Method::POST, &approve, &[], "").code(), "second_person_needed");
    assert_eq!(served.send(&analyst, Method::POST, &approve, &[], "").code(), "role_not_allowed");
    let school = partnership.of_agency(AccessRole::Manager, SCHOOL);
    assert_eq!(served.send(&school, Method::POST, &approve, &[], "").code(), "outside_scope");
    let mash = partnership.token(AccessRole::Mash);
    let waiting = served.get(&mash, "/v1/break-glass");
    assert_eq!(waiting.json["items"][0]["reader"], "a Analyst", "{}", waiting.text);
    assert_eq!(served.send(&mash, Method::POST, &approve, &[], "").status, 201);
    assert_eq!(served.send(&mash, Method::POST, &approve, &[], "").code(), "not_found", "once");
    let read = served.get(&analyst, &entry);
    assert!(read.json["statement"].is_string(), "{}", read.text);
    // Both are sealed, with who, what for and how much.
    served.projected();
    let officer = partnership.token(AccessRole::DataProtectionOfficer);
    let seen = served.get(&officer, &format!("/v1/children/{}/accesses", partnership.child));
    let items = seen.json["items"].as_array().expect("a list");
    let of =
        |event_type: &str| items.iter().find(|item| item["type"] == event_type && item["what"] == "Texts");
    let (approved, accessed) =
        (of("access.approved").expect("sealed"), of("record.accessed").expect("sealed"));
    for row in [approved, accessed] {
        assert_eq!((&row["reader"], &row["role"]), (&json!("a Analyst"), &json!("Analyst")), "{row}");
        assert_eq!((&row["break_glass"], &row["agency"]), (&json!(true), &json!("ledger:service")), "{row}");
    }
    assert_eq!((&accessed["records"], &accessed["purpose"]), (&json!(1), &json!("Review")), "{accessed}");
    // One child's texts, and nobody else's.
    let mut other = decision();
    other["child"]["pseudonym"] = json!(format!("nhs.1:{}", "A".repeat(43)));
    let index = served.publish(1, &partnership.council, "decision.recorded", &other);
    served.projected();
    assert_eq!(served.get(&analyst, &format!("/v1/entries/{index}")).code(), "approval_needed");
}

#[test]
fn every_read_is_sealed_with_its_purpose_before_it_is_answered() {
    let partnership = Partnership::new();
    let served = &partnership.served;
    let mash = served.token(AccessRole::Mash, |reader| Reader { purposes: Vec::new(), ..reader });
    let timeline = format!("/v1/children/{}/timeline", partnership.child);
    for (headers, status, code) in [
        (vec![], 400, "purpose_missing"),
        (vec![("gt-purpose", "Curiosity")], 400, "purpose_unknown"),
        (vec![("gt-purpose", "CaseWork"), ("gt-purpose", "CaseWork")], 400, "purpose_unknown"),
    ] {
        let size = served.ledger.log().size();
        let reply = served.send(&mash, Method::GET, &timeline, &headers, "");
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code));
        assert_eq!(served.ledger.log().size(), size, "what is refused reads nothing");
    }
    let bound = partnership.token(AccessRole::Mash);
    let other = served.send(&bound, Method::GET, &timeline, &[("gt-purpose", "Audit")], "");
    assert_eq!((other.status.as_u16(), other.code()), (403, "purpose_not_allowed"));
    for rule in TABLE.iter().filter(|rule| rule.reads.is_some()) {
        let (token, request) = (partnership.allowed(rule), partnership.request(rule));
        let size = served.ledger.log().size().0;
        let reply = partnership.send(&token, request);
        assert!(reply.status.is_success(), "{}: {}", rule.path, reply.text);
        // Sealed by the time that the answer is here; and an erasure is an entry itself.
        let sealed = if (rule.method, rule.path) == ("post", "/v1/erasures") { 2 } else { 1 };
        assert_eq!(served.ledger.log().size().0, size + sealed, "{}", rule.path);
        assert_eq!(
            reply.headers.get("cache-control").map(axum::http::HeaderValue::as_bytes),
            Some(&b"no-store"[..])
        );
    }
    let size = served.ledger.log().size().0;
    let unknown = json!({"pseudonym": format!("nhs.1:{}", "B".repeat(42) + "A")}).to_string();
    let reply = served.send(&bound, Method::POST, "/v1/subjects", &[], &unknown);
    assert_eq!(reply.status, 404);
    assert_eq!(served.ledger.log().size().0, size + 1, "that somebody is unknown is an answer too");
}

#[test]
fn what_cannot_be_recorded_is_not_read() {
    let partnership = Partnership::new();
    let rules = TABLE.iter().filter(|rule| rule.reads.is_some());
    let requests: Vec<_> =
        rules.map(|rule| (rule, partnership.allowed(rule), partnership.request(rule))).collect();
    partnership.served.ledger.close();
    for (rule, token, request) in requests {
        let reply = partnership.send(&token, request);
        assert_eq!((reply.status.as_u16(), reply.code()), (503, "not_recorded"), "{}", rule.path);
        assert!(reply.json.get("items").is_none() && reply.json.get("statement").is_none());
    }
    let open = partnership.served.get("", &format!("/v1/entries/{}", partnership.decision));
    assert!(open.status.is_success(), "what says nothing of people is read all the same");
}
