//! Evidence bundles and evidence of forks: read, written again, and checked as a panel does that pins nothing.
#![no_main]

use gt_core::bundle::{Bundle, BundleInputs, Verdict, verify_bundle};
use gt_core::fork::ForkEvidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::parse(bytes) {
        let again = bundle.to_string();
        assert_eq!(Bundle::parse(again.as_bytes()).expect("its own text"), bundle);
    }
    // Whatever it says, nothing is sound that nothing is pinned for.
    let verdict = verify_bundle(bytes, BundleInputs::default());
    assert_ne!(verdict.verdict, Verdict::Sound);
    if let Ok(fork) = ForkEvidence::parse(bytes) {
        assert_eq!(ForkEvidence::parse(fork.to_json().as_bytes()).expect("its own text"), fork);
    }
});
