//! The partnership's rules, as its registrar changes them and as anybody sees which ones are in force.

use std::fs;

use gt_schemas::Configuration;
use serde_json::{Value, json};

use crate::partnership::{Home, path, run};

/// A file with the standard configuration, one part of it set.
fn file(home: &Home, name: &str, pointer: &str, to: Value) -> String {
    let mut value = Configuration::standard().to_json();
    *value.pointer_mut(pointer).expect("it is there") = to;
    let file = home.at(name);
    fs::write(&file, format!("{value:#}")).expect("written");
    path(&file).to_owned()
}

#[test]
fn the_registrar_configures_and_everybody_sees_it() {
    let home = Home::new();
    let registrar = home.secret("registrar.jwk");
    let strict = file(&home, "strict.json", "/thresholds/repeat_missing/count", json!(2));
    let lax = file(&home, "lax.json", "/thresholds/repeat_missing/count", json!(9));
    let server = home.serve();
    let in_force = || server.client().get("/v1/configuration").json();
    assert_eq!(
        in_force(),
        json!({"configuration": Configuration::standard().to_json(), "entry": 2, "size": 3}),
        "the standard, sealed when the ledger was made"
    );
    let there = ["configure", "--url", &server.url, "--registrar", path(&registrar)];
    let sealed = run(there.into_iter().chain(["--json", &strict])).succeeded().json();
    assert_eq!(sealed, json!({"index": 3}));
    let shown = run(["configure", "--show", "--url", &server.url]).succeeded().json();
    assert_eq!(shown["thresholds"]["repeat_missing"]["count"], 2);
    assert_eq!(in_force(), json!({"configuration": shown, "entry": 3, "size": 4}));
    let data = home.data();
    server.stop();

    let said = run(["configure", "--data", path(&data), &lax]).succeeded().stdout;
    assert!(said.contains("sealed by entry 4"), "{said}");
    let shown = run(["configure", "--show", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!((&shown["entry"], &shown["size"]), (&json!(4), &json!(5)));
    assert_eq!(shown["configuration"]["thresholds"]["repeat_missing"]["count"], 9);
    let server = home.serve();
    assert_eq!(server.client().get("/v1/configuration").json(), shown, "after a restart too");
    run(["fsck", "--data", path(&data)]).succeeded();
}

#[test]
fn what_is_no_configuration_is_refused_with_its_place_and_seals_nothing() {
    let home = Home::new();
    let data = home.data();
    let wants = |file: &str, sentence: &str| {
        let said = run(["configure", "--data", path(&data), file]).exited(1).complaint();
        assert!(said.contains(sentence), "{said}");
    };
    wants(
        &file(&home, "0.json", "/thresholds/silent_edge/days", json!(0)),
        "/thresholds/silent_edge/days: has a wrong value; expected a whole number from 1 to 3660",
    );
    wants(
        &file(&home, "1.json", "/calendar/bank_holidays/0", json!("1 May")),
        "/calendar/bank_holidays/0: has a wrong value; expected a day",
    );
    wants(&file(&home, "2.json", "/legal/bases/Article6.c", json!({})), "/legal/bases/Article6.c/");
    wants(path(&home.at("none.json")), "none.json");
    let whole = Configuration::standard().to_json().to_string();
    let twice = home.at("twice.json");
    fs::write(&twice, whole.replacen('{', r#"{"calendar":{},"#, 1)).expect("written");
    wants(path(&twice), "twice.json");

    let server = home.serve();
    let council = home.enrol("council", "gss:E06000999", Some(&server.url));
    let standard = file(&home, "standard.json", "/calendar/division", json!("England"));
    let there = ["configure", "--url", &server.url, &standard];
    assert!(run(there).exited(1).complaint().contains("--registrar"));
    let key = home.key_file("council");
    let by_council = there.into_iter().chain(["--registrar", path(&key)]);
    assert!(run(by_council).exited(1).complaint().contains("the ledger refused"));
    assert_eq!(server.client().get("/v1/configuration").json()["entry"], 2);
    assert_eq!(server.client().head(&council.id).0, 0);
}
