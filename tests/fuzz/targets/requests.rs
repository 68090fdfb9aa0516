//! What is asked of a ledger or a witness: drafts of all types, questions for advice, checkpoints to be cosigned.
#![no_main]

use gt_core::json::Value as Strict;
use gt_core::witness::AddCheckpoint;
use gt_schemas::{Configuration, advise, validate_draft};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    // The strict reading refuses more than serde_json does, and never takes what that refuses.
    let strict = Strict::parse(bytes);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        assert!(strict.is_err());
        return;
    };
    let _ = advise(&value, Some("gss:E06000005"), &Configuration::standard().legal);
    let Some(event_type) = value["type"].as_str() else { return };
    let version = value["version"].as_u64().and_then(|version| u16::try_from(version).ok()).unwrap_or(1);
    if let Ok(event) = validate_draft(event_type, version, &value["data"])
        && version == event.event_type().version()
    {
        // What is read as a draft is one when it is written again. An older version's event may lack what the current one asks for.
        let again = validate_draft(event_type, version, &event.to_draft()).expect("its own draft");
        assert_eq!(again, event);
    }
});
