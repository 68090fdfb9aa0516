//! The partnership's configuration: who may seal it, what is refused, and which one is in force.

mod partnership;

use gt_core::LeafIndex;
use gt_core::json::{Object, Value};
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use gt_schemas::Configuration;
use partnership::{Home, child, configuration};
use serde_json::json;

fn seal(ledger: &Ledger, statement: &Statement) -> Result<Sealed, Refusal> {
    ledger.seal_blocking(statement.to_compact().as_bytes())
}

/// The standard configuration with one part set.
fn with(pointer: &str, to: serde_json::Value) -> serde_json::Value {
    let mut value = Configuration::standard().to_json();
    *value.pointer_mut(pointer).expect("it is there") = to;
    value
}

#[test]
fn a_new_ledger_has_sealed_the_standard() {
    let home = Home::new();
    let ledger = home.open();
    let configured = ledger.configured();
    assert_eq!(configured.index, Some(LeafIndex(2)));
    assert_eq!(*configured.configuration, Configuration::standard());
    assert_eq!(ledger.registry().configured_at(), Some(LeafIndex(2)));
    let record = ledger.records(LeafIndex(2), 1).expect("reads").remove(0);
    assert_eq!(record.event_type.as_str(), Configuration::TYPE);
    let clear = record.statement.expect("the registrar's statements stay open").clear;
    assert_eq!(Configuration::read(&clear.into()), Ok(Configuration::standard()));
    assert_eq!(Configuration::TYPE, "ledger.configured");
    assert_eq!(Configuration::MEMBERS, ["legal", "thresholds", "calendar"], "as the core has them");
}

#[test]
fn the_latest_is_in_force_and_a_restart_finds_it_again() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let new = with("/thresholds/repeat_missing/count", json!(4));
    let sealed = seal(&ledger, &home.registrar_says(&ledger, Configuration::TYPE, configuration(&new)));
    let index = sealed.expect("sealed").index;
    seal(&ledger, &council.next(&child(1))).expect("sealed");
    let check = |ledger: &Ledger| {
        assert_eq!(ledger.configuration().to_json(), new);
        assert_eq!(ledger.configured().index, Some(index));
        let record = ledger.records(index, 1).expect("reads").remove(0);
        assert_eq!(json!(record.statement.expect("open").clear), new);
    };
    check(&ledger);
    ledger.close();
    drop(ledger);
    check(&home.open());
    home.assert_sound();
}

#[test]
fn what_does_not_read_is_refused_with_its_place() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let (size, before) = (ledger.log().size(), ledger.configured());
    let refused = |members| {
        let refusal = seal(&ledger, &home.registrar_says(&ledger, Configuration::TYPE, members));
        let refusal = refusal.expect_err("must be refused");
        (refusal.code(), refusal.to_string())
    };
    let (code, said) = refused(configuration(&with("/thresholds/long_missing/hours", json!(0))));
    assert_eq!(
        (code, said.as_str()),
        (
            "bad_value",
            "/thresholds/long_missing/hours: has a wrong value; expected a whole number from 1 to 8784"
        )
    );
    let (code, said) = refused(configuration(&with("/legal/bases/Article6.e", json!({}))));
    assert!(code == "missing_member" && said.starts_with("/legal/bases/Article6.e/"), "{said}");
    let mut without = configuration(&Configuration::standard().to_json());
    without.pop();
    assert_eq!(refused(without).0, "missing_member");
    let mut more = configuration(&Configuration::standard().to_json());
    more.push(("budget", Value::Object(Object::default())));
    assert_eq!(refused(more).0, "unknown_member");

    let registrars = home.registrar_says(
        &ledger,
        Configuration::TYPE,
        configuration(&Configuration::standard().to_json()),
    );
    let mut agencys = council.draft(&child(1));
    agencys.event_type = registrars.payload().event_type.clone();
    agencys.members = configuration(&Configuration::standard().to_json())
        .into_iter()
        .map(|(name, value)| (name.to_owned(), gt_core::statement::DraftMember::Clear(value)))
        .collect();
    let refusal = seal(&ledger, &council.sign(&agencys)).expect_err("only the registrar configures");
    assert_eq!(refusal.code(), "not_registrar");
    assert_eq!((ledger.log().size(), ledger.configured()), (size, before), "nothing has changed");
    seal(&ledger, &registrars).expect("and the registrar's chain is where it was");
}
