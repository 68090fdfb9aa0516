//! The policy, cell by cell; and the table in docs/ACCESS.md.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Partnership;
use crate::access::policy::{Cell, Entry, Rule, TABLE, rule};
use crate::access::reader::ROLES;
use crate::http::routes;

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
