//! `subject.erased`: what the ledger itself seals when the keys of a data subject are destroyed (DOMAIN section 8). It is no event
//! of an agency's: the core reads it, and this says to people and to other tools what it holds.

use schemars::generate::SchemaSettings;
use schemars::json_schema;
use serde_json::Value;

use crate::notation::codes;
use crate::words::AgencyCode;

codes! {
    /// What an erasure destroys.
    pub enum ErasureScope {
        /// What was disclosed about the owners, their pseudonyms included. The signed statements stay and verify.
        Data = "data",
        /// The statements about them too, and which entries are theirs.
        Records = "records",
    }
}

codes! {
    /// Why data about somebody is erased.
    pub enum ErasureGround {
        /// UK GDPR Article 17(1)(a): it is no longer needed for what it was collected for.
        NoLongerNecessary,
        /// Article 17(1)(b): the consent on which it rested was withdrawn, and there is no other basis.
        ConsentWithdrawn,
        /// Article 17(1)(c): an objection, and no overriding legitimate grounds.
        Objection,
        /// Article 17(1)(d): it was processed unlawfully.
        UnlawfulProcessing,
        /// Article 17(1)(e): a legal obligation to erase it.
        LegalObligation,
        /// Article 17(1)(f): it was collected for an online service that was offered to a child.
        OnlineService,
        /// A court ordered it.
        CourtOrder,
        /// The time for which the controller keeps such records has ended.
        RetentionEnded,
        /// It was entered about the wrong person, or should never have been entered.
        EnteredInError,
    }
}

/// The JSON Schema (2020-12) of the `data` of `subject.erased`, version 1. It says what the core reads, save that the owners rise
/// and that there are at least as many entries as owners.
pub fn subject_erased_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let (scope, ground) = (
        generator.subschema_for::<ErasureScope>().to_value(),
        generator.subschema_for::<ErasureGround>().to_value(),
    );
    let authority = generator.subschema_for::<AgencyCode>().to_value();
    let described = |schema: Value, description: &str| {
        let mut schema = schema;
        schema["description"] = description.into();
        schema
    };
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:goldenthread:schema:subject.erased:v1",
        "title": "subject.erased v1",
        "description": "The keys of a data subject are destroyed, as the ledger's own service seals it.",
        "type": "object",
        "properties": {
            "owners": {
                "description": "The opaque ids of the person's identifiers.",
                "type": "array",
                "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"},
                "minItems": 1,
                "maxItems": 64,
                "uniqueItems": true,
            },
            "entries": {
                "description": "How many links of these owners the log has.",
                "type": "integer",
                "minimum": 1,
                "maximum": 9_007_199_254_740_991_u64,
            },
            "scope": described(scope, "What was destroyed."),
            "authority": described(authority, "The agency that decided on it."),
            "ground": described(ground, "Why."),
        },
        "required": ["owners", "entries", "scope", "authority", "ground"],
        "additionalProperties": false,
        "$defs": generator.take_definitions(true),
    })
    .to_value()
}
