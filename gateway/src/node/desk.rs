//! The desk at which agencies' requests arrive. All full nodes hear every request; only the active sealer answers. A standby holds
//! requests, and steps in if the oldest waits for a second in which no batch was seen: the stream's fence then decides who is active.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Client, Message, Subscriber};
use axum::http::StatusCode;
use futures_util::StreamExt;
use gt_core::entry::Entry;
use gt_core::{Hash, LeafIndex};
use gt_ledger::Ledger;
use gt_ledger::jetstream::{ANSWERED_SUBJECT, INTAKE_SUBJECTS, Outgoing};
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use rayon::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::answered;
use super::held::{HeldRequests, Request};
use super::question::{self, Sender};
use super::reply;
use crate::problem::Problem;

/// How long a standby lets the oldest request wait, and how long it must have seen no batch, before it steps in.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a standby looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The most requests that are read together.
const MAX_TOGETHER: usize = 256;

/// Requests cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The subscription failed.
    #[error("agencies' requests cannot be subscribed to: {0}")]
    Subscribe(String),
    /// The node has no stream.
    #[error("a ledger without a stream takes no requests over NATS")]
    NoStream,
}

/// The desk, at work.
pub struct Desk {
    task: JoinHandle<()>,
}

/// What became of a request that was with the sealer.
#[derive(Clone, Copy)]
enum Outcome {
    /// The reply is on its way, and nobody else sees what it is.
    Answered(u64),
    /// The reply is on its way: a receipt for what other nodes see sealed, or that nothing can be said here and now.
    Replied(u64),
    /// Another sealer was first, or this one has stopped.
    GivenBack(u64),
}

struct Clerk {
    ledger: Arc<Ledger>,
    held: HeldRequests,
    outgoing: UnboundedSender<Outgoing>,
    outcomes: UnboundedSender<Outcome>,
    /// What is answered, and other nodes are to hear of.
    to_tell: Vec<Hash>,
    /// When a batch or a checkpoint was last seen.
    seen: Instant,
    /// The size of the log up to which sealed statements were looked up.
    looked_up: u64,
    announced: watch::Receiver<u64>,
    /// A standby waits a little longer than another one, so that they do not all step in at once.
    patience: Duration,
}

impl Desk {
    /// Subscribes, and takes requests until the desk is dropped.
    pub async fn open(ledger: &Arc<Ledger>, client: &Client) -> Result<Self, DeskError> {
        let requests = client.subscribe(INTAKE_SUBJECTS).await;
        let requests = requests.map_err(|error| DeskError::Subscribe(error.to_string()))?;
        let outgoing = ledger.outgoing().ok_or(DeskError::NoStream)?;
        let (outcomes, back) = unbounded_channel();
        let jitter = u64::from(getrandom::u32().unwrap_or_default() % 250);
        let patience = PATIENCE + Duration::from_millis(jitter);
        let clerk = Clerk::new(Arc::clone(ledger), outgoing, outcomes, patience);
        Ok(Self { task: tokio::spawn(clerk.work(requests, back)) })
    }

    /// Takes no more requests. What is with the sealer is answered all the same.
    pub fn close(self) {
        self.task.abort();
    }
}

impl Clerk {
    fn new(
        ledger: Arc<Ledger>,
        outgoing: UnboundedSender<Outgoing>,
        outcomes: UnboundedSender<Outcome>,
        patience: Duration,
    ) -> Self {
        Self {
            held: HeldRequests::default(),
            outgoing,
            outcomes,
            to_tell: Vec::new(),
            seen: Instant::now(),
            looked_up: ledger.log().size().0,
            announced: ledger.watch_announced(),
            patience,
            ledger,
        }
    }

    async fn work(mut self, requests: Subscriber, mut back: UnboundedReceiver<Outcome>) {
        let mut requests = requests.ready_chunks(MAX_TOGETHER);
        let mut size = self.ledger.watch_size();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Requests come many at a time, and last: what they are counted with is up to date then.
                biased;
                outcome = back.recv() => {
                    let Some(outcome) = outcome else { return };
                    self.hear(outcome);
                    while let Ok(outcome) = back.try_recv() {
                        self.hear(outcome);
                    }
                    self.tell();
                }
                changed = size.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.log_has_grown();
                }
                _ = looks.tick() => self.look().await,
                chunk = requests.next() => match chunk {
                    Some(chunk) => self.take(chunk).await,
                    None => return,
                },
            }
        }
    }

    fn hear(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered(number) => self.to_tell.extend(self.held.remove(number)),
            Outcome::Replied(number) => {
                self.held.remove(number);
            }
            Outcome::GivenBack(number) => self.held.give_back(number),
        }
    }

    /// Tells the other nodes what was answered: after the replies, on the same connection, so that whoever hears it knows that they have
    /// gone out.
    fn tell(&mut self) {
        for message in answered::messages(&self.to_tell) {
            // Nobody sends any more once the node closes.
            let _ = self.outgoing.send(message);
        }
        self.to_tell.clear();
    }

    async fn take(&mut self, messages: Vec<Message>) {
        self.hold(messages);
        if self.ledger.is_active() && !self.ledger.is_stopped() {
            // With what came before this sealer was the active one: a chain's statements go in their order. None is let go of, since the
            // next one of its chain would be refused; the sealer says itself how many it takes.
            self.submit().await;
        } else {
            self.held.bound();
        }
    }

    fn hold(&mut self, messages: Vec<Message>) {
        let now = Instant::now();
        for message in messages {
            if message.subject.as_str() == ANSWERED_SUBJECT {
                answered::names(&message.payload).for_each(|name| self.held.answered(&name));
                continue;
            }
            // Whom nobody answers is sealed for nobody: a request has a reply subject.
            let Some(inbox) = reply::inbox(message.reply.as_deref()) else { continue };
            let sender = Sender::of_subject(&message.subject);
            let request = Request { sender, reply: inbox.to_owned(), payload: message.payload };
            self.held.add(request, now);
        }
    }

    /// Hands the sealer every request that it has not, in the order in which they came.
    async fn submit(&mut self) {
        let taken = self.held.take();
        if taken.is_empty() {
            return;
        }
        let read = tokio::task::spawn_blocking(|| {
            let read = |(number, request): (u64, Request)| {
                let read = read(&request);
                (number, request, read)
            };
            if taken.len() > 1 {
                taken.into_par_iter().map(read).collect()
            } else {
                taken.into_iter().map(read).collect::<Vec<_>>()
            }
        });
        let read = match read.await {
            Ok(read) => read,
            Err(error) => return tracing::error!(%error, "requests could not be read"),
        };
        for (number, request, read) in read {
            match read {
                Ok(Asked::ToSeal(prepared)) if self.is_overtaken(number, &prepared) => {
                    self.held.remove(number);
                }
                Ok(Asked::ToSeal(prepared)) => self.seal(number, request.reply, *prepared),
                Ok(Asked::WhereItEnds(sender)) => {
                    let answered = match question::answer(&self.ledger, &sender) {
                        Ok(value) => reply::of_json(&request.reply, &value),
                        Err(problem) => reply::of_problem(&request.reply, &problem),
                    };
                    self.answer(number, answered);
                }
                Err(problem) => self.answer(number, reply::of_problem(&request.reply, &problem)),
            }
        }
        self.tell();
    }

    /// Whether another sealer has sealed something else in the statement's place since it came, and so has answered it. Submitted here it
    /// would pass for a fork of its publisher's chain. One that comes after that is for this sealer to answer.
    fn is_overtaken(&mut self, number: u64, prepared: &Prepared) -> bool {
        let statement = prepared.statement();
        let head = self.ledger.head(&statement.payload().publisher);
        let is_open = head.next_seq <= statement.payload().seq;
        // One that was sent again after it was sealed, and answered by nobody, is answered here.
        if is_open || head.head == statement.hash() || !self.held.came_before_anothers(number) {
            return false;
        }
        // The head may be of more than was looked up, and the statement itself what stands there.
        self.look_up() && !self.held.is_sealed(number)
    }

    fn seal(&self, number: u64, inbox: String, prepared: Prepared) {
        let (outgoing, outcomes) = (self.outgoing.clone(), self.outcomes.clone());
        self.ledger.submit_to(prepared, move |answer| {
            // The receivers are gone once the node closes; another node answers then.
            let _ = match answer {
                Err(Refusal::Superseded | Refusal::Stopped) => outcomes.send(Outcome::GivenBack(number)),
                answer => {
                    let outcome = if is_unseen(&answer) { Outcome::Answered } else { Outcome::Replied };
                    let _ = outgoing.send(reply::of_answer(&inbox, &answer));
                    outcomes.send(outcome(number))
                }
            };
        });
    }

    fn answer(&mut self, number: u64, reply: Outgoing) {
        // Nobody sends any more once the node closes.
        let _ = self.outgoing.send(reply);
        self.to_tell.extend(self.held.remove(number));
    }

    /// Another sealer's batches answer requests that this node holds.
    fn log_has_grown(&mut self) {
        self.seen = Instant::now();
        let is_active = self.ledger.is_active();
        if is_active && self.held.oldest().is_none() {
            self.looked_up = self.ledger.log().size().0;
            return;
        }
        if !is_active {
            self.held.another_has_sealed();
        }
        self.look_up();
    }

    /// Looks which requests are sealed by now. False if the log does not say.
    fn look_up(&mut self) -> bool {
        let size = self.ledger.log().size().0;
        while self.looked_up < size {
            let entries = match self.ledger.log().entries_bytes(LeafIndex(self.looked_up), size) {
                Ok(entries) if !entries.is_empty() => entries,
                Ok(_) => return false,
                Err(error) => {
                    tracing::error!(%error, "the log cannot be read");
                    return false;
                }
            };
            self.looked_up += entries.len() as u64;
            for entry in entries.iter().filter_map(|bytes| Entry::parse(bytes).ok()) {
                self.held.sealed(&entry.statement, entry.index.0 + 1);
            }
        }
        true
    }

    async fn look(&mut self) {
        let now = Instant::now();
        if self.announced.has_changed().unwrap_or(false) {
            self.seen = now;
        }
        let announced = *self.announced.borrow_and_update();
        self.held.announced(announced);
        self.held.expire(now);
        if self.ledger.is_stopped() {
            return;
        }
        if self.ledger.is_active() {
            // What came before it was the active one, and what came back: nobody else answers it, and under load no second is quiet.
            self.submit().await;
        }
        if now.duration_since(self.seen) < self.patience {
            return;
        }
        let waits = self.held.oldest().is_some_and(|since| now.duration_since(since) >= self.patience);
        if waits {
            tracing::info!("no sealer answers: this one steps in");
            self.submit().await;
        }
        if waits || self.ledger.log().size().0 > announced {
            self.ledger.nudge();
            self.seen = now;
        }
    }
}

/// Whether other nodes see nothing of this answer, and would give the same. Where it is status 503, another sealer may know better.
fn is_unseen(answer: &Result<Sealed, Refusal>) -> bool {
    match answer {
        Ok(sealed) => sealed.duplicate,
        Err(refusal) => Problem::from(refusal).status() != StatusCode::SERVICE_UNAVAILABLE,
    }
}

enum Asked {
    ToSeal(Box<Prepared>),
    WhereItEnds(Sender),
}

/// Reads a request. What it names in its subject must be what its statement says.
fn read(request: &Request) -> Result<Asked, Problem> {
    let mismatch = |detail| Problem::new(StatusCode::FORBIDDEN, "subject_mismatch", detail);
    let sender = request.sender.clone();
    let sender = sender.ok_or_else(|| mismatch("a request's subject is gt.intake.AGENCY.PUBLISHER"))?;
    if request.payload.is_empty() {
        return Ok(Asked::WhereItEnds(sender));
    }
    let compact = request.payload.strip_suffix(b"\n").unwrap_or(&request.payload);
    let prepared = Prepared::new(compact).map_err(|refusal| Problem::from(&refusal))?;
    let payload = prepared.statement().payload();
    if payload.iss != sender.agency || payload.publisher != sender.publisher {
        return Err(mismatch("the statement's iss and publisher are not those of the subject"));
    }
    Ok(Asked::ToSeal(Box::new(prepared)))
}

#[cfg(test)]
mod tests;
