//! What happens in a history, as small as a rule needs it: the event's data is written out only when it is asked for, for a
//! million events written out would fill the memory of a small machine several times over.

use crate::agencies::AgencyNumber;
use crate::pseudonyms::Name;

/// One event to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happening {
    pub(crate) speaker: AgencyNumber,
    /// The child, under the name by which the speaker knows it.
    pub(crate) child: Name,
    /// When it happened, and when the ledger received it: milliseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) received: i64,
    /// Draws all that no rule of the truth depends on.
    pub(crate) texture: u32,
    /// The planted case whose alert must name this event, counted from 1; 0 if none does.
    pub(crate) case: u32,
    pub(crate) what: What,
}

/// What happened. Numbers of places, persons, agreements and references have no meaning beyond being equal or not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Decision(Decision),
    DecisionReviewed,
    DecisionCorrected,
    MissingStarted { absence: Absence },
    MissingEnded { absence: Absence },
    Interview(Interview),
    Moved { from: AgencyNumber, to: AgencyNumber, terms: Terms, notified: Option<i64> },
    Placed { from: AgencyNumber, to: AgencyNumber, terms: Terms, notified: Option<i64>, secure: bool },
    ContextLinked { context: u32 },
    ContextUnlinked { context: u32 },
    PersonLinked { person: u32 },
    PersonUnlinked { person: u32 },
    RequestReceived { from: AgencyNumber, rating: Rating, due: Option<i64>, reference: u32 },
    RequestAnswered { to: AgencyNumber, reference: u32 },
    RequestRefused { to: AgencyNumber, reference: u32 },
    ReferralMade { to: AgencyNumber, reference: u32 },
    ReferralOutcome { referrer: AgencyNumber, reference: u32 },
    Disclosure { to: AgencyNumber },
    Consent(ConsentAct),
    Meeting { first: AgencyNumber, second: AgencyNumber },
    Harm,
    Agreement { act: AgreementAct, number: u32, other: AgencyNumber },
    IdentifiersLinked,
    SubjectAccess,
    Hold { lifted: bool },
    Accessed { approved: bool },
}

/// A decision, as far as a rule looks at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) basis: Basis,
    pub(crate) level: Level,
    /// How many minutes before the sharing, or before a decision to withhold, the concern came; none if it is not recorded.
    pub(crate) aware: Option<u32>,
    pub(crate) to: AgencyNumber,
    pub(crate) agreement: Option<u32>,
    pub(crate) request: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Share,
    SharePart,
    Withhold,
}

/// What the decision relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// What suits the agency, and breaks no rule.
    Sound,
    /// The same, though there is consent, on which the decision could rely as well.
    Consented,
    /// Consent, Article 6(1)(a).
    Consent,
    /// A public task, for special category data and without a condition of Article 9: finding E2.
    WithoutArticle9,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    None,
    EarlyHelp,
    ChildInNeed,
    SignificantHarm,
    Immediate,
}

impl Level {
    /// How long sharing may take (DOMAIN section 5, pattern 12), in minutes.
    pub(crate) const fn minutes_to_share(self) -> u32 {
        if matches!(self, Self::SignificantHarm | Self::Immediate) { 24 * 60 } else { 72 * 60 }
    }
}

/// What both ends of an absence say alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    pub(crate) away: bool,
    pub(crate) placed: bool,
    pub(crate) reference: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interview {
    Offered,
    Held,
    Declined,
}

/// On which terms a child moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) plan: Support,
    pub(crate) emergency: bool,
}

/// The plan that the child is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    Protection,
    InNeed,
    LookedAfter,
    None,
}

impl Terms {
    /// Within how many working days the new authority is to be told (pattern 7).
    pub(crate) fn working_days(self) -> u32 {
        if self.plan == Support::None || self.emergency { 5 } else { 1 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rating {
    Red,
    Amber,
    Green,
}

impl Rating {
    pub(crate) const ALL: [Self; 3] = [Self::Red, Self::Amber, Self::Green];

    /// Within how many hours a request is due (DOMAIN section 4).
    pub(crate) const fn hours(self) -> i64 {
        match self {
            Self::Red => 4,
            Self::Amber => 24,
            Self::Green => 72,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsentAct {
    Given,
    Refused,
    Withdrawn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgreementAct {
    Registered,
    Reviewed,
    Ended,
}

/// How long after a decision the information was shared. It is the same for all, so that decisions and sharings come in
/// one order and a window of either holds the same ones.
pub(crate) const SHARED_AFTER: i64 = 15 * crate::calendar::MINUTE;

impl Decision {
    /// A sound decision to share with this agency, without delay.
    pub(crate) const fn share(to: AgencyNumber) -> Self {
        Self {
            outcome: Outcome::Share,
            basis: Basis::Sound,
            level: Level::ChildInNeed,
            aware: Some(180),
            to,
            agreement: None,
            request: None,
        }
    }

    pub(crate) fn shares(&self) -> bool {
        self.outcome != Outcome::Withhold
    }
}
