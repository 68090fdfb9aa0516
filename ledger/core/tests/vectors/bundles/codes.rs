//! Every finding that has a sentence has a case, and no case lacks one.

use std::collections::BTreeSet;

use super::{Given, TAMPERINGS, stored, tampered};
use crate::document::{self, list, text};

/// Codes with sentences and without a case of their own here, each with its reason.
const WITHOUT_CASE: [(&str, &str); 13] = [
    ("receipt_too_long", "the case would be a mebibyte long"),
    ("receipt_not_utf8", "a text of JSON is UTF-8"),
    ("receipt_extra", "as receipts.json has it"),
    ("receipt_index", "as receipts.json has it"),
    ("entry_too_long", "as entries.json has it"),
    ("unknown_version", "as registry.json has it"),
    ("unknown_member", "as registry.json has it"),
    ("registry_member", "as registry.json has it"),
    ("bad_key", "as registry.json has it"),
    ("already_registered", "as registry.json has it"),
    ("reserved_agency", "as registry.json has it"),
    ("origin_changed", "as registry.json has it"),
    ("log_not_read", "a list of entries can always be read; the verifier's own tests have it"),
];

fn with_sentences() -> BTreeSet<String> {
    let source = include_str!("../../../src/bundle/verify/says.rs");
    let arms = source.split("Some(match code {").skip(1).flat_map(|rest| {
        rest.split("_ => return None").next().unwrap_or_default().split("=>").filter_map(|part| {
            // The codes of an arm stand after the arm before: after its last comma or brace.
            let start = part.rfind([',', '}']).map_or(0, |at| at + 1);
            part.get(start..)
        })
    });
    arms.flat_map(|arm| arm.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect()
}

#[test]
fn every_finding_has_a_case() {
    let whole = document::read(&stored(TAMPERINGS));
    let of =
        |kind: &'static str| list(&whole, "cases").iter().flat_map(move |case| list(&case["expected"], kind));
    let shown: BTreeSet<String> =
        of("faults").chain(of("unknowns")).map(|finding| text(finding, "code").to_owned()).collect();
    let known = with_sentences();
    assert!(known.len() > 60 && known.contains("record_goes_on"), "{known:?}");
    let excused = |code: &str| WITHOUT_CASE.iter().any(|(without, _)| *without == code);
    let missing: Vec<&String> =
        known.iter().filter(|code| !shown.contains(*code) && !excused(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn every_finding_is_said_in_a_sentence_without_values() {
    let whole = document::read(&stored(TAMPERINGS));
    for case in list(&whole, "cases") {
        let verdict = Given::read(&whole, case).verify(&tampered(case));
        for finding in verdict.faults.iter().chain(&verdict.unknowns) {
            let says = &finding.says;
            let sound =
                says.ends_with('.') && (30..260).contains(&says.len()) && !says.contains(finding.code);
            assert!(sound, "{}: {says}", finding.code);
        }
    }
}
