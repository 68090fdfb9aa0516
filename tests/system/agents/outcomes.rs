//! What a draft comes to while the ledger is away, says no, or says no to everything.

use serde_json::json;

use super::{Agent, NDJSON, connected, refused_draft, sealed};
use crate::partnership::{Registrar, child, draft_line, eventually};

#[test]
fn drafts_wait_while_the_ledger_is_away_even_through_a_restart() {
    let (home, council, server, line) = connected();
    line.cut();
    let agent = Agent::start(&home, "council", &line.url());
    for n in 0..3 {
        let reply = agent.post(&draft_line(&format!("d{n}"), &child(n), n), 0);
        assert_eq!(
            (reply.status, reply.json()["status"].clone()),
            (202, json!("queued")),
            "{}",
            reply.text()
        );
    }
    eventually("the agent says that the ledger is away", || {
        agent.health()["ledger_reachable"] == json!(false)
    });
    let health = agent.health();
    assert_eq!((&health["queued"], &health["halted"]), (&json!(3), &json!(null)), "{health}");
    agent.stop();
    let agent = Agent::start(&home, "council", &line.url());
    assert_eq!(agent.health()["queued"], 3, "what was accepted is durable");
    line.lead_to(&server.url);
    eventually("the drafts are delivered", || agent.health()["queued"] == 0);
    for n in 0..3 {
        let outcome = agent.client().get(&format!("/v1/drafts/d{n}")).json();
        assert_eq!(sealed(&home, &outcome).0, n);
    }
    assert_eq!(server.client().head(&council.id).0, 3);
}

#[test]
fn a_ledger_that_stands_still_delays_and_does_not_double() {
    let (home, council, server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("before", &child(1), 1), 30).json());
    server.process.signal("STOP");
    let reply = agent.post(&draft_line("during", &child(1), 2), 0);
    assert_eq!(reply.status, 202, "{}", reply.text());
    server.process.signal("CONT");
    let outcome = agent.post(&draft_line("during", &child(1), 2), 60).json();
    assert_eq!(sealed(&home, &outcome).0, 1);
    assert_eq!(server.client().head(&council.id).0, 2);
}

#[test]
fn a_draft_that_the_ledger_refuses_is_reported_and_the_others_close_ranks() {
    let (home, council, server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    let good = |n: u64| draft_line(&format!("good-{n}"), &child(n), n);
    let lines = [
        good(0),
        good(1),
        refused_draft("bad-0"),
        good(2),
        refused_draft("bad-1"),
        refused_draft("bad-2"),
        good(3),
    ];
    let reply = agent.client().post("/v1/drafts?wait=60", NDJSON, lines.join("\n").as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    let outcomes = reply.lines();
    for at in [2, 4, 5] {
        assert_eq!(outcomes[at]["status"], "refused", "{}", outcomes[at]);
        assert_eq!(outcomes[at]["problem"]["code"], "not_on_behalf_of");
        assert!(!outcomes[at].to_string().contains(&child(1)), "a reason, and nothing of the draft");
    }
    let places = [0, 1, 3, 6].map(|at| sealed(&home, &outcomes[at]));
    assert_eq!(places.map(|(seq, _)| seq), [0, 1, 2, 3]);
    assert!(places.windows(2).all(|pair| pair[0].1 < pair[1].1), "{places:?}");
    assert_eq!(server.client().head(&council.id).0, 4);
    let again = agent.post(&refused_draft("bad-1"), 10);
    assert_eq!((again.status, again.json()), (422, outcomes[4].clone()), "a refusal is remembered");
}

#[test]
fn once_its_publisher_is_revoked_the_agent_says_so_and_takes_nothing_new() {
    let (home, council, server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    let before = agent.post(&draft_line("before", &child(1), 1), 30).json();
    sealed(&home, &before);
    let revocation = Registrar::of(&home).revocation(&server.client(), &council.id);
    assert_eq!(server.client().publish(&revocation).status, 201);
    let size = server.client().size();
    let reply = agent.post(&draft_line("after", &child(1), 2), 0);
    assert_eq!(reply.status, 202, "{}", reply.text());
    eventually("the agent has halted", || agent.client().get("/healthz").status == 503);
    let halted = agent.health()["halted"].as_str().expect("a reason").to_owned();
    assert!(
        halted.contains("publisher_revoked") && halted.contains("have the registrar enrol it"),
        "{halted}"
    );
    let refused = agent.post(&draft_line("later", &child(1), 3), 60);
    let why = refused.json();
    assert_eq!((refused.status, &why["code"]), (503, &json!("delivery_halted")), "{why}");
    assert_eq!(why["halted"], json!(halted));
    assert_eq!((agent.health()["queued"].clone(), server.client().size()), (json!(1), size));
    assert_eq!(
        agent.post(&draft_line("before", &child(1), 1), 0).json(),
        before,
        "what was sealed stays known"
    );
}

#[test]
fn a_ledger_of_another_name_at_the_same_address_gets_nothing() {
    let (home, _, server, line) = connected();
    let agent = Agent::start(&home, "council", &line.url());
    sealed(&home, &agent.post(&draft_line("before", &child(1), 1), 30).json());
    agent.stop();
    server.stop();
    let (_other_home, _, other, _line) = connected();
    line.lead_to(&other.url);
    let agent = Agent::start(&home, "council", &line.url());
    let size = other.client().size();
    eventually("the agent has halted", || agent.client().get("/healthz").status == 503);
    let halted = agent.health()["halted"].as_str().expect("a reason").to_owned();
    assert!(halted.contains("and this outbox belongs to") && halted.contains(&line.url()), "{halted}");
    let reply = agent.post(&draft_line("after", &child(1), 2), 60);
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!(other.client().size(), size);
}
