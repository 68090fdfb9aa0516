//! Who sees what, where identifiers were taken for one child's, or are no longer.

use std::time::Duration;

use gt_core::time::Timestamp;
use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use super::{OTHER, Partnership, decision, example};
use crate::access::recorder::now;

/// The child and the other one, who is known by a decision and an absence.
struct Joined {
    partnership: Partnership,
    other: String,
    /// The entry that says that they are one.
    link: u64,
    /// When they were one, by what the ledger had received.
    then: Timestamp,
}

impl Joined {
    fn new() -> Self {
        let partnership = Partnership::new();
        let about_other = |name: &str| {
            let mut data = example(name);
            data["child"]["pseudonym"] = json!(OTHER);
            data
        };
        let mut decided = decision();
        decided["child"]["pseudonym"] = json!(OTHER);
        decided.as_object_mut().expect("an object").remove("others");
        partnership.publish("decision.recorded", &decided);
        partnership.publish("missing.started", &about_other("missing.started.json"));
        let link = partnership.publish("identifier.linked", &partnership.both("identifier.linked.json"));
        partnership.served.projected();
        let other = partnership.served.reference(OTHER).to_string();
        Self { partnership, other, link, then: passed() }
    }

    /// The link is taken back.
    fn part(&self) {
        self.partnership.publish("identifier.unlinked", &self.partnership.both("identifier.unlinked.json"));
        self.partnership.served.projected();
    }

    fn restrict(&self, pseudonym: &str) {
        let mut data = example("record.restricted.json");
        data["child"]["pseudonym"] = json!(pseudonym);
        self.partnership.publish("record.restricted", &data);
        self.partnership.served.projected();
    }

    fn get(&self, role: AccessRole, path: &str) -> (u16, String, Value) {
        let reply = self.partnership.served.get(&self.partnership.token(role), path);
        (reply.status.as_u16(), reply.code().to_owned(), reply.json)
    }

    fn refusal(&self, role: AccessRole, path: &str) -> (u16, String) {
        let (status, code, _) = self.get(role, path);
        (status, code)
    }
}

impl Partnership {
    fn publish(&self, event_type: &str, data: &Value) -> u64 {
        self.served.publish(1, &self.council, event_type, data)
    }

    fn both(&self, name: &str) -> Value {
        let mut data = example(name);
        data["identifiers"] = json!([{"pseudonym": self.pseudonym}, {"pseudonym": OTHER}]);
        data.as_object_mut().expect("an object").remove("refs");
        data
    }
}

/// A time that has passed for certain before anything else is received.
fn passed() -> Timestamp {
    let time = now();
    while now() == time {
        std::thread::sleep(Duration::from_micros(100));
    }
    time
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_panel_gets_no_bundle_in_which_there_is_somebody_whom_its_token_does_not_name() {
    let joined = Joined::new();
    let bundle = format!("/v1/bundles?child={}", joined.partnership.child);
    let panel = AccessRole::PanelReviewer;
    assert_eq!(joined.get(panel, &bundle).0, 200, "who is one child is named");
    joined.part();
    assert_eq!(
        joined.refusal(panel, &format!("/v1/children/{}/timeline", joined.other)),
        refused(403, "outside_scope")
    );
    assert_eq!(joined.refusal(panel, &bundle), refused(403, "outside_scope"));
    assert_eq!(joined.get(AccessRole::Mash, &bundle).0, 200);
}

#[test]
fn identifiers_of_a_restricted_child_are_for_those_who_are_named() {
    let joined = Joined::new();
    let entry = format!("/v1/entries/{}", joined.link);
    let bundle = format!("/v1/bundles?entries={0}-{0}", joined.link);
    for path in [&entry, &bundle] {
        assert_eq!(joined.get(AccessRole::Mash, path).0, 200, "{path}");
    }
    joined.restrict(OTHER);
    for path in [&entry, &bundle] {
        assert_eq!(joined.refusal(AccessRole::Mash, path), refused(403, "record_restricted"), "{path}");
    }
}

#[test]
fn an_earlier_state_shows_nobody_who_is_restricted_or_not_named_now() {
    let joined = Joined::new();
    joined.part();
    let child = joined.partnership.child;
    let paths = ["timeline", "episodes"].map(|what| format!("/v1/children/{child}/{what}"));
    let earlier = paths.clone().map(|path| format!("{path}?as_of={}", joined.then));
    let merged = joined.get(AccessRole::Mash, &earlier[1]).2;
    assert_eq!(merged["items"].as_array().map(Vec::len), Some(1), "the other's absence: {merged}");
    for (now, earlier) in paths.iter().zip(&earlier) {
        assert_eq!(joined.get(AccessRole::PanelReviewer, now).0, 200, "{now}");
        assert_eq!(joined.refusal(AccessRole::PanelReviewer, earlier), refused(403, "outside_scope"));
    }
    joined.restrict(OTHER);
    for (now, earlier) in paths.iter().zip(&earlier) {
        assert_eq!(joined.get(AccessRole::Mash, now).0, 200, "{now}");
        assert_eq!(joined.refusal(AccessRole::Mash, earlier), refused(403, "record_restricted"));
    }
}

#[test]
fn an_alert_that_is_read_under_an_approval_is_recorded_so() {
    let partnership = Partnership::new();
    partnership.restrict("record.restricted");
    let (mash, manager) = (partnership.token(AccessRole::Mash), partnership.token(AccessRole::Manager));
    let alert = format!("/v1/alerts/{}", partnership.alert);
    assert_eq!(partnership.served.get(&mash, &alert).status, 404, "it is not there for whoever is not named");
    let asked = partnership.served.send(&mash, Method::POST, "/v1/break-glass", &[], &partnership.question());
    let approve = asked.json["approve"].as_str().expect("a path");
    assert_eq!(partnership.served.send(&manager, Method::POST, approve, &[], "").status, 201);
    partnership.served.projected();
    assert_eq!(partnership.served.get(&mash, &alert).status, 200);
    partnership.served.projected();
    let accesses = format!("/v1/children/{}/accesses?newest_first=true", partnership.child);
    let rows = partnership.served.get(&mash, &accesses).json;
    let newest = &rows["items"][0];
    assert_eq!((&newest["what"], &newest["break_glass"]), (&json!("Alerts"), &json!(true)), "{rows}");
}
