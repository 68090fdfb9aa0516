//! The closed codes of a decision (DOMAIN section 1).

use crate::notation::codes;

codes! {
    /// What was decided.
    pub enum Decision {
        /// To share everything.
        Share,
        /// To share some items and withhold others.
        SharePart,
        /// To share nothing.
        Withhold,
    }
}

impl Decision {
    /// Whether anything was shared.
    pub const fn shares(self) -> bool {
        !matches!(self, Self::Withhold)
    }

    /// Whether anything was withheld.
    pub const fn withholds(self) -> bool {
        !matches!(self, Self::Share)
    }
}

codes! {
    /// What gave rise to the decision.
    pub enum Trigger {
        /// The agency's own initiative.
        Proactive,
        /// Another's request.
        Request,
        /// A notification that is due in any case.
        Notification,
        /// A referral.
        Referral,
        /// A meeting.
        Meeting,
    }
}

codes! {
    /// What an item of information is about.
    pub enum Category {
        /// Who somebody is.
        Identity,
        /// Health.
        Health,
        /// Education.
        Education,
        /// Welfare.
        Welfare,
        /// Offending.
        Offending,
        /// Missing episodes.
        Missing,
        /// Where somebody is or lives.
        Location,
        /// Intelligence.
        Intelligence,
    }
}

codes! {
    /// Fact or something else: what kind of statement the information is.
    pub enum Nature {
        /// A fact.
        Fact,
        /// A professional's opinion.
        Opinion,
        /// An allegation.
        Allegation,
        /// What a third party reported.
        ThirdPartyReport,
    }
}

codes! {
    /// How sure the information is.
    pub enum Accuracy {
        /// Checked against its source.
        Verified,
        /// Not checked.
        Unverified,
        /// Somebody disputes it.
        Disputed,
    }
}

codes! {
    /// How data protection law classes the information.
    pub enum DataClass {
        /// Personal data.
        Personal,
        /// Special category data (UK GDPR Article 9).
        Special,
        /// Data on criminal convictions and offences (UK GDPR Article 10).
        CriminalOffence,
    }
}

codes! {
    /// What became of an item.
    pub enum Disposition {
        /// It was shared.
        Shared,
        /// It was withheld.
        Withheld,
    }
}

codes! {
    /// What the information is to be used for.
    pub enum Purpose {
        /// Early help.
        EarlyHelp,
        /// Assessing need.
        AssessNeed,
        /// Protecting from harm.
        ProtectFromHarm,
        /// Preventing crime.
        PreventCrime,
        /// Finding a missing child.
        FindMissingChild,
        /// Planning or reviewing support.
        PlanOrReview,
        /// Legal proceedings.
        LegalProceedings,
        /// Something else, which `purpose_text` says.
        Other,
    }
}

codes! {
    /// Whether the information was collected for the purpose that it is now used for.
    pub enum CollectedFor {
        /// For the same purpose.
        Same,
        /// For a different one.
        Different,
    }
}

codes! {
    /// The harm that the decision is about.
    pub enum HarmLevel {
        /// None.
        None,
        /// Early help would do.
        EarlyHelp,
        /// A child in need (Children Act 1989 section 17).
        ChildInNeed,
        /// Significant harm, suffered or likely (section 47).
        SignificantHarm,
        /// Immediate danger.
        Immediate,
    }
}

codes! {
    /// Where consent to the sharing stands.
    pub enum ConsentStatus {
        /// Given explicitly.
        Explicit,
        /// Given.
        Given,
        /// Asked for and refused.
        Refused,
        /// Given and withdrawn since.
        Withdrawn,
        /// Not asked for.
        NotSought,
        /// Nobody could give it.
        NotPossible,
    }
}

codes! {
    /// Who gave, refused or withdrew consent.
    pub enum ConsentBy {
        /// The child.
        Child,
        /// A person with parental responsibility.
        PersonWithPR,
        /// Somebody else.
        Other,
    }
}

codes! {
    /// Why there is no consent.
    pub enum WhyNoConsent {
        /// Asking would put the child at risk.
        RiskToChild,
        /// The person cannot give it.
        CannotGive,
        /// It was not reasonable to obtain it.
        NotReasonable,
        /// Asking would prejudice an investigation.
        PrejudicesInvestigation,
        /// Another basis applies.
        AnotherBasisApplies,
    }
}

codes! {
    /// When the individual was told of the sharing.
    pub enum InformedStatus {
        /// Before it.
        Before,
        /// After it.
        After,
        /// They are to be told.
        Planned,
        /// They are not told.
        No,
    }
}

codes! {
    /// Why the individual is not told.
    pub enum WhyNotInformed {
        /// Telling would increase the risk.
        IncreasesRisk,
        /// Telling would prejudice an investigation.
        PrejudicesInvestigation,
        /// It is impracticable.
        Impracticable,
        /// The law forbids it.
        LegalBar,
    }
}

codes! {
    /// Who advised.
    pub enum Adviser {
        /// A manager.
        Manager,
        /// The designated safeguarding lead.
        DSL,
        /// The Caldicott guardian.
        Caldicott,
        /// The data protection officer.
        DPO,
        /// Lawyers.
        Legal,
        /// The multi-agency safeguarding hub.
        MASH,
        /// The police.
        Police,
    }
}

codes! {
    /// How the information travelled.
    pub enum Channel {
        /// Encrypted e-mail.
        SecureEmail,
        /// A portal.
        Portal,
        /// An interface between systems.
        API,
        /// The telephone.
        Phone,
        /// A meeting.
        Meeting,
        /// The post.
        Post,
    }
}

codes! {
    /// Why information was withheld.
    pub enum WithholdGround {
        /// There is no clear and legitimate purpose.
        NoPurpose,
        /// There is no lawful reason.
        NoLawfulReason,
        /// Sharing would do more harm than good.
        MoreDetrimental,
        /// It is not necessary.
        NotNecessary,
        /// The recipient is not the right one.
        WrongRecipient,
        /// A court's order forbids it.
        CourtOrder,
        /// The information is inaccurate.
        Inaccurate,
        /// There is no consent.
        NoConsent,
        /// Data protection law, as the agency understood it.
        DataProtection,
    }
}
