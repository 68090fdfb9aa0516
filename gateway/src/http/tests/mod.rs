//! Access over real HTTP: a served ledger, with agencies, readers of every role, and something to read.

mod erasing;
mod front;
mod joined;
mod policy;
mod recording;
pub(in crate::http) mod served;
mod sight;
mod told;

use std::fs;
use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_ledger::record::OwnerId;
use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use self::served::{Reply, Served};
use crate::access::policy::{Cell, Rule};
use crate::access::reader::Reader;
use crate::draft::Signatory;

const COUNCIL: &str = "gss:E06000999";
const POLICE: &str = "police:99";
const SCHOOL: &str = "gias:999001";
/// A child about whom nothing else is sealed.
const OTHER: &str = "nhs.1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";

/// A ledger with a decision, its alert, a link, an absence; and the agencies that said so.
struct Partnership {
    served: Served,
    council: Signatory,
    school: Signatory,
    child: OwnerId,
    pseudonym: String,
    place: String,
    person: String,
    decision: u64,
    alert: String,
}

fn example(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples").join(name);
    let mut data: Value = serde_json::from_str(&fs::read_to_string(file).expect("an example")).expect("JSON");
    // Here everything is sent.
    data.as_object_mut().expect("an object").remove("kept");
    data
}

/// The example's decision without a basis, shared with the police alone.
fn decision() -> Value {
    let mut data = example("decision.recorded.share.json");
    data["lawful_basis"] = json!([{"kind": "Gateway", "code": "CA2004s11"}]);
    data["recipients"] = json!([data["recipients"][0]]);
    data["recipients"][0]["agency"] = json!(POLICE);
    data["recipients"][0]["internal"] = json!(false);
    data.as_object_mut().expect("an object").remove("recipient_names");
    data
}

impl Partnership {
    fn new() -> Self {
        let served = Served::start();
        let (council, school) = (served.enrol(1, COUNCIL), served.enrol(2, SCHOOL));
        served.enrol(3, POLICE);
        let data = decision();
        let pseudonym = data["child"]["pseudonym"].as_str().expect("a pseudonym").to_owned();
        let decision = served.publish(1, &council, "decision.recorded", &data);
        let (mut link, mut person) = (example("context.linked.json"), example("person.linked.json"));
        link["child"]["pseudonym"] = json!(pseudonym);
        person["child"]["pseudonym"] = json!(pseudonym);
        served.publish(1, &council, "context.linked", &link);
        served.publish(1, &council, "person.linked", &person);
        served.projected();
        let child = served.reference(&pseudonym);
        let place = served.ledger.context_id(link["context"]["ref"].as_str().expect("a place")).to_string();
        let person =
            served.reference(person["person"]["pseudonym"].as_str().expect("a pseudonym")).to_string();
        let mash = served.token(AccessRole::Mash, |reader| reader);
        let alerts = served.get(&mash, "/v1/alerts");
        let alert = alerts.json["items"][0]["id"].as_str().expect("an alert").to_owned();
        Self { served, council, school, child, pseudonym, place, person, decision, alert }
    }

    /// A reader of this role, with the council or the child of the example where the role needs one.
    fn token(&self, role: AccessRole) -> String {
        self.served.token(role, |reader| self.fitted(reader, COUNCIL))
    }

    fn fitted(&self, reader: Reader, agency: &str) -> Reader {
        let for_agency = matches!(reader.role, AccessRole::Practitioner | AccessRole::Manager);
        let of_named = matches!(reader.role, AccessRole::Practitioner | AccessRole::PanelReviewer);
        Reader {
            agency: for_agency.then(|| AgencyCode::parse(agency).expect("a code")),
            children: of_named.then_some(self.child).into_iter().collect(),
            ..reader
        }
    }

    fn of_agency(&self, role: AccessRole, agency: &str) -> String {
        self.served.token(role, |reader| self.fitted(reader, agency))
    }

    fn path(&self, rule: &Rule) -> String {
        let reference = match rule.path {
            path if path.starts_with("/v1/locations") => self.place.clone(),
            path if path.starts_with("/v1/persons") => self.person.clone(),
            _ => self.child.to_string(),
        };
        rule.path
            .replace("{reference}", &reference)
            .replace("{index}", &self.decision.to_string())
            .replace("{*path}", "entries/000")
    }

    /// Asks what the rule is about, so that whoever may ask gets an answer.
    fn ask(&self, rule: &Rule, token: &str) -> Reply {
        self.send(token, self.request(rule))
    }

    fn send(&self, token: &str, (method, path, body): (Method, String, String)) -> Reply {
        self.served.send(token, method, &path, &[], &body)
    }

    /// What is asked: some requests are about something that has to be there first.
    fn request(&self, rule: &Rule) -> (Method, String, String) {
        let method = if rule.method == "get" { Method::GET } else { Method::POST };
        let (path, body) = match (rule.method, rule.path) {
            ("post", "/v1/subjects") => (self.path(rule), json!({"pseudonym": self.pseudonym}).to_string()),
            ("post", "/v1/bundles" | "/v1/subject-access") => {
                (self.path(rule), json!({"child": self.child.to_string()}).to_string())
            }
            ("get", "/v1/bundles") => (format!("{}?child={}", self.path(rule), self.child), String::new()),
            ("post", "/v1/erasures") => (self.path(rule), self.erasure()),
            ("post", "/v1/erasures/{index}/confirmations") => {
                (rule.path.replace("{index}", &self.erased().to_string()), String::new())
            }
            ("post", "/v1/break-glass") => (self.path(rule), self.question()),
            ("post", "/v1/break-glass/{id}/approve") => {
                (rule.path.replace("{id}", &self.requested()), String::new())
            }
            _ => (self.path(rule).replace("{id}", &self.alert), String::new()),
        };
        (method, path, body)
    }

    /// A reader of a role that may ask.
    fn allowed(&self, rule: &Rule) -> String {
        let officer = rule.cell(AccessRole::Mash) == Cell::Deny;
        self.token(if officer { AccessRole::DataProtectionOfficer } else { AccessRole::Mash })
    }

    fn question(&self) -> String {
        json!({"child": self.child.to_string(), "purpose": "Review", "hours": 1}).to_string()
    }

    /// A request to erase somebody else, about whom there is something.
    fn erasure(&self) -> String {
        let mut other = example("record.released.json");
        other["child"]["pseudonym"] = json!(OTHER);
        self.served.publish(1, &self.council, "record.released", &other);
        let (authority, ground) = (COUNCIL, "EnteredInError");
        json!({"child": OTHER, "authority": authority, "ground": ground, "scope": "data"}).to_string()
    }

    /// The entry of an erasure.
    fn erased(&self) -> u64 {
        let officer = self.token(AccessRole::DataProtectionOfficer);
        let reply = self.served.send(&officer, Method::POST, "/v1/erasures", &[], &self.erasure());
        reply.json["index"].as_u64().unwrap_or_else(|| panic!("{}", reply.text))
    }

    /// Somebody else's request that waits for approval.
    fn requested(&self) -> String {
        let other =
            self.served.token(AccessRole::Analyst, |reader| Reader { subject: "R. Okafor".into(), ..reader });
        let reply = self.served.send(&other, Method::POST, "/v1/break-glass", &[], &self.question());
        reply.json["id"].as_str().expect("an id").to_owned()
    }

    fn restrict(&self, event_type: &str) {
        let mut data = example(&format!("{event_type}.json"));
        data["child"]["pseudonym"] = json!(self.pseudonym);
        if event_type == "record.released" {
            data["times"]["occurred_at"] = json!("2026-01-06T09:00:00Z");
        }
        self.served.publish(1, &self.council, event_type, &data);
        self.served.projected();
    }
}
