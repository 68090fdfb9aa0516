use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gt_ledger::jetstream::alert_subject;
use gt_projections::Pattern;
use gt_schemas::{AccessRole, EventType, Shape, Thresholds, json_schema};
use serde_json::{Value, json};
use ureq::http::{Method, StatusCode};

use super::*;
use crate::http::tests::served::Served;

fn whole() -> Value {
    document(&routes::all())
}

/// CONTRIBUTING: goldens for every public format. `GT_BLESS=1` writes it anew.
#[test]
fn the_document_in_the_tree_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json");
    let text = format!("{:#}\n", whole());
    if std::env::var_os("GT_BLESS").is_some() {
        fs::write(&file, &text).expect("written");
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        golden == text,
        "schemas/openapi.json is not what the routes say; GT_BLESS=1 renews it, and the diff is part of the review"
    );
}

fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(elements) => elements.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = whole();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let routes = routes::all();
    let names: BTreeSet<String> = routes.iter().map(operation_id).collect();
    assert_eq!(names.len(), routes.len());
    for route in &routes {
        assert!(!route.summary.is_empty() && !route.answers.is_empty(), "{}", route.path);
        assert!(TAGS.iter().any(|(tag, _)| *tag == route.tag), "{}", route.path);
        let places = route.path.matches('{').count();
        let parameters = route.parameters.iter().filter(|parameter| parameter.place == "path");
        assert_eq!(parameters.count(), places, "{}", route.path);
    }
}

/// The router is built of the list of routes, and of nothing else.
#[test]
fn no_route_is_added_beside_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut calls = Vec::new();
    for item in fs::read_dir(folder).expect("readable") {
        let path = item.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            let count = text.matches(".route(").count()
                + text.matches(".nest").count()
                + text.matches(".merge(").count();
            calls.extend((count > 0).then(|| (path.file_name().map(ToOwned::to_owned), count)));
        }
    }
    assert_eq!(calls, [(Some("mod.rs".into()), 1)]);
}

fn routes_table() -> String {
    let mut rows: Vec<String> = routes::all()
        .iter()
        .map(|route| {
            let access = match route.access {
                Access::Open => "",
                Access::MoreWithToken => "more with a token",
                Access::Token => "token",
            };
            let entry = match route.access {
                Access::Open => policy::Entry::Open,
                Access::MoreWithToken => policy::Entry::MoreWithToken,
                Access::Token => policy::Entry::Token,
            };
            assert_eq!(rule(route).map(|rule| rule.entry), Some(entry), "{}", route.path);
            let (method, path) = (route.method.to_uppercase(), path_of(route));
            format!("| `{method} {path}` | {access} | {} |\n", route.summary)
        })
        .collect();
    rows.sort_by_key(|row| row.split(' ').nth(2).map(ToOwned::to_owned));
    format!("| | | |\n|---|---|---|\n{}", rows.concat())
}

fn alerts_table() -> String {
    let integrity = [
        ("chain-fork", "two statements of one publisher have one `seq`: a copied key, or a restored backup"),
        ("stream-void", "messages on the stream of entries belong to no batch"),
        ("stream-contradiction", "the stream of entries contradicts a node's own log"),
        ("witness-contradiction", "what a witness has seen contradicts a node's own log"),
    ];
    let patterns = Pattern::ALL.map(|pattern| {
        let thresholds = pattern.thresholds(&Thresholds::default());
        format!("| `{}` | `{thresholds}` |\n", alert_subject(pattern.as_str()))
    });
    let integrity = integrity.map(|(name, about)| format!("| `{}` | {about} |\n", alert_subject(name)));
    format!("| subject | |\n|---|---|\n{}{}", patterns.concat(), integrity.concat())
}

fn events_table() -> String {
    let row = |event_type: &EventType| {
        let version = event_type.version();
        let link =
            |shape: &str| format!("[{shape}](../schemas/json/{event_type}.v{version}.{shape}.schema.json)");
        let schema = json_schema(*event_type, Shape::Draft);
        let about = schema["description"].as_str().unwrap_or_default();
        format!("| `{event_type}` | {version} | {} {} | {about} |\n", link("draft"), link("signed"))
    };
    let rows: Vec<String> = EventType::ALL.iter().map(row).collect();
    format!("| type | version | schemas | |\n|---|---|---|---|\n{}", rows.concat())
}

/// `docs/API.md` names the routes, the alerts' subjects and the event types that there are. `GT_BLESS=1` writes its tables anew.
#[test]
fn the_page_on_the_interface_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = root.join("docs/API.md");
    let page = fs::read_to_string(&file).expect("the page");
    let mut current = page.clone();
    for (name, table) in [("routes", routes_table()), ("alerts", alerts_table()), ("events", events_table())]
    {
        let begin = format!("<!-- {name} -->\n");
        let (before, rest) = current.split_once(&begin).expect("the table has its place");
        let (_, after) = rest.split_once("<!-- end -->").expect("the table ends");
        current = format!("{before}{begin}\n{table}\n<!-- end -->{after}");
    }
    if std::env::var_os("GT_BLESS").is_some() {
        fs::write(&file, &current).expect("written");
    }
    assert!(
        fs::read_to_string(&file).expect("the page") == current,
        "docs/API.md is not current; GT_BLESS=1 renews its tables"
    );
    for link in current.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
        assert!(root.join("docs").join(link).exists(), "{link} leads nowhere");
    }
}

/// A path with something in its place of every parameter.
fn filled(path: &str) -> String {
    path.replace("{index}", "0")
        .replace("{reference}", "AAAAAAAAAAAAAAAAAAAAAA")
        .replace("{id}", "AAAA")
        .replace("{path}", "entries/000")
}

#[test]
fn the_document_and_a_real_router_know_the_same_paths_methods_and_parameters() {
    let served = Served::start();
    let token = served.token(AccessRole::Mash, |reader| reader);
    let (_, document) = served.ask(&token, Method::GET, "/openapi.json");
    assert_eq!(document, whole());
    let nowhere = served.ask(&token, Method::GET, "/v1/nowhere").1;
    assert_eq!(nowhere["code"], "not_found");
    for (path, item) in document["paths"].as_object().expect("paths") {
        let at = filled(path);
        for (name, method) in
            [("get", Method::GET), ("post", Method::POST), ("put", Method::PUT), ("delete", Method::DELETE)]
        {
            let documented = item.get(name);
            let (status, answer) = served.ask(&token, method.clone(), &at);
            let refused = status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(refused, documented.is_none(), "{method} {path}: {status}");
            assert_ne!(answer["detail"], nowhere["detail"], "{method} {path}");
            let Some(documented) = documented else { continue };
            let responses = &documented["responses"];
            assert!(responses.get(status.as_str()).is_some(), "{method} {path} answers {status}: {answer}");
        }
    }
}

/// A route that takes a query refuses parameters that it does not know, and then names those that it does.
#[test]
fn the_documented_parameters_are_those_that_are_read() {
    let served = Served::start();
    let token = served.token(AccessRole::Mash, |reader| reader);
    let officer = served.token(AccessRole::DataProtectionOfficer, |reader| reader);
    for route in routes::all().iter().filter(|route| route.method == "get") {
        let documented: BTreeSet<&str> =
            route.parameters.iter().filter(|one| one.place == "query").map(|one| one.name).collect();
        if documented.is_empty() {
            continue;
        }
        let denied = rule(route).is_some_and(|rule| rule.cell(AccessRole::Mash) == policy::Cell::Deny);
        let token = if denied { &officer } else { &token };
        let (status, problem) =
            served.ask(token, Method::GET, &format!("{}?no_such=1", filled(&path_of(route))));
        assert_eq!(status, StatusCode::BAD_REQUEST, "{}: {problem}", route.path);
        let detail = problem["detail"].as_str().expect("a sentence");
        let read: BTreeSet<&str> = detail.split('`').skip(1).step_by(2).collect();
        assert_eq!(read, documented, "{}: {detail}", route.path);
    }
    assert_eq!(served.ask(&token, Method::GET, "/v1/decisions/0").1["code"], json!("not_found"));
}
