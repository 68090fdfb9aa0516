//! Who relies on them, consent, and practice.

use super::*;

pub(super) const PARTIES: &[Row] = &[
    ("E6: a council on ea", |c| rely_on(c, safeguarding()), "E6"),
    ("E6: a council on f", |c| rely_on(c, article_6(Article6::LegitimateInterests)), "E6"),
    (
        "E6: a charity on f",
        |c| {
            c.agency = CHARITY.to_owned();
            rely_on(c, article_6(Article6::LegitimateInterests));
        },
        "",
    ),
    (
        "E6: nobody knows whose",
        |c| {
            c.agency = String::new();
            rely_on(c, safeguarding());
        },
        "",
    ),
    (
        "E9: a council on section 35",
        |c| {
            under_part_3(c);
            c.agency = COUNCIL.to_owned();
        },
        "E9",
    ),
    (
        "E9: a council on Schedule 8",
        |c| {
            c.lawful_basis.push(LawfulBasis::Schedule8 { paragraph: Schedule8Paragraph::P4 });
        },
        "E9",
    ),
    (
        "E9: section 35 beside Article 6",
        |c| {
            c.agency = POLICE.to_owned();
            c.lawful_basis.push(section_35());
        },
        "E9",
    ),
    ("E9: the police", under_part_3, ""),
    ("W2: not verified", |c| c.recipients[0].identity_verified = false, "W2"),
    (
        "W2: one of two without a role",
        |c| {
            c.recipients.push(recipient(GP));
            c.recipients[1].has_safeguarding_role = false;
        },
        "W2",
    ),
    (
        "W2: nothing went to them",
        |c| {
            c.recipients[0].identity_verified = false;
            c.withheld(WithholdGround::WrongRecipient);
        },
        "",
    ),
    (
        "W7: to a charity",
        |c| {
            duty_to_share(c);
            c.recipients.push(recipient(CHARITY));
        },
        "E10 W7",
    ),
    (
        "W7: from a charity",
        |c| {
            duty_to_share(c);
            c.agency = CHARITY.to_owned();
        },
        "E10 W7",
    ),
    (
        "W7: to a private person",
        |c| {
            duty_to_share(c);
            c.recipients[0].agency = None;
        },
        "E10 W7",
    ),
    ("W7: between those whom it lists", duty_to_share, "E10"),
    ("W7: another gateway", |c| c.recipients.push(recipient(CHARITY)), ""),
];

pub(super) const CONSENT: &[Row] = &[
    ("W1: consent as the basis", |c| on_consent(c, ConsentStatus::Given), "W1"),
    (
        "W1: consent beside another basis of confidence",
        |c| {
            c.lawful_basis[4] = LawfulBasis::Confidence { code: Confidence::Consent };
            c.consent = given(ConsentStatus::Given);
        },
        "",
    ),
    ("E7: refused", |c| on_consent(c, ConsentStatus::Refused), "E7 W1"),
    ("E7: never asked for", |c| on_consent(c, ConsentStatus::NotSought), "E7 W1"),
    (
        "E7: withdrawn before",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consents = vec![
                seen("2026-03-02T00:00:00Z", ConsentStatus::Withdrawn),
                seen("2026-03-01T00:00:00Z", ConsentStatus::Given),
            ];
        },
        "E7 W1",
    ),
    (
        "E7: withdrawn at the moment of sharing",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consents = vec![seen("2026-03-10T12:00:00Z", ConsentStatus::Withdrawn)];
        },
        "E7 W1",
    ),
    (
        "E7: withdrawn after",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consents = vec![seen("2026-03-10T12:00:01Z", ConsentStatus::Withdrawn)];
        },
        "W1",
    ),
    (
        "E7: given again",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consents = vec![
                seen("2026-03-02T00:00:00Z", ConsentStatus::Refused),
                seen("2026-03-03T00:00:00Z", ConsentStatus::Given),
            ];
        },
        "W1",
    ),
    (
        "E7: given again only after the sharing",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consents = vec![
                seen("2026-03-02T00:00:00Z", ConsentStatus::Refused),
                seen("2026-03-11T00:00:00Z", ConsentStatus::Given),
            ];
        },
        "E7 W1",
    ),
    (
        "E7: nobody knows which came first",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.shared_at = None;
            c.consents = vec![seen("2026-03-02T00:00:00Z", ConsentStatus::Withdrawn)];
        },
        "W1",
    ),
    (
        "E7: Article 9(2)(a) on consent that is not explicit",
        |c| on_explicit_consent(c, ConsentStatus::Given),
        "E7",
    ),
    ("E7: Article 9(2)(a) on explicit consent", |c| on_explicit_consent(c, ConsentStatus::Explicit), ""),
    (
        "E7: Article 9(2)(a) on explicit consent that was withdrawn",
        |c| {
            on_explicit_consent(c, ConsentStatus::Explicit);
            c.consents = vec![seen("2026-03-02T00:00:00Z", ConsentStatus::Withdrawn)];
        },
        "E7",
    ),
    (
        "W9: not free",
        |c| {
            on_consent(c, ConsentStatus::Given);
            c.consent.freely_given = Some(false);
        },
        "W1 W9",
    ),
    (
        "W9: not competent",
        |c| {
            on_explicit_consent(c, ConsentStatus::Explicit);
            c.consent.competent = Some(false);
        },
        "W9",
    ),
    (
        "W9: not free, as its own record says",
        |c| {
            on_consent(c, ConsentStatus::Given);
            let free = ConsentSeen {
                freely_given: Some(false),
                ..seen("2026-03-01T00:00:00Z", ConsentStatus::Given)
            };
            c.consents = vec![free];
        },
        "W1 W9",
    ),
    ("W9: not relied on", |c| c.consent.freely_given = Some(false), ""),
];

pub(super) const PRACTICE: &[Row] = &[
    ("W3: planned", |c| c.informed = Some(Informed { status: InformedStatus::Planned, reason: None }), "W3"),
    (
        "W3: planned and done",
        |c| {
            c.informed = Some(Informed { status: InformedStatus::Planned, reason: None });
            c.told = true;
        },
        "",
    ),
    ("W3: told", |c| c.informed = Some(Informed { status: InformedStatus::Before, reason: None }), ""),
    ("W4: nothing about confidence", |c| c.without(is_confidence), "W4[1]"),
    (
        "W4: said not to be confidential",
        |c| {
            c.lawful_basis[4] = LawfulBasis::Confidence { code: Confidence::NotConfidential };
        },
        "",
    ),
    (
        "W4: special that is not health",
        |c| {
            c.without(is_confidence);
            c.items[1].category = Category::Identity;
        },
        "W4[1]",
    ),
    (
        "W4: health that is not special",
        |c| {
            c.without(is_confidence);
            c.items[0].category = Category::Health;
            c.items[1] = item(Category::Education, DataClass::Personal);
        },
        "W4[0]",
    ),
    (
        "W4: nothing confidential",
        |c| {
            c.without(is_confidence);
            c.items.pop();
        },
        "",
    ),
    (
        "W5: no consent, in need",
        |c| {
            c.withheld(WithholdGround::NoConsent);
            c.harm_level = HarmLevel::ChildInNeed;
        },
        "W5",
    ),
    (
        "W5: data protection, immediate",
        |c| {
            c.withheld(WithholdGround::DataProtection);
            c.harm_level = HarmLevel::Immediate;
        },
        "W5",
    ),
    (
        "W5: below section 17",
        |c| {
            c.withheld(WithholdGround::DataProtection);
            c.harm_level = HarmLevel::EarlyHelp;
        },
        "",
    ),
    ("W5: another ground", |c| c.withheld(WithholdGround::CourtOrder), ""),
    (
        "W5: in part",
        |c| {
            c.decision = Decision::SharePart;
            c.items[0].disposition = Disposition::Withheld;
            c.withhold = Some(Withholding { ground: WithholdGround::NoConsent });
        },
        "W5",
    ),
    (
        "W6: vital interests, in need",
        |c| {
            rely_on(c, article_6(Article6::VitalInterests));
            c.harm_level = HarmLevel::ChildInNeed;
        },
        "W6",
    ),
    (
        "W6: Article 9(2)(c), in need",
        |c| {
            c.lawful_basis[1] = LawfulBasis::Article9 { code: Article9::VitalInterests };
            c.harm_level = HarmLevel::ChildInNeed;
        },
        "W6",
    ),
    ("W6: significant harm", |c| rely_on(c, article_6(Article6::VitalInterests)), ""),
    ("W8: not considered", |c| c.collected_for = CollectedFor::Different, "W8"),
    (
        "W8: considered",
        |c| {
            c.collected_for = CollectedFor::Different;
            c.compatible = Some(false);
        },
        "",
    ),
];
