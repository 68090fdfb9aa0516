//! Step 9 and the links of step 11: whether a child's record is whole.
//!
//! Maya's links 0 to 7 stand in entries 5, 6, 8, 9, 10, 14, 18 and 20; those of the pseudonym that her school has for her, 0 to 2, in
//! 14, 15 and 23. The records are, from 0 on, entries 5, 6, 8, 9, 10, 14, 15, 18, 20 and 23.

use serde_json::{Value as Json, json};

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = dropped(material);
    cases.extend(openings(material));
    cases.extend(identities(material));
    cases.extend(records(material));
    cases.extend(told_apart(material));
    cases.extend(forged(material));
    cases
}

fn link(n: usize) -> String {
    format!("/completeness/0/links/{n}")
}

fn without_record(case: Case, position: usize) -> Case {
    case.remove(&format!("/records/{position}")).remove(&format!("/manifest/entries/{position}"))
}

/// Every way to leave an entry out.
fn dropped(material: &Material) -> Vec<Case> {
    let name = |n: usize| material.at("child", &format!("{}/name", link(n)));
    let mut cases = Vec::new();
    // A record and nothing else: Maya's alone, whichever it is.
    for (position, n) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (7, 6), (8, 7)] {
        let case = of_child(format!("link {n}: its record is left out"), 9);
        cases.push(without_record(case, position).fault("record_left_out", &link(n)));
    }
    let both = of_child("a record of both pseudonyms is left out", 9);
    cases.push(
        without_record(both, 5)
            .fault("record_left_out", &link(5))
            .fault("record_left_out", "/completeness/1/links/0"),
    );
    let first = of_child("the first link and its record are left out", 9).remove(&link(0));
    cases.push(without_record(first, 0).fault("record_count", &link(0)));
    let inner = of_child("a link in the middle and its record are left out", 9).remove(&link(4));
    cases.push(without_record(inner, 4).fault("link_not_opened", &link(3)));
    let mut renumbered =
        of_child("a link and its record are left out, and the rest is renumbered", 9).remove(&link(4));
    for n in 4..7 {
        renumbered = renumbered.replace(&format!("{}/n", link(n)), n);
    }
    cases.push(without_record(renumbered, 4).fault("link_not_opened", &link(3)));
    let last = |name: &str| without_record(of_child(name, 9).remove(&link(7)), 8);
    cases.push(last("the last link and its record are left out").fault("link_not_opened", &link(6)));
    cases.push(
        last("the last link and its record are left out, and the next name is put right")
            .replace("/completeness/0/next", name(7))
            .fault("record_goes_on", "/log/20"),
    );
    cases.push(
        last("the same without the log, which alone would show it")
            .without("log")
            .replace("/completeness/0/next", name(7))
            .unknown("completeness_not_checked", "/completeness"),
    );
    cases.push(
        last("the same against a log that ends too early")
            .given("log", "short")
            .replace("/completeness/0/next", name(7))
            .unknown("log_too_short", "/log"),
    );
    cases.push(case("no log", 11, "child").unknown("completeness_not_checked", "/completeness"));
    cases.push(of_child("a log that has gone on, with more of the child's record", 11).given("log", "grown"));
    cases
}

/// Members of the openings.
fn openings(material: &Material) -> Vec<Case> {
    let flip = |pointer: &str| -> Json {
        let text = material.text("child", pointer);
        let first = if text.starts_with('A') { "B" } else { "A" };
        json!(format!("{first}{}", &text[1..]))
    };
    let flipped = |name: &str, pointer: &str, place: &str| {
        of_child(name, 9).replace(pointer, flip(pointer)).fault("link_not_opened", place)
    };
    let index = |name: &str, n: usize, index: u64, code: &str| {
        of_child(name, 9).replace(&format!("{}/index", link(n)), index).fault(code, &link(n))
    };
    vec![
        of_child("a link with another number", 9)
            .replace(&format!("{}/n", link(2)), 3)
            .fault("record_count", &link(2)),
        of_child("links in another order", 9).shift(&link(0), &link(1)).fault("record_count", &link(0)),
        of_child("a link twice", 9).copy(&link(0), &link(1)).fault("link_not_opened", &link(0)),
        index("an index of the registrar's", 1, 7, "record_left_out")
            .fault("record_not_linked", "/records/1")
            .fault("link_repeated", "/log/6"),
        index("an index of another record", 1, 8, "link_not_opened")
            .fault("record_not_linked", "/records/1")
            .fault("link_repeated", "/log/6"),
        index("an index that falls", 2, 5, "record_order")
            .fault("record_not_linked", "/records/2")
            .fault("link_repeated", "/log/8"),
        flipped("another name", &format!("{}/name", link(2)), &link(1)),
        flipped("another first name", &format!("{}/name", link(0)), &link(0)),
        flipped("another blinding", &format!("{}/blinding", link(2)), &link(2)),
        flipped("another next name", "/completeness/0/next", &link(7)),
        of_child("a next name that stands in an entry", 9)
            .copy("/completeness/1/links/1/name", "/completeness/0/next")
            .fault("link_not_opened", &link(7))
            .fault("record_goes_on", "/log/15"),
        of_child("no links of a subject", 9)
            .replace("/completeness/0/links", json!([]))
            .fault("record_count", "/completeness/0/links")
            .fault("record_not_linked", "/records/0")
            .fault("record_not_linked", "/records/1")
            .fault("record_not_linked", "/records/2")
            .fault("record_not_linked", "/records/3")
            .fault("record_not_linked", "/records/4")
            .fault("subject_not_linked", "/records/5")
            .fault("record_not_linked", "/records/7")
            .fault("record_not_linked", "/records/8")
            .unknown("subject_not_shown", "/completeness/0"),
    ]
}

/// Absent, with whatever the record had before taken away.
fn absent(material: &Material, case: Case, base: &str, from: usize, to: usize) -> Case {
    let proof = material.text(base, &format!("/records/{from}/proof"));
    case.replace(&format!("/records/{to}"), json!({"proof": proof, "absent": "withheld"}))
}

fn identities(material: &Material) -> Vec<Case> {
    let hidden = of_child("a linked identity is left out with its records", 9)
        .remove("/manifest/about/subjects/1")
        .remove("/completeness/1");
    let hidden = without_record(without_record(hidden, 9), 6).fault("linked_identity_left_out", "/records/5");

    let one_for_both = of_child("one pseudonym's links for both", 9)
        .copy("/completeness/0/links", "/completeness/1/links")
        .fault("link_repeated", "/completeness/1/links/0")
        .fault("subject_not_owner", "/records/0")
        .fault("subject_not_owner", "/records/2")
        .fault("subject_not_owner", "/records/4")
        .fault("record_not_linked", "/records/6")
        .fault("subject_not_owner", "/records/8")
        .fault("record_not_linked", "/records/9");

    // The same by somebody who takes care that nothing else shows it.
    let careful = of_child("one pseudonym's links for both, and what would show it is withheld", 9)
        .copy("/completeness/0/links", "/completeness/1/links")
        .copy("/completeness/0/next", "/completeness/1/next");
    let mut careful = without_record(without_record(careful, 9), 6);
    for (from, to) in [(0, 0), (2, 2), (4, 4), (8, 7)] {
        careful = absent(material, careful, "child", from, to);
    }
    let careful = careful.fault("link_repeated", "/completeness/1/links/0");

    let second = material.text("child", "/records/5/disclosures/1");
    let digest = gt_core::statement::Disclosure::digest_of(&second).to_string();
    let withheld = of_child(
        "the other identity is withheld with the disclosure that names it, which is told beside the verdict",
        9,
    )
    .remove("/manifest/about/subjects/1")
    .remove("/completeness/1")
    .remove("/records/5/disclosures/1")
    .replace("/records/5/left_out", json!([{"digest": digest, "why": "withheld"}]));
    let withheld = without_record(without_record(withheld, 9), 6);
    vec![hidden, one_for_both, careful, withheld]
}

/// A record of the story, whole.
fn whole(material: &Material, index: u64) -> Json {
    let record = material.told.record(index, 25, &crate::bundles::world::Show::Whole);
    let gt_core::bundle::BundleRecord::Stated(record) = record else { unreachable!("shown whole") };
    json!({"proof": record.proof, "statement": record.statement, "disclosures": record.disclosures, "left_out": []})
}

fn records(material: &Material) -> Vec<Case> {
    let passed_off = |name: &str| case(name, 9, "passed-off").given("log", "open");
    let mut hidden = passed_off("a sibling's record passed off as the child's, and everything is withheld");
    for position in 0..5 {
        hidden = absent(material, hidden, "passed-off", position, position);
    }
    vec![
        of_child("a record of another child is added", 9)
            .add("/records/5", whole(material, 13))
            .add("/manifest/entries/5", 13)
            .fault("record_not_linked", "/records/5"),
        of_child("a record that is about nobody is added", 9)
            .add("/records/8", whole(material, 19))
            .add("/manifest/entries/8", 19)
            .fault("record_not_linked", "/records/8"),
        passed_off("a sibling's record passed off as the child's")
            .fault("subject_not_owner", "/records/1")
            .fault("subject_not_owner", "/records/2")
            .fault("subject_not_owner", "/records/3")
            .fault("subject_not_owner", "/records/4"),
        hidden.unknown("subject_not_shown", "/completeness/0"),
    ]
}

/// Whether the links could be those of somebody who is named beside the child.
fn told_apart(material: &Material) -> Vec<Case> {
    let not_told_apart = |case: Case| case.unknown("subject_not_told_apart", "/completeness/0");
    let officers = |name: &str| case(name, 9, "officers").given("log", "open");
    let siblings = "a sibling's record passed off as the child's, and all is withheld but what names both";
    let mut siblings = case(siblings, 9, "passed-off").given("log", "open");
    for position in 1..5 {
        siblings = absent(material, siblings, "passed-off", position, position);
    }
    // Of what is left entry 8 names the officer beside her, and entry 9 withholds for whom its second link is.
    let few = |name: &str| {
        let positions = [0, 1, 4, 5, 8].into_iter();
        positions.fold(of_child(name, 9), |case, at| absent(material, case, "child", at, at))
    };
    let practitioner = material.text("officers", "/records/0/disclosures/1");
    let digest = gt_core::statement::Disclosure::digest_of(&practitioner).to_string();
    vec![
        not_told_apart(officers("an officer's record passed off as the child's, who is named in all of it")),
        not_told_apart(
            officers("the same, and who else is named is withheld")
                .remove("/records/0/disclosures/1")
                .replace("/records/0/left_out", json!([{"digest": digest, "why": "withheld"}])),
        ),
        not_told_apart(siblings),
        not_told_apart(few("a child of whose record nothing is left that is about her alone")),
        few("the same with two entries that name different people beside her")
            .replace("/records/3", whole(material, 9)),
    ]
}

/// Ledgers whose sealer linked otherwise than it must.
fn forged(material: &Material) -> Vec<Case> {
    let links = |name: &str| case(name, 9, "forged-links").given("log", "forged_links");
    let name = material.at("forged-links", "/completeness/0/links/2/name");
    vec![
        links("a link that the sealer did not seal is listed")
            .fault("link_not_opened", "/completeness/0/links/2"),
        links("a record that the sealer did not link")
            .remove("/completeness/0/links/2")
            .replace("/completeness/0/next", name)
            .fault("record_not_linked", "/records/3"),
        case("the sealer put a link into a second entry", 11, "forged-link-repeated")
            .given("log", "forged_link_repeated")
            .fault("link_repeated", "/log/6"),
        case("the sealer put a link into a second entry, and no log shows it", 11, "forged-link-repeated")
            .unknown("completeness_not_checked", "/completeness"),
    ]
}
