//! Every stable code that this crate can give has a case that gives it.

use std::collections::BTreeSet;

use crate::cases;

/// Where codes are defined, and the files of which at least one must have a case for each.
const SOURCES: [(&str, &str, &[&str]); 10] = [
    (
        "statement",
        include_str!("../../src/statement/error.rs"),
        &["statements-refused.json", "statements-limits.json"],
    ),
    ("json", include_str!("../../../json/src/lib.rs"), &["json-strict.json"]),
    ("json", include_str!("../../../json/src/lib.rs"), &["statements-refused.json"]),
    ("time", include_str!("../../src/time.rs"), &["times.json"]),
    ("key", include_str!("../../src/key.rs"), &["keys.json"]),
    ("registry", include_str!("../../src/registry/mod.rs"), &["registry.json", "authorship.json"]),
    ("entry", include_str!("../../src/entry.rs"), &["entries.json", "successions.json"]),
    ("link", include_str!("../../src/link.rs"), &["completeness.json"]),
    ("receipt", include_str!("../../src/receipt.rs"), &["receipts.json"]),
    ("fork", include_str!("../../src/fork.rs"), &["forks.json"]),
];

/// Codes without a case, each with its reason.
const WITHOUT_CASE: [(&str, &str); 2] = [
    ("receipt_too_long", "the case would be a mebibyte long; the unit tests of receipts have it"),
    ("fork_too_long", "the case would be a mebibyte long; the unit tests of forks have it"),
];

/// The texts in the bodies of a source file's functions named `code`.
fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for after in source.split("fn code(").skip(1) {
        let body = after.split("\n    }\n").next().unwrap_or_default();
        codes.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    codes
}

fn codes_of(files: &[&str]) -> BTreeSet<String> {
    let all = files.iter().flat_map(|file| cases(file));
    all.filter_map(|case| case["expected"]["code"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_code_has_a_case() {
    for (source, text, files) in SOURCES {
        let (defined, shown) = (codes_in(text), codes_of(files));
        assert!(!defined.is_empty(), "no codes were found in {source}");
        let excused = |code: &str| WITHOUT_CASE.iter().any(|(without, _)| *without == code);
        let missing: Vec<&String> = defined.difference(&shown).filter(|code| !excused(code)).collect();
        assert!(missing.is_empty(), "{source}: no case of {files:?} is refused with {missing:?}");
    }
    let defined = codes_in(include_str!("../../src/verify.rs"));
    let shown = codes_of(&["receipts.json", "authorship.json"]);
    assert!(defined.len() > 8 && defined.is_subset(&shown), "{:?}", defined.difference(&shown));
}

#[test]
fn codes_are_found_where_they_stand() {
    let source = "impl A {\n    pub fn code(&self) -> &str {\n        match self {\n            Self::B => \"b\",\n            \
                  Self::C | Self::D => {\n                \"c_d\"\n            }\n        }\n    }\n\n    fn e() { \"f\" }\n}\n";
    assert_eq!(codes_in(source).into_iter().collect::<Vec<_>>(), ["b", "c_d"]);
}
