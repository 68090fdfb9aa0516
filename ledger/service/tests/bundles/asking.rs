//! Every selection, with anything withheld: what is made verifies, and says no more and no less.

use gt_core::agency::AgencyCode;
use gt_core::bundle::{About, Bundle, BundleRecord, Verdict};
use gt_core::statement::Owner;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::bundle::{BundleRequest, ReadOnlyLedger, Selection, Subject, Withhold};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::filled::{FILLED, Filled, ask, child, range};

fn bundle(filled: &Filled, request: &BundleRequest) -> Bundle {
    filled.ledger.bundle(request).unwrap_or_else(|error| panic!("{error}: {request:?}"))
}

#[test]
fn a_whole_ledger_a_range_and_an_agency_are_sound() {
    let filled = &*FILLED;
    let last = filled.size().0 - 1;
    for selection in [range(0, last), range(3, 3), range(0, 0), range(250, 260)] {
        filled.assert_sound(&bundle(filled, &ask(selection)));
    }
    let mut records = 0;
    for agency in &filled.agencies {
        let made = bundle(filled, &ask(Selection::Agency(AgencyCode::parse(agency).unwrap())));
        let told = filled.events.iter().filter(|event| event.agency == *agency).count();
        assert_eq!(made.records.len(), told, "{agency}");
        filled.assert_sound(&made);
        records += told;
    }
    assert_eq!(records, filled.events.len());
    for own in [AgencyCode::registrar(), AgencyCode::service()] {
        filled.assert_sound(&bundle(filled, &ask(Selection::Agency(own))));
    }
}

#[test]
fn every_child_is_whole_under_all_its_identities() {
    let filled = &*FILLED;
    let (mut several, mut told_apart) = (0, 0);
    for pseudonym in &filled.children {
        let made = bundle(filled, &ask(child(pseudonym)));
        let verdict = filled.verify(&made, None);
        assert_eq!(verdict.faults, Vec::new());
        // Where the same practitioner is in all of a child's entries, nothing shows that the links are not the practitioner's.
        let unknowns = verdict.unknowns;
        assert!(unknowns.iter().all(|unknown| unknown.code == "subject_not_told_apart"), "{unknowns:?}");
        told_apart += usize::from(unknowns.is_empty());
        let About::Child { subjects } = &made.manifest.about else { panic!("about a child") };
        several += usize::from(subjects.len() > 1);
        let texts: Vec<String> = subjects.iter().map(|subject| format!("{:?}", subject.as_str())).collect();
        let named = filled
            .events
            .iter()
            .filter(|event| texts.iter().any(|text| event.data.to_string().contains(text)));
        assert_eq!(made.records.len(), named.count(), "all that names the child");

        let id = filled.ledger.owner_id(&Owner::Person(pseudonym.clone())).unwrap();
        assert_eq!(bundle(filled, &ask(Selection::Child(Subject::Owner(id)))), made);
    }
    assert!(several > 0, "some child has several identities");
    assert!(told_apart >= 15, "{told_apart}: whoever has a record of many entries is told apart");
}

#[test]
fn a_folder_that_a_running_ledger_has_open_gives_the_same_bundles() {
    let filled = &*FILLED;
    let folder = ReadOnlyLedger::open(&filled.home.data(), &filled.home.secrets()).unwrap();
    assert_eq!(folder.pin(), &filled.pin());
    let mut requests =
        vec![ask(range(0, filled.size().0 - 1)), ask(child(&filled.children[0])), ask(range(255, 256))];
    requests.push(ask(Selection::Agency(AgencyCode::parse(&filled.agencies[0]).unwrap())));
    for mut request in requests {
        request.known = filled.held.iter().map(gt_core::checkpoint::Checkpoint::size).collect();
        assert_eq!(folder.bundle(&request).unwrap(), bundle(filled, &request));
    }
}

#[derive(Debug, Clone)]
enum Chosen {
    Child(Index),
    Entries(Index, Index),
    Agency(Index),
    Alert(Vec<Index>),
}

fn chosen() -> impl Strategy<Value = Chosen> {
    prop_oneof![
        any::<Index>().prop_map(Chosen::Child),
        any::<(Index, Index)>().prop_map(|(one, other)| Chosen::Entries(one, other)),
        any::<Index>().prop_map(Chosen::Agency),
        prop::collection::vec(any::<Index>(), 1..12).prop_map(Chosen::Alert),
    ]
}

fn selection(filled: &Filled, chosen: &Chosen) -> Selection {
    let size = usize::try_from(filled.size().0).unwrap();
    let entry = |index: &Index| index.index(size) as u64;
    match chosen {
        Chosen::Child(which) => child(which.get(&filled.children)),
        Chosen::Entries(one, other) => range(entry(one).min(entry(other)), entry(one).max(entry(other))),
        Chosen::Agency(which) => {
            Selection::Agency(AgencyCode::parse(which.get(filled.agencies.as_slice()).as_str()).unwrap())
        }
        Chosen::Alert(entries) => Selection::Alert {
            alert: "AAAAAAAAAAAAAAAAAAAAAA".into(),
            pattern: "silent-edge".into(),
            entries: entries.iter().map(|index| LeafIndex(entry(index))).collect(),
        },
    }
}

/// Members that may be withheld, some of which name people.
const WITHHELD: [&str; 8] =
    ["rationale", "times", "child", "others", "identifiers", "practitioner", "refs", "person"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_asked_for_verifies(
        chosen in chosen(),
        withheld in prop::sample::subsequence(&WITHHELD[..], 0..4),
        bare in prop::bool::weighted(0.2),
        entries_only in prop::bool::weighted(0.2),
        known: Index,
    ) {
        let filled = &*FILLED;
        let held = known.get(&filled.held);
        let members: Vec<String> = withheld.iter().map(|name| (*name).to_owned()).collect();
        let request = BundleRequest {
            withhold: Withhold { members, disclosures: bare, statements: entries_only },
            known: vec![held.size(), filled.size(), TreeSize(0)],
            ..ask(selection(filled, &chosen))
        };
        let made = bundle(filled, &request);
        prop_assert_eq!(Bundle::parse(made.to_string().as_bytes()), Ok(made.clone()));
        let verdict = filled.verify(&made, Some(held));
        prop_assert_eq!(&verdict.faults, &Vec::new());
        for unknown in &verdict.unknowns {
            let expected = match unknown.code {
                // Who the entries are about was withheld.
                "subject_not_shown" => bare || entries_only || !withheld.is_empty(),
                // Whoever else owns all of them, or might: with nothing withheld too, where there is one practitioner in all.
                "subject_not_told_apart" => matches!(chosen, Chosen::Child(_)) && !bare && !entries_only,
                // What was withheld of its numbers.
                "statement_left_out" => entries_only,
                _ => false,
            };
            prop_assert!(expected, "{unknown:?}");
        }
        prop_assert_eq!(verdict.verdict == Verdict::Sound, verdict.unknowns.is_empty());
        for record in &made.records {
            match record {
                BundleRecord::Absent { .. } => prop_assert!(entries_only),
                BundleRecord::Stated(record) => {
                    prop_assert!(!entries_only && (!bare || record.disclosures.is_empty()));
                }
            }
        }
        // Without the log the known checkpoint is compared by the proof that is in the bundle.
        let pin = filled.pin();
        let inputs = gt_core::bundle::BundleInputs { pin: Some(&pin), known: Some(held), ..Default::default() };
        let verdict = gt_core::bundle::verify_bundle(made.to_string().as_bytes(), inputs);
        prop_assert!(verdict.unknowns.iter().all(|unknown| unknown.code != "known_not_compared"));
        prop_assert_eq!(&verdict.faults, &Vec::new());
    }
}
