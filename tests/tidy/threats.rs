//! `docs/THREATS.md` and the impact assessment name real tests and real cases of the vectors.

use std::fs;
use std::path::Path;

use super::{assert_none, domain_rows, root};

/// The pages, and how many references each has at the least.
const PAGES: [(&str, usize); 2] =
    [("docs/THREATS.md", 40), ("docs/data-protection/impact-assessment.md", 25)];

/// Whether what stands between backticks in a table's last column is there: `file.rs::test`, `file.json::case`, or a file.
fn is_there(reference: &str, file: &dyn Fn(&str) -> Option<String>) -> bool {
    match reference.split_once("::") {
        Some((path, case)) if Path::new(path).extension().is_some_and(|extension| extension == "json") => {
            let name = format!("\"name\": {},", serde_json::Value::from(case));
            file(path).is_some_and(|vectors| vectors.contains(&name))
        }
        Some((path, test)) => file(path).is_some_and(|source| domain_rows::has_test(&source, test)),
        None => file(reference).is_some(),
    }
}

/// The last cells of the page's tables.
fn shown_by(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .filter_map(|line| line.trim_matches('|').rsplit('|').next())
}

fn faults(name: &str, page: &str, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let references = shown_by(page).flat_map(domain_rows::quoted);
    references
        .filter(|reference| !is_there(reference, file))
        .map(|reference| format!("{name}: no such test or case: {reference}"))
        .collect()
}

#[test]
fn the_threat_model_and_the_impact_assessment_name_tests_that_there_are() {
    let read = |path: &str| fs::read_to_string(root().join(path)).ok();
    for (name, least) in PAGES {
        let page = read(name).expect("the page is in the tree");
        assert!(
            shown_by(&page).flat_map(domain_rows::quoted).count() > least,
            "{name}: the tables are not found"
        );
        assert_none("a claim that nothing shows", &faults(name, &page, &read));
    }
}

#[test]
fn a_claim_without_its_test_is_seen() {
    let file = |path: &str| match path {
        "a.rs" => Some("#[test]\nfn holds() {}\n".to_owned()),
        "b.json" => Some("      \"name\": \"a \\\"case\\\"\",\n".to_owned()),
        _ => None,
    };
    let page = "| like to | can | cannot | shown by |\n|---|---|---|---|\n| x | y | `a.rs::z` | `a.rs::holds` `b.json::a \"case\"` |\n";
    assert!(faults("page", page, &file).is_empty());
    for wrong in ["`a.rs::falls`", "`b.json::another`", "`c.rs`"] {
        let page = page.replace("`a.rs::holds`", wrong);
        assert_eq!(faults("page", &page, &file).len(), 1, "{wrong}");
    }
}
