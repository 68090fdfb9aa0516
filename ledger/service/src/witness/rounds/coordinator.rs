use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gt_core::TreeSize;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::note::NoteSignature;
use gt_core::policy::Policy;

use super::{Rounds, WitnessStatus, Witnessing, starting};
use crate::disk::Disk;
use crate::layout;
use crate::open_ledger::Shared;
use crate::refusal::Refusal;
use crate::witness::candidates::Candidates;
use crate::witness::comparing::WitnessContradiction;
use crate::witness::held::{Held, HeldReceipts};
use crate::witness::peer::{Peer, PeerFault};

/// How long a witness that did not sign is left alone, at first and at most.
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LAST_BACK_OFF: Duration = Duration::from_secs(5);
/// How long the thread sleeps if nothing is due.
const LONG: Duration = Duration::from_mins(1);

/// What the thread hears of.
pub(super) enum Event {
    /// There may be a new checkpoint.
    Grown,
    /// A receipt waits.
    Held(Box<Held>),
    /// A witness was asked.
    Answered { peer: usize, checkpoint: Arc<SignedCheckpoint>, outcome: Outcome },
    /// The ledger closes.
    Close,
}

/// What came of asking a witness.
pub(super) enum Outcome {
    Cosigned(Vec<NoteSignature>),
    Failed(PeerFault),
    Contradicted(Box<WitnessContradiction>),
}

/// The thread that decides what is asked.
pub(super) struct Coordinator {
    rounds: Arc<Rounds>,
    shared: Arc<Shared>,
    policy: Policy,
    interval: Duration,
    asked: Vec<Asked>,
    round: Option<Arc<SignedCheckpoint>>,
    next_round: Instant,
    candidates: Candidates,
    held: HeldReceipts,
    disk: Disk,
}

/// How it stands with a witness.
struct Asked {
    asks: Sender<Arc<SignedCheckpoint>>,
    busy: bool,
    /// The size of the last checkpoint that it signed.
    signed: TreeSize,
    failures: u32,
    not_before: Instant,
}

impl Coordinator {
    pub(super) fn new(
        rounds: &Arc<Rounds>,
        shared: &Arc<Shared>,
        witnessing: &Witnessing,
        events: &Sender<Event>,
        known: &[TreeSize],
        waits: bool,
    ) -> io::Result<Self> {
        let now = Instant::now();
        let mut asked = Vec::with_capacity(rounds.peers.len());
        for (at, peer) in rounds.peers.iter().enumerate() {
            let (asks, asking) = channel();
            let worker =
                Worker { at, peer: peer.clone(), shared: Arc::clone(shared), last: known[at], waits };
            let events = events.clone();
            let named = thread::Builder::new().name(format!("gt-witness-{at}"));
            named.spawn(move || worker.run(&asking, &events))?;
            asked.push(Asked { asks, busy: false, signed: TreeSize(0), failures: 0, not_before: now });
        }
        Ok(Self {
            rounds: Arc::clone(rounds),
            shared: Arc::clone(shared),
            policy: witnessing.policy.clone(),
            interval: witnessing.interval,
            asked,
            round: None,
            next_round: now,
            candidates: Candidates::default(),
            held: HeldReceipts::default(),
            disk: Disk::new(&rounds.root, None),
        })
    }

    pub(super) fn run(mut self, events: &Receiver<Event>) {
        loop {
            let due = self.next_due().map_or(LONG, |due| due.saturating_duration_since(Instant::now()));
            match events.recv_timeout(due.min(LONG)) {
                Ok(Event::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            self.held.expire(now);
            if self.shared.is_stopped() {
                self.held.refuse(|| Refusal::Stopped);
            } else {
                self.ask(now);
            }
        }
        self.held.refuse(|| Refusal::NotWitnessed);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Grown | Event::Close => {}
            Event::Held(held) => {
                self.held.add(*held, &self.shared.log, self.rounds.cosigned().as_deref());
            }
            Event::Answered { peer, checkpoint, outcome } => self.take_answer(peer, &checkpoint, outcome),
        }
    }

    fn take_answer(&mut self, at: usize, checkpoint: &SignedCheckpoint, outcome: Outcome) {
        self.asked[at].busy = false;
        match outcome {
            Outcome::Cosigned(signatures) => {
                let size = checkpoint.checkpoint().size();
                let asked = &mut self.asked[at];
                (asked.signed, asked.failures) = (size, 0);
                let time = signatures.iter().filter_map(NoteSignature::cosigned_at).max();
                self.note(at, |status| {
                    if status.problem.take().is_some() {
                        tracing::info!(witness = %status.name, "this witness signs again");
                    }
                    (status.size, status.cosigned_at) = (size, time);
                });
                if let Some(cosigned) = self.candidates.add(checkpoint, &signatures, &self.policy) {
                    self.publish(cosigned);
                }
            }
            Outcome::Failed(fault) => {
                let asked = &mut self.asked[at];
                let wait = FIRST_BACK_OFF.saturating_mul(1 << asked.failures.min(8)).min(LAST_BACK_OFF);
                asked.failures = asked.failures.saturating_add(1);
                asked.not_before = Instant::now() + wait;
                let problem = fault.to_string();
                self.note(at, |status| {
                    if status.problem.as_ref() != Some(&problem) {
                        tracing::warn!(witness = %status.name, "this witness has not signed: {problem}");
                    }
                    status.problem = Some(problem);
                });
            }
            Outcome::Contradicted(contradiction) => {
                // First: nothing more is to be sealed, whatever becomes of the evidence.
                self.shared.set_stopped();
                self.rounds.keep_evidence(&self.shared, &contradiction);
                self.note(at, |status| status.problem = Some(contradiction.to_string()));
            }
        }
    }

    /// Shows a checkpoint that meets the quorum, once it is durable, and gives out the receipts that it covers.
    fn publish(&mut self, cosigned: SignedCheckpoint) {
        let size = cosigned.checkpoint().size();
        if self.rounds.cosigned().is_some_and(|newest| newest.checkpoint().size() > size) {
            return;
        }
        if let Err(error) = self.disk.replace(&layout::cosigned(), cosigned.to_string().as_bytes()) {
            return tracing::error!(%error, "a cosigned checkpoint could not be written, and is not shown");
        }
        let cosigned = Arc::new(cosigned);
        *self.rounds.cosigned.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cosigned));
        self.held.release(&self.shared.log, &cosigned);
    }

    /// Begins a round if one is due, and asks whoever has not signed its checkpoint.
    fn ask(&mut self, now: Instant) {
        if self.is_round_due() && self.next_round <= now {
            self.round = Some(Arc::new(self.shared.log.published().checkpoint.clone()));
            self.next_round = now + self.interval;
        }
        let Some(round) = &self.round else { return };
        for asked in self.asked.iter_mut().filter(|asked| asked.wants(round) && asked.not_before <= now) {
            asked.busy = asked.asks.send(Arc::clone(round)).is_ok();
        }
    }

    /// Whether there is a newer checkpoint to ask about. A standby asks only about what somebody waits for.
    fn is_round_due(&self) -> bool {
        let newest = self.shared.log.size();
        let is_newer = self.round.as_ref().is_none_or(|round| round.checkpoint().size() < newest);
        is_newer && (self.shared.is_active() || !self.held.is_empty())
    }

    fn next_due(&self) -> Option<Instant> {
        let round = self.is_round_due().then_some(self.next_round);
        let of_round = self.round.as_ref();
        let again = self.asked.iter().filter(|asked| of_round.is_some_and(|round| asked.wants(round)));
        let again = again.map(|asked| asked.not_before).min();
        [round, again, self.held.first_end()].into_iter().flatten().min()
    }

    fn note(&self, at: usize, change: impl FnOnce(&mut WitnessStatus)) {
        change(&mut self.rounds.statuses.lock().unwrap_or_else(PoisonError::into_inner)[at]);
    }
}

impl Asked {
    fn wants(&self, round: &SignedCheckpoint) -> bool {
        !self.busy && self.signed < round.checkpoint().size()
    }
}

/// The thread that asks one witness.
struct Worker {
    at: usize,
    peer: Peer,
    shared: Arc<Shared>,
    last: TreeSize,
    waits: bool,
}

impl Worker {
    fn run(mut self, asks: &Receiver<Arc<SignedCheckpoint>>, events: &Sender<Event>) {
        while let Ok(checkpoint) = asks.recv() {
            let outcome = self.ask(&checkpoint);
            if events.send(Event::Answered { peer: self.at, checkpoint, outcome }).is_err() {
                return;
            }
        }
    }

    fn ask(&mut self, checkpoint: &SignedCheckpoint) -> Outcome {
        let fault = match self.peer.cosign(&self.shared.log, checkpoint, &mut self.last) {
            Ok(signatures) => return Outcome::Cosigned(signatures),
            Err(fault) => fault,
        };
        if !matches!(fault, PeerFault::Ahead { .. } | PeerFault::Inconsistent) {
            return Outcome::Failed(fault);
        }
        // What this ledger's own key has signed is evidence. Of a witness that shows nothing, its word has to do: that it has signed more.
        let keys = self.shared.registry();
        let keys = keys.ledger_keys();
        let seen = match self.peer.latest(&keys.origin, &keys.verifier_keys) {
            Ok(seen) => seen,
            Err(error) => return Outcome::Failed(error),
        };
        let waits = self.waits && !self.may_lag();
        let name = &self.peer.name;
        let shown = seen.as_ref().and_then(|seen| starting::contradiction(&self.shared, name, seen, waits));
        let found = shown.or_else(|| match fault {
            PeerFault::Ahead { size } => starting::unshown(&self.shared, name, size, waits),
            _ => None,
        });
        self.last = seen.map_or(TreeSize(0), |seen| seen.checkpoint().size());
        match found {
            Some(found) if !(found.is_behind() && self.may_lag()) => Outcome::Contradicted(Box::new(found)),
            _ => Outcome::Failed(fault),
        }
    }

    /// Whether this is a node that may lack what was sealed for a while: another one seals, or it waits for a key. It is asked again, and
    /// before it seals itself it is compared once more.
    fn may_lag(&self) -> bool {
        self.waits && (!self.shared.is_active() || self.shared.waits_for_key().is_some())
    }
}
