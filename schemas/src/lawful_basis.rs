//! The lawful bases of DOMAIN section 2: UK GDPR, the Data Protection Act 2018 (DPA) as amended by the Data (Use and
//! Access) Act 2025, and the statutory gateways.
//!
//! A list of them stands in a decision, each element a provision that the agency relied on. Whether they fit together,
//! and whether they were in force, is a finding and no matter of structure.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::member::Requirement;
use crate::notation::{codes, tagged};
use crate::reading::Read;

codes! {
    /// UK GDPR Article 6(1): a basis for any personal data.
    pub enum Article6 {
        /// Consent.
        Consent = "a",
        /// A contract with the person.
        Contract = "b",
        /// A legal obligation.
        LegalObligation = "c",
        /// Vital interests.
        VitalInterests = "d",
        /// A task in the public interest or official authority.
        PublicTask = "e",
        /// A recognised legitimate interest (Annex 1); not for a public authority's own tasks.
        RecognisedInterest = "ea",
        /// Legitimate interests.
        LegitimateInterests = "f",
    }
}

codes! {
    /// UK GDPR Annex 1: the conditions of a recognised legitimate interest.
    pub enum RecognisedInterest {
        /// Disclosure that another asks for in order to perform its public task.
        PublicTaskRequest,
        /// National security, public security and defence.
        NationalSecurity,
        /// Responding to an emergency.
        Emergency,
        /// Detecting, investigating or preventing crime.
        Crime,
        /// Safeguarding vulnerable individuals.
        Safeguarding,
    }
}

codes! {
    /// UK GDPR Article 9(2): a condition for special category data.
    pub enum Article9 {
        /// Explicit consent.
        ExplicitConsent = "a",
        /// Employment, social security and social protection.
        SocialProtection = "b",
        /// Vital interests.
        VitalInterests = "c",
        /// A not-for-profit body's activities.
        NotForProfit = "d",
        /// Data that the person made public.
        MadePublic = "e",
        /// Legal claims and courts.
        LegalClaims = "f",
        /// Substantial public interest.
        SubstantialPublicInterest = "g",
        /// Health or social care.
        HealthOrSocialCare = "h",
        /// Public health.
        PublicHealth = "i",
        /// Archiving, research and statistics.
        Research = "j",
    }
}

codes! {
    /// UK GDPR Article 10: the authority for criminal offence data.
    pub enum Article10 {
        /// Under the control of official authority.
        OfficialAuthority,
        /// Under a condition of DPA Schedule 1, which stands in the list as an element of its own.
        Schedule1Condition,
    }
}

codes! {
    /// DPA Schedule 1: the paragraph relied on.
    pub enum Schedule1Paragraph {
        /// Employment, social security and social protection.
        P1,
        /// Health or social care purposes.
        P2,
        /// Statutory and government purposes.
        P6,
        /// Preventing or detecting unlawful acts.
        P10,
        /// Counselling.
        P17,
        /// Safeguarding of children and of individuals at risk.
        P18,
    }
}

codes! {
    /// DPA Schedule 1 paragraph 18: why it is done without consent.
    pub enum Schedule1Ground {
        /// Consent cannot be given.
        ConsentCannotBeGiven,
        /// Consent cannot reasonably be obtained.
        CannotReasonablyObtain,
        /// Asking for consent would prejudice the protection.
        WouldPrejudiceProtection,
    }
}

codes! {
    /// DPA Part 3: processing by a competent authority for law enforcement.
    pub enum Part3 {
        /// Section 35, the first data protection principle.
        S35 = "s35",
    }
}

codes! {
    /// DPA Schedule 8: the paragraph relied on for sensitive processing under Part 3.
    pub enum Schedule8Paragraph {
        /// Statutory purposes.
        P1,
        /// Administration of justice.
        P2,
        /// Protecting an individual's vital interests.
        P3,
        /// Safeguarding of children and of individuals at risk.
        P4,
        /// Data already in the public domain.
        P5,
        /// Legal claims.
        P6,
        /// Judicial acts.
        P7,
        /// Preventing fraud.
        P8,
        /// Archiving and research.
        P9,
    }
}

codes! {
    /// A power or duty to share.
    pub enum Gateway {
        /// Children Act 2004 section 10: co-operation to improve well-being.
        CA2004S10 = "CA2004s10",
        /// Children Act 2004 section 11: arrangements to safeguard and promote welfare.
        CA2004S11 = "CA2004s11",
        /// Children Act 2004 section 16H: information for safeguarding partners.
        CA2004S16H = "CA2004s16H",
        /// Children Act 2004 section 16LA: the duty to share. Regulations may not have commenced it.
        CA2004S16LA = "CA2004s16LA",
        /// Children Act 1989 section 17: children in need.
        CA1989S17 = "CA1989s17",
        /// Children Act 1989 section 27: co-operation between authorities.
        CA1989S27 = "CA1989s27",
        /// Children Act 1989 section 47: significant harm.
        CA1989S47 = "CA1989s47",
        /// Crime and Disorder Act 1998 section 115.
        CDA1998S115 = "CDA1998s115",
        /// Education Act 2002 section 175.
        EA2002S175 = "EA2002s175",
        /// An order of a court.
        CourtOrder,
    }
}

codes! {
    /// The common-law duty of confidence, and what lifts it.
    pub enum Confidence {
        /// The information is not confidential.
        NotConfidential,
        /// Consent.
        Consent,
        /// A statute or a court.
        StatuteOrCourt,
        /// An overriding public interest.
        OverridingPublicInterest,
    }
}

tagged! {
    /// One provision that the agency relied on.
    pub enum LawfulBasis, kind LawfulBasisKind {
        /// UK GDPR Article 6(1).
        Article6 {
            /// The letter.
            code: Article6,
            /// The condition, of a recognised legitimate interest (`ea`) and only of it.
            condition: Option<RecognisedInterest>,
        },
        /// UK GDPR Article 9(2).
        Article9 {
            /// The letter.
            code: Article9,
        },
        /// UK GDPR Article 10.
        Article10 {
            /// The authority.
            code: Article10,
        },
        /// DPA Schedule 1.
        Schedule1 {
            /// The paragraph.
            paragraph: Schedule1Paragraph,
            /// The ground, of paragraph 18. Leaving it out is a finding, not a fault.
            ground: Option<Schedule1Ground>,
        },
        /// DPA Part 3.
        Part3 {
            /// The section.
            code: Part3,
        },
        /// DPA Schedule 8.
        Schedule8 {
            /// The paragraph.
            paragraph: Schedule8Paragraph,
        },
        /// A statutory gateway or a court's order.
        Gateway {
            /// The gateway.
            code: Gateway,
        },
        /// The duty of confidence.
        Confidence {
            /// What lifts it.
            code: Confidence,
        },
    }
}

impl Read for LawfulBasis {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let basis = Self::read_members(value)?;
        match basis {
            Self::Article6 { code: Article6::RecognisedInterest, condition: None } => {
                Err(Fault::MissingMember { rule: Requirement::When("where the code is ea") }.at("/condition"))
            }
            Self::Article6 { code, condition: Some(_) } if code != Article6::RecognisedInterest => {
                Err(Fault::Contradiction { expected: "a condition only where the code is ea" }
                    .at("/condition"))
            }
            Self::Schedule1 { paragraph, ground: Some(_) } if paragraph != Schedule1Paragraph::P18 => {
                Err(Fault::Contradiction { expected: "a ground only where the paragraph is P18" }
                    .at("/ground"))
            }
            _ => Ok(basis),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl LawfulBasis {
    /// What `read` says of members that need or exclude each other.
    fn agreement_schemas() -> Value {
        let is = |member: &str, code: &str| json!({ "properties": { member: { "const": code } }, "required": [member] });
        json!([
            {
                "if": is("code", "ea"),
                "then": { "required": ["condition"] },
                "else": { "properties": { "condition": false } },
            },
            { "if": is("paragraph", "P18"), "else": { "properties": { "ground": false } } },
        ])
    }
}
