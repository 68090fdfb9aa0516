//! Receipts (C2SP tlog-proof), and the proofs within them.
#![no_main]

use gt_core::proof::InclusionProof;
use gt_core::receipt::Receipt;
use gt_core::tree;
use gt_core::verify::{Pin, verify_receipt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(receipt) = Receipt::parse(bytes) else { return };
    assert_eq!(receipt.to_string().as_bytes(), bytes);
    let checkpoint = receipt.checkpoint.checkpoint();
    let proof = InclusionProof { index: receipt.index, size: checkpoint.size(), path: receipt.path.clone() };
    let leaf = tree::leaf_hash(receipt.extra.as_deref().unwrap_or_default());
    let _ = proof.verify(&leaf, &checkpoint.root());
    // Without a key nothing holds, whatever the proof says.
    let pin = Pin { origin: checkpoint.origin().to_owned(), verifier_keys: Vec::new(), genesis: None };
    assert!(verify_receipt(&receipt, None, &pin).is_err());
});
