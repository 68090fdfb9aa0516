//! The cases of DOMAIN section 9 that end in a finding, or in none.

use super::*;

#[test]
fn case_8_a_gp_refuses_the_hub_citing_data_protection() {
    let mut case = sound();
    case.agency = GP.to_owned();
    case.harm_level = HarmLevel::ChildInNeed;
    case.withheld(WithholdGround::DataProtection);
    assert_eq!(case.found(), "W5");
}

#[test]
fn case_11_a_charity_relies_on_safeguarding_and_a_council_copies_it() {
    let mut case = sound();
    case.agency = CHARITY.to_owned();
    case.recipients = vec![recipient(COUNCIL)];
    case.items.truncate(1);
    case.lawful_basis = vec![safeguarding()];
    assert_eq!(case.found(), "");
    case.agency = COUNCIL.to_owned();
    assert_eq!(case.found(), "E6");
}

#[test]
fn case_12_a_mental_health_record_on_the_public_task_alone_then_corrected() {
    let mut case = sound();
    case.items = vec![item(Category::Health, DataClass::Special)];
    case.lawful_basis = vec![
        article_6(Article6::PublicTask),
        LawfulBasis::Gateway { code: Gateway::CA1989S47 },
        LawfulBasis::Confidence { code: Confidence::OverridingPublicInterest },
    ];
    assert_eq!(case.found(), "E2[0]");
    case.lawful_basis.push(LawfulBasis::Article9 { code: Article9::SubstantialPublicInterest });
    case.lawful_basis.push(paragraph_18(Some(Schedule1Ground::CannotReasonablyObtain)));
    assert_eq!(case.found(), "");
}

#[test]
fn case_13_a_mother_refuses_and_is_not_told_because_of_the_risk() {
    assert_eq!(sound().found(), "");
}

#[test]
fn case_16_a_youth_service_relies_on_consent() {
    let mut case = sound();
    case.items.truncate(1);
    case.lawful_basis = vec![article_6(Article6::Consent)];
    case.consent = given(ConsentStatus::Given);
    assert_eq!(case.found(), "W1");
}
