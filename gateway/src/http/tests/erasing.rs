//! Erasure by a data protection officer, over HTTP.

use gt_core::agency::AgencyCode;
use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use super::served::Reply;
use super::{COUNCIL, OTHER, POLICE, Partnership, example};
use crate::access::reader::Reader;

const OFFICER: AccessRole = AccessRole::DataProtectionOfficer;

fn request(child: &str, authority: &str, scope: &str) -> String {
    json!({"child": child, "authority": authority, "ground": "EnteredInError", "scope": scope}).to_string()
}

fn erase(partnership: &Partnership, token: &str, body: &str) -> Reply {
    partnership.served.send(token, Method::POST, "/v1/erasures", &[], body)
}

fn told(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.code())
}

/// Every statement that can be read, as JSON.
fn readable(partnership: &Partnership) -> Vec<Value> {
    let ledger = &partnership.served.ledger;
    let records = ledger.records(gt_core::LeafIndex(0), ledger.log().size().0).expect("reads");
    let told = |record: gt_ledger::record::Record| {
        let open = record.statement?;
        let said: Vec<String> = open.disclosed.values().flatten().map(|one| one.value.to_string()).collect();
        Some(json!({"type": record.event_type.as_str(), "clear": open.clear, "said": said}))
    };
    records.into_iter().filter_map(told).collect()
}

#[test]
fn an_erasure_is_recorded_before_it_is_done_and_ends_all_that_was_said() {
    let partnership = Partnership::new();
    let served = &partnership.served;
    let officer = served.token(OFFICER, |reader| Reader { subject: "C. Moreau".into(), ..reader });
    let size = served.ledger.log().size().0;
    let done = erase(&partnership, &officer, &request(&partnership.pseudonym, COUNCIL, "data"));
    assert_eq!((done.status.as_u16(), &done.json["status"]), (201, &json!("pending")), "{}", done.text);
    let index = done.json["index"].as_u64().expect("an entry");
    assert_eq!(index, size + 1, "the record of who asked stands before it");
    assert!(done.json["owners"].as_array().expect("a list").contains(&json!(partnership.child.to_string())));
    let left = readable(&partnership);
    assert!(left.iter().all(|one| !one.to_string().contains(&partnership.pseudonym)), "{left:?}");
    let by = |name: &str| {
        left.iter().any(|one| one["type"] == "record.accessed" && one.to_string().contains(name))
    };
    assert!(by("C. Moreau"), "who asked outlives what was erased: {left:?}");

    let listed = served.get(&officer, "/v1/erasures");
    let one = &listed.json["items"][0];
    assert_eq!((&one["erasure"], &one["status"]), (&json!(index), &json!("pending")), "{}", listed.text);
    assert_eq!((&one["erased"]["authority"], &one["erased"]["scope"]), (&json!(COUNCIL), &json!("data")));
    assert_eq!(one["erased"]["owners"], done.json["owners"]);
    let path = format!("/v1/erasures/{index}/confirmations");
    let confirmed = served.send(&officer, Method::POST, &path, &[], "");
    assert_eq!(confirmed.json["kek"], one["kek"], "{}", confirmed.text);
    assert_eq!(served.get(&officer, "/v1/erasures").json["items"][0]["status"], "complete");
    let unknown = served.send(&officer, Method::POST, "/v1/erasures/7777/confirmations", &[], "");
    assert_eq!(told(&unknown), (404, "unknown_erasure"));

    let again = erase(&partnership, &officer, &request(&partnership.child.to_string(), COUNCIL, "data"));
    assert_eq!(told(&again), (409, "already_erased"), "{}", again.text);
    let records = erase(&partnership, &officer, &request(&partnership.child.to_string(), COUNCIL, "records"));
    assert_eq!(records.status, 201, "{}", records.text);
}

#[test]
fn a_hold_an_unknown_person_and_another_authority_are_told_apart_and_erase_nothing() {
    let partnership = Partnership::new();
    let served = &partnership.served;
    let officer = partnership.token(OFFICER);
    let mut hold = example("hold.placed.json");
    hold["child"]["pseudonym"] = json!(partnership.pseudonym);
    let held_by = served.publish(1, &partnership.council, "hold.placed", &hold);
    let refused = erase(&partnership, &officer, &request(&partnership.pseudonym, COUNCIL, "records"));
    assert_eq!(told(&refused), (409, "held"), "{}", refused.text);
    assert_eq!(refused.json["held_by"], json!([{"entry": held_by, "ended_by": "hold.lifted"}]));
    for (body, expected) in [
        (request(OTHER, COUNCIL, "data"), (404, "unknown_owner")),
        (request(&partnership.pseudonym, "ods:RX9", "data"), (422, "unknown_authority")),
        (request(&partnership.pseudonym, COUNCIL, "all"), (400, "bad_request")),
        (request(&"x".repeat(5_000), COUNCIL, "data"), (413, "too_long")),
        ("[]".to_owned(), (400, "bad_request")),
        ("{".to_owned(), (400, "not_json")),
    ] {
        let refused = erase(&partnership, &officer, &body);
        assert_eq!(told(&refused), expected, "{}", refused.text);
        assert!(!refused.text.contains(&partnership.pseudonym) && !refused.text.contains(OTHER));
    }
    let nothing = served.get(&officer, "/v1/erasures");
    assert_eq!(nothing.json["items"], json!([]), "{}", nothing.text);
    assert_eq!(served.reference(&partnership.pseudonym), partnership.child);
}

#[test]
fn an_agencys_officer_erases_on_that_agencys_authority_alone() {
    let partnership = Partnership::new();
    let code = AgencyCode::parse(POLICE).expect("a code");
    let officer = partnership.served.token(OFFICER, |reader| Reader { agency: Some(code), ..reader });
    let refused = erase(&partnership, &officer, &request(&partnership.pseudonym, COUNCIL, "data"));
    assert_eq!((told(&refused), &refused.json["needs"]), ((403, "other_authority"), &json!(POLICE)));
    let done = erase(&partnership, &officer, &request(&partnership.pseudonym, POLICE, "data"));
    assert_eq!(done.status, 201, "{}", done.text);
}

#[test]
fn without_its_record_nothing_is_erased() {
    let partnership = Partnership::new();
    let served = &partnership.served;
    let officer = served.token(OFFICER, |reader| Reader { purposes: Vec::new(), ..reader });
    let refused = erase(&partnership, &officer, &request(&partnership.pseudonym, COUNCIL, "data"));
    assert_eq!(told(&refused), (400, "purpose_missing"));
    assert_eq!(served.reference(&partnership.pseudonym), partnership.child);
}
