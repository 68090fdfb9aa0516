//! `docs/DOMAIN-ROWS.md` names real tests: every row of the domain has a place in the code and a test that guards it.

use std::fs;

use gt_projections::Pattern;
use gt_schemas::{EventType, FindingCode, members};

use super::{assert_none, root, rust_source};

const PAGE: &str = "docs/DOMAIN-ROWS.md";

/// A line of the page's tables.
struct Row<'p> {
    section: u32,
    number: &'p str,
    rule: &'p str,
    code: &'p str,
    tests: &'p str,
}

/// The rows of the page; a line that has not the form of one is a fault.
fn rows(page: &str) -> (Vec<Row<'_>>, Vec<String>) {
    let (mut rows, mut faults, mut section) = (Vec::new(), Vec::new(), 0);
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.split('.').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        } else if line.starts_with('|') && !line.starts_with("| row ") && !line.starts_with("|---") {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            match cells[..] {
                [number, rule, code, tests] => rows.push(Row { section, number, rule, code, tests }),
                _ => faults.push(format!("not four cells: {line}")),
            }
        }
    }
    (rows, faults)
}

/// What stands between backticks.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether the source has a test of this name: a function right under an attribute that makes it one.
pub(crate) fn has_test(source: &str, name: &str) -> bool {
    let code = rust_source::code(source);
    let function = format!("fn {name}(");
    let above = |at: usize| code[..at].iter().rev().map(|(_, line)| line.trim());
    let found = code.iter().position(|(_, line)| line.contains(&function));
    found.is_some_and(|at| {
        above(at)
            .take_while(|line| line.is_empty() || line.starts_with("#["))
            .any(|line| line.ends_with("test]"))
    })
}

/// What is wrong with the rows, given what a path of the tree holds.
fn faults(page: &str, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let (rows, mut faults) = rows(page);
    let mut expected = (0, 0);
    for Row { section, number, rule, code, tests } in rows {
        expected = if expected.0 == section { (section, expected.1 + 1) } else { (section, 1) };
        let mut fault = |what: String| faults.push(format!("row {number}: {what}"));
        if number != format!("{}.{}", expected.0, expected.1) {
            fault(format!("should be {}.{}", expected.0, expected.1));
        }
        if rule.is_empty() {
            fault("says no rule".to_owned());
        }
        if !quoted(code).any(|path| file(path).is_some()) {
            fault(format!("no such place in the code: {code}"));
        }
        if quoted(tests).next().is_none() {
            fault("names no test".to_owned());
        }
        for test in quoted(tests) {
            let source = test.split_once("::").and_then(|(path, name)| Some((file(path)?, name)));
            if !source.is_some_and(|(source, name)| has_test(&source, name)) {
                fault(format!("no such test: {test}"));
            }
        }
    }
    faults
}

#[test]
fn every_row_of_the_domain_names_tests_that_there_are() {
    let read = |path: &str| fs::read_to_string(root().join(path)).ok();
    let page = read(PAGE).expect("the page is in the tree");
    assert_none("a row of the domain that nothing guards", &faults(&page, &read));
}

/// What must have a row of its own: the section, and what the row's rule must say.
fn called_for() -> Vec<(u32, String)> {
    let named = |section: u32, name: &str| (section, format!("`{name}`"));
    let members = members(EventType::DecisionRecorded).iter().map(|member| named(1, member.name));
    let findings = FindingCode::ALL.iter().map(|code| (2, format!("{}: ", code.as_str())));
    let golden_rules = (1..=7).map(|number| (3, format!("Golden rule {number}: ")));
    let types = EventType::ALL.iter().map(|event_type| named(4, event_type.as_str()));
    let patterns = Pattern::ALL.iter().map(|pattern| named(5, pattern.as_str()));
    let schemes =
        ["NHS number", "UPN", "LA child id", "UPRN", "Postcode", "GSS code", "ODS code", "Pseudonym"];
    let identifiers = schemes.map(|scheme| (6, format!("{scheme}: ")));
    members.chain(findings).chain(golden_rules).chain(types).chain(patterns).chain(identifiers).collect()
}

#[test]
fn no_row_of_the_domain_is_left_out() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page is in the tree");
    let (rows, _) = rows(&page);
    let says = |(section, what): &(u32, String)| {
        rows.iter().any(|row| row.section == *section && row.rule.contains(what.as_str()))
    };
    let left_out = called_for().into_iter().filter(|called_for| !says(called_for));
    let left_out: Vec<String> =
        left_out.map(|(section, what)| format!("section {section}: {what}")).collect();
    assert_none("what the domain has and its page has not", &left_out);
}

#[test]
fn a_row_without_a_test_is_seen() {
    let file = |path: &str| {
        let source = "// fn imagined()\n#[test]\n/// So.\nfn guards() {}\nfn idles() {}";
        (path == "a.rs").then(|| source.to_owned())
    };
    let page = |row: &str| format!("## 1. One\n\n| row | rule | code | tests |\n|---|---|---|---|\n{row}\n");
    assert!(faults(&page("| 1.1 | so | `a.rs` | `a.rs::guards` |"), &file).is_empty());
    for broken in [
        "| 1.2 | so | `a.rs` | `a.rs::guards` |",
        "| 1.1 |  | `a.rs` | `a.rs::guards` |",
        "| 1.1 | so | `b.rs` | `a.rs::guards` |",
        "| 1.1 | so | `a.rs` |  |",
        "| 1.1 | so | `a.rs` | `a.rs::guards` `a.rs::imagined` |",
        "| 1.1 | so | `a.rs` | `a.rs::idles` |",
        "| 1.1 | so | `a.rs` | `b.rs::guards` |",
        "| 1.1 | so | `a.rs` |",
    ] {
        assert_eq!(faults(&page(broken), &file).len(), 1, "{broken}");
    }
}
