//! Logs that cannot be read to their end, and how much of a log is read.

use gt_core::bundle::{BundleInputs, Finding, OpenLog, OpenLogError, Verdict, verify_bundle};
use gt_core::checkpoint::SignedCheckpoint;
use serde_json::Value as Json;

use super::{TAMPERINGS, read_entries, read_pin, stored};
use crate::document;

/// Gives `good` entries and then fails.
struct Failing {
    entries: Vec<Vec<u8>>,
    asked: usize,
    good: usize,
}

impl OpenLog for Failing {
    fn next_entry(&mut self) -> Result<Option<Vec<u8>>, OpenLogError> {
        self.asked += 1;
        if self.asked > self.good { Err(OpenLogError) } else { Ok(self.entries.get(self.asked - 1).cloned()) }
    }
}

fn codes(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.code, finding.place.as_str())).collect()
}

#[test]
fn what_cannot_be_read_is_not_told() {
    let whole: Json = document::read(&stored(TAMPERINGS));
    let (pin, entries) =
        (read_pin(&whole["inputs"]["pin"]["ledger"]), read_entries(&whole["inputs"]["log"]["grown"]));
    let known = whole["inputs"]["known"]["size_30"].as_str().expect("a text");
    let known = SignedCheckpoint::parse(known.as_bytes()).expect("a checkpoint").checkpoint().clone();
    let child = stored("child.bundle.json");
    let check = |good: usize, known| {
        let mut log = Failing { entries: entries.clone(), asked: 0, good };
        let inputs = BundleInputs {
            pin: Some(&pin),
            known,
            log: Some(&mut log as &mut dyn OpenLog),
            ..Default::default()
        };
        (verify_bundle(child.as_bytes(), inputs), log.asked)
    };
    let (verdict, asked) = check(24, None);
    assert_eq!((verdict.verdict, asked), (Verdict::CouldNotTell, 25));
    assert_eq!(codes(&verdict.unknowns), [("log_not_read", "/log")]);
    // What lies beyond the checkpoint is not asked for, and is not missed.
    let (verdict, asked) = check(25, None);
    assert_eq!((verdict.verdict, asked), (Verdict::Sound, 25));
    let (verdict, asked) = check(26, Some(&known));
    assert_eq!((codes(&verdict.unknowns), asked), (vec![("known_not_compared", "/consistency")], 27));
    let (verdict, asked) = check(30, Some(&known));
    assert_eq!((verdict.verdict, asked), (Verdict::Sound, 30));
}
