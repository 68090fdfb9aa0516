//! The policy, cell by cell over real HTTP; and the table in docs/ACCESS.md.

use std::fs;
use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_ledger::record::OwnerId;
use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::http::Method;

use super::routes;
use super::served::{Reply, Served};
use crate::access::policy::{Cell, Entry, Rule, TABLE, rule};
use crate::access::reader::{ROLES, Reader};
use crate::draft::Signatory;

const COUNCIL: &str = "gss:E06000999";
const POLICE: &str = "police:99";
const SCHOOL: &str = "gias:999001";

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
        let method = if rule.method == "get" { Method::GET } else { Method::POST };
        let (path, body) = match (rule.method, rule.path) {
            ("post", "/v1/subjects") => (self.path(rule), json!({"pseudonym": self.pseudonym}).to_string()),
            ("post", "/v1/break-glass") => (self.path(rule), self.question()),
            ("post", "/v1/break-glass/{id}/approve") => {
                (rule.path.replace("{id}", &self.requested()), String::new())
            }
            _ => (self.path(rule).replace("{id}", &self.alert), String::new()),
        };
        self.served.send(token, method, &path, &[], &body)
    }

    fn question(&self) -> String {
        json!({"child": self.child.to_string(), "purpose": "Review", "hours": 1}).to_string()
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

#[test]
fn every_route_has_its_rule_and_every_rule_its_route() {
    let routes = routes::all();
    for route in &routes {
        assert!(rule(route.method, route.path).is_some(), "{} {} has no rule", route.method, route.path);
    }
    for rule in TABLE {
        let has = routes.iter().any(|route| (route.method, route.path) == (rule.method, rule.path));
        assert!(has, "{} {} is no route", rule.method, rule.path);
    }
}

#[test]
fn every_cell_is_kept_over_http() {
    let partnership = Partnership::new();
    let mut cells = 0;
    for rule in TABLE.iter().filter(|rule| rule.entry != Entry::Open) {
        let named = format!("{} {}", rule.method, rule.path);
        if rule.entry == Entry::Token {
            let reply = partnership.ask(rule, "");
            assert_eq!((reply.status.as_u16(), reply.code()), (401, "token_missing"), "{named}");
        }
        for (role, role_name) in ROLES {
            let token = partnership.token(role);
            let reply = partnership.ask(rule, &token);
            let told = format!("{named} as {role_name}: {} {}", reply.status, reply.text);
            cells += 1;
            match rule.cell(role) {
                Cell::Deny => {
                    assert_eq!((reply.status.as_u16(), reply.code()), (403, "role_not_allowed"), "{told}");
                    let needs: Vec<&str> = reply.json["needs"]
                        .as_array()
                        .expect("a list")
                        .iter()
                        .filter_map(Value::as_str)
                        .collect();
                    assert_eq!(needs, rule.allowed().collect::<Vec<_>>(), "{told}");
                    assert_eq!(reply.json["type"], "urn:goldenthread:problem:role_not_allowed", "{told}");
                }
                Cell::BreakGlass => {
                    assert_eq!((reply.status.as_u16(), reply.code()), (403, "approval_needed"), "{told}");
                }
                // An alert about a child is none of an agency's own, and is not there for it.
                Cell::OwnAgency if rule.path == "/v1/alerts/{id}" => {
                    assert_eq!(reply.code(), "not_found", "{told}");
                }
                _ => assert!(reply.status.is_success(), "{told}"),
            }
        }
    }
    assert_eq!(cells, 8 * TABLE.iter().filter(|rule| rule.entry != Entry::Open).count());
}

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
        let size = served.ledger.log().size().0;
        let reply = partnership.ask(rule, &bound);
        assert!(reply.status.is_success(), "{}: {}", rule.path, reply.text);
        // Sealed by the time that the answer is here.
        assert_eq!(served.ledger.log().size().0, size + 1, "{}", rule.path);
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
    let mash = partnership.token(AccessRole::Mash);
    partnership.served.ledger.close();
    for rule in TABLE.iter().filter(|rule| rule.reads.is_some()) {
        let reply = partnership.ask(rule, &mash);
        assert_eq!((reply.status.as_u16(), reply.code()), (503, "not_recorded"), "{}", rule.path);
        assert!(reply.json.get("items").is_none() && reply.json.get("statement").is_none());
    }
    let open = partnership.served.get("", &format!("/v1/entries/{}", partnership.decision));
    assert!(open.status.is_success(), "what says nothing of people is read all the same");
}

fn table() -> String {
    let names = ROLES.map(|(_, name)| name).join(" | ");
    let row = |rule: &Rule| {
        let cells: Vec<&str> = rule.cells.iter().map(|cell| cell.as_str()).collect();
        let reads = rule.reads.map_or("", |kind| kind.as_str());
        let (method, path) = (rule.method.to_uppercase(), rule.path);
        format!("| `{method} {path}` | {reads} | {} |\n", cells.join(" | "))
    };
    let rows: String = TABLE.iter().filter(|rule| rule.entry != Entry::Open).map(row).collect();
    let open: Vec<String> = TABLE
        .iter()
        .filter(|rule| rule.entry == Entry::Open)
        .map(|rule| format!("`{} {}`", rule.method.to_uppercase(), rule.path))
        .collect();
    format!(
        "| | sealed as | {names} |\n|---|---|{}\n{rows}\nOpen to everybody: {}.\n",
        "---|".repeat(8),
        open.join(", ")
    )
}

/// docs/ACCESS.md shows the policy that there is. `GT_BLESS=1` writes its table anew.
#[test]
fn the_page_on_access_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ACCESS.md");
    let page = fs::read_to_string(&file).expect("the page");
    let (before, rest) = page.split_once("<!-- policy -->\n").expect("the table has its place");
    let (_, after) = rest.split_once("<!-- end -->").expect("the table ends");
    let current = format!("{before}<!-- policy -->\n\n{}\n<!-- end -->{after}", table());
    if std::env::var_os("GT_BLESS").is_some() {
        fs::write(&file, &current).expect("written");
    }
    let page = fs::read_to_string(&file).expect("the page");
    assert!(page == current, "docs/ACCESS.md is not current; GT_BLESS=1 renews its table");
}
