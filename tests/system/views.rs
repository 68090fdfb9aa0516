//! What analysts ask: every view over HTTP and by the program, as JSON, CSV and NDJSON; and what is refused.

use gt_core::json::Value as Strict;
use serde_json::{Value, json};

use crate::partnership::{
    Client, Ended, Home, Publisher, Reply, Server, child, eventually, example, path, private_file, run,
    run_with_input,
};

/// A ledger about the fictional children of the examples, and what it takes to ask it.
struct Partnership {
    home: Home,
    server: Server,
    analyst: Client,
    /// The child of the examples, by its opaque reference.
    child: String,
    /// The one who goes missing.
    missing: String,
    person: String,
    place: String,
}

/// What the council says, in the order in which it is sealed. The examples' dates lie in the past: nothing here depends on when
/// the test runs.
const SAID: [&str; 9] = [
    "agreement.registered",
    "decision.recorded",
    "context.linked",
    "person.linked",
    "identifier.linked",
    "request.received",
    "missing.started",
    "missing.ended",
    "child.moved",
];

/// Later than any deadline in the examples: clocks that go on would make every answer another one.
const LATER: &str = "as_of=2099-01-01T00:00:00Z";

fn partnership() -> Partnership {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    for event_type in SAID {
        publish(&server, &mut council, event_type, plain(event_type));
    }
    // Shared with the police, and without a basis: the rules of practice have something to say.
    let mut unfounded = plain("decision.recorded");
    unfounded["lawful_basis"] = json!([{"kind": "Gateway", "code": "CA2004s11"}]);
    unfounded["recipients"][0]["agency"] = json!("police:99");
    publish(&server, &mut council, "decision.recorded", unfounded);
    let (analyst, size) = (server.analyst(), server.client().size());
    eventually("the views have come to the end", || analyst.get("/readyz").json()["projected"] == size);
    let reference = |question: Value| {
        let body = question.to_string();
        let answer = analyst.post("/v1/subjects", "application/json", body.as_bytes());
        answer.json()["ref"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    };
    let child = reference(json!({"pseudonym": text("decision.recorded", "/child/pseudonym")}));
    let missing = reference(json!({"pseudonym": text("missing.started", "/child/pseudonym")}));
    let person = reference(json!({"pseudonym": text("person.linked", "/person/pseudonym")}));
    let place = reference(json!({"context": text("context.linked", "/context/ref")}));
    Partnership { home, server, analyst, child, missing, person, place }
}

/// An example as JSON that can be changed.
fn plain(event_type: &str) -> Value {
    serde_json::from_str(&example(event_type).to_text()).expect("JSON")
}

/// A text in an example.
fn text(event_type: &str, pointer: &str) -> String {
    plain(event_type).pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()
}

fn publish(server: &Server, council: &mut Publisher, event_type: &str, mut data: Value) {
    // One of the examples keeps a member at home; here everything is sent.
    data.as_object_mut().expect("an event is an object").remove("kept");
    let data = Strict::parse(data.to_string().as_bytes()).expect("strict JSON");
    let statement = council.record(event_type, &data);
    let reply = server.client().publish(&statement);
    assert_eq!(reply.status, 201, "{event_type}: {}", reply.text());
}

impl Partnership {
    /// Every list there is, by its path; none of them is empty.
    fn lists(&self) -> Vec<String> {
        let child = &self.child;
        vec![
            "/v1/decisions".to_owned(),
            format!("/v1/children/{child}/timeline"),
            format!("/v1/children/{}/episodes", self.missing),
            format!("/v1/children/{child}/identities"),
            "/v1/episodes".to_owned(),
            "/v1/requests?state=all".to_owned(),
            "/v1/contexts".to_owned(),
            format!("/v1/locations/{}", self.place),
            "/v1/persons".to_owned(),
            format!("/v1/persons/{}", self.person),
            "/v1/sharing".to_owned(),
            "/v1/sharing/agencies".to_owned(),
            "/v1/findings".to_owned(),
            "/v1/findings/agencies".to_owned(),
            "/v1/agreements".to_owned(),
            "/v1/alerts".to_owned(),
        ]
    }

    fn get(&self, path: &str) -> Reply {
        let reply = self.analyst.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply
    }

    fn ask(&self, arguments: &[&str]) -> Ended {
        self.tell(arguments, "")
    }

    /// The same, and this comes on its standard input.
    fn tell(&self, arguments: &[&str], input: &str) -> Ended {
        let token = self.home.at("token");
        private_file(&token, &self.home.token);
        let at = ["--url", &self.server.url, "--token-file", path(&token)];
        run_with_input(arguments.iter().copied().chain(at), input.as_bytes())
    }
}

fn and(path: &str, parameter: &str) -> String {
    format!("{path}{}{parameter}", if path.contains('?') { '&' } else { '?' })
}

#[test]
fn every_list_is_the_same_in_all_its_forms() {
    let partnership = partnership();
    for list in partnership.lists() {
        let list = and(&list, LATER);
        let json = partnership.get(&list).json();
        let items = json["items"].as_array().expect("a list");
        assert!(!items.is_empty(), "{list} has nothing");
        let tree_size = &json["as_of"]["tree_size"];
        let lines = partnership.get(&and(&list, "format=ndjson"));
        assert_eq!((lines.content_type.as_str(), &lines.lines()), ("application/x-ndjson", items), "{list}");
        let table = partnership.get(&and(&list, "format=csv"));
        assert_eq!(table.content_type, "text/csv; charset=utf-8; header=present");
        for reply in [&lines, &table] {
            // Reads of personal data are sealed, and the views take those entries in when they come to
            // them: the tree that the next answer reflects may have grown, and never shrinks.
            let size: u64 = reply.header("gt-tree-size").and_then(|size| size.parse().ok()).expect("a size");
            if Some(size) == tree_size.as_u64() {
                assert_eq!(reply.header("gt-root"), json["as_of"]["root"].as_str());
                assert_eq!(reply.header("gt-received-at"), json["as_of"]["received_at"].as_str());
            } else {
                assert!(Some(size) > tree_size.as_u64(), "{list}");
                assert!(reply.header("gt-root").is_some_and(|root| root.len() == 43), "{list}");
            }
            assert_eq!(reply.header("link"), None, "{list} is short");
        }
        let (header, rows) = table.text().split_once("\r\n").expect("a header row");
        let mut columns: Vec<&str> = header.split(',').collect();
        columns.sort_unstable();
        let members: Vec<&str> =
            items[0].as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(columns, members, "{list}: a column for every member");
        assert_eq!(rows.matches("\r\n").count(), items.len(), "{list}");
    }
}

#[test]
fn accept_chooses_the_form_and_the_link_leads_through_all_pages() {
    let partnership = partnership();
    let accepted = partnership.analyst.get_accepting("/v1/decisions", "text/csv");
    assert!(accepted.content_type.starts_with("text/csv"), "{}", accepted.content_type);
    let timeline = format!("/v1/children/{}/timeline", partnership.child);
    let all = partnership.get(&and(&timeline, "format=ndjson")).lines();
    let (mut seen, mut next) = (Vec::new(), Some(and(&timeline, "limit=2&format=ndjson")));
    while let Some(page) = next {
        let reply = partnership.get(&page);
        seen.extend(reply.lines());
        let link = reply.header("link").map(|link| {
            let (target, rest) =
                link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("a link");
            assert_eq!(rest, "; rel=\"next\"");
            target.to_owned()
        });
        next = link;
    }
    assert!(all.len() > 2);
    assert_eq!(seen, all);
}

#[test]
fn the_program_asks_every_view() {
    let partnership = partnership();
    let Partnership { child, missing, person, place, .. } = &partnership;
    let views: Vec<(Vec<&str>, String)> = vec![
        (vec!["decisions"], "/v1/decisions".into()),
        (vec!["timeline", "--child", child], format!("/v1/children/{child}/timeline")),
        (vec!["episodes", "--child", missing], format!("/v1/children/{missing}/episodes")),
        (vec!["identities", "--child", child], format!("/v1/children/{child}/identities")),
        (vec!["episodes"], "/v1/episodes".into()),
        (vec!["requests", "--state", "all"], "/v1/requests?state=all".into()),
        (vec!["contexts", "--kind", "Place"], "/v1/contexts?kind=Place".into()),
        (vec!["location", "--location", place], format!("/v1/locations/{place}")),
        (vec!["persons"], "/v1/persons".into()),
        (vec!["person", "--person", person], format!("/v1/persons/{person}")),
        (vec!["sharing", "--sort", "median"], "/v1/sharing?sort=median".into()),
        (vec!["sharing", "--by", "agency"], "/v1/sharing/agencies".into()),
        (vec!["findings"], "/v1/findings".into()),
        (vec!["findings", "--by", "agency"], "/v1/findings/agencies".into()),
        (vec!["agreements"], "/v1/agreements".into()),
        (vec!["publishers"], "/v1/publishers".into()),
        (vec!["integrity"], "/v1/integrity".into()),
    ];
    for (view, path) in views {
        let is_whole = ["publishers", "integrity"].contains(&view[0]);
        let mut arguments: Vec<&str> = ["query"].into_iter().chain(view.iter().copied()).collect();
        if !is_whole {
            arguments.extend(["--as-of", "2099-01-01T00:00:00Z"]);
        }
        let path = if is_whole { path } else { and(&path, LATER) };
        let answer = partnership.ask(&[&arguments[..], &["--json"]].concat()).succeeded().json();
        assert_eq!(answer["items"], partnership.get(&path).json()["items"], "{view:?}");
        let shown = partnership.ask(&arguments).succeeded();
        assert!(!shown.stdout.trim().is_empty() && shown.stderr.is_empty(), "{view:?}: {}", shown.stderr);
        if !is_whole {
            let table = partnership.ask(&[&arguments[..], &["--format", "csv"]].concat()).succeeded();
            assert_eq!(table.stdout, partnership.get(&and(&path, "format=csv")).text(), "{view:?}");
        }
    }
}

#[test]
fn names_are_turned_into_references_and_filters_reach_the_views() {
    let partnership = partnership();
    let count = |arguments: &[&str]| {
        let answer = partnership.ask(&[arguments, &["--json"]].concat()).succeeded().json();
        answer["items"].as_array().expect("a list").len()
    };
    let pseudonym = text("decision.recorded", "/child/pseudonym");
    assert_eq!(count(&["query", "decisions", "--child", &pseudonym]), 2);
    // What is read from standard input is in no list of processes.
    for view in [&["query", "timeline"][..], &["query", "decisions"], &["alerts", "--status", "all"]] {
        let named = partnership.ask(&[view, &["--child", &pseudonym, "--json"]].concat()).succeeded().json();
        let told = format!("{pseudonym}\n");
        let read = partnership.tell(&[view, &["--child", "-", "--json"]].concat(), &told).succeeded().json();
        assert_eq!(read["items"], named["items"], "{view:?}");
    }
    let nobody = partnership.tell(&["query", "timeline", "--child", "-"], "").exited(1);
    assert!(nobody.stderr.contains("standard input"), "{}", nobody.stderr);
    assert_eq!(count(&["query", "decisions", "--child", &pseudonym, "--finding", "E1"]), 1);
    assert_eq!(count(&["query", "decisions", "--basis", "Article6"]), 1);
    assert_eq!(count(&["query", "decisions", "--decision", "Withhold"]), 0);
    assert_eq!(count(&["query", "findings", "--code", "E1", "--agency", "gss:E06000999"]), 1);
    assert_eq!(count(&["query", "agreements", "--agreement", "ISA-04", "--agency", "police:99"]), 1);
    assert_eq!(count(&["query", "agreements", "--agreement", "ISA-05"]), 0);
    assert_eq!(count(&["query", "contexts", "--children", "2"]), 0);
    let person = text("person.linked", "/person/pseudonym");
    assert_eq!(count(&["query", "person", "--person", &person]), 1);
    assert_eq!(count(&["query", "decisions", "--as-of", "2026-01-01T00:00:00Z"]), 0, "nothing was received");
}

#[test]
fn alerts_list_what_waits_unless_told_otherwise_and_one_is_found_by_its_id() {
    let partnership = partnership();
    let waiting = partnership.ask(&["alerts", "--json"]).succeeded().json();
    let items = waiting["items"].as_array().expect("a list");
    assert_eq!(
        items,
        partnership.get("/v1/alerts?status=waiting").json()["items"].as_array().expect("a list")
    );
    let id = items.first().and_then(|alert| alert["id"].as_str()).expect("an alert waits");
    let one = partnership.ask(&["alerts", "--id", id, "--json"]).succeeded().json();
    assert_eq!(one["items"], json!([items[0]]));
    let all = partnership.ask(&["alerts", "--status", "all", "--format", "ndjson"]).succeeded().json_lines();
    assert!(all.len() >= items.len());
    let then = partnership.ask(&["alerts", "--as-of", "2026-01-01T00:00:00Z"]).succeeded();
    assert!(then.stdout.starts_with("No alerts."), "{}", then.stdout);
    let unknown = partnership.analyst.get(&format!("/v1/alerts/{}", partnership.child));
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not_found"));
}

#[test]
fn wrong_parameters_are_named_with_what_there_is_and_never_repeated() {
    let partnership = partnership();
    let reference = &partnership.child;
    for (path, said) in [
        ("/v1/decisions?Marigold=1", "`finding`"),
        ("/v1/decisions?decision=Marigold", "SharePart"),
        ("/v1/decisions?basis=Marigold.e", "Article6"),
        ("/v1/decisions?finding=Marigold", "E10"),
        ("/v1/decisions?context=Marigold", "opaque reference"),
        ("/v1/decisions?format=Marigold", "ndjson"),
        ("/v1/requests?state=Marigold", "overdue"),
        ("/v1/requests?rating=Marigold", "Amber"),
        ("/v1/requests?pattern=Marigold", "`requester`"),
        ("/v1/contexts?children=Marigold", "children"),
        ("/v1/contexts?sort=Marigold", "reference"),
        ("/v1/persons?kind=Marigold", "`risk`"),
        ("/v1/sharing?from=Marigold", "agency"),
        ("/v1/sharing/agencies?since=Marigold", "time"),
        ("/v1/findings/agencies?sort=Marigold", "decisions"),
        ("/v1/findings?sort=Marigold", "`code`"),
        ("/v1/agreements?overdue=Marigold", "true"),
        ("/v1/episodes?state=Marigold", "end_not_reported"),
        ("/v1/alerts?pattern=Marigold", "silent-edge"),
        ("/v1/alerts/Marigold", "22 characters"),
        ("/v1/persons/Marigold", "opaque reference"),
        (&format!("/v1/children/{reference}/identities?from=Marigold"), "`limit`"),
        (&format!("/v1/alerts?child={reference}&person={reference}"), "is about one"),
    ] {
        let reply = partnership.analyst.get(path);
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "bad_request"),
            "{path}: {}",
            reply.text()
        );
        assert!(reply.text().contains(said), "{path}: {}", reply.text());
        assert!(!reply.text().contains("Marigold"), "{path}: {}", reply.text());
        assert!(!reply.text().contains(reference), "{path}: {}", reply.text());
    }
    for list in
        ["/v1/requests", "/v1/contexts?sort=reference", "/v1/sharing", "/v1/findings", "/v1/agreements"]
    {
        let reply = partnership.analyst.get(&and(list, "cursor=Marigold"));
        assert_eq!((reply.status, reply.problem().as_str()), (400, "bad_cursor"), "{list}");
    }
    let without = partnership.server.client().get("/v1/requests");
    assert_eq!((without.status, without.problem().as_str()), (401, "token_missing"));
}

#[test]
fn the_program_refuses_what_does_not_go_together() {
    let partnership = partnership();
    let both = partnership.ask(&["query", "decisions", "--json", "--format", "csv"]).exited(1);
    assert!(both.stderr.contains("--json and --format"), "{}", both.stderr);
    let part = partnership.ask(&["query", "publishers", "--limit", "5"]).exited(2);
    assert!(part.stderr.contains("unexpected argument '--limit'"), "{}", part.stderr);
    let foreign = partnership.ask(&["query", "timeline", "--child", &child(0), "--rating", "Red"]).exited(2);
    assert!(foreign.stderr.contains("unexpected argument '--rating'"), "{}", foreign.stderr);
    let help = run(["query", "decisions", "--help"]).succeeded().stdout;
    assert!(help.contains("Examples:") && help.contains("--harm-level"), "{help}");
}
