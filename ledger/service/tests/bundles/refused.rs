//! What is asked for wrongly is refused with its reason, before anything is made.

use gt_core::agency::AgencyCode;
use gt_core::statement::{Owner, Pseudonym};
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::bundle::{BundleRequest, MakeBundleError, Selection, Subject, Withhold};
use gt_ledger::record::OwnerId;

use crate::filled::{FILLED, ask, child, range};
use crate::partnership;

fn refused(request: &BundleRequest) -> (MakeBundleError, String) {
    let error = FILLED.ledger.bundle(request).expect_err("refused");
    let said = error.to_string();
    (error, said)
}

#[test]
fn mistakes_have_codes_and_sentences() {
    let filled = &*FILLED;
    let size = filled.size().0;
    let stranger = Pseudonym::parse(&partnership::child(250)).unwrap();
    let agencys = filled
        .ledger
        .owner_id(&Owner::Agency(AgencyCode::parse(&filled.agencies[0]).unwrap()))
        .unwrap_or_else(|| OwnerId::from_bytes([9; 16]));
    let alert = |entries| Selection::Alert { alert: "A".into(), pattern: "silent-edge".into(), entries };
    for (selection, code, words) in [
        (child(&stranger), "unknown_child", "holds nothing about this child"),
        (Selection::Child(Subject::Owner(OwnerId::from_bytes([7; 16]))), "unknown_child", "nothing"),
        (Selection::Child(Subject::Owner(agencys)), "unknown_child", "nothing"),
        (range(5, 4), "empty_range", "5-4 is empty"),
        (range(0, size), "no_such_entry", "numbered from 0"),
        (range(u64::MAX, u64::MAX), "no_such_entry", "there is no entry"),
        (alert(vec![LeafIndex(size)]), "no_such_entry", "there is no entry"),
        (Selection::Agency(AgencyCode::parse("ods:NOBODY").unwrap()), "unknown_agency", "registered"),
    ] {
        let (error, said) = refused(&ask(selection));
        assert_eq!(error.code(), code, "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("nhs.1"), "{said}");
    }
    let ahead = BundleRequest { known: vec![TreeSize(size + 1)], ..ask(range(0, 0)) };
    assert_eq!(refused(&ahead).0.code(), "known_ahead");
}

#[test]
fn a_member_that_no_event_has_withholds_nothing_and_is_refused() {
    for name in ["rationales", "decision", "", "Jo Bloggs"] {
        let members = vec!["rationale".to_owned(), name.to_owned()];
        let request =
            BundleRequest { withhold: Withhold { members, ..Withhold::default() }, ..ask(range(0, 0)) };
        let (error, said) = refused(&request);
        assert!(matches!(error, MakeBundleError::UnknownMember { position: 2 }), "{said}");
        assert!(!said.contains("Bloggs"));
    }
}
