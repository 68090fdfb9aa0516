//! Checkpoints, signed and bare. Each has one spelling, and none is believed that no key signed.
#![no_main]

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::note::NoteSigner;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.to_string().as_bytes(), bytes);
        // Nobody has this key, so nothing that is made up here is signed by it.
        let nobody = NoteSigner::new(signed.checkpoint().origin(), &[0x5A; 32]);
        if let Ok(nobody) = nobody {
            let keys = [nobody.verifier_key().clone()];
            assert!(signed.verify(signed.checkpoint().origin(), &keys).is_err());
        }
    }
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.to_string(), text);
    }
});
