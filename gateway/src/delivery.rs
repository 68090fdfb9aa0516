//! Delivery in the background: one worker thread that carries the outbox to the ledger, through line breaks and restarts.
//!
//! There is one request on its way at a time, so statements arrive in order. After a setback the worker waits, longer each
//! time, with jitter so that many publishers do not come back at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use crate::draft::{CheckedDraft, Signatory};
use crate::outbox::{AFTER_REVOCATION, Acceptance, Courier, Outbox, OutboxError, Outcome, Step};
use crate::problem::chain;

/// The first wait after a setback.
pub const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
/// The longest wait after a setback, unless the ledger asks for more.
pub const LAST_BACK_OFF: Duration = Duration::from_secs(10);

/// A running delivery. Dropping it stops it.
pub struct Delivery {
    shared: Arc<Shared>,
    signatory: Arc<Signatory>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// How delivery is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// How many drafts wait.
    pub queued: usize,
    /// Whether the ledger answered the last call; `None` before the first.
    pub ledger_reachable: Option<bool>,
    /// What the last setback was, until there is progress again.
    pub last_error: Option<String>,
    /// Why nothing more is sent until a person has looked.
    pub halted: Option<String>,
}

struct Shared {
    outbox: Arc<Mutex<Outbox>>,
    status: Mutex<Status>,
    signal: Mutex<Signal>,
    wake: Condvar,
    /// Changes whenever a draft may have been settled, or delivery has halted.
    progress: watch::Sender<u64>,
}

#[derive(Default)]
struct Signal {
    accepted: bool,
    stop: bool,
}

impl Delivery {
    /// Starts the worker.
    pub fn start(mut courier: Courier) -> Result<Self, std::io::Error> {
        let outbox = courier.outbox();
        let signatory = lock(&outbox).signatory();
        let shared = Arc::new(Shared {
            outbox,
            status: Mutex::default(),
            signal: Mutex::default(),
            wake: Condvar::new(),
            progress: watch::Sender::new(0),
        });
        let working = Arc::clone(&shared);
        let worker =
            thread::Builder::new().name("delivery".to_owned()).spawn(move || working.work(&mut courier))?;
        Ok(Self { shared, signatory, worker: Mutex::new(Some(worker)) })
    }

    /// Who checks drafts before they are accepted.
    pub fn signatory(&self) -> &Signatory {
        &self.signatory
    }

    /// Makes checked drafts durable and has them delivered. Blocks until the disk has them. Once delivery has halted nothing
    /// new is taken, since nobody would come to know that it stays: [`Acceptance::Halted`].
    pub fn accept(&self, drafts: &[CheckedDraft]) -> Result<Vec<Acceptance>, OutboxError> {
        let mut outbox = lock(&self.shared.outbox);
        if lock(&self.shared.status).halted.is_some() {
            return Ok(outbox.recognise(drafts));
        }
        let acceptances = outbox.accept(drafts)?;
        drop(outbox);
        lock(&self.shared.signal).accepted = true;
        self.shared.wake.notify_all();
        Ok(acceptances)
    }

    /// What became of a draft.
    pub fn outcome(&self, id: &str) -> Result<Option<Outcome>, OutboxError> {
        lock(&self.shared.outbox).outcome(id)
    }

    /// Changes whenever a draft may have been settled, or delivery has halted.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.progress.subscribe()
    }

    /// How delivery is doing.
    pub fn status(&self) -> Status {
        let queued = lock(&self.shared.outbox).queued();
        Status { queued, ..lock(&self.shared.status).clone() }
    }

    /// Stops the worker and waits for it, at most for the call that is under way. What waits stays in the outbox.
    pub fn stop(&self) {
        lock(&self.shared.signal).stop = true;
        self.shared.wake.notify_all();
        if let Some(worker) = lock(&self.worker).take()
            && worker.join().is_err()
        {
            tracing::error!("the delivery worker had panicked");
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn work(&self, courier: &mut Courier) {
        let mut setbacks = 0;
        while !lock(&self.signal).stop {
            match courier.step() {
                Ok(Step::Progress) => {
                    setbacks = 0;
                    self.set_status(Some(true), None);
                    self.announce();
                }
                Ok(Step::Idle) => {
                    setbacks = 0;
                    self.set_status(Some(true), None);
                    self.wait_for_drafts();
                }
                Ok(Step::Retry(setback)) if setback.is_final() => {
                    return self.halt(format!("{}; {AFTER_REVOCATION}", chain(&setback)));
                }
                Ok(Step::Retry(setback)) => {
                    let text = chain(&setback);
                    tracing::warn!(setbacks, "not delivered yet: {text}");
                    self.set_status(Some(setback.ledger_answered()), Some(text));
                    let wait = back_off(setbacks, random()).max(setback.retry_after().unwrap_or_default());
                    setbacks = setbacks.saturating_add(1);
                    self.wait_or_stop(wait);
                }
                Err(halt) => return self.halt(chain(&halt)),
            }
        }
    }

    fn halt(&self, text: String) {
        tracing::error!("delivery has halted: {text}");
        lock(&self.status).halted = Some(text);
        self.announce();
    }

    fn set_status(&self, ledger_reachable: Option<bool>, last_error: Option<String>) {
        let mut status = lock(&self.status);
        status.ledger_reachable = ledger_reachable;
        status.last_error = last_error;
    }

    fn announce(&self) {
        self.progress.send_modify(|count| *count += 1);
    }

    fn wait_for_drafts(&self) {
        let idle = |signal: &mut Signal| !signal.accepted && !signal.stop;
        let waited = self.wake.wait_while(lock(&self.signal), idle);
        waited.unwrap_or_else(PoisonError::into_inner).accepted = false;
    }

    fn wait_or_stop(&self, wait: Duration) {
        // Only the flag counts, which the worker reads next; how the waiting ended does not.
        drop(self.wake.wait_timeout_while(lock(&self.signal), wait, |signal| !signal.stop));
    }
}

/// How long to wait after a number of setbacks in a row: doubling from [`FIRST_BACK_OFF`] to [`LAST_BACK_OFF`], of which
/// `random` takes away up to a half.
pub fn back_off(setbacks: u32, random: u32) -> Duration {
    let doubled =
        FIRST_BACK_OFF.saturating_mul(1_u32.checked_shl(setbacks).unwrap_or(u32::MAX)).min(LAST_BACK_OFF);
    doubled.mul_f64(1.0 - f64::from(random) / f64::from(u32::MAX) / 2.0)
}

/// Four random bytes. Without any the jitter is missing and nothing else.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds a lock of delivery")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_last_and_jitter_takes_at_most_half() {
        let longest: Vec<_> = (0..10).map(|setbacks| back_off(setbacks, 0)).collect();
        assert_eq!(longest[0], FIRST_BACK_OFF);
        assert!(longest.windows(2).all(|pair| pair[1] == (pair[0] * 2).min(LAST_BACK_OFF)), "{longest:?}");
        for setbacks in [0, 3, 31, 32, u32::MAX] {
            assert_eq!(back_off(setbacks, u32::MAX), back_off(setbacks, 0) / 2, "{setbacks}");
            assert!(back_off(setbacks, 0) <= LAST_BACK_OFF);
        }
    }
}
