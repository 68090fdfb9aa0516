//! Any single changed byte of a sound bundle about a child is found, or changes nothing that anybody vouches for.

use std::sync::LazyLock;

use gt_core::bundle::{Bundle, BundleRecord, Verdict, Why};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Given, TAMPERINGS, stored};
use crate::document;

/// The cases' file, for the inputs in it.
static WHOLE: LazyLock<Json> = LazyLock::new(|| document::read(&stored(TAMPERINGS)));
static CHILD: LazyLock<String> = LazyLock::new(|| stored("child.bundle.json"));

/// The bundle without what nothing vouches for: when it was made, why something is not in it, and consistency proofs that nobody
/// needed, since the log shows the same.
fn vouched_for(text: &[u8]) -> Option<Bundle> {
    let mut bundle = Bundle::parse(text).ok()?;
    bundle.manifest.made_at = gt_core::time::Timestamp::EPOCH;
    bundle.consistency.clear();
    for record in &mut bundle.records {
        match record {
            BundleRecord::Stated(record) => {
                record.left_out.iter_mut().for_each(|left_out| left_out.why = Why::Ended);
            }
            BundleRecord::Absent { why, .. } => *why = Why::Ended,
        }
    }
    Some(bundle)
}

fn verdict(text: &str) -> Verdict {
    let given = json!({"pin": "ledger", "policy": "both", "log": "grown"});
    Given::read(&WHOLE, &given).verify(text).verdict
}

#[test]
fn unchanged_it_is_sound() {
    assert_eq!(verdict(&CHILD), Verdict::Sound);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn no_changed_byte_goes_unnoticed(at: prop::sample::Index, put in prop_oneof![0_u8..128, any::<u8>()]) {
        let mut bytes = CHILD.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != put);
        bytes[at] = put;
        // What is not UTF-8 is refused before anything else.
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if verdict(&text) == Verdict::Sound {
            prop_assert_eq!(vouched_for(text.as_bytes()), vouched_for(CHILD.as_bytes()), "byte {}", at);
        }
    }
}
