//! The agencies: each makes its key, is enrolled by the registrar, and signs, chains and publishes over HTTP.

use std::thread;
use std::time::Duration;

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::hash::Hash;
use gt_core::key::PrivateKey;
use gt_core::statement::Statement;
use gt_ledger::create::{NewPublisher, registration};
use gt_ledger::secrets::file;

use super::folders::Folders;
use super::partnership::{AGENCIES, Agency};
use super::plan::{CasePlace, Plan, PlannedDraft, Statements};
use super::{DemoError, Progress, Watcher};
use crate::client::{Answer, LedgerClient};
use crate::draft::{ChainPosition, CheckedDraft, Signatory};
use crate::keyfile;
use crate::outbox::Pin;

/// How many statements go in one request: enough to share a batch of the sealer, few enough to see it move.
const BATCH: usize = 100;
/// How often a busy ledger is asked again, and how long is waited before.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// An agency that may publish.
pub(super) struct Publisher {
    agency: &'static Agency,
    signatory: Signatory,
    next: ChainPosition,
    client: LedgerClient,
}

/// A sealed statement: what its publisher keeps.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) statement: Hash,
    pub(super) receipt: String,
    pub(super) place: Option<CasePlace>,
}

/// Makes every agency's key and enrols it with the registrar's, all over HTTP. `now` is in seconds since the Unix epoch.
pub(super) fn enrol(
    client: &LedgerClient,
    pin: &Pin,
    folders: &Folders,
    now: i64,
) -> Result<Vec<Publisher>, DemoError> {
    let registrar = keyfile::read_private(&folders.secrets().join(file::REGISTRAR))?;
    let one = |agency: &'static Agency| {
        let path = folders.key(agency);
        keyfile::generate(&path)?;
        enrol_one(client, pin, &registrar, agency, keyfile::read_private(&path)?, now)
    };
    AGENCIES.iter().map(one).collect()
}

fn enrol_one(
    client: &LedgerClient,
    pin: &Pin,
    registrar: &PrivateKey,
    agency: &'static Agency,
    key: PrivateKey,
    now: i64,
) -> Result<Publisher, DemoError> {
    let code = AgencyCode::parse(agency.code).expect("the partnership's codes are well-formed");
    let (id, registrar_id) = (key.public().thumbprint(), registrar.public().thumbprint());
    let new = NewPublisher {
        agency: &code,
        name: agency.name,
        kind: agency.kind,
        key: key.public().to_jwk(),
        publisher: id,
        proof: base64url::encode(&keyfile::prove(&key, pin.genesis, &id, &code).signature),
        endorsement: None,
        recovery: false,
    };
    let head = client.head(&registrar_id)?;
    let statement = registration(registrar, registrar_id, &pin.origin, head.next_seq, head.head, now, &new)?;
    let receipt = send(client, agency, &[statement.to_compact()])?.remove(0);
    pin.check_receipt(&receipt, &statement.hash())?;
    let head = client.head(&id)?;
    let next = ChainPosition { seq: head.next_seq, prev: head.head, iat: now };
    let signatory = Signatory::new(key, id, code, pin.origin.clone());
    Ok(Publisher { agency, signatory, next, client: client.clone() })
}

/// Lets all publish round by round: in each all at once, each its own drafts in their order.
pub(super) fn publish_all(
    mut publishers: Vec<Publisher>,
    plan: &Plan,
    watch: Watcher<'_>,
) -> Result<Vec<Vec<Acknowledged>>, DemoError> {
    let mut acknowledged: Vec<Vec<Acknowledged>> = vec![Vec::new(); publishers.len()];
    let mut statements = Statements::new();
    for round in 0..plan.rounds() {
        let sealed = publish_round(&mut publishers, plan, round, &statements, watch)?;
        let of_cases = sealed.iter().flatten().filter_map(|one| Some((one.place?, one.statement)));
        statements.extend(of_cases);
        acknowledged.iter_mut().zip(sealed).for_each(|(all, sealed)| all.extend(sealed));
    }
    Ok(acknowledged)
}

fn publish_round(
    publishers: &mut [Publisher],
    plan: &Plan,
    round: usize,
    statements: &Statements,
    watch: Watcher<'_>,
) -> Result<Vec<Vec<Acknowledged>>, DemoError> {
    thread::scope(|scope| {
        let running: Vec<_> = publishers
            .iter_mut()
            .zip(&plan.drafts)
            .map(|(publisher, drafts)| {
                let drafts: Vec<&PlannedDraft> = drafts.iter().filter(|draft| draft.round == round).collect();
                scope.spawn(move || publisher.publish(&drafts, statements, watch))
            })
            .collect();
        let joined = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    })
}

impl Publisher {
    fn publish(
        &mut self,
        drafts: &[&PlannedDraft],
        referred: &Statements,
        watch: Watcher<'_>,
    ) -> Result<Vec<Acknowledged>, DemoError> {
        let mut acknowledged = Vec::with_capacity(drafts.len());
        for batch in drafts.chunks(BATCH) {
            let statements =
                batch.iter().map(|draft| self.sign(draft, referred)).collect::<Result<Vec<_>, _>>()?;
            let texts: Vec<String> = statements.iter().map(Statement::to_compact).collect();
            let receipts = send(&self.client, self.agency, &texts)?;
            acknowledged.extend(batch.iter().zip(&statements).zip(receipts).map(
                |((draft, statement), receipt)| Acknowledged {
                    statement: statement.hash(),
                    receipt,
                    place: draft.place,
                },
            ));
            watch(Progress::Sealed { statements: batch.len() as u64 });
        }
        Ok(acknowledged)
    }

    /// Signs the draft as the next in the agency's chain.
    fn sign(&mut self, draft: &PlannedDraft, referred: &Statements) -> Result<Statement, DemoError> {
        let id = format!("{}-{}", self.agency.key, self.next.seq);
        let draft_error = |source| DemoError::Draft { agency: self.agency.name, source };
        let checked = CheckedDraft::parse(&draft.to_json(&id, referred)).map_err(draft_error)?;
        let statement = self.signatory.sign(&checked, self.next).map_err(draft_error)?.statement;
        self.next = ChainPosition { seq: self.next.seq + 1, prev: statement.hash(), ..self.next };
        Ok(statement)
    }
}

/// Sends statements until each has its receipt. A ledger that is busy gets the same bytes again.
fn send(client: &LedgerClient, agency: &Agency, statements: &[String]) -> Result<Vec<String>, DemoError> {
    let mut receipts = Vec::with_capacity(statements.len());
    for _ in 0..ATTEMPTS {
        for answer in client.submit(&statements[receipts.len()..])? {
            match answer {
                Answer::Sealed { receipt } => receipts.push(receipt),
                Answer::Refused(problem) => return Err(DemoError::Refused { agency: agency.name, problem }),
                // What follows in the chain cannot have been sealed.
                Answer::Unanswered(_) => break,
            }
        }
        if receipts.len() == statements.len() {
            return Ok(receipts);
        }
        thread::sleep(PAUSE);
    }
    Err(DemoError::Busy)
}
