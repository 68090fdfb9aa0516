//! What a bundle about a child says of others.

use gt_core::bundle::{Bundle, BundleRecord, Why};
use gt_core::json::Value;
use gt_core::statement::{DraftMember, Pseudonym, Statement};
use gt_ledger::bundle::{BundleRequest, Withhold};

use crate::filled::{ask, child, range};
use crate::partnership::{self, Home};

fn stated(bundle: &Bundle, position: usize) -> (Statement, Vec<Why>) {
    let BundleRecord::Stated(record) = &bundle.records[position] else { panic!("a statement") };
    let statement =
        Statement::from_parts(&record.statement, record.disclosures.iter().map(String::as_str)).unwrap();
    (statement, record.left_out.iter().map(|left_out| left_out.why).collect())
}

fn disclosed(statement: &Statement) -> Vec<String> {
    let members = statement.payload().data.members();
    statement.disclosures().iter().map(|one| members[one.member_position()].name().to_owned()).collect()
}

/// A decision about child 1 that names child 2 as a sibling, and keeps one text at home.
fn sealed() -> (Home, gt_ledger::Ledger) {
    let home = Home::new();
    let ledger = home.open();
    let mut publisher = home.register(&ledger, "gss:E06000999", 1);
    let strict = |text: String| Value::parse(text.as_bytes()).unwrap();
    let mut draft = crate::filled::draft(&publisher, &decision());
    let sibling = format!(r#"{{"pseudonym":"{}","role":"Sibling"}}"#, partnership::child(2));
    draft.members.retain(|(name, _)| name != "others");
    draft.members.push(("others".into(), DraftMember::Disclosed(vec![strict(sibling)])));
    draft.kept = vec!["rationale".into()];
    let statement = publisher.sign(&draft);
    ledger.seal_blocking(statement.to_compact().as_bytes()).unwrap();
    (home, ledger)
}

fn decision() -> gt_history::HistoryEvent {
    let text = include_str!("../../../../schemas/examples/decision.recorded.withhold.json");
    let draft: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut data = draft.get("data").cloned().unwrap_or(draft);
    data["child"]["pseudonym"] = partnership::child(1).into();
    gt_history::HistoryEvent {
        agency: "gss:E06000999".into(),
        event_type: "decision.recorded",
        version: 2,
        data,
        received_at: 0,
    }
}

#[test]
fn of_a_siblings_statement_only_what_is_the_childs_is_disclosed() {
    let (_home, ledger) = sealed();
    let own = ledger.bundle(&ask(child(&Pseudonym::parse(&partnership::child(1)).unwrap()))).unwrap();
    let (statement, left_out) = stated(&own, 0);
    assert!(disclosed(&statement).len() > 5, "{:?}", disclosed(&statement));
    assert!(left_out.is_empty(), "what is kept at home is not left out: {left_out:?}");

    let siblings = ledger.bundle(&ask(child(&Pseudonym::parse(&partnership::child(2)).unwrap()))).unwrap();
    let (statement, left_out) = stated(&siblings, 0);
    assert_eq!(disclosed(&statement), ["others"]);
    assert!(left_out.len() > 5 && left_out.iter().all(|why| *why == Why::Withheld));
    assert!(!siblings.to_string().contains(&partnership::child(1)));
}

#[test]
fn what_is_to_be_withheld_is_listed_as_withheld() {
    let (_home, ledger) = sealed();
    let last = ledger.log().size().0 - 1;
    let request = BundleRequest {
        withhold: Withhold { members: vec!["times".into(), "others".into()], ..Withhold::default() },
        ..ask(range(last, last))
    };
    let (statement, left_out) = stated(&ledger.bundle(&request).unwrap(), 0);
    assert_eq!(left_out, [Why::Withheld; 2]);
    assert!(!disclosed(&statement).iter().any(|name| ["times", "others"].contains(&name.as_str())));
}
