//! One key has one outbox and one process: whatever else is tried ends in a clear word and not in a fork.

use serde_json::json;

use super::{Agent, connected, sealed};
use crate::partnership::{Home, Server, child, copy_folder, draft_line, eventually};

#[test]
fn a_second_agent_on_the_same_outbox_does_not_start() {
    let (home, _, _server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    let mut second = Agent::launch(&home, "council", &line.url(), &home.at("council.jwk.outbox"));
    assert_eq!(second.ended().code(), Some(1));
    let said = second.log_text();
    assert!(said.contains("another process uses this outbox"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    sealed(&home, &agent.post(&draft_line("a", &child(1), 1), 30).json());
}

#[test]
fn a_copied_key_with_an_outbox_of_its_own_stops_instead_of_forking() {
    let (home, council, server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("a", &child(1), 1), 30).json());
    let process = Agent::launch(&home, "council", &line.url(), &home.at("elsewhere.outbox"));
    let copy = Agent { url: process.listening(), process };
    stops_before_a_fork(&server, &copy);
    sealed(&home, &agent.post(&draft_line("b", &child(1), 2), 30).json());
    assert_eq!(server.client().head(&council.id).0, 2);
}

#[test]
fn an_outbox_restored_from_a_backup_stops_instead_of_forking() {
    let (home, council, server, line) = connected();
    let outbox = home.at("council.jwk.outbox");
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("a", &child(1), 1), 30).json());
    agent.stop();
    copy_folder(&outbox, &home.at("backup"));
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("b", &child(1), 2), 30).json());
    agent.stop();
    std::fs::rename(&outbox, home.at("newer")).expect("moved");
    copy_folder(&home.at("backup"), &outbox);

    let restored = Agent::start(&home, "council", &line.url());
    stops_before_a_fork(&server, &restored);
    let known = restored.client().get("/v1/drafts/a").json();
    sealed(&home, &known);
    restored.stop();

    // With the newer one back in its place it goes on where it was.
    std::fs::remove_dir_all(&outbox).expect("removed");
    std::fs::rename(home.at("newer"), &outbox).expect("moved back");
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("c", &child(1), 3), 30).json());
    assert_eq!(server.client().head(&council.id).0, 3);
}

/// The agent sends nothing, takes no new draft, and says that a person must look, and what that person can do.
fn stops_before_a_fork(server: &Server, agent: &Agent) {
    let size = server.client().size();
    eventually("the agent has halted", || agent.client().get("/healthz").status == 503);
    let halted = agent.health()["halted"].as_str().expect("a reason").to_owned();
    assert!(halted.contains("restored from a backup") && halted.contains("fork"), "{halted}");
    assert!(halted.contains("newest copy of the outbox") && halted.contains("keygen"), "{halted}");
    let reply = agent.post(&draft_line("new", &child(2), 9), 60);
    assert_eq!(
        (reply.status, reply.json()["code"].clone()),
        (503, json!("delivery_halted")),
        "{}",
        reply.text()
    );
    assert_eq!(reply.json()["halted"], json!(halted));
    assert_eq!(agent.client().get("/v1/drafts/new").status, 404, "it was not taken");
    assert_eq!(server.client().size(), size, "nothing was sent");
    let integrity = server.analyst().get("/v1/integrity").json();
    assert_eq!(integrity["items"], json!([]), "nothing was forked");
}

#[test]
fn a_pin_of_another_ledger_is_told_before_anything_is_queued() {
    let (home, council, server, _line) = connected();
    let other = Home::new();
    let mut strange = Agent::launch_pinned(
        &home,
        "council",
        &server.url,
        &home.at("council.jwk.outbox"),
        &other.pin_file(),
    );
    assert_eq!(strange.ended().code(), Some(1));
    let said = strange.log_text();
    assert!(said.contains("and the pin is of") && said.contains(&server.url), "{said}");
    let agent = Agent::start(&home, "council", &server.url);
    sealed(&home, &agent.post(&draft_line("a", &child(1), 1), 30).json());
    assert_eq!(server.client().head(&council.id).0, 1);
}

#[test]
fn an_outbox_belongs_to_one_publisher() {
    let (home, _, server, line) = connected();
    home.enrol("second", "gss:E06000998", Some(&server.url));
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("a", &child(1), 1), 30).json());
    agent.stop();
    let mut strange = Agent::launch(&home, "second", &line.url(), &home.at("council.jwk.outbox"));
    assert_eq!(strange.ended().code(), Some(1));
    assert!(strange.log_text().contains("the outbox belongs to publisher"), "{}", strange.log_text());
    key_is_not_told(&home, &strange.log_text());
}

/// Nothing of a private key stands in what is logged.
fn key_is_not_told(home: &Home, log: &str) {
    for name in ["council", "second"] {
        let text = std::fs::read_to_string(home.key_file(name)).expect("a key");
        let key: serde_json::Value = serde_json::from_str(&text).expect("a JWK");
        assert!(!log.contains(key["d"].as_str().expect("a private key")));
    }
}
