//! Signed notes, verifier keys and policies. A note has one spelling.
#![no_main]

use gt_core::note::{Note, VerifierKey};
use gt_core::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let _ = note.verify(&[]);
    }
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(key) = VerifierKey::parse(text)
    {
        assert_eq!(key.to_string(), text);
    }
    let _ = Policy::parse(bytes);
});
