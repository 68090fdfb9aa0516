//! What is told beside the answer: in the child's record of who read it, in counts, in refusals, and by asking for an earlier time.

use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use super::{COUNCIL, OTHER, POLICE, Partnership, SCHOOL, decision, example};
use crate::access::recorder::now;

impl Partnership {
    /// The last bundle in the child's record of who read it.
    fn last_bundle(&self) -> Value {
        self.served.projected();
        let officer = self.token(AccessRole::DataProtectionOfficer);
        let path = format!("/v1/children/{}/accesses?newest_first=true&limit=50", self.child);
        let rows = self.served.get(&officer, &path);
        let items = rows.json["items"].as_array().unwrap_or_else(|| panic!("{}", rows.text)).clone();
        items.into_iter().find(|row| row["what"] == "Bundle").expect("somebody has read")
    }

    fn approved(&self, token: &str) {
        let asked = self.served.send(token, Method::POST, "/v1/break-glass", &[], &self.question());
        let approve = asked.json["approve"].as_str().expect("a path");
        let manager = self.token(AccessRole::Manager);
        assert_eq!(self.served.send(&manager, Method::POST, approve, &[], "").status, 201);
        self.served.projected();
    }
}

#[test]
fn a_bundle_of_one_childs_entries_stands_in_the_childs_record() {
    let partnership = Partnership::new();
    let mash = partnership.token(AccessRole::Mash);
    let entries = |last: u64| format!("/v1/bundles?entries={}-{last}", partnership.decision);
    for (path, records) in [
        (entries(partnership.decision), 1),
        (entries(partnership.decision + 1), 2),
        (format!("/v1/bundles?alert={}", partnership.alert), 1),
    ] {
        let reply = partnership.served.get(&mash, &path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let row = partnership.last_bundle();
        assert_eq!((&row["records"], &row["role"]), (&json!(records), &json!("Mash")), "{path}: {row}");
        assert_eq!(row["break_glass"], json!(false), "{row}");
    }
    // Of two children's entries it is neither's.
    let mut other = decision();
    other["child"]["pseudonym"] = json!(OTHER);
    let last = partnership.served.publish(1, &partnership.council, "decision.recorded", &other);
    partnership.served.projected();
    assert_eq!(partnership.served.get(&mash, &entries(last)).status, 200);
    let row = partnership.last_bundle();
    assert_eq!(row["records"], json!(1), "the alert's, as before: {row}");
}

#[test]
fn a_bundle_under_an_approval_is_recorded_so() {
    let partnership = Partnership::new();
    let officer = partnership.token(AccessRole::DataProtectionOfficer);
    partnership.restrict("record.restricted");
    let bundle = format!("/v1/bundles?entries={0}-{0}", partnership.decision);
    assert_eq!(partnership.served.get(&officer, &bundle).code(), "record_restricted");
    partnership.approved(&officer);
    assert_eq!(partnership.served.get(&officer, &bundle).status, 200);
    let row = partnership.last_bundle();
    assert_eq!((&row["records"], &row["break_glass"]), (&json!(1), &json!(true)), "{row}");
}

#[test]
fn places_and_persons_count_no_child_who_is_hidden() {
    let partnership = Partnership::new();
    let mash = partnership.token(AccessRole::Mash);
    let children = |list: &str, member: &str, reference: &str| {
        let reply = partnership.served.get(&mash, list);
        let items = reply.json["items"].as_array().unwrap_or_else(|| panic!("{}", reply.text)).clone();
        items.into_iter().find(|row| row[member] == reference).map(|row| row["children"].clone())
    };
    let counted = || {
        [("children", "/v1/contexts?sort=children"), ("last", "/v1/contexts?sort=last")]
            .map(|(_, list)| children(list, "context", &partnership.place))
    };
    let concern = || children("/v1/persons", "person", &partnership.person);
    assert_eq!((counted(), concern()), ([Some(json!(1)), Some(json!(1))], Some(json!(1))));
    // Another child at the same place, and then the first one's record is restricted.
    let mut link = example("context.linked.json");
    link["child"]["pseudonym"] = json!(OTHER);
    partnership.served.publish(1, &partnership.council, "context.linked", &link);
    partnership.served.projected();
    assert_eq!(counted(), [Some(json!(2)), Some(json!(2))]);
    partnership.restrict("record.restricted");
    assert_eq!((counted(), concern()), ([Some(json!(1)), Some(json!(1))], None));
    partnership.approved(&mash);
    assert_eq!((counted(), concern()), ([Some(json!(2)), Some(json!(2))], Some(json!(1))));
}

#[test]
fn whether_a_child_is_known_is_told_to_those_alone_who_may_read_of_every_child() {
    let partnership = Partnership::new();
    let mut other = decision();
    other["child"]["pseudonym"] = json!(OTHER);
    partnership.served.publish(1, &partnership.council, "decision.recorded", &other);
    partnership.served.projected();
    let asked = |role, path: &str, child: &str| {
        let body = json!({"child": child}).to_string();
        partnership.served.send(&partnership.token(role), Method::POST, path, &[], &body)
    };
    let stranger = OTHER.replace("nhs.1", "nhs.2");
    let known = asked(AccessRole::PanelReviewer, "/v1/bundles", OTHER);
    assert_eq!((known.status.as_u16(), known.code()), (403, "outside_scope"));
    assert_eq!(known.json, asked(AccessRole::PanelReviewer, "/v1/bundles", &stranger).json);
    for (role, path) in [
        (AccessRole::Mash, "/v1/bundles"),
        (AccessRole::DataProtectionOfficer, "/v1/bundles"),
        (AccessRole::DataProtectionOfficer, "/v1/subject-access"),
    ] {
        let size = partnership.served.ledger.log().size().0;
        let unknown = asked(role, path, &stranger);
        assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_child"), "{path}");
        assert_eq!(partnership.served.ledger.log().size().0, size + 1, "it is an answer, and recorded");
    }
}

#[test]
fn a_recipient_who_was_corrected_away_does_not_see_it_by_asking_for_the_time_before() {
    let partnership = Partnership::new();
    let before = now();
    let page = format!("/v1/entries/{}", partnership.decision);
    let mash = partnership.token(AccessRole::Mash);
    let entry = partnership.served.get(&mash, &page).json;
    let mut correction = example("decision.corrected.json");
    correction["fields"] = json!(["Recipients"]);
    correction["child"]["pseudonym"] = json!(partnership.pseudonym);
    correction["refs"] = json!({"supersedes": entry["entry"]["statement"]});
    correction.as_object_mut().expect("an object").remove("lawful_basis");
    let mut recipients = decision()["recipients"].clone();
    recipients[0]["agency"] = json!(SCHOOL);
    correction["recipients"] = recipients;
    let police = partnership.of_agency(AccessRole::Manager, POLICE);
    let lists = ["/v1/decisions".to_owned(), format!("/v1/decisions?as_of={before}")];
    let seen =
        |token: &str, path: &str| partnership.served.get(token, path).json["items"].as_array().map(Vec::len);
    assert_eq!(seen(&police, &lists[0]), Some(1));
    // The clock of what is received goes on by a millisecond at least before anything else is sealed.
    while now() == before {
        std::thread::yield_now();
    }
    partnership.served.publish(1, &partnership.council, "decision.corrected", &correction);
    partnership.served.projected();
    let council = partnership.of_agency(AccessRole::Manager, COUNCIL);
    for list in &lists {
        assert_eq!((seen(&police, list), seen(&council, list)), (Some(0), Some(1)), "{list}");
    }
}
