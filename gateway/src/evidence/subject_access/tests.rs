//! The rules over examples of every kind, decisions, and the copy. The bundles are of a ledger in memory, made out as being about a child:
//! links are the service's, and whole copies are verified by the whole-system tests.

use gt_core::LeafIndex;
use gt_core::bundle::{About, Bundle, BundleRecord, Why};
use gt_core::statement::Pseudonym;
use gt_core::time::Timestamp;
use serde_json::{Value, json};

use super::decide::DecideError;
use super::worksheet::Item;
use super::*;
use crate::evidence::tests::{Model, TAGS, tags};

const COUNCIL: &str = "gss:E06000999";
const POLICE: &str = "police:99";

fn example(name: &str) -> Value {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../schemas/examples")
        .join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn pseudonym() -> Pseudonym {
    Pseudonym::parse(example("decision.recorded.share")["child"]["pseudonym"].as_str().unwrap()).unwrap()
}

/// The same event, about the subject and with these members changed.
fn about(name: &str, changes: &Value) -> Value {
    let mut data = example(name);
    if data.get("child").is_some() {
        data["child"]["pseudonym"] = json!(pseudonym().as_str());
    }
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    data
}

fn bundle(events: &[(&str, &str, Value)]) -> Bundle {
    let mut model = Model::new();
    for (agency, name, changes) in events {
        let parts: Vec<&str> = name.split('.').collect();
        let kind = gt_schemas::EventType::parse(&parts[..2].join(".")).unwrap();
        model.seal(agency, kind.as_str(), kind.version(), &about(name, changes), &[]);
    }
    model.bundle(About::Child { subjects: vec![pseudonym()] }, &[])
}

/// What the rules mark: the type with the member, and the rule.
fn marks(worksheet: &Worksheet) -> Vec<(String, String)> {
    let of = |item: &Item| {
        let place = item
            .member
            .as_ref()
            .map_or_else(|| item.event_type.clone(), |member| format!("{}/{member}", item.event_type));
        item.may_apply.iter().map(|mark| (place.clone(), mark.rule.clone())).collect::<Vec<_>>()
    };
    worksheet.items.iter().flat_map(of).collect()
}

/// An agency, an example, what is changed of it, the item, the rule, and whether the rule marks the item.
const CASES: &str = r#"
gss:E06000999 | decision.recorded.share | {} | decision.recorded/others | another-person | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/others | person-of-concern | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/practitioner | professional | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/practitioner | another-person | no
gss:E06000999 | decision.recorded.share | {} | decision.recorded/child | another-person | no
gss:E06000999 | decision.recorded.share | {} | decision.recorded/rationale | own-words | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/rationale | third-party-report | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/times | third-party-report | no
gss:E06000999 | decision.recorded.share | {"purpose": "PreventCrime"} | decision.recorded | to-prevent-crime | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded | to-prevent-crime | no
gss:E06000999 | decision.recorded.share | {"advice": [{"from": "Legal", "anonymised": true, "followed": true}]} | decision.recorded/advice_content | legal-advice | yes
gss:E06000999 | decision.recorded.share | {"advice": [{"from": "Legal", "anonymised": true, "followed": true}]} | decision.recorded | legal-advice-taken | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded/advice_content | legal-advice | no
gss:E06000999 | decision.recorded.share | {} | decision.recorded | health-item | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded | risk-if-told | yes
gss:E06000999 | decision.recorded.share | {} | decision.recorded | crime-basis | no
gss:E06000999 | decision.recorded.share | {"lawful_basis": [{"kind": "Gateway", "code": "CDA1998s115"}]} | decision.recorded | crime-basis | yes
gss:E06000999 | missing.started | {} | missing.started | local-authority | yes
gss:E06000999 | missing.started | {} | missing.started | police | no
police:99 | missing.started | {} | missing.started | police | yes
ods:RX999 | harm.recorded | {} | harm.recorded | health-body | yes
gss:E06000999 | harm.recorded | {} | harm.recorded | harm | yes
gss:E06000999 | consent.refused | {"by": "Child"} | consent.refused | child-refused | yes
gss:E06000999 | consent.refused | {"by": "PersonWithPR"} | consent.refused | child-refused | no
gss:E06000999 | context.linked | {} | context.linked/context | where-the-child-is | yes
gss:E06000999 | context.linked | {"source": "Peer"} | context.linked | source-of-it | yes
gss:E06000999 | context.linked | {"source": "School"} | context.linked | source-of-it | no
gss:E06000999 | person.linked | {} | person.linked/person | person-of-concern-linked | yes
gss:E06000999 | record.restricted | {"ground": "Adoption"} | record.restricted | adoption | yes
gss:E06000999 | record.restricted | {"ground": "Other"} | record.restricted | adoption | no
gss:E06000999 | hold.placed | {"ground": "PoliceInvestigation"} | hold.placed | held-for-police | yes
"#;

#[test]
fn facts_in_the_record_suggest_their_exemptions_and_others_do_not() {
    for line in CASES.trim().lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [agency, name, changes, place, rule, expected] = cells[..] else { panic!("six cells: {line}") };
        let changes = serde_json::from_str(changes).unwrap();
        let worksheet = Worksheet::of(&bundle(&[(agency, name, changes)])).unwrap();
        let found = marks(&worksheet);
        let is_marked = found.contains(&(place.to_owned(), rule.to_owned()));
        assert_eq!(is_marked, expected == "yes", "{line}: {found:?}");
        assert!(worksheet.items.iter().all(|item| item.decision.is_none() && item.exemption.is_none()));
        for mark in worksheet.items.iter().flat_map(|item| &item.may_apply) {
            assert!(!mark.fact.is_empty() && !mark.because.is_empty(), "{mark:?}");
        }
    }
}

#[test]
fn a_restriction_marks_the_whole_record_until_it_is_lifted() {
    let restricted = (COUNCIL, "record.restricted", json!({"ground": "Adoption"}));
    let released = (
        COUNCIL,
        "record.released",
        json!({"ground": "Adoption", "times": {"occurred_at": "2026-06-01T00:00:00Z"}}),
    );
    let missing = (COUNCIL, "missing.started", json!({}));
    let is_marked = |events: &[_]| {
        let found = marks(&Worksheet::of(&bundle(events)).unwrap());
        found.contains(&("missing.started".to_owned(), "adoption".to_owned()))
    };
    assert!(is_marked(&[missing.clone(), restricted.clone()]));
    assert!(!is_marked(&[missing, restricted, released]));
}

#[test]
fn every_event_is_listed_and_the_page_has_no_markup_of_theirs() {
    let hostile = "</td><script>alert(1)</script>";
    let full = bundle(&[
        (COUNCIL, "decision.recorded.share", json!({"rationale": hostile})),
        (POLICE, "context.linked", json!({})),
    ]);
    let worksheet = Worksheet::of(&full).unwrap();
    let disclosures: usize = full
        .records
        .iter()
        .map(|record| match record {
            BundleRecord::Stated(record) => 1 + record.disclosures.len(),
            BundleRecord::Absent { .. } => 0,
        })
        .sum();
    assert_eq!(worksheet.items.len(), disclosures);
    assert!(
        worksheet
            .elsewhere
            .iter()
            .any(|one| one.why == "kept_at_home" && one.agency.as_deref() == Some(POLICE))
    );
    let json = serde_json::to_value(&worksheet).unwrap();
    assert_eq!(json["items"][0]["decision"], Value::Null);
    for text in [page::of_worksheet(&worksheet), page::of_copy(&full, &worksheet, &[]).unwrap()] {
        assert!(!text.contains("<script") && text.contains("&lt;script&gt;"));
        for tag in tags(&text) {
            assert!(TAGS.contains(&tag.as_str()), "{tag}");
        }
    }
}

/// A worksheet on which everything is disclosed, and what is to be changed on it.
fn answered(full: &Bundle, change: impl Fn(&mut Item)) -> Vec<u8> {
    let mut worksheet = Worksheet::of(full).unwrap();
    for item in &mut worksheet.items {
        item.decision = Some(worksheet::Decision::Disclose);
        change(item);
    }
    serde_json::to_vec(&worksheet).unwrap()
}

fn withhold(item: &mut Item, decision: worksheet::Decision, exemption: &str) {
    (item.decision, item.exemption) = (Some(decision), Some(exemption.to_owned()));
}

#[test]
fn what_is_withheld_is_left_out_and_only_what_is_stated_is_told() {
    use worksheet::Decision::{Withhold, WithholdSilently};
    let full =
        bundle(&[(COUNCIL, "decision.recorded.share", json!({})), (POLICE, "missing.started", json!({}))]);
    let decided = decided(
        &answered(&full, |item| match (item.event_type.as_str(), item.member.as_deref()) {
            ("decision.recorded", Some("child" | "others")) => withhold(item, Withhold, "ThirdParty"),
            ("missing.started", None) => withhold(item, WithholdSilently, "CrimeOrTaxation"),
            // It goes with its statement, whether anything is said of it or not.
            ("missing.started", Some(_)) => item.decision = None,
            _ => {}
        }),
        &full,
    );
    let decided = decided.unwrap_or_else(|error| panic!("{error}"));
    let copied = copy(&full, &decided, Timestamp::EPOCH);
    let [BundleRecord::Stated(decision), BundleRecord::Absent { why: Why::Withheld, .. }] =
        &copied.records[..]
    else {
        panic!("the one is stated, the other is not: {:?}", copied.records)
    };
    assert_eq!(decision.left_out.len(), 3, "two others, and the subject's own pseudonym");
    let stated: Vec<&str> = decided.stated.iter().map(|one| one.code.as_str()).collect();
    assert_eq!((stated, decided.silent), (vec!["ThirdParty"], 1));
    let page = page::of_copy(&copied, &decided.worksheet, &decided.stated).unwrap();
    for (text, is_there) in [
        ("Information about other people", true),
        ("Preventing or detecting crime", false),
        ("went missing", false),
        ("PersonOfConcern", false),
        ("ithheld", false),
        ("about the child with", true),
        ("another child", false),
        (COUNCIL, true),
    ] {
        assert_eq!(page.contains(text), is_there, "{text}");
    }
}

#[test]
fn decisions_that_are_not_made_or_do_not_fit_are_refused() {
    use worksheet::Decision::{Withhold, WithholdSilently};
    let full = bundle(&[(COUNCIL, "decision.recorded.share", json!({}))]);
    let is_rationale = |item: &Item| item.member.as_deref() == Some("rationale");
    let refused = |change: &dyn Fn(&mut Item)| {
        let answer = decided(
            &answered(&full, |item| {
                if is_rationale(item) {
                    change(item);
                }
            }),
            &full,
        );
        answer.err().expect("refused")
    };
    assert!(
        matches!(refused(&|item| item.decision = None), DecideError::Undecided { ids } if ids.len() == 1)
    );
    assert!(matches!(refused(&|item| item.decision = Some(Withhold)), DecideError::NoExemption { .. }));
    assert!(matches!(
        refused(&|item| withhold(item, Withhold, "Embarrassment")),
        DecideError::UnknownExemption { .. }
    ));
    assert!(matches!(
        refused(&|item| withhold(item, WithholdSilently, "ThirdParty")),
        DecideError::NotSilent { .. }
    ));
    let named = |item: &mut Item| item.exemption = Some("ThirdParty".to_owned());
    assert!(matches!(refused(&named), DecideError::DisclosedUnderExemption { .. }));
    assert!(matches!(refused(&|item| item.says.clear()), DecideError::Changed { .. }));
    assert!(matches!(refused(&|item| item.may_apply.clear()), DecideError::Changed { .. }));
    assert!(matches!(refused(&|item| item.id.push('x')), DecideError::Changed { .. }));
    let within = decided(
        &answered(&full, |item| {
            if item.member.is_none() {
                withhold(item, Withhold, "ThirdParty");
            }
        }),
        &full,
    );
    assert!(matches!(within.err(), Some(DecideError::WithinWithheld { .. })));
    let other = bundle(&[(COUNCIL, "missing.started", json!({}))]);
    assert!(matches!(decided(&answered(&other, |_| ()), &full).err(), Some(DecideError::OtherBundle)));
    assert!(matches!(decided(b"{}", &full).err(), Some(DecideError::Form { .. })));
    let good = String::from_utf8(answered(&full, |_| ())).unwrap();
    let mut sheet: Value = serde_json::from_str(&good).unwrap();
    let last = sheet["items"].as_array().unwrap().len() - 1;
    for decision in [json!("witheld"), json!("Disclose"), json!(true)] {
        sheet["items"][last]["decision"] = decision;
        let refused = decided(sheet.to_string().as_bytes(), &full).err().unwrap().to_string();
        let id = sheet["items"][last]["id"].as_str().unwrap();
        assert!(
            refused
                .contains(&format!("item {id} is none: it is one of disclose, withhold, withhold_silently"))
        );
        assert!(!refused.contains("witheld"), "what was typed is not repeated: {refused}");
    }
    let mut model = Model::new();
    model.seal(COUNCIL, "missing.started", 1, &example("missing.started"), &[]);
    let of_entries = model.bundle(About::Entries { first: LeafIndex(0), last: model.last() }, &[]);
    assert!(Worksheet::of(&of_entries).is_err(), "not of a child");
}

#[test]
fn what_is_new_is_told_and_readings_are_only_counted() {
    let missing = (POLICE, "missing.started", json!({}));
    let full = bundle(std::slice::from_ref(&missing));
    let harm = bundle(&[missing, (COUNCIL, "harm.recorded", json!({}))]);
    let found = grown(&full, &harm).unwrap();
    // The council is enrolled between the two.
    assert_eq!(found.new.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["harm.recorded"]);
    assert_eq!((found.read, found.erased.len()), (0, 0));
    let mut ended = full.clone();
    let BundleRecord::Stated(record) = &mut ended.records[0] else { panic!("a statement") };
    record.left_out = record
        .disclosures
        .drain(..)
        .map(|text| gt_core::bundle::LeftOut {
            digest: gt_core::statement::Disclosure::digest_of(&text),
            why: Why::Ended,
        })
        .collect();
    assert_eq!(grown(&full, &ended).unwrap().erased.len(), 1);
    assert_eq!(
        grown(&ended, &ended).unwrap(),
        Grown::default(),
        "what had ended before has not been erased since"
    );
    assert_eq!(grown(&full, &full).unwrap(), Grown::default());
}
