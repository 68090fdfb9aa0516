//! Publishers at work while nodes and servers come and go: each publishes a statement until it is acknowledged, then the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gt_core::Hash;
use gt_core::statement::Statement;

use super::broker::Broker;
use super::outboxes::{self, Agent, Publish};
use crate::partnership::{Client, Home, Publisher, Random, child, draft_line};

/// How long a publisher waits for an answer before it asks again: longer than a take-over, so that most requests are sent once.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long it may take until everything that was begun is acknowledged.
const ENDING: Duration = Duration::from_mins(3);
/// So that a load lasts, without filling two processors.
const PACE: Duration = Duration::from_millis(25);
/// Few, so that each has a history.
pub(super) const CHILDREN: u64 = 8;

/// An acknowledged statement.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) statement: Hash,
    pub(crate) receipt: String,
    pub(crate) at: Instant,
}

/// Every receipt that was ever handed out.
#[derive(Default)]
pub(crate) struct Receipts(Mutex<Vec<Kept>>);

impl Receipts {
    pub(super) fn keep(&self, statement: Hash, receipt: &str) {
        let kept = Kept { statement, receipt: receipt.to_owned(), at: Instant::now() };
        self.0.lock().expect("nothing panics with it").push(kept);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("nothing panics with it").len()
    }

    pub(crate) fn all(&self) -> Vec<Kept> {
        self.0.lock().expect("nothing panics with it").clone()
    }
}

/// Publishers, each on a thread of its own.
pub(crate) struct Load {
    receipts: Arc<Receipts>,
    servers: String,
    random: Random,
    course: Arc<Course>,
    outboxes: Option<(Arc<Agent>, Arc<Publish>)>,
    threads: Vec<JoinHandle<()>>,
}

/// What the publishers are told.
struct Course {
    /// About how many children statements are.
    children: u64,
    /// How long to wait between two statements.
    pace: Duration,
    /// Since when what is begun is to be finished, and nothing more begun.
    finishing: OnceLock<Instant>,
    /// The test has ended already.
    given_up: AtomicBool,
}

impl Course {
    fn goes_on(&self) -> bool {
        thread::sleep(self.pace);
        self.finishing.get().is_none()
    }

    /// Whether to try again with what is not acknowledged.
    fn tries_again(&self) -> bool {
        thread::sleep(PACE);
        let in_time = self.finishing.get().is_none_or(|since| since.elapsed() < ENDING);
        assert!(in_time, "what was begun is still not acknowledged");
        !self.given_up.load(Ordering::Acquire)
    }
}

impl Load {
    pub(crate) fn new(receipts: Arc<Receipts>, servers: String) -> Self {
        Self::about(CHILDREN, PACE, receipts, servers)
    }

    /// The same about so many children, with so much time between two statements of a publisher.
    pub(crate) fn about(children: u64, pace: Duration, receipts: Arc<Receipts>, servers: String) -> Self {
        let (finishing, given_up) = (OnceLock::new(), AtomicBool::new(false));
        let course = Arc::new(Course { children, pace, finishing, given_up });
        Self { receipts, servers, random: Random::seeded(), course, outboxes: None, threads: Vec::new() }
    }

    /// Publishes at a node drawn at random, one statement or several together.
    pub(crate) fn over_http(&mut self, mut publisher: Publisher, nodes: Vec<String>) {
        let mut random = self.random.split();
        self.spawn(move |course, receipts| {
            while course.goes_on() {
                let count = if random.once_in(3) { 2 + random.below(6) } else { 1 };
                let mut waiting: Vec<Statement> = (0..count)
                    .map(|_| publisher.next(&child(random.below(course.children)), random.below(200)))
                    .collect();
                while !waiting.is_empty() && course.tries_again() {
                    let node = &nodes[usize::try_from(random.below(nodes.len() as u64)).expect("few nodes")];
                    let answered = post(&Client::impatient(node, PATIENCE), &waiting);
                    for (statement, receipt) in waiting.drain(..answered.len()).zip(&answered) {
                        receipts.keep(statement.hash(), receipt);
                    }
                }
            }
        });
    }

    /// Publishes as an agency's own NATS client would.
    pub(super) fn over_nats(&mut self, mut publisher: Publisher, broker: Arc<Broker>) {
        let mut random = self.random.split();
        self.spawn(move |course, receipts| {
            let subject = format!("gt.intake.{}.{}", publisher.agency, publisher.id);
            while course.goes_on() {
                let statement = publisher.next(&child(random.below(course.children)), random.below(200));
                while course.tries_again() {
                    let Some(answer) = broker.ask(&subject, statement.to_compact().as_bytes(), PATIENCE)
                    else {
                        continue;
                    };
                    match answer.status {
                        200 | 201 => {
                            receipts.keep(statement.hash(), answer.receipt());
                            break;
                        }
                        status => assert_eq!(status, 503, "{}", answer.text()),
                    }
                }
            }
        });
    }

    /// Posts drafts to an agent; and runs `publish` with some drafts, and then with the next ones.
    pub(crate) fn by_outboxes(&mut self, home: &Home, [of_agent, of_publish]: [&str; 2]) {
        let agent = Arc::new(Agent::start(home, of_agent, &self.servers));
        let publish = Arc::new(Publish::new(home, of_publish, &self.servers));
        self.outboxes = Some((Arc::clone(&agent), Arc::clone(&publish)));
        let mut random = self.random.split();
        self.spawn(move |course, receipts| {
            for n in 0.. {
                if !course.goes_on() {
                    return;
                }
                let draft = draft_line(&format!("a{n}"), &child(random.below(course.children)), n);
                while course.tries_again() && !agent.post(&draft, receipts) {}
            }
        });
        let mut random = self.random.split();
        self.spawn(move |course, receipts| {
            for n in 0.. {
                if !course.goes_on() {
                    return;
                }
                let draft = |d: u64| {
                    draft_line(&format!("p{n}-{d}"), &child(random.below(course.children)), n + d) + "\n"
                };
                let drafts: String = (0..12).map(draft).collect();
                while course.tries_again() && !publish.run(&drafts, receipts) {}
            }
        });
    }

    /// `kill -9` of the agent and of `publish`, which then go on. Says whether there are any.
    pub(crate) fn kill_outboxes(&self) -> bool {
        let Some((agent, publish)) = &self.outboxes else { return false };
        outboxes::kill(agent, publish);
        true
    }

    /// Has everything that was begun acknowledged, and stops.
    pub(crate) fn finish(mut self) {
        self.course.finishing.get_or_init(Instant::now);
        for thread in self.threads.drain(..) {
            thread.join().expect("no publisher panics");
        }
        // Whoever has an outbox ends with the last one who holds it.
        self.outboxes = None;
    }

    fn spawn(&mut self, work: impl FnOnce(&Course, &Receipts) + Send + 'static) {
        let (course, receipts) = (Arc::clone(&self.course), Arc::clone(&self.receipts));
        self.threads.push(thread::spawn(move || work(&course, &receipts)));
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.course.finishing.get_or_init(Instant::now);
        self.course.given_up.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // The test has failed already; what counts is that their processes end.
            let _ = thread.join();
        }
    }
}

/// The receipts of the first statements, as many as there are.
fn post(client: &Client, statements: &[Statement]) -> Vec<String> {
    if let [statement] = statements {
        let text = statement.to_compact();
        let Ok(reply) = client.try_post("/v1/statements", "application/sd-jwt", text.as_bytes()) else {
            return Vec::new();
        };
        if !matches!(reply.status, 200 | 201) {
            assert_eq!(reply.status, 503, "{}", reply.text());
            return Vec::new();
        }
        return vec![reply.text().to_owned()];
    }
    client.publish_together(statements)
}
