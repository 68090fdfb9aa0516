//! Reading beyond the usual rights without the second person that it takes, for longer than was allowed, or of somebody else.

use serde_json::{Value, json};

use super::grounds::Grounds;
use super::{Attempt, Forbidden, bearer, refused};
use crate::partnership::{Publisher, eventually, example};

const NO: &[u16] = &[403];

pub(super) fn list(grounds: &Grounds) -> Vec<Forbidden> {
    let (analyst, texts) = (&grounds.analyst, format!("/v1/entries/{}", grounds.scene.entry));
    let mut list = Vec::new();
    let waiting = ask(grounds, analyst, &grounds.child);
    let read = |name: &str, target: &str, token: &str, code: &'static str| {
        refused(name, Attempt::get(target, token), NO, code)
    };
    list.push(read("texts while nobody has approved", &texts, analyst, "approval_needed"));
    for (name, token, code) in [
        ("approving what one asked for, under the same role", analyst, "role_not_allowed"),
        ("an auditor approves", &grounds.auditor, "role_not_allowed"),
        ("a panel approves", &grounds.panel, "role_not_allowed"),
        ("a practitioner approves", &grounds.practitioner, "role_not_allowed"),
        ("a manager of another agency approves", &grounds.stranger, "outside_scope"),
    ] {
        list.push(refused(name, Attempt::post(&waiting, token, ""), NO, code));
    }
    // The same person under another role is the same person.
    let other_hat = grounds.scene.home.issue("mash", "R. Okafor", &["--purpose", "CaseWork"]);
    list.push(refused(
        "approving what one asked for, under another role",
        Attempt::post(&waiting, &other_hat, ""),
        NO,
        "second_person_needed",
    ));
    list.push(refused(
        "approving without a token",
        Attempt::new("POST", &waiting, &[], ""),
        &[401],
        "token_missing",
    ));
    for (name, id) in [
        ("approving what nobody asked for", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("approving a path", "..%2f..%2fdecisions"),
    ] {
        let target = format!("/v1/break-glass/{id}/approve");
        list.push(refused(name, Attempt::post(&target, &grounds.mash, ""), &[404], "not_found"));
    }
    for (name, hours) in [
        ("for no time", json!(0)),
        ("for ever", json!(73)),
        ("for less than nothing", json!(-1)),
        ("for a text", json!("8")),
    ] {
        let body = json!({"child": grounds.child, "purpose": "Review", "hours": hours}).to_string();
        list.push(refused(
            format!("asking {name}"),
            Attempt::post("/v1/break-glass", analyst, &body),
            &[400],
            "bad_request",
        ));
    }
    list.extend(sealed(grounds));
    list
}

/// Asks for approval; where it is given.
fn ask(grounds: &Grounds, token: &str, child: &str) -> String {
    let body = json!({"child": child, "purpose": "Review", "hours": 8}).to_string();
    let (status, text) = Attempt::post("/v1/break-glass", token, &body).make(&grounds.scene.server.url);
    assert_eq!(status, 202, "{text}");
    super::json(&text)["approve"].as_str().expect("a path").to_owned()
}

/// What an approval that stands in the log does not open.
fn sealed(grounds: &Grounds) -> Vec<Forbidden> {
    // An approval that has run out, and one that an agency has made for itself.
    let until = |expires: &str, role: &str, reader: &str| {
        let mut data: Value = serde_json::from_str(&example("access.approved").to_text()).expect("JSON");
        data["child"]["pseudonym"] = json!(grounds.hidden_pseudonym);
        (data["role"], data["what"], data["reader"]["name"]) = (json!(role), json!("Texts"), json!(reader));
        data["times"] = json!({"occurred_at": "2026-01-05T09:00:00Z", "expires_at": expires});
        data
    };
    seal(grounds, &mut grounds.service(), &until("2026-01-05T10:00:00Z", "Mash", "A. Whitfield"));
    let mut own = grounds.scene.council_again();
    seal(grounds, &mut own, &until("2099-01-05T10:00:00Z", "Manager", "M. Osei"));
    // A good one: of another child, for the analyst.
    let waiting = ask(grounds, &grounds.analyst, &grounds.hidden);
    let (status, text) = Attempt::post(&waiting, &grounds.mash, "").make(&grounds.scene.server.url);
    assert_eq!(status, 201, "{text}");
    let hidden = format!("/v1/entries/{}", grounds.hidden_entry);
    let visible = format!("/v1/entries/{}", grounds.scene.entry);
    let answer = Attempt::get(&hidden, &grounds.analyst).make(&grounds.scene.server.url);
    assert_eq!(answer.0, 200, "what was approved is open: {}", answer.1);
    let other_analyst = grounds.scene.home.issue("analyst", "S. Lund", &["--purpose", "Analysis"]);
    let other_role =
        grounds.scene.home.issue("data-protection-officer", "R. Okafor", &["--purpose", "SubjectRights"]);
    let once_more = Attempt::new("POST", &waiting, &[&bearer(&grounds.mash)], "");
    vec![
        refused(
            "texts of another child than the one that was approved",
            Attempt::get(&visible, &grounds.analyst),
            NO,
            "approval_needed",
        ),
        refused(
            "texts that were approved for somebody else",
            Attempt::get(&hidden, &other_analyst),
            NO,
            "record_restricted",
        ),
        refused(
            "texts that were approved under another role",
            Attempt::get(&hidden, &other_role),
            NO,
            "record_restricted",
        ),
        refused(
            "texts for which one has approved",
            Attempt::get(&hidden, &grounds.mash),
            NO,
            "record_restricted",
        ),
        refused(
            "texts under an approval that has run out",
            Attempt::get(&hidden, &grounds.mash),
            NO,
            "record_restricted",
        ),
        refused(
            "texts under an approval that the agency made itself",
            Attempt::get(&hidden, &grounds.council),
            NO,
            "record_restricted",
        ),
        refused("approving twice", once_more, &[404], "not_found"),
    ]
}

/// Seals an approval, if the ledger takes it, and waits until the views have it.
fn seal(grounds: &Grounds, publisher: &mut Publisher, data: &Value) {
    let data = gt_core::json::Value::parse(data.to_string().as_bytes()).expect("strict JSON");
    let statement = publisher.record("access.approved", &data);
    let client = grounds.scene.server.client();
    let (size, reply) = (client.size(), client.publish(&statement));
    assert_eq!(reply.status, 201, "{}", reply.text());
    eventually("the views have it", || client.get("/readyz").json()["projected"].as_u64() > Some(size));
}
