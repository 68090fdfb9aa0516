//! Steps 7 and 8: chains, and what the manifest claims.

use serde_json::json;

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = vec![
        case("publishers' chains that do not hold", 7, "forged-chains")
            .fault("chain_prev", "/records/1/statement")
            .fault("chain_order", "/records/2/statement")
            .fault("chain_order", "/records/3/statement")
            .fault("chain_prev", "/records/5/statement"),
        case("a list of entries without one", 8, "alert")
            .remove("/manifest/entries/1")
            .fault("manifest_differs", "/manifest/entries"),
        case("a list of entries with one too many", 8, "alert")
            .add("/manifest/entries/-", 20)
            .fault("manifest_differs", "/manifest/entries"),
        case("a list of entries in another order", 8, "alert")
            .shift("/manifest/entries/0", "/manifest/entries/1")
            .fault("manifest_differs", "/manifest/entries"),
        case("another time at which the bundle was made", 8, "alert")
            .replace("/manifest/made_at", "2031-01-01T00:00:00Z"),
    ];
    cases.extend(ranges());
    cases.extend(agencies());
    cases.extend(lists_of_links(material));
    cases
}

fn ranges() -> Vec<Case> {
    let (first, last) = ("/manifest/about/first", "/manifest/about/last");
    let left_out = |case: Case| case.fault("entry_left_out", "/manifest/about");
    vec![
        case("a range that takes in more of the registrar's", 8, "entries").replace(first, 2),
        left_out(case("a range with an entry more", 8, "entries").replace(last, 15)),
        left_out(case("a range with an entry less", 8, "entries").replace(last, 13)),
        left_out(
            case("a range that ends before it begins", 8, "entries").replace(first, 14).replace(last, 5),
        ),
        left_out(case("a range that ends just before it begins", 8, "entries").replace(first, 15)),
        left_out(
            case("a record is taken out of the range", 8, "entries")
                .remove("/records/2")
                .remove("/manifest/entries/2"),
        ),
        left_out(
            case("the last record is taken out of the range", 8, "entries")
                .remove("/records/6")
                .remove("/manifest/entries/6"),
        ),
        case("a record's proof is broken, so the range is not looked at", 8, "entries")
            .replace("/records/6/proof", "")
            .fault("receipt_header", "/records/6/proof"),
    ]
}

fn agencies() -> Vec<Case> {
    let without = |name: &str, position: usize| {
        case(name, 8, "agency")
            .remove(&format!("/records/{position}"))
            .remove(&format!("/manifest/entries/{position}"))
    };
    let mut other = case("another agency", 8, "agency").replace("/manifest/about/agency", "gss:E06000005");
    for position in 0..5 {
        other = other.fault("not_about", &format!("/records/{position}/statement"));
    }
    vec![
        other,
        without("a publisher's first statement is left out", 0)
            .fault("statement_left_out", "/records/1/statement"),
        without("a statement is left out between two", 3).fault("statement_left_out", "/records/3/statement"),
        without("a publisher's last statement is left out, which nothing shows", 4),
        case("a statement is absent, so it may be the one that is missing", 8, "agency")
            .remove("/records/3/statement")
            .remove("/records/3/disclosures")
            .remove("/records/3/left_out")
            .add("/records/3/absent", "withheld")
            .unknown("statement_left_out", "/records/4/statement"),
    ]
}

fn lists_of_links(material: &Material) -> Vec<Case> {
    let links = material.at("child", "/completeness/0");
    let differs = |case: Case| case.fault("completeness_differs", "/completeness");
    let alert = json!({"kind": "alert", "alert": "a", "pattern": "repeat-missing"});
    vec![
        differs(
            of_child("the subjects' links in another order", 8).shift("/completeness/0", "/completeness/1"),
        ),
        differs(of_child("a subject's links are taken away", 8).remove("/completeness/1")),
        differs(
            of_child("a subject is taken away, its links are not", 8).remove("/manifest/about/subjects/1"),
        ),
        differs(
            of_child("links of another subject", 8)
                .replace("/completeness/0/subject", "nhs.1:S5gwU5S8Y5U-bxah2P9n2yeC_c72A0KjD6RASvAIcMQ"),
        ),
        differs(of_child("all links are taken away", 8).replace("/completeness", json!([]))),
        differs(case("links in a bundle that is about no child", 8, "alert").add("/completeness/0", links)),
        differs(
            of_child("a child's bundle becomes an alert's, with its links", 8)
                .replace("/manifest/about", alert.clone()),
        ),
        of_child("a child's bundle becomes an alert's, which claims nothing", 8)
            .replace("/manifest/about", alert)
            .replace("/completeness", json!([])),
    ]
}
