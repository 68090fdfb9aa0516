//! The vectors in `tests/vectors/` at the workspace's root, which an implementation in any language can run.
//!
//! Every case is read back from its file and run against this crate. The files themselves are made here, from fixed seeds;
//! `GT_BLESS=1` writes them, and otherwise they must be byte for byte what would be written.

mod authorship;
mod bundles;
mod chains;
mod codes;
mod document;
mod entries;
mod forks;
mod keys;
mod ledger;
mod links;
mod policies;
mod receipt_heads;
mod receipts;
mod registry;
mod registry_members;
mod registry_refused;
mod signatures;
mod statement_data;
mod statement_disclosures;
mod statement_envelope;
mod statements;
mod texts;
mod tree;
mod witness;

use document::Outcome;
use std::sync::Once;

use gt_core::json::Value;
use serde_json::Value as Json;

/// A file of vectors: its name, how it is made, and how a case of it is run.
struct VectorFile {
    name: &'static str,
    document: fn() -> Value,
    outcome: Outcome,
}

const FILES: [VectorFile; 20] = [
    VectorFile { name: "witness.json", document: witness::document, outcome: witness::outcome },
    VectorFile {
        name: "cosignatures.json",
        document: witness::answers_document,
        outcome: witness::answers_outcome,
    },
    VectorFile { name: "policies.json", document: policies::document, outcome: policies::outcome },
    VectorFile { name: "json-strict.json", document: texts::json_document, outcome: texts::json_outcome },
    VectorFile { name: "times.json", document: texts::times_document, outcome: texts::time_outcome },
    VectorFile { name: "keys.json", document: keys::document, outcome: keys::outcome },
    VectorFile {
        name: "statements-accepted.json",
        document: statements::accepted_document,
        outcome: statements::outcome,
    },
    VectorFile {
        name: "statements-refused.json",
        document: statements::refused_document,
        outcome: statements::outcome,
    },
    VectorFile {
        name: "statements-limits.json",
        document: statements::limits_document,
        outcome: statements::outcome,
    },
    VectorFile { name: "authorship.json", document: authorship::document, outcome: statements::outcome },
    VectorFile { name: "chains.json", document: chains::document, outcome: chains::outcome },
    VectorFile { name: "registry.json", document: registry::document, outcome: registry::outcome },
    VectorFile { name: "entries.json", document: entries::document, outcome: entries::outcome },
    VectorFile {
        name: "successions.json",
        document: entries::succession_document,
        outcome: entries::succession_outcome,
    },
    VectorFile { name: "links.json", document: links::document, outcome: links::outcome },
    VectorFile {
        name: "completeness.json",
        document: links::completeness_document,
        outcome: links::completeness_outcome,
    },
    VectorFile {
        name: "inclusion.json",
        document: tree::inclusion_document,
        outcome: tree::inclusion_outcome,
    },
    VectorFile {
        name: "consistency.json",
        document: tree::consistency_document,
        outcome: tree::consistency_outcome,
    },
    VectorFile { name: "receipts.json", document: receipts::document, outcome: receipts::outcome },
    VectorFile { name: "forks.json", document: forks::document, outcome: forks::outcome },
];

/// Files whose cases another crate runs: pseudonyms are no part of what a verifier checks, and the schemas' tests have them.
const OF_OTHER_CRATES: [&str; 1] = ["pseudonyms.json"];

/// Whether the files are to be written anew, which is done once and before any of them is read.
static WRITTEN: Once = Once::new();

fn stored(name: &str) -> String {
    WRITTEN.call_once(|| {
        if std::env::var_os("GT_BLESS").is_some() {
            write_all();
        }
    });
    std::fs::read_to_string(document::folder().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}; GT_BLESS=1 writes it"))
}

fn write_all() {
    for file in &FILES {
        let written = document::pretty(&(file.document)());
        std::fs::write(document::folder().join(file.name), written).expect("the folder can be written to");
    }
}

fn cases(name: &str) -> Vec<Json> {
    document::list(&document::read(&stored(name)), "cases").to_vec()
}

#[test]
fn the_files_are_what_is_written_today() {
    for file in &FILES {
        let written = document::pretty(&(file.document)());
        assert!(stored(file.name) == written, "{} differs from what would be written", file.name);
    }
}

#[test]
fn every_case_comes_out_as_its_file_says() {
    for file in &FILES {
        let whole = document::read(&stored(file.name));
        for case in document::list(&whole, "cases") {
            let outcome = document::read(&(file.outcome)(&whole, case).to_text());
            assert_eq!(outcome, case["expected"], "{}: {}", file.name, case["name"]);
        }
    }
}

#[test]
fn names_are_unique_and_rules_are_cited() {
    for file in &FILES {
        let mut names: Vec<String> = Vec::new();
        for case in cases(file.name) {
            let (name, rule) = (document::text(&case, "name").to_owned(), document::text(&case, "rule"));
            assert!(
                ["DESIGN ", "FORMATS ", "RFC "].iter().any(|page| rule.starts_with(page)),
                "{name}: {rule}"
            );
            assert!(!names.contains(&name), "{}: {name} stands twice", file.name);
            names.push(name);
        }
        assert!(names.len() >= 5, "{} has {} cases", file.name, names.len());
    }
}

#[test]
fn no_file_lies_about_that_nobody_runs() {
    let explained = std::fs::read_to_string(document::folder().join("README.md")).expect("a README");
    for item in std::fs::read_dir(document::folder()).expect("the folder of vectors") {
        let name = item.expect("a file").file_name().into_string().expect("a plain name");
        // What lies in this folder is `bundles` to know.
        let is_run = FILES.iter().any(|file| file.name == name)
            || OF_OTHER_CRATES.contains(&name.as_str())
            || name == "bundles";
        assert!(name == "README.md" || is_run, "{name}");
        assert!(name == "README.md" || explained.contains(&format!("`{name}`")), "{name} is not explained");
    }
}
