//! What a finding says to a person, and where its rule comes from.

use super::FindingCode;

impl FindingCode {
    /// A sentence or two that a person can read: what the rule is, what is missing, and what to look at. It holds nothing
    /// of the record and serves for a record and for a question asked beforehand.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::E1 => {
                "Information that identifies a person needs an Article 6 basis, or section 35 for law enforcement, and none is named. Please look at which basis applies."
            }
            Self::E2 => {
                "Special category data needs a condition of Article 9, or of Schedule 8 under Part 3, and none is named. Please look at which condition applies."
            }
            Self::E3 => {
                "The Article 9 condition that is named needs a condition of Schedule 1 beside it, and none is named. For safeguarding this is often paragraph 18. Please look at which applies."
            }
            Self::E4 => {
                "Schedule 1 paragraph 18 is named without its ground: consent cannot be given, cannot reasonably be obtained, or asking would prejudice the protection. Please look at which of the three it is."
            }
            Self::E5 => {
                "Data about criminal offences needs official authority or a condition of Schedule 1, and neither is named. Please look at which applies."
            }
            Self::E6 => {
                "A public authority's own task cannot rest on a recognised or other legitimate interest, and one is named. Please look at whether the public task, Article 6(1)(e) with its legal source, is the basis."
            }
            Self::E7 => {
                "Consent is named as the basis, and no consent is known that was live at the time of sharing, or explicit where Article 9(2)(a) needs it. Please look at whether another basis applies, and whether the person should hear of it."
            }
            Self::E8 => {
                "A legal obligation or a public task is named without the law that lays it down. Please look at which statutory gateway or order it is."
            }
            Self::E9 => {
                "Part 3 is for competent authorities and for law enforcement alone, and it is named by another body or together with Article 6. Please look at which of the two regimes applies."
            }
            Self::E10 => {
                "A basis is named that was not in force at the time of sharing, or is not known to be in force. Please look at which basis was."
            }
            Self::W1 => {
                "Consent is named as the Article 6 basis. In most safeguarding it is unlikely to be the right one. Please look at whether another basis applies."
            }
            Self::W2 => {
                "A recipient's identity was not verified, or the recipient has no safeguarding role. Please look at whether this was the right recipient."
            }
            Self::W3 => {
                "The individual was to be told, and no record says that they were. Please look at whether they have been told, or why they should not be."
            }
            Self::W4 => {
                "Confidential information is named without what lifts the duty of confidence: consent, a statute or a court, or an overriding public interest. The duty does not prevent sharing. Please look at which ground applies."
            }
            Self::W5 => {
                "Information about a child in need or at risk of harm was withheld for want of consent or because of data protection. Neither prevents sharing that protects a child. Please look again, with the safeguarding lead, children's social care or the police."
            }
            Self::W6 => {
                "Vital interests are named, and the level of harm does not say that a life may be at stake. Please look at whether another basis fits better."
            }
            Self::W7 => {
                "The duty to share of section 16LA is named, and a party is not among those whom it lists. Please look at which other gateway applies."
            }
            Self::W8 => {
                "Information is used for another purpose than it was collected for, and nothing says whether somebody considered that the two are compatible. Please look at whether they are."
            }
            Self::W9 => {
                "Consent is named as the basis, and it was not freely given, or the person was not competent to give it. Please look at whether another basis applies."
            }
        }
    }

    /// The source of the rule: the provision, or the guidance.
    pub const fn source(self) -> &'static str {
        match self {
            Self::E1 => "UK GDPR Article 6(1); DPA 2018 section 35",
            Self::E2 => "UK GDPR Article 9; DPA 2018 section 35 and Schedule 8",
            Self::E3 => "DPA 2018 section 10(2) and (3)",
            Self::E4 => "DPA 2018 Schedule 1 paragraph 18",
            Self::E5 => "UK GDPR Article 10; DPA 2018 section 10(5)",
            Self::E6 => "UK GDPR Article 6(1), on (ea) and (f) and public authorities' tasks",
            Self::E7 => "UK GDPR Articles 4(11), 7 and 9(2)(a)",
            Self::E8 => "UK GDPR Article 6(3)",
            Self::E9 => "DPA 2018 sections 30 and 35",
            Self::E10 => "the provision's own commencement",
            Self::W1 => "Information sharing advice for practitioners (DfE, May 2024)",
            Self::W2 => "Information sharing advice for practitioners (DfE, May 2024), golden rule 6",
            Self::W3 => {
                "UK GDPR Articles 13 and 14; Information sharing advice (DfE, May 2024), golden rule 2"
            }
            Self::W4 => "common-law duty of confidence",
            Self::W5 => "Information sharing advice (DfE, May 2024), golden rules 1 and 3; Working Together",
            Self::W6 => "UK GDPR Articles 6(1)(d) and 9(2)(c)",
            Self::W7 => "Children Act 2004 section 16LA",
            Self::W8 => "UK GDPR Article 5(1)(b)",
            Self::W9 => "UK GDPR Articles 4(11) and 7",
        }
    }
}
