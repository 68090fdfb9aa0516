//! What holds of any decision, whatever it says.

use proptest::prelude::*;
use proptest::sample::select;

use super::FindingCode::{E1, E4, E6, E7, E10, W1, W4, W5, W6, W7, W9};
use super::*;
use crate::{Article10, Schedule8Paragraph};

fn any_basis() -> impl Strategy<Value = LawfulBasis> {
    prop_oneof![
        select(Article6::ALL).prop_map(|code| {
            let ea = code == Article6::RecognisedInterest;
            LawfulBasis::Article6 { code, condition: ea.then_some(RecognisedInterest::Safeguarding) }
        }),
        select(Article9::ALL).prop_map(|code| LawfulBasis::Article9 { code }),
        select(Article10::ALL).prop_map(|code| LawfulBasis::Article10 { code }),
        (select(Schedule1Paragraph::ALL), proptest::option::of(select(Schedule1Ground::ALL))).prop_map(
            |(paragraph, ground)| {
                let ground = ground.filter(|_| paragraph == Schedule1Paragraph::P18);
                LawfulBasis::Schedule1 { paragraph, ground }
            }
        ),
        Just(section_35()),
        select(Schedule8Paragraph::ALL).prop_map(|paragraph| LawfulBasis::Schedule8 { paragraph }),
        select(Gateway::ALL).prop_map(|code| LawfulBasis::Gateway { code }),
        select(Confidence::ALL).prop_map(|code| LawfulBasis::Confidence { code }),
    ]
}

fn any_item() -> impl Strategy<Value = Item> {
    (select(Category::ALL), select(DataClass::ALL), any::<bool>(), select(Disposition::ALL)).prop_map(
        |(category, class, identifies, disposition)| Item {
            identifies,
            disposition,
            ..item(category, class)
        },
    )
}

fn any_time() -> impl Strategy<Value = Time> {
    let (from, to) = (at("2026-02-01T00:00:00Z"), at("2026-02-10T00:00:00Z"));
    (from.as_millis()..to.as_millis()).prop_map(|millis| Time::from_millis(millis).unwrap())
}

fn any_consent_seen() -> impl Strategy<Value = ConsentSeen> {
    (any_time(), select(ConsentStatus::ALL), any::<Option<bool>>(), any::<Option<bool>>())
        .prop_map(|(at, status, freely_given, competent)| ConsentSeen { at, status, freely_given, competent })
}

prop_compose! {
    fn any_case()(
        agency in select(&[COUNCIL, POLICE, CHARITY, GP, "", "somebody"][..]),
        decision in select(Decision::ALL),
        harm_level in select(HarmLevel::ALL),
        collected_for in select(CollectedFor::ALL),
        compatible in any::<Option<bool>>(),
        items in proptest::collection::vec(any_item(), 0..5),
        recipients in proptest::collection::vec(select(&[COUNCIL, CHARITY][..]).prop_map(recipient), 0..3),
        lawful_basis in proptest::collection::vec(any_basis(), 0..7),
        (status, competent, ground) in (select(ConsentStatus::ALL), any::<Option<bool>>(), select(WithholdGround::ALL)),
        shared_at in proptest::option::of(any_time()),
        consents in proptest::collection::vec(any_consent_seen(), 0..4),
        told in any::<bool>(),
    ) -> Case {
        let consent = Consent { competent, ..given(status) };
        let withhold = decision.withholds().then_some(Withholding { ground });
        let informed = Some(Informed { status: InformedStatus::Planned, reason: None });
        Case {
            agency: agency.to_owned(), decision, harm_level, collected_for, compatible, items, recipients,
            lawful_basis, consent, informed, withhold, shared_at, consents, told,
        }
    }
}

fn has(case: &Case, code: FindingCode) -> bool {
    case.findings().iter().any(|finding| finding.code == code)
}

proptest! {
    #[test]
    fn findings_come_once_in_order_and_point_at_what_was_shared(case in any_case()) {
        let found = case.findings();
        prop_assert!(found.is_sorted_by(|a, b| a.code < b.code));
        for index in found.iter().flat_map(|finding| &finding.items) {
            prop_assert!(case.items[*index].identifies);
            prop_assert_eq!(case.items[*index].disposition, Disposition::Shared);
        }
    }

    #[test]
    fn what_identifies_nobody_needs_no_basis(mut case in any_case()) {
        case.items.iter_mut().for_each(|item| item.identifies = false);
        prop_assert!(case.findings().iter().all(|finding| finding.code == W5));
    }

    /// A decision to share nothing shares nothing, whatever its items say.
    #[test]
    fn what_was_not_shared_needs_no_basis(case in any_case()) {
        let case = Case { decision: Decision::Withhold, ..case };
        prop_assert!(case.findings().iter().all(|finding| finding.code == W5));
    }

    /// A basis that is added can be the missing one; it can never be missed for having been added.
    #[test]
    fn another_basis_never_adds_what_is_found_for_want_of_one(case in any_case(), basis in any_basis()) {
        let mut more = case.clone();
        more.lawful_basis.push(basis);
        for code in [E1, W4] {
            prop_assert!(has(&case, code) || !has(&more, code), "{}", code.as_str());
        }
    }

    /// A basis that is found fault with is found fault with beside any other.
    #[test]
    fn another_basis_never_hides_what_is_found_for_one(case in any_case(), basis in any_basis()) {
        let mut more = case.clone();
        more.lawful_basis.push(basis);
        for code in [E4, E6, E7, E10, W1, W6, W7, W9] {
            prop_assert!(!has(&case, code) || has(&more, code), "{}", code.as_str());
        }
    }

    #[test]
    fn a_withdrawal_never_mends_and_comes_too_late_after_the_sharing(case in any_case(), moment in any_time()) {
        let mut more = case.clone();
        more.consents.push(ConsentSeen { at: moment, status: ConsentStatus::Withdrawn, freely_given: None, competent: None });
        prop_assert!(!has(&case, E7) || has(&more, E7));
        if case.shared_at.is_none_or(|shared_at| moment > shared_at) {
            prop_assert_eq!(case.findings(), more.findings());
        }
    }
}
