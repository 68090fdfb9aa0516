//! Nothing is killed: every way in, every answer, and what goes out by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use gt_core::Hash;
use gt_core::statement::Statement;
use serde_json::{Value, json};

use super::broker::{Answer, Broker, Subscription};
use super::ledger::Ledger;
use super::outboxes::{agent, keep_sealed, publish_arguments};
use super::turn;
use crate::partnership::{Client, Publisher, child, draft_line, missing, run_with_input};

const PATIENCE: Duration = Duration::from_secs(20);

/// A publisher that speaks NATS.
struct Speaker<'b> {
    broker: &'b Broker,
    subject: String,
}

impl<'b> Speaker<'b> {
    fn of(publisher: &Publisher, broker: &'b Broker) -> Self {
        Self { broker, subject: format!("gt.intake.{}.{}", publisher.agency, publisher.id) }
    }

    fn say(&self, payload: &[u8]) -> Answer {
        self.broker.ask(&self.subject, payload, PATIENCE).expect("an answer")
    }

    fn publish(&self, statement: &Statement) -> Answer {
        self.say(statement.to_compact().as_bytes())
    }
}

/// The index that a receipt proves, which is kept.
fn index(ledger: &Ledger, statement: &Statement, receipt: &str) -> u64 {
    ledger.keep(statement.hash(), receipt);
    ledger.home.prove(receipt, statement.hash()).entry.index.0
}

#[test]
fn every_way_in_leads_to_the_same_log() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let (mut council, mut hospital) = (ledger.publisher("council"), ledger.publisher("hospital"));
    http_at_every_node(&ledger, &mut council);
    requests_over_nats(&ledger, &mut hospital);
    publish_twice(&ledger);
    drafts_to_an_agent(&ledger);
    ledger.all_agree();
}

fn http_at_every_node(ledger: &Ledger, council: &mut Publisher) {
    let clients: Vec<Client> = ledger.nodes.iter().map(super::nodes::Node::client).collect();
    for (at, client) in clients.iter().enumerate() {
        let statement = council.next(&child(at as u64), 1);
        let reply = client.publish(&statement);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let sealed_at = index(ledger, &statement, reply.text());
        for other in &clients {
            let again = other.publish(&statement);
            assert_eq!(again.status, 200, "{}", again.text());
            assert_eq!(index(ledger, &statement, again.text()), sealed_at);
        }
    }
    let statements = [council.next(&child(1), 2), council.next(&child(2), 2), council.next(&child(3), 2)];
    let lines = statements.each_ref().map(|statement| json!(statement.to_compact()).to_string());
    for (status, client) in [201, 200, 200].into_iter().zip(&clients) {
        let answers = client.publish_lines(&lines);
        assert_eq!(answers.len(), 3);
        for (statement, answer) in statements.iter().zip(&answers) {
            assert_eq!(answer["status"], status, "{answer}");
            let receipt = answer["receipt"].as_str().expect("a receipt");
            assert_eq!(answer["index"], index(ledger, statement, receipt));
            assert_eq!(answer["statement"], statement.hash().to_string());
        }
    }
}

fn requests_over_nats(ledger: &Ledger, hospital: &mut Publisher) {
    let speaker = Speaker::of(hospital, &ledger.broker);
    let mut statements = Vec::new();
    for n in 0..5_u64 {
        let end = speaker.say(b"").json();
        assert_eq!((&end["next_seq"], &end["agency"]), (&json!(n), &json!("ods:RX1")), "{end}");
        let head = statements.last().map_or(ledger.home.genesis(), Statement::hash);
        assert_eq!(end["head"], head.to_string());
        assert_eq!(end["genesis"], ledger.home.genesis().to_string());
        let statement = hospital.next(&child(9), n);
        let first = speaker.publish(&statement);
        let mut with_line_break = statement.to_compact();
        with_line_break.push('\n');
        let again = speaker.say(with_line_break.as_bytes());
        assert_eq!((first.status, again.status), (201, 200), "{}", again.text());
        let sealed_at = index(ledger, &statement, first.receipt());
        assert_eq!(index(ledger, &statement, again.receipt()), sealed_at);
        statements.push(statement);
    }
    let stranger = format!("gt.intake.ods:RX1.{}", Hash::of(b"nobody"));
    let answer = ledger.broker.ask(&stranger, b"", PATIENCE).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (404, "unknown_publisher"));
}

fn publish_twice(ledger: &Ledger) {
    let drafts: String = (0..30).map(|n| draft_line(&format!("d{n}"), &child(n % 3), n) + "\n").collect();
    let arguments = publish_arguments(&ledger.home, "school", &ledger.cluster.url());
    let first = run_with_input(&arguments, drafts.as_bytes()).succeeded();
    let outcomes = first.json_lines();
    assert_eq!(outcomes.len(), 30);
    assert!(outcomes.iter().all(|outcome| keep_sealed(&ledger.receipts, outcome)));
    ledger.until_level("all nodes have what was published");
    let size = ledger.follower().client().size();
    let second = run_with_input(&arguments, drafts.as_bytes()).succeeded();
    assert_eq!(second.stdout, first.stdout, "the same receipts");
    assert_eq!(ledger.follower().client().size(), size);
}

fn drafts_to_an_agent(ledger: &Ledger) {
    let agent = agent(&ledger.home, "charity", &ledger.cluster.url(), &ledger.home.at("agent.log"));
    let client = Client::new(&agent.listening());
    for n in 0..10 {
        let draft = draft_line(&format!("a{n}"), &child(n % 3), n);
        for _ in 0..2 {
            let reply = client.post("/v1/drafts?wait=20", "application/json", draft.as_bytes());
            assert_eq!(reply.status, 201, "{}", reply.text());
            assert!(keep_sealed(&ledger.receipts, &reply.json()));
        }
    }
}

#[test]
fn what_is_wrong_is_refused_and_what_matters_goes_out() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let mut force = ledger.publisher("force");
    let broker = std::sync::Arc::clone(&ledger.broker);
    let mut alerts = broker.subscribe("gt.alert.>");
    refusals(&ledger, &mut force);
    forks(&ledger, &mut force, &mut alerts);
    repeated_episodes(&ledger, &mut force, &mut alerts);
    drop(alerts);
    ledger.all_agree();
}

fn refusals(ledger: &Ledger, force: &mut Publisher) {
    let speaker = Speaker::of(force, &ledger.broker);
    let sound = force.next(&child(1), 1);
    index(ledger, &sound, speaker.publish(&sound).receipt());
    let left_out = force.next(&child(1), 2);
    let too_early = force.next(&child(1), 3);
    let mut altered = left_out.to_compact().into_bytes();
    let signature = altered.iter().position(|byte| *byte == b'~').expect("a disclosure") - 10;
    altered[signature] = if altered[signature] == b'A' { b'B' } else { b'A' };
    let too_early_text = too_early.to_compact();
    let cases: [(&[u8], u16, &str); 4] = [
        (b"no statement", 400, "not_compact"),
        (b"\n", 400, "not_compact"),
        (&altered, 403, "bad_signature"),
        (too_early_text.as_bytes(), 409, "chain_gap"),
    ];
    for (payload, status, code) in cases {
        let answer = speaker.say(payload);
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{}", answer.text());
        for node in &ledger.nodes {
            let reply = node.client().publish_text(payload);
            assert_eq!((reply.status, reply.problem().as_str()), (status, code), "{}", node.name);
        }
    }
    let gap = speaker.publish(&too_early).json();
    assert_eq!((&gap["next_seq"], &gap["head"]), (&json!(1), &json!(sound.hash().to_string())), "{gap}");
    for statement in [&left_out, &too_early] {
        index(ledger, statement, speaker.publish(statement).receipt());
    }
}

fn forks(ledger: &Ledger, force: &mut Publisher, alerts: &mut Subscription<'_>) {
    let speaker = Speaker::of(force, &ledger.broker);
    let (first, second) = (force.peek("missing.started", &missing(&child(1), 5)), force.next(&child(2), 5));
    index(ledger, &first, speaker.publish(&first).receipt());
    for node in &ledger.nodes {
        let reply = node.client().publish(&second);
        assert_eq!((reply.status, reply.problem().as_str()), (409, "chain_fork"), "{}", reply.text());
    }
    let alert = next_of(alerts, "gt.alert.chain-fork");
    assert_eq!(alert["alert"]["refused"], second.hash().to_string(), "{alert}");
    let sealer = &ledger.nodes[ledger.sealer()];
    let raised = ledger.analyst(sealer).get("/v1/integrity").json();
    assert_eq!(raised["items"].as_array().map(Vec::len), Some(1), "{raised}");
    assert_eq!(raised["items"][0]["pattern"], "chain-fork");
    // The chain goes on after the one that was sealed.
    let mut behind = force.draft("missing.started", &missing(&child(1), 6));
    behind.prev = first.hash();
    let next = force.sign(&behind);
    index(ledger, &next, speaker.publish(&next).receipt());
    force.advance(&next);
}

/// Three episodes of one child are a pattern; both full nodes find it, and the stream of alerts keeps one.
fn repeated_episodes(ledger: &Ledger, force: &mut Publisher, alerts: &mut Subscription<'_>) {
    let speaker = Speaker::of(force, &ledger.broker);
    for day in 1..=4 {
        let statement = force.next(&child(77), day);
        index(ledger, &statement, speaker.publish(&statement).receipt());
    }
    next_of(alerts, "gt.alert.repeat-missing");
    ledger.until_level("all nodes have the same alerts");
    ledger.until("the stream of alerts holds each once", || {
        let state = &ledger.broker.stream("ALERT")["state"];
        let last = state["last_seq"].as_u64().expect("a number");
        let ids: BTreeSet<String> =
            (1..=last).map(|sequence| ledger.broker.stored("ALERT", sequence)["hdrs"].to_string()).collect();
        ids.len() as u64 == last && last >= 2
    });
}

/// The next message on this subject.
fn next_of(alerts: &mut Subscription<'_>, subject: &str) -> Value {
    loop {
        let message = alerts.next(PATIENCE).unwrap_or_else(|| panic!("nothing comes on {subject}"));
        if message.subject.as_str() == subject {
            return serde_json::from_slice(&message.payload).expect("JSON");
        }
    }
}
