//! `identifier.linked`, `identifier.unlinked`: two pseudonyms stand for one person, or do not after all (DOMAIN section 4).

use serde_json::{Value, json};

use crate::definition::Rules;
use crate::error::{Fault, SchemaError};
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, events, record, refs, times};
use crate::words::{Pseudonym, Text};

codes! {
    /// What shows that two pseudonyms stand for one person.
    pub enum IdentityEvidence {
        /// A document that was seen.
        DocumentSeen,
        /// Name, date of birth and address match.
        DemographicMatch,
        /// A system that holds both identifiers.
        SharedSystem,
        /// A professional who knows the person.
        ProfessionalKnowledge,
        /// Something else.
        Other,
    }
}

codes! {
    /// How sure it is.
    pub enum IdentityConfidence {
        /// Confirmed.
        Confirmed,
        /// Probable.
        Probable,
        /// Possible.
        Possible,
    }
}

record! {
    /// One side of the link.
    pub struct Identified {
        /// The pseudonym.
        pub pseudonym: Pseudonym,
    }
}

times! {
    /// The link's times.
    pub struct IdentifierTimes {
        /// When the link was made or taken back.
        occurred_at,
    }
}

refs! {
    /// What the link belongs to.
    pub struct IdentifierRefs {}
}

events! {
    /// Two pseudonyms stand for one person.
    pub struct IdentifierLinked;
    /// Two pseudonyms that were linked do not stand for one person after all.
    pub struct IdentifierUnlinked;
    each {
        clear {
            /// What shows it.
            evidence: IdentityEvidence, required = Always;
            /// How sure it is.
            confidence: IdentityConfidence, required = Always;
        }
        disclosed {
            /// The two pseudonyms.
            identifiers: Vec<Identified>, owner = Named, keepable = false, required = Always;
            /// When the link was made or taken back.
            times: Option<IdentifierTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<IdentifierRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

fn are_two(identifiers: &[Identified]) -> Result<(), SchemaError> {
    match identifiers {
        [one, other] if one == other => {
            Err(Fault::Contradiction { expected: "two different pseudonyms" }.at("/identifiers"))
        }
        [_, _] => Ok(()),
        _ => Err(Fault::expected("exactly two pseudonyms").at("/identifiers")),
    }
}

/// Equal digests are refused in any case, so the signed shape may say `uniqueItems` too.
fn two_schema() -> Vec<Value> {
    vec![json!({ "properties": { "identifiers": { "minItems": 2, "maxItems": 2, "uniqueItems": true } } })]
}

macro_rules! rules {
    ($($Link:ident)+) => {$(
        impl Rules for $Link {
            fn agree(&self) -> Result<(), SchemaError> {
                are_two(&self.identifiers)
            }

            fn agreement_schemas() -> Vec<Value> {
                two_schema()
            }
        }
    )+};
}

rules! { IdentifierLinked IdentifierUnlinked }
