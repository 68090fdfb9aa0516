//! Compact SD-JWTs. What is read is the bytes that came, and reads the same again.
#![no_main]

use gt_core::statement::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::parse(bytes) else { return };
    assert_eq!(statement.to_compact().as_bytes(), bytes);
    let texts = statement.disclosures().iter().map(gt_core::statement::Disclosure::text);
    let apart = Statement::from_parts(statement.jws(), texts).expect("the parts of a statement");
    assert_eq!(apart, statement);
    let _ = statement.require_complete();
    let _ = statement.ownership();
});
