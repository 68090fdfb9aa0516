use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gt_core::key::SignerError;

use super::error::WAY_OUT;
use super::{Divergence, Outbox, OutboxError, Problem, Verdict};
use crate::client::{ClientError, LedgerClient};
use crate::draft::DraftError;

/// Carries the outbox's statements to the ledger, one step at a time. It keeps no state that a restart would miss.
pub struct Courier {
    client: LedgerClient,
    outbox: Arc<Mutex<Outbox>>,
    compared: bool,
}

/// What a step did.
#[derive(Debug)]
pub enum Step {
    /// Nothing waits.
    Idle,
    /// At least one draft was settled: sealed or refused.
    Progress,
    /// Nothing was settled; the next step will try again. Wait before it.
    Retry(Setback),
}

/// Why nothing was settled for now. What waits is safe, and will be sent again unchanged.
#[derive(Debug, thiserror::Error)]
pub enum Setback {
    /// The ledger could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The ledger did not get to a statement.
    #[error("the ledger did not answer for every statement{}", .0.as_ref().map_or_else(String::new, |p| format!(": {p}")))]
    Unanswered(Option<Problem>),
    /// The ledger takes nothing from this publisher.
    #[error("the ledger does not take statements of this publisher: {0}")]
    NotAdmitted(Problem),
    /// Statements before the first one sent are missing in the ledger.
    #[error("the ledger misses statements before the first that waits: {0}")]
    OutOfOrder(Problem),
    /// The node that answers shows less than it sealed, perhaps because it lags.
    #[error(transparent)]
    Behind(Divergence),
    /// The ledger refused a statement that it has sealed, or is about to: asking again will tell.
    #[error("a refused statement was sealed by an earlier request; its receipt will be asked for")]
    SealedAfterAll,
    /// The publisher's key is on a token, which does not sign now.
    #[error(transparent)]
    Key(#[from] SignerError),
}

/// Why nothing more is sent until a person has looked.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// The outbox cannot go on, or the ledger's answers contradict it.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Something else answers at the ledger's address.
    #[error(
        "the ledger at {address} is {found}, and this outbox belongs to {stored}: name the address of {stored}{}",
        if *.has_signed { String::new() } else { format!(", or, as nothing is signed yet, the pin file of {}", .found) }
    )]
    OtherLedger {
        /// The address.
        address: String,
        /// The ledger that answers there.
        found: String,
        /// The ledger of the outbox.
        stored: String,
        /// Whether the outbox ever signed anything.
        has_signed: bool,
    },
    /// The ledger has another statement where one of these belongs.
    #[error(
        "the ledger's chain of this publisher has another statement; was the key copied? {0}; {way_out}", way_out = WAY_OUT
    )]
    Forked(Problem),
}

/// What helps once a publisher is revoked.
pub(crate) const AFTER_REVOCATION: &str = "a revocation is final: make a new key (`goldenthread keygen`), have the registrar enrol it, \
     and hand in with it what is not sealed";

impl Setback {
    /// How long the ledger asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Client(error) = self { error.retry_after() } else { None }
    }

    /// Whether no later attempt can end otherwise: a revocation is never taken back.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::NotAdmitted(problem) if problem.code() == "publisher_revoked")
    }

    /// Whether the ledger answered, though not as hoped.
    pub fn ledger_answered(&self) -> bool {
        match self {
            Self::Client(error) => error.ledger_answered(),
            Self::Key(_) => false,
            _ => true,
        }
    }
}

impl Courier {
    /// A courier between this outbox and this ledger.
    pub fn new(client: LedgerClient, outbox: Arc<Mutex<Outbox>>) -> Self {
        Self { client, outbox, compared: false }
    }

    /// The outbox.
    pub fn outbox(&self) -> Arc<Mutex<Outbox>> {
        Arc::clone(&self.outbox)
    }

    /// Sends one batch and records the answers. Before the first one, and whenever the ledger's order and the outbox's do
    /// not meet, heads are compared. Blocks for as long as a call may take; the outbox is not locked meanwhile.
    pub fn step(&mut self) -> Result<Step, Halt> {
        if !self.compared {
            if let Some(setback) = self.compare()? {
                return Ok(Step::Retry(setback));
            }
            self.compared = true;
        }
        let batch = match self.lock().next_batch(unix_now()) {
            Err(OutboxError::Unsignable { source: DraftError::Key(error), .. }) => {
                return Ok(Step::Retry(error.into()));
            }
            batch => batch?,
        };
        if batch.is_empty() {
            return Ok(Step::Idle);
        }
        let answers = match self.client.submit(&batch) {
            Ok(answers) => answers,
            Err(error) => return Ok(Step::Retry(error.into())),
        };
        let recorded = self.lock().record(&answers)?;
        let setback = match recorded.rest {
            None => return Ok(Step::Progress),
            Some(Verdict::Refused(problem)) => return self.settle_refusal(&problem),
            Some(Verdict::Forked(problem)) => return Err(Halt::Forked(problem)),
            Some(Verdict::Later(problem)) => Setback::Unanswered(problem),
            Some(Verdict::NotAdmitted(problem)) => Setback::NotAdmitted(problem),
            Some(Verdict::OutOfOrder(problem)) => {
                self.compared = false;
                Setback::OutOfOrder(problem)
            }
        };
        Ok(if recorded.sealed > 0 { Step::Progress } else { Step::Retry(setback) })
    }

    /// Compares with the ledger. `None` if all is well.
    fn compare(&self) -> Result<Option<Setback>, Halt> {
        let identity = self.lock().identity().clone();
        let found = match self.client.describe() {
            Ok(description) => description.pin,
            Err(error) => return Ok(Some(unanswered(error))),
        };
        if !found.is_same_ledger(&identity.pin) {
            let (found, stored) = found.told_apart(&identity.pin);
            let has_signed = self.lock().has_signed();
            return Err(Halt::OtherLedger { address: self.client.address(), found, stored, has_signed });
        }
        let head = match self.client.head(&identity.publisher) {
            Ok(head) => head,
            Err(error) => return Ok(Some(unanswered(error))),
        };
        match self.lock().compare(&head) {
            Ok(()) => Ok(None),
            Err(behind @ Divergence::LedgerBehind { .. }) => Ok(Some(Setback::Behind(behind))),
            Err(divergence) => Err(OutboxError::from(divergence).into()),
        }
    }

    /// Records a refusal once the ledger's head shows that the statement is not sealed. An earlier request with the same
    /// statement may have been slower than the one that was refused.
    fn settle_refusal(&self, problem: &Problem) -> Result<Step, Halt> {
        let publisher = self.lock().identity().publisher;
        let head = match self.client.head(&publisher) {
            Ok(head) => head,
            Err(error) => return Ok(Step::Retry(error.into())),
        };
        let refused = self.lock().refuse(problem, &head);
        match refused {
            Ok(true) => Ok(Step::Progress),
            Ok(false) => Ok(Step::Retry(Setback::SealedAfterAll)),
            Err(OutboxError::Divergence(behind @ Divergence::LedgerBehind { .. })) => {
                Ok(Step::Retry(Setback::Behind(behind)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().expect("nothing panics while it holds the outbox")
    }
}

/// A question that brought no answer. Over NATS all questions are the publisher's own, so each may find it unknown.
fn unanswered(error: ClientError) -> Setback {
    match error {
        ClientError::Problem { problem, .. } if problem.code() == "unknown_publisher" => {
            Setback::NotAdmitted(problem)
        }
        error => error.into(),
    }
}

/// `iat` is the signer's own clock, in seconds. A clock before 1970 gives 0, which the ledger takes: it bounds the future.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
