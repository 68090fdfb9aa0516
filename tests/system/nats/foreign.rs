//! Messages in the stream of sealed entries that no sealer put there.

use serde_json::{Value, json};

use super::ledger::Ledger;
use super::turn;

#[test]
fn foreign_messages_are_void_and_raise_an_alert_on_every_node() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let broker = std::sync::Arc::clone(&ledger.broker);
    let mut alerts = broker.subscribe("gt.alert.stream-void");
    let load = ledger.load();
    ledger.until_more(30);
    let foreign = [broker.put("gt.ledger.decision.recorded", &[], b"no entry"), again(&ledger, 3)];
    for acknowledged in &foreign {
        assert!(acknowledged["error"].is_null(), "{acknowledged}");
    }
    ledger.until_more(60);
    for node in &ledger.nodes {
        ledger.until("every node raises the alert", || {
            let raised = ledger.analyst(node).get("/v1/integrity").json();
            foreign.iter().all(|message| names(&raised, message["seq"].as_u64().expect("a number")))
        });
    }
    let alert = alerts.next(std::time::Duration::from_secs(20)).expect("an alert");
    let alert: Value = serde_json::from_slice(&alert.payload).expect("JSON");
    assert_eq!(alert["alert"]["pattern"], "stream-void", "{alert}");
    drop(alerts);
    load.finish();
    ledger.all_agree();
}

/// Whether an alert is about the message with this sequence.
fn names(raised: &Value, sequence: u64) -> bool {
    let number = |text: &Value| text.as_str().and_then(|text| text.parse::<u64>().ok()).expect("a number");
    raised["items"].as_array().expect("a list").iter().any(|alert| {
        alert["pattern"] == "stream-void"
            && (number(&alert["first"])..=number(&alert["last"])).contains(&sequence)
    })
}

/// Puts a message of the stream there once more, headers and all but for the fence.
fn again(ledger: &Ledger, sequence: u64) -> Value {
    let message = ledger.broker.stored("LEDGER", sequence);
    let decode = |text: &Value| base64(text.as_str().unwrap_or_default());
    let (headers, payload) = (decode(&message["hdrs"]), decode(&message["data"]));
    let headers = String::from_utf8(headers).expect("text");
    let lines = headers.lines().skip(1).filter_map(|line| line.split_once(": "));
    let kept: Vec<(&str, &str)> = lines.filter(|(name, _)| name.starts_with("Gt-")).collect();
    assert!(!payload.is_empty(), "{}", json!(message));
    ledger.broker.put(message["subject"].as_str().expect("a subject"), &kept, &payload)
}

/// Standard base64 with padding, as the servers write it.
fn base64(text: &str) -> Vec<u8> {
    let url: String = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    gt_core::base64url::decode(&url).expect("base64")
}
