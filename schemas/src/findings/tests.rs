//! One decision that is sound, and what changes to it are found.

mod cases;
mod properties;
mod rules;

use super::*;
use crate::{
    Accuracy, AgencyCode, Article6, Article9, Category, Confidence, ConsentBy, DataClass, Disposition,
    Gateway, InformedStatus, Nature, Part3, RecognisedInterest, Schedule1Ground, Schedule1Paragraph,
    WhyNoConsent, WhyNotInformed, WithholdGround,
};

const COUNCIL: &str = "gss:E06000999";
const POLICE: &str = "police:99";
const CHARITY: &str = "charity:9999999";
const GP: &str = "ods:Y99999";

/// A decision and what is known besides, owned, so that a test can change any of it.
#[derive(Debug, Clone)]
struct Case {
    agency: String,
    decision: Decision,
    harm_level: HarmLevel,
    collected_for: CollectedFor,
    compatible: Option<bool>,
    items: Vec<Item>,
    recipients: Vec<Recipient>,
    lawful_basis: Vec<LawfulBasis>,
    consent: Consent,
    informed: Option<Informed>,
    withhold: Option<Withholding>,
    shared_at: Option<Time>,
    consents: Vec<ConsentSeen>,
    told: bool,
}

impl Case {
    fn sharing(&self) -> Sharing<'_> {
        Sharing {
            agency: &self.agency,
            decision: self.decision,
            harm_level: self.harm_level,
            purpose: Purpose::ProtectFromHarm,
            collected_for: self.collected_for,
            compatible: self.compatible,
            items: &self.items,
            recipients: &self.recipients,
            lawful_basis: &self.lawful_basis,
            consent: &self.consent,
            informed: self.informed.as_ref(),
            withhold: self.withhold.as_ref(),
            shared_at: self.shared_at,
        }
    }

    fn findings(&self) -> Vec<PracticeFinding> {
        let known = Known { consents: &self.consents, told: self.told };
        findings(&self.sharing(), &known, &Catalogue::standard())
    }

    /// The codes found, with the items concerned: `E2[1] W1`.
    fn found(&self) -> String {
        let text = |finding: &PracticeFinding| match &finding.items[..] {
            [] => finding.code.as_str().to_owned(),
            items => format!("{}{items:?}", finding.code.as_str()),
        };
        self.findings().iter().map(text).collect::<Vec<_>>().join(" ")
    }

    fn without(&mut self, of_kind: fn(LawfulBasis) -> bool) {
        self.lawful_basis.retain(|basis| !of_kind(*basis));
    }

    fn withheld(&mut self, ground: WithholdGround) {
        self.decision = Decision::Withhold;
        self.items.iter_mut().for_each(|item| item.disposition = Disposition::Withheld);
        self.withhold = Some(Withholding { ground });
        self.lawful_basis.clear();
        (self.informed, self.shared_at) = (None, None);
    }
}

/// A council shares a child's welfare (item 0) and health (item 1) at section 47 without the mother's consent.
fn sound() -> Case {
    Case {
        agency: COUNCIL.to_owned(),
        decision: Decision::Share,
        harm_level: HarmLevel::SignificantHarm,
        collected_for: CollectedFor::Same,
        compatible: None,
        items: vec![item(Category::Welfare, DataClass::Personal), item(Category::Health, DataClass::Special)],
        recipients: vec![recipient(POLICE)],
        lawful_basis: vec![
            article_6(Article6::PublicTask),
            LawfulBasis::Article9 { code: Article9::SubstantialPublicInterest },
            paragraph_18(Some(Schedule1Ground::WouldPrejudiceProtection)),
            LawfulBasis::Gateway { code: Gateway::CA1989S47 },
            LawfulBasis::Confidence { code: Confidence::OverridingPublicInterest },
        ],
        consent: Consent {
            status: ConsentStatus::Refused,
            by: Some(ConsentBy::PersonWithPR),
            freely_given: None,
            competent: None,
            why_not: Some(WhyNoConsent::RiskToChild),
        },
        informed: Some(Informed { status: InformedStatus::No, reason: Some(WhyNotInformed::IncreasesRisk) }),
        withhold: None,
        shared_at: Some(at("2026-03-10T12:00:00Z")),
        consents: Vec::new(),
        told: false,
    }
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn item(category: Category, class: DataClass) -> Item {
    Item {
        category,
        nature: Nature::Fact,
        accuracy: Accuracy::Verified,
        class,
        identifies: true,
        disposition: Disposition::Shared,
    }
}

fn recipient(agency: &str) -> Recipient {
    Recipient {
        agency: Some(AgencyCode::parse(agency).unwrap()),
        internal: false,
        has_safeguarding_role: true,
        identity_verified: true,
    }
}

fn article_6(code: Article6) -> LawfulBasis {
    LawfulBasis::Article6 { code, condition: None }
}

fn safeguarding() -> LawfulBasis {
    let condition = Some(RecognisedInterest::Safeguarding);
    LawfulBasis::Article6 { code: Article6::RecognisedInterest, condition }
}

fn paragraph_18(ground: Option<Schedule1Ground>) -> LawfulBasis {
    LawfulBasis::Schedule1 { paragraph: Schedule1Paragraph::P18, ground }
}

fn section_35() -> LawfulBasis {
    LawfulBasis::Part3 { code: Part3::S35 }
}

fn given(status: ConsentStatus) -> Consent {
    let by = Some(ConsentBy::PersonWithPR);
    Consent { status, by, freely_given: Some(true), competent: Some(true), why_not: None }
}

fn seen(moment: &str, status: ConsentStatus) -> ConsentSeen {
    ConsentSeen { at: at(moment), status, freely_given: None, competent: None }
}
