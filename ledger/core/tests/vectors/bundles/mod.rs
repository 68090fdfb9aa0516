//! Bundles: sound ones, what can be done to them, and what a verifier must say to that.

mod changed_bytes;
mod codes;
mod documents;
mod failing_log;
mod forged;
mod making;
mod patch;
mod schema;
mod story;
mod tamperings;
mod world;

use std::fs;
use std::path::PathBuf;
use std::sync::{LazyLock, Once};

use gt_core::Hash;
use gt_core::bundle::{Bundle, BundleInputs, BundleVerdict, Finding, OpenLog, OpenLogError, verify_bundle};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::note::VerifierKey;
use gt_core::policy::Policy;
use gt_core::verify::Pin;
use serde_json::Value as Json;

use crate::document::{self, list, object, text};

/// What the file of cases is called.
const TAMPERINGS: &str = "tamperings.json";

fn folder() -> PathBuf {
    document::folder().join("bundles")
}

/// The base bundles by name, and the file of cases, as they are written today.
static WRITTEN: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let bases = documents::bases();
    let named = |(name, bundle): &(&str, Bundle)| (format!("{name}.bundle.json"), format!("{bundle}\n"));
    let mut files: Vec<(String, String)> = bases.iter().map(named).collect();
    files.push((TAMPERINGS.to_owned(), document::pretty(&documents::tamperings())));
    files
});

static BLESSED: Once = Once::new();

fn stored(name: &str) -> String {
    BLESSED.call_once(|| {
        if std::env::var_os("GT_BLESS").is_some() {
            fs::create_dir_all(folder()).expect("the folder can be made");
            for (name, written) in WRITTEN.iter() {
                fs::write(folder().join(name), written).expect("the folder can be written to");
            }
        }
    });
    fs::read_to_string(folder().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}; GT_BLESS=1 writes it"))
}

/// What a case gives besides the bundle.
struct Given {
    pin: Option<Pin>,
    policy: Option<Policy>,
    known: Option<Checkpoint>,
    log: Option<Entries>,
}

/// An open log in memory.
struct Entries(std::vec::IntoIter<Vec<u8>>);

impl OpenLog for Entries {
    fn next_entry(&mut self) -> Result<Option<Vec<u8>>, OpenLogError> {
        Ok(self.0.next())
    }
}

impl Given {
    fn read(whole: &Json, case: &Json) -> Self {
        let input = |kind: &str| {
            let name = case.get(kind)?.as_str().expect("a name");
            let input = &whole["inputs"][kind][name];
            assert!(!input.is_null(), "no {kind} is called {name}");
            Some(input)
        };
        Self {
            pin: input("pin").map(read_pin),
            policy: input("policy")
                .map(|text| Policy::parse(text.as_str().expect("a text").as_bytes()).expect("a policy")),
            known: input("known").map(|note| {
                let signed = SignedCheckpoint::parse(note.as_str().expect("a text").as_bytes());
                signed.expect("a checkpoint").checkpoint().clone()
            }),
            log: input("log").map(|log| Entries(read_entries(log).into_iter())),
        }
    }

    fn verify(&mut self, bundle: &str) -> BundleVerdict {
        verify_bundle(
            bundle.as_bytes(),
            BundleInputs {
                pin: self.pin.as_ref(),
                policy: self.policy.as_ref(),
                known: self.known.as_ref(),
                log: self.log.as_mut().map(|log| log as &mut dyn OpenLog),
            },
        )
    }
}

fn read_pin(pin: &Json) -> Pin {
    let keys = list(pin, "verifier_keys").iter().map(|key| key.as_str().expect("a text"));
    Pin {
        origin: text(pin, "origin").to_owned(),
        verifier_keys: keys.map(|key| VerifierKey::parse(key).expect("a vkey")).collect(),
        genesis: pin.get("genesis").map(|hash| Hash::parse(hash.as_str().expect("a text")).expect("a hash")),
    }
}

fn read_entries(log: &Json) -> Vec<Vec<u8>> {
    let entries = log.as_array().expect("a list").iter();
    let bytes = |entry: &Json| gt_core::base64url::decode(entry.as_str().expect("a text"));
    entries.map(|entry| bytes(entry).expect("base64url")).collect()
}

/// The bundle's text after what the case does to it.
fn tampered(case: &Json) -> String {
    let base = stored(&format!("{}.bundle.json", text(case, "base")));
    if let Some(replacements) = case.get("text_replace") {
        return replacements.as_array().expect("a list").iter().fold(base, |base, replacement| {
            let find = text(replacement, "find");
            assert_eq!(base.matches(find).count(), 1, "{}: {find} must stand there once", case["name"]);
            base.replacen(find, text(replacement, "with"), 1)
        });
    }
    let mut bundle = document::read(&base);
    patch::apply(&mut bundle, list(case, "patch"));
    bundle.to_string()
}

/// The verdict as the file of cases has it.
fn outcome(verdict: &BundleVerdict) -> Value {
    let findings = |findings: &[Finding]| {
        let each = findings.iter().map(|finding| {
            object([("code", Value::from(finding.code)), ("place", Value::from(finding.place.as_str()))])
        });
        Value::Array(each.collect())
    };
    object([
        ("verdict", Value::from(verdict.verdict.as_str())),
        ("faults", findings(&verdict.faults)),
        ("unknowns", findings(&verdict.unknowns)),
    ])
}

#[test]
fn the_files_are_what_is_written_today() {
    for (name, written) in WRITTEN.iter() {
        assert!(stored(name) == *written, "bundles/{name} differs from what would be written");
    }
    for item in fs::read_dir(folder()).expect("the folder of bundles") {
        let name = item.expect("a file").file_name().into_string().expect("a plain name");
        assert!(WRITTEN.iter().any(|(written, _)| *written == name), "nobody runs bundles/{name}");
    }
}

#[test]
fn every_tampering_is_found_as_its_case_says() {
    let whole = document::read(&stored(TAMPERINGS));
    let mut wrong = Vec::new();
    for case in list(&whole, "cases") {
        let verdict = Given::read(&whole, case).verify(&tampered(case));
        let found = document::read(&outcome(&verdict).to_text());
        if found != case["expected"] {
            wrong.push(format!("{}:\n  expected {}\n  found    {found}", case["name"], case["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_are_unique_and_rules_are_cited() {
    let whole = document::read(&stored(TAMPERINGS));
    let mut names: Vec<&str> = Vec::new();
    for case in list(&whole, "cases") {
        let (name, rule) = (text(case, "name"), text(case, "rule"));
        assert!(rule.starts_with("FORMATS 12"), "{name}: {rule}");
        assert!(!names.contains(&name), "{name} stands twice");
        names.push(name);
    }
    assert!(names.len() >= 60, "{} cases", names.len());
}

/// What is read back is what was written, and a sound bundle's JSON has its members in the format's order.
#[test]
fn base_bundles_are_written_in_their_own_spelling() {
    for (name, written) in WRITTEN.iter().filter(|(name, _)| name.ends_with(".bundle.json")) {
        let bundle = Bundle::parse(written.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{bundle}\n"), *written, "{name}");
    }
}

/// What a reader is told beside the verdict: who signed and saw it, what is in doubt, what is not here.
#[test]
fn what_is_shown_is_what_the_ledger_says() {
    let whole = document::read(&stored(TAMPERINGS));
    let given = serde_json::json!({"pin": "ledger", "policy": "both"});
    let shown = Given::read(&whole, &given).verify(&stored("agency.bundle.json")).shown;
    assert_eq!(
        (shown.signed_by.len(), shown.witnesses.as_slice()),
        (2, &["north".to_owned(), "south".to_owned()][..])
    );
    let in_doubt =
        |entry: &gt_core::bundle::ShownEntry| entry.content.as_ref().is_ok_and(|said| said.suspect);
    let doubted: Vec<u64> =
        shown.entries.iter().filter(|entry| in_doubt(entry)).map(|entry| entry.index.0).collect();
    assert_eq!(doubted, [16], "the lost key's later statement, and not that from before");
    let mut told: Vec<_> = shown
        .publishers
        .iter()
        .map(|publisher| {
            let recovered: Vec<u64> = publisher.recovered.iter().map(|index| index.0).collect();
            (publisher.name.as_str(), publisher.revoked.map(|(index, _)| index.0), recovered)
        })
        .collect();
    told.sort();
    let expected = [
        ("Custody system", None, vec![]),
        ("Missing persons system", Some(17), vec![]),
        ("Replacement system", None, vec![22]),
    ];
    assert_eq!(told, expected);
    let shown = Given::read(&whole, &given).verify(&stored("child.bundle.json")).shown;
    let counts = |entry: &gt_core::bundle::ShownEntry| {
        entry
            .content
            .as_ref()
            .map(|said| (said.disclosed, said.kept, said.withheld, said.ended))
            .map_err(|why| why.as_str())
    };
    let counted: Vec<_> = shown.entries.iter().map(counts).collect();
    assert_eq!(counted[..4], [Ok((2, 1, 0, 0)), Ok((2, 0, 0, 1)), Ok((2, 0, 0, 0)), Ok((1, 0, 2, 0))]);
    assert_eq!(counted[7], Err("withheld"));
}
