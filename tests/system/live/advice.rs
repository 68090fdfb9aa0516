//! Advice on a decision that is not yet taken.

use std::fs;

use serde_json::{Value, json};

use crate::partnership::{Home, path, run, run_with_input};

const SHARE: &str = include_str!("../../../schemas/examples/decision.recorded.share.json");
const WITHHOLD: &str = include_str!("../../../schemas/examples/decision.recorded.withhold.json");

#[test]
fn advice_is_open_follows_the_configuration_and_keeps_nothing() {
    let home = Home::new();
    let server = home.serve();
    let size = server.client().size();
    let withhold: Value = serde_json::from_str(WITHHOLD).expect("JSON");
    let question = json!({"agency": "ods:Y99999", "data": withhold}).to_string();
    let answer = server.client().post("/v1/advice", "application/json", question.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let advice = answer.json();
    assert_eq!(
        (&advice["flow"]["outcome"], &advice["flow"]["escalate"]),
        (&json!("DoNotShare"), &json!(true))
    );
    assert_eq!(advice["findings"][0]["code"], "W5");
    assert_eq!(advice["missing"], json!([]));
    assert_eq!(advice["configuration"], 2, "the entry that sealed the rules");
    assert_eq!(server.client().size(), size, "nothing is sealed");

    // A partnership that takes Article 6(1)(e) for not in force: then a share on it is found.
    let mut rules = gt_schemas::Configuration::standard().to_json();
    rules["legal"]["bases"]["Article6.e"]["in_force_from"] = json!("2090-01-01");
    let (file, registrar) = (home.at("rules.json"), home.secret("registrar.jwk"));
    fs::write(&file, rules.to_string()).expect("written");
    let share = format!(r#"{{"data":{SHARE}}}"#);
    let codes = |url: &str| -> Vec<String> {
        let advice = crate::partnership::Client::new(url)
            .post("/v1/advice", "application/json", share.as_bytes())
            .json();
        let findings = advice["findings"].as_array().expect("a list").clone();
        findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert!(!codes(&server.url).contains(&"E10".to_owned()));
    run(["configure", "--url", &server.url, "--registrar", path(&registrar), path(&file)]).succeeded();
    assert!(codes(&server.url).contains(&"E10".to_owned()));
    let log = server.process.log_text();
    for text in ["Caldicott", "consultations", "IIW2", "nhs.1:"] {
        assert!(!log.contains(text), "{log}");
    }
}

#[test]
fn what_is_no_question_gets_a_precise_problem() {
    let home = Home::new();
    let server = home.serve();
    let ask = |kind: &str, body: &[u8]| {
        let reply = server.client().post("/v1/advice", kind, body);
        (reply.status, reply.problem(), reply.json())
    };
    let (status, code, problem) = ask("application/json", br#"{"data":{"harm_level":"Grave"}}"#);
    assert_eq!((status, code.as_str(), &problem["path"]), (422, "bad_value", &json!("/data/harm_level")));
    assert!(problem["expected"].as_str().is_some_and(|expected| expected.contains("SignificantHarm")));
    assert!(!problem.to_string().contains("Grave"), "{problem}");
    let (status, code, _) = ask("text/plain", b"{}");
    assert_eq!((status, code.as_str()), (415, "unsupported_media_type"));
    let long = format!(r#"{{"data":{{"rationale":"{}"}}}}"#, "a".repeat(64 * 1024));
    let (status, code, _) = ask("application/json", long.as_bytes());
    assert_eq!((status, code.as_str()), (413, "too_long"));
}

#[test]
fn the_command_asks_a_ledger_or_nobody() {
    let home = Home::new();
    let server = home.serve();
    let draft = format!(r#"{{"id":"a","type":"decision.recorded","data":{WITHHOLD}}}"#);
    let file = home.at("draft.json");
    fs::write(&file, &draft).expect("written");
    let with = ["advise", "--json", "--agency", "ods:Y99999"];
    let asked = run(with.into_iter().chain(["--url", &server.url, path(&file)])).succeeded().json();
    server.stop();
    let mut offline =
        run_with_input(with.into_iter().chain(["--offline"]), WITHHOLD.as_bytes()).succeeded().json();
    assert_eq!(offline["configuration"], Value::Null);
    offline["configuration"] = json!(2);
    assert_eq!(offline, asked, "the standard configuration, sealed and not");
    let said = run(["advise", "--offline", path(&file)]).succeeded().stdout;
    for part in ["Do not share: NoLawfulReason.", "W5  ", "7. Record the decision", "standard configuration"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let wrong = run_with_input(["advise", "--offline"], br#"{"harm_level":"Grave"}"#).exited(1).complaint();
    assert!(wrong.contains("/data/harm_level: has a wrong value"), "{wrong}");
}
