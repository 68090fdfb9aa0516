//! Names stay at home: what an agency knows a child by goes into `pseudonym`, `publish` and `agent`, and out comes nothing of
//! it: not on standard output or error, not into the outbox, not to the ledger.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Agent, JSON, connected, sealed};
use crate::partnership::{Home, path, run, run_with_input};

/// A number of the range for nobody, and another way to write it; then one with a wrong digit.
const WRITTEN: [&str; 3] = ["999 000 0018", "9990000018", "9990000017"];

fn key(home: &Home) -> String {
    let file = home.at("partnership.json");
    run(["pseudonym", "--new-key", path(&file)]).succeeded();
    path(&file).to_owned()
}

fn draft(id: &str, number: &str) -> String {
    let child = json!({"identifier": format!("nhs:{number}"), "role": "Child"});
    let times = json!({"occurred_at": "2026-03-01T20:15:00Z", "reported_at": "2026-03-01T22:40:00Z"});
    let data = json!({"kind": "Missing", "from": "Home", "child": child, "times": times});
    json!({"id": id, "type": "missing.started", "data": data}).to_string()
}

/// The text of every file below a folder, the broken characters of binary ones left out.
fn everything_in(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("a folder").map(|item| item.expect("a file").path());
    let text = |path: std::path::PathBuf| {
        if path.is_dir() {
            return everything_in(&path);
        }
        // A running ledger has a socket in its folder, which holds nothing.
        let bytes = if path.is_file() { fs::read(path).expect("a file") } else { Vec::new() };
        String::from_utf8_lossy(&bytes).into_owned()
    };
    files.map(text).collect()
}

fn assert_says_nothing(what: &str, text: &str) {
    for number in WRITTEN {
        assert!(!text.contains(number), "{what} holds an identifier: {text}");
    }
}

#[test]
fn pseudonyms_are_made_line_by_line_and_a_wrong_line_fails_the_run_alone() {
    let home = Home::new();
    let key = key(&home);
    let arguments = ["pseudonym", "--json", "--partnership-key", &key, "--scheme", "nhs"];
    let ended = run_with_input(arguments, WRITTEN.join("\n").as_bytes()).exited(1);
    let lines = ended.json_lines();
    assert_eq!(lines[0]["pseudonym"], lines[1]["pseudonym"], "one child");
    assert_eq!((&lines[2]["line"], &lines[2]["problem"]["code"]), (&json!(3), &json!("check_character")));
    assert_says_nothing("the output", &(ended.stdout + &ended.stderr));
    let ended = run_with_input(arguments, WRITTEN[0].as_bytes()).succeeded();
    assert_eq!(ended.json()["pseudonym"], lines[0]["pseudonym"]);
    let again = run(["pseudonym", "--new-key", &key]).exited(1).complaint();
    assert!(again.contains("never overwritten"), "{again}");
}

#[test]
fn publish_replaces_plain_identifiers_or_refuses_the_draft() {
    let (home, council, server, line) = connected();
    let (signing, pin, to) = (home.key_file("council"), home.pin_file(), line.url());
    let arguments = ["publish", "--json", "--key", path(&signing), "--to", &to, "--pin", path(&pin)];
    let lines = WRITTEN.map(|number| draft("refused", number));
    let ended = run_with_input(arguments, lines.join("\n").as_bytes()).exited(1);
    assert_eq!(ended.json_lines().len(), WRITTEN.len());
    for outcome in ended.json_lines() {
        assert_eq!(outcome["problem"]["code"], "plain_identifier", "{outcome}");
        assert_eq!(outcome["problem"]["path"], "/data/child/identifier");
        assert_eq!(outcome["problem"]["rule"], "no_partnership_key");
    }
    assert_says_nothing("the output", &(ended.stdout + &ended.stderr));

    let key = key(&home);
    let with_key = arguments.iter().copied().chain(["--partnership-key", &key]);
    // The first two are one draft: one id, one child, written in two ways.
    let lines = [draft("a", WRITTEN[0]), draft("a", WRITTEN[1]), draft("b", WRITTEN[2])];
    let ended = run_with_input(with_key, lines.join("\n").as_bytes()).exited(1);
    let outcomes: Vec<Value> = ended.json_lines();
    sealed(&home, &outcomes[0]);
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[2]["problem"]["rule"], "check_character");
    assert_eq!(server.client().head(&council.id).0, 1);
    assert_says_nothing("the output", &(ended.stdout + &ended.stderr));
    assert_says_nothing("the outbox", &everything_in(&home.at("council.jwk.outbox")));
}

#[test]
fn the_agent_keeps_and_logs_no_plain_identifier() {
    let (home, _council, server, line) = connected();
    let key = key(&home);
    let agent = Agent::start(&home, "council", &line.url());
    line.cut();
    let reply = agent.post(&draft("a", WRITTEN[0]), 0);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let refused = agent.post(&draft("b", WRITTEN[2]), 0);
    assert_eq!((refused.status, refused.problem()), (422, "plain_identifier".to_owned()));
    let outbox = home.at("council.jwk.outbox");
    assert_says_nothing("the outbox", &everything_in(&outbox));
    line.lead_to(&server.url);
    let reply = agent.post(&draft("a", WRITTEN[1]), 60);
    sealed(&home, &reply.json());
    agent.stop();

    let arguments = ["pseudonym", "--partnership-key", &key, "--scheme", "nhs"];
    let pseudonym = run_with_input(arguments, WRITTEN[1].as_bytes()).succeeded().stdout;
    let kept = everything_in(&outbox);
    assert!(kept.contains(pseudonym.trim()), "the outbox was read");
    assert_says_nothing("the outbox", &kept);
    assert_says_nothing("the agent's log", &fs::read_to_string(home.at("agent.log")).expect("a log"));
    assert_says_nothing("the ledger", &everything_in(&home.data()));
    let asked = json!({"pseudonym": pseudonym.trim()}).to_string();
    let found = server.analyst().post("/v1/subjects", JSON, asked.as_bytes());
    assert_eq!(found.status, 200, "{}", found.text());
}
