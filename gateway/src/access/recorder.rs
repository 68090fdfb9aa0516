//! Seals who read what: `record.accessed` and `access.approved`, signed by the ledger's own service publisher.
//!
//! Whoever reads waits for the seal. Reads that come while one batch is being sealed are the next batch, as with the sealer itself: so an idle
//! ledger adds one seal's time, and a busy one shares it. All nodes of a ledger sign with the one service key, each on its own; a node that
//! finds the chain's next place taken signs again at the head that it is told.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::key::PrivateKey;
use gt_core::statement::{Owner, PublisherId};
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::prepare::Prepared;
use gt_ledger::record::OwnerId;
use gt_projections::Queries;
use gt_schemas::{AccessPurpose, AccessRole, AccessedKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::now_seconds;
use super::pass::{Accessed, Pass};
use crate::draft::{ChainPosition, CheckedDraft, DraftError, Signatory};
use crate::http::submit;
use crate::node::{Forwarded, Forwarder};
use crate::problem::Problem;

/// How many reads can wait. One more is refused.
const MAX_WAITING: usize = 4096;
/// How many reads are one batch.
const MAX_TOGETHER: usize = 128;
/// How often a place in the chain that another node has taken is tried anew. Each time somebody's batch was sealed.
const ATTEMPTS: u32 = 20;

/// How long an approval waits for the views to know of it.
const VIEWS_PATIENCE: Duration = Duration::from_secs(5);
const VIEWS_PAUSE: Duration = Duration::from_millis(10);

/// Takes what is to be sealed.
#[derive(Clone)]
pub(crate) struct Recorder {
    ledger: Arc<Ledger>,
    jobs: mpsc::Sender<Job>,
}

/// Something that was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) index: u64,
    pub(crate) statement: Hash,
}

/// A bundle that is made out of the folder by its operator, who needs no token and has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingAtRest {
    /// The name under which the operator is known.
    pub(crate) reader: String,
    /// A code of [`AccessPurpose`].
    pub(crate) purpose: String,
    /// The child's pseudonym, if it is one child's bundle.
    pub(crate) child: Option<String>,
    /// How many records are in it.
    pub(crate) records: usize,
}

struct Job {
    draft: CheckedDraft,
    answer: oneshot::Sender<Result<Recorded, Problem>>,
}

/// The thread of work behind it.
struct Worker {
    ledger: Arc<Ledger>,
    forward: Option<Forwarder>,
    service: Option<Service>,
}

/// The ledger's own publisher, and the place in its chain that is thought to be next.
struct Service {
    signatory: Arc<Signatory>,
    publisher: PublisherId,
    next: Option<(u64, Hash)>,
}

impl Recorder {
    /// Starts it on this runtime. It ends when nobody can ask it any more.
    pub(crate) fn start(ledger: Arc<Ledger>, forward: Option<Forwarder>, key: Option<PrivateKey>) -> Self {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let service = key.and_then(|key| Service::of(&ledger, key));
        let worker = Worker { ledger: Arc::clone(&ledger), forward, service };
        tokio::spawn(worker.run(waiting));
        Self { ledger, jobs }
    }

    /// Seals a read, and returns once that is durable.
    pub(crate) async fn read(&self, pass: &Pass, accessed: &Accessed) -> Result<Recorded, Problem> {
        let Some((kind, purpose)) = pass.reading else { return Err(not_recorded(None)) };
        let mut data = access(pass.reader.role, purpose, kind, &pass.reader.subject, accessed.records);
        self.put_child(&mut data, accessed.child.as_ref());
        if let Some(approval) = &accessed.approval {
            data["break_glass"] = json!(true);
            data["refs"] = json!({"access": approval.to_string()});
        }
        self.record("record.accessed", &data).await
    }

    /// Seals that a bundle is made out of the folder, by whoever holds it and its keys, and returns once that is durable.
    pub(crate) async fn read_at_rest(&self, reading: &ReadingAtRest) -> Result<Recorded, Problem> {
        let purpose = AccessPurpose::parse(&reading.purpose);
        let purpose = purpose.ok_or_else(|| Problem::bad_request("no purpose of that name"))?;
        let (role, kind) = (AccessRole::Administrator, AccessedKind::Bundle);
        let mut data = access(role, purpose, kind, &reading.reader, reading.records);
        if let Some(pseudonym) = &reading.child {
            data["child"] = json!({"pseudonym": pseudonym, "role": "Child"});
        }
        self.record("record.accessed", &data).await
    }

    /// Names the child by its pseudonym. After an erasure there is none, and nothing that could be said of whom it was.
    pub(crate) fn put_child(&self, data: &mut Value, child: Option<&OwnerId>) {
        if let Some(Owner::Person(pseudonym)) = child.and_then(|child| self.ledger.owner_of(child)) {
            data["child"] = json!({"pseudonym": pseudonym.as_str(), "role": "Child"});
        }
    }

    /// Waits for the views to have an entry, but not for long.
    pub(crate) async fn until_projected(&self, views: &Queries, index: u64) {
        for _ in 0..VIEWS_PATIENCE.as_millis() / VIEWS_PAUSE.as_millis() {
            if views.status().is_ok_and(|status| status.as_of.tree_size.0 > index) {
                return;
            }
            tokio::time::sleep(VIEWS_PAUSE).await;
        }
    }

    /// Seals an event of the ledger's own.
    pub(crate) async fn record(&self, event_type: &str, data: &Value) -> Result<Recorded, Problem> {
        let draft = json!({"id": "-", "type": event_type, "data": data}).to_string();
        let draft = CheckedDraft::parse(draft.as_bytes()).map_err(|error| Problem::internal(&error))?;
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { draft, answer }).map_err(|_| not_recorded(None))?;
        answered.await.unwrap_or_else(|_| Err(not_recorded(None)))
    }
}

fn access(
    role: AccessRole,
    purpose: AccessPurpose,
    what: AccessedKind,
    reader: &str,
    records: usize,
) -> Value {
    json!({
        "role": role.as_str(),
        "purpose": purpose.as_str(),
        "what": what.as_str(),
        "reader": {"name": reader},
        "times": {"occurred_at": now().to_string()},
        "extent": {"records": records},
    })
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH)
}

impl Service {
    /// The publisher whose key it is; none if the registry knows no such one.
    fn of(ledger: &Ledger, key: PrivateKey) -> Option<Self> {
        let (agency, kid, registry) = (AgencyCode::service(), key.public().thumbprint(), ledger.registry());
        let held = registry.publishers().find(|(_, publisher)| {
            publisher.agency == agency && publisher.keys.iter().any(|(_, key)| key.thumbprint() == kid)
        });
        let Some((publisher, _)) = held else {
            tracing::error!(
                "service.jwk is no key of this ledger's service publisher: reads cannot be recorded"
            );
            return None;
        };
        let (publisher, origin) =
            (*publisher, ledger.published().checkpoint.checkpoint().origin().to_owned());
        let signatory = Arc::new(Signatory::new(key, publisher, agency, origin));
        Some(Self { signatory, publisher, next: None })
    }
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::new();
        while jobs.recv_many(&mut waiting, MAX_TOGETHER).await > 0 {
            self.seal(std::mem::take(&mut waiting)).await;
        }
    }

    /// Seals all of them, or says to each why not.
    async fn seal(&mut self, mut jobs: Vec<Job>) {
        for _ in 0..ATTEMPTS {
            let answers = match self.submit(&jobs).await {
                Ok(answers) => answers,
                Err(problem) => return refuse(jobs, &problem),
            };
            let Some(problem) = self.hand_out(&mut jobs, answers) else { return };
            let lost = matches!(problem.code(), "chain_fork" | "chain_gap" | "chain_prev");
            if !lost {
                return refuse(jobs, &problem);
            }
            self.look_again(&problem);
        }
        refuse(jobs, &not_recorded(None));
    }

    /// Signs them one after another and submits them together.
    async fn submit(&mut self, jobs: &[Job]) -> Result<Vec<(Hash, Forwarded)>, Problem> {
        let Some(service) = &self.service else { return Err(not_recorded(None)) };
        let head = || {
            let head = self.ledger.head(&service.publisher);
            (head.next_seq, head.head)
        };
        let ((seq, prev), signatory) = (service.next.unwrap_or_else(head), Arc::clone(&service.signatory));
        let drafts: Vec<CheckedDraft> = jobs.iter().map(|job| job.draft.clone()).collect();
        let signed = tokio::task::spawn_blocking(move || sign_all(&signatory, &drafts, seq, prev)).await;
        let signed = signed.map_err(|error| Problem::internal(&error))??;
        let hashes: Vec<Hash> = signed.iter().map(|(prepared, _)| prepared.statement().hash()).collect();
        let answers = submit(&self.ledger, self.forward.as_ref(), signed).await;
        Ok(hashes.into_iter().zip(answers).collect())
    }

    /// Answers those that were sealed, and takes them out; the first problem, if there is one.
    fn hand_out(&mut self, jobs: &mut Vec<Job>, answers: Vec<(Hash, Forwarded)>) -> Option<Problem> {
        let (mut left, mut first) = (Vec::new(), None);
        for (job, (statement, answer)) in jobs.drain(..).zip(answers) {
            match answer {
                Forwarded::Sealed { index, .. } => {
                    // Who does not wait any more has read nothing, and the record says too much rather than too little.
                    let _ = job.answer.send(Ok(Recorded { index, statement }));
                    if let Some(service) = &mut self.service {
                        service.next = None;
                    }
                }
                Forwarded::Problem(problem) => {
                    first.get_or_insert(problem);
                    left.push(job);
                }
            }
        }
        *jobs = left;
        first
    }

    /// Takes the place in the chain that a refusal names. What this node has seen itself may be older.
    fn look_again(&mut self, problem: &Problem) {
        let Some(service) = &mut self.service else { return };
        let head = problem.fact("head").and_then(Value::as_str).and_then(|text| Hash::parse(text).ok());
        service.next = problem.fact("next_seq").and_then(Value::as_u64).zip(head);
    }
}

fn sign_all(
    signatory: &Signatory,
    drafts: &[CheckedDraft],
    mut seq: u64,
    mut prev: Hash,
) -> Result<Vec<(Prepared, Bytes)>, Problem> {
    let mut signed = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let place = ChainPosition { seq, prev, iat: now_seconds() };
        let statement =
            signatory.sign(draft, place).map_err(|error: DraftError| Problem::internal(&error))?.statement;
        (seq, prev) = (seq + 1, statement.hash());
        let compact = Bytes::from(statement.to_compact());
        let prepared = Prepared::new(&compact).map_err(|refusal| Problem::internal(&refusal))?;
        signed.push((prepared, compact));
    }
    Ok(signed)
}

fn refuse(jobs: Vec<Job>, why: &Problem) {
    tracing::error!(code = why.code(), reads = jobs.len(), "reads could not be recorded, and were refused");
    for job in jobs {
        let _ = job.answer.send(Err(not_recorded(Some(why))));
    }
}

/// What whoever reads is told, and asked to do.
fn not_recorded(why: Option<&Problem>) -> Problem {
    let detail = "a read is answered only once it is recorded, and it cannot be recorded now; ask again";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_recorded", detail);
    match why {
        Some(why) => problem.with("because", why.code()),
        None => problem,
    }
}
