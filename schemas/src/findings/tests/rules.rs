//! Each rule of DOMAIN section 2 on both sides: what breaks it, and what comes as close without breaking it.

mod bases;
mod practice;

use super::*;
use crate::{Article10, Schedule8Paragraph};
use bases::BASES;
use practice::{CONSENT, PARTIES, PRACTICE};

type Row = (&'static str, fn(&mut Case), &'static str);

fn is_9(basis: LawfulBasis) -> bool {
    matches!(basis, LawfulBasis::Article9 { .. })
}

fn is_schedule_1(basis: LawfulBasis) -> bool {
    matches!(basis, LawfulBasis::Schedule1 { .. })
}

fn is_gateway(basis: LawfulBasis) -> bool {
    matches!(basis, LawfulBasis::Gateway { .. })
}

fn is_confidence(basis: LawfulBasis) -> bool {
    matches!(basis, LawfulBasis::Confidence { .. })
}

fn rely_on(case: &mut Case, basis: LawfulBasis) {
    case.lawful_basis[0] = basis;
}

/// The police share under Part 3 alone.
fn under_part_3(case: &mut Case) {
    case.agency = POLICE.to_owned();
    rely_on(case, section_35());
    case.without(is_9);
    case.without(is_schedule_1);
    case.lawful_basis.push(LawfulBasis::Schedule8 { paragraph: Schedule8Paragraph::P4 });
}

fn on_consent(case: &mut Case, status: ConsentStatus) {
    rely_on(case, article_6(Article6::Consent));
    case.consent = given(status);
}

fn on_explicit_consent(case: &mut Case, status: ConsentStatus) {
    case.lawful_basis[1] = LawfulBasis::Article9 { code: Article9::ExplicitConsent };
    case.consent = given(status);
}

fn duty_to_share(case: &mut Case) {
    case.lawful_basis[3] = LawfulBasis::Gateway { code: Gateway::CA2004S16LA };
}

#[test]
fn every_rule_finds_what_breaks_it_and_nothing_else() {
    for (name, change, expected) in [BASES, PARTIES, CONSENT, PRACTICE].concat() {
        let mut case = sound();
        change(&mut case);
        assert_eq!(case.found(), expected, "{name}");
    }
}

#[test]
fn every_rule_has_a_case_on_both_sides() {
    let rows = [BASES, PARTIES, CONSENT, PRACTICE].concat();
    for code in FindingCode::ALL {
        let about = |row: &&Row| row.0.starts_with(&format!("{}: ", code.as_str()));
        let breaks = |row: &&Row| row.2.split([' ', '[']).any(|found| found == code.as_str());
        let (broken, sound): (Vec<&Row>, Vec<&Row>) = rows.iter().filter(about).partition(breaks);
        assert!(!broken.is_empty() && !sound.is_empty(), "{}", code.as_str());
    }
}

/// DPA 2018 section 10(2) and (3): the letters that need a condition of Schedule 1, and those that need none.
#[test]
fn e3_is_about_b_g_h_i_and_j() {
    for code in Article9::ALL {
        let mut case = sound();
        case.without(is_schedule_1);
        case.lawful_basis[1] = LawfulBasis::Article9 { code: *code };
        case.consent = given(ConsentStatus::Explicit);
        let expected = if "bghij".contains(code.as_str()) { "E3[1]" } else { "" };
        assert_eq!(case.found(), expected, "{}", code.as_str());
    }
}

#[test]
fn findings_are_worded_with_care() {
    for code in FindingCode::ALL {
        let sentence = code.sentence();
        assert!(sentence.contains("Please look"), "{}", code.as_str());
        assert!(!sentence.contains("breach") && !sentence.contains("unlawful"), "{}", code.as_str());
        assert!(!code.source().is_empty());
        assert_eq!(code.is_breach(), code.as_str().starts_with('E'), "{}", code.as_str());
        assert_eq!(FindingCode::parse(code.as_str()), Some(*code));
    }
}
