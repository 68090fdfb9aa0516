//! The JSON Schema of bundles agrees with the reading of their form.

use std::sync::LazyLock;

use gt_core::bundle::Bundle;
use jsonschema::Validator;
use serde_json::Value as Json;

use super::{TAMPERINGS, stored, tampered};
use crate::document::{self, list, text};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Json = document::read(include_str!("../../../../../schemas/bundle.v1.schema.json"));
    jsonschema::meta::validate(&schema).expect("a JSON Schema of 2020-12");
    jsonschema::draft202012::new(&schema).expect("a schema")
});

#[test]
fn schema_and_reading_accept_and_refuse_the_same() {
    let whole = document::read(&stored(TAMPERINGS));
    let (mut accepted, mut refused) = (0, 0);
    for case in list(&whole, "cases") {
        let bundle = tampered(case);
        let form = Bundle::parse(bundle.as_bytes());
        // What is not strict JSON is not for a schema to see.
        if matches!(form, Err(gt_core::bundle::BundleError::Json(_))) {
            continue;
        }
        let valid = SCHEMA.is_valid(&document::read(&bundle));
        assert_eq!(valid, form.is_ok(), "{}: {:?}", text(case, "name"), form.err());
        if valid { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}
