//! An agent that is killed, a line that is cut and a ledger that stands still, at random moments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{Agent, JSON, NDJSON, connected, refused_draft, sealed};
use crate::partnership::{Client, Home, Line, Random, Server, child, draft_line, eventually};

const INTERRUPTIONS: u64 = 30;
/// Every so-many-th draft is refused by the ledger.
const REFUSED_EVERY: u64 = 13;

/// The agency's own system: posts drafts in order, and the same ones again until it knows what became of them.
struct AgencySystem {
    agent: Mutex<Option<String>>,
    changed: Condvar,
    settled: AtomicU64,
    /// How many drafts it is to post; it goes on until it has.
    wanted: AtomicU64,
    given_up: Mutex<bool>,
}

impl AgencySystem {
    fn lead_to(&self, url: Option<&str>) {
        *self.agent.lock().expect("nothing panics with it") = url.map(ToOwned::to_owned);
        self.changed.notify_all();
    }

    fn agent(&self) -> Option<Client> {
        let agent = self.agent.lock().expect("nothing panics with it");
        let away = |agent: &mut Option<String>| agent.is_none() && !self.has_given_up();
        let agent = self.changed.wait_while(agent, away).expect("nothing panics with it");
        agent.as_deref().filter(|_| !self.has_given_up()).map(Client::new)
    }

    fn has_given_up(&self) -> bool {
        *self.given_up.lock().expect("nothing panics with it")
    }

    /// Posts drafts 0, 1, 2 …, one or several at a time. Returns what became of each.
    fn work(&self, mut random: Random) -> Vec<Value> {
        let mut outcomes: Vec<Value> = Vec::new();
        while (outcomes.len() as u64) < self.wanted.load(Ordering::Acquire) {
            let first = outcomes.len() as u64;
            let count = if random.once_in(2) { 1 } else { 2 + random.below(6) };
            let drafts: Vec<String> = (first..first + count).map(draft).collect();
            loop {
                let Some(agent) = self.agent() else { return outcomes };
                if let Some(settled) = post(&agent, &drafts) {
                    outcomes.extend(settled);
                    break;
                }
            }
            self.settled.store(outcomes.len() as u64, Ordering::Release);
        }
        outcomes
    }
}

fn draft(number: u64) -> String {
    let id = format!("draft-{number}");
    if number % REFUSED_EVERY == REFUSED_EVERY - 1 {
        return refused_draft(&id);
    }
    draft_line(&id, &child(number % 7), number)
}

/// What became of the drafts, if all of them are settled; the same ones are posted again otherwise.
fn post(agent: &Client, drafts: &[String]) -> Option<Vec<Value>> {
    let kind = if drafts.len() == 1 { JSON } else { NDJSON };
    let reply = agent.try_post("/v1/drafts?wait=2", kind, drafts.join("\n").as_bytes()).ok()?;
    assert!(matches!(reply.status, 200 | 201 | 202 | 422), "{}: {}", reply.status, reply.text());
    let outcomes = if drafts.len() == 1 { vec![reply.json()] } else { reply.lines() };
    assert_eq!(outcomes.len(), drafts.len());
    outcomes.iter().all(|outcome| outcome["status"] != "queued").then_some(outcomes)
}

/// Ends the agency's system when the test does, however it does.
struct GivesUp<'s>(&'s AgencySystem);

impl Drop for GivesUp<'_> {
    fn drop(&mut self) {
        self.0.wanted.store(self.0.settled.load(Ordering::Acquire) + 1, Ordering::Release);
        if thread::panicking() {
            *self.0.given_up.lock().expect("nothing panics with it") = true;
            self.0.changed.notify_all();
        }
    }
}

#[test]
fn every_draft_is_sealed_once_in_order_or_reported() {
    let mut random = Random::seeded();
    let (home, council, server, line) = connected();
    let system = AgencySystem {
        agent: Mutex::new(None),
        changed: Condvar::new(),
        settled: AtomicU64::new(0),
        wanted: AtomicU64::new(u64::MAX),
        given_up: Mutex::new(false),
    };
    let before = server.client().size();
    let (outcomes, agent, server) = thread::scope(|scope| {
        let gives_up = GivesUp(&system);
        let of_system = random.split();
        let working = scope.spawn(|| system.work(of_system));
        let mut agent = Agent::start(&home, "council", &line.url());
        let mut server = server;
        for _ in 0..INTERRUPTIONS {
            system.lead_to(Some(&agent.url));
            let enough = system.settled.load(Ordering::Acquire) + random.below(12);
            eventually("drafts are settled", || system.settled.load(Ordering::Acquire) >= enough);
            // Not a wait for anything: the moment of the interruption is drawn at random.
            thread::sleep(Duration::from_micros(random.below(12_000)));
            (agent, server) = interrupt(&home, &system, &line, agent, server, &mut random);
        }
        system.lead_to(Some(&agent.url));
        drop(gives_up);
        (working.join().expect("the agency's system does not panic"), agent, server)
    });
    assert!(outcomes.len() > 60, "it had work to do: {}", outcomes.len());
    in_order(&home, &outcomes);
    let accepted = outcomes.iter().filter(|outcome| outcome["status"] == "sealed").count() as u64;
    assert_eq!(server.client().size(), before + accepted, "nothing was sealed twice");
    assert_eq!(server.client().head(&council.id).0, accepted);
    for (number, outcome) in (0..).zip(&outcomes) {
        let again = agent.client().get(&format!("/v1/drafts/draft-{number}")).json();
        assert_eq!(again, *outcome, "the same answer again");
        assert_eq!(agent.post(&draft(number), 0).json(), *outcome, "the same draft again");
    }
    assert_eq!(server.client().size(), before + accepted);
    agent.stop();
    server.stop();
}

fn interrupt(
    home: &Home,
    system: &AgencySystem,
    line: &Line,
    mut agent: Agent,
    mut server: Server,
    random: &mut Random,
) -> (Agent, Server) {
    match random.below(5) {
        0 => {
            line.cut();
            thread::sleep(Duration::from_micros(random.below(30_000)));
            line.lead_to(&server.url);
        }
        1 => {
            server.process.signal("STOP");
            thread::sleep(Duration::from_micros(random.below(30_000)));
            server.process.signal("CONT");
        }
        2 => {
            server.process.kill();
            line.cut();
            server = home.serve();
            line.lead_to(&server.url);
        }
        _ => {
            agent.process.kill();
            system.lead_to(None);
            agent = Agent::start(home, "council", &line.url());
        }
    }
    (agent, server)
}

/// What was refused has no place; the rest stand in the order of their drafts, in the chain and in the log.
fn in_order(home: &Home, outcomes: &[Value]) {
    let (mut next_seq, mut last_index) = (0, 0);
    for (number, outcome) in (0..).zip(outcomes) {
        assert_eq!(outcome["id"], format!("draft-{number}"));
        if number % REFUSED_EVERY == REFUSED_EVERY - 1 {
            assert_eq!(outcome["status"], "refused", "{outcome}");
            assert_eq!(outcome["problem"]["code"], "not_on_behalf_of");
            continue;
        }
        let (seq, index) = sealed(home, outcome);
        assert_eq!(seq, next_seq, "draft {number}");
        assert!(index > last_index, "draft {number}");
        (next_seq, last_index) = (seq + 1, index);
    }
}
