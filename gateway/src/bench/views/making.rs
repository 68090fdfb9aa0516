//! Signs and seals a history, at the times at which it is received.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::key::{PrivateKey, PublicKey};
use gt_core::statement::Statement;
use gt_history::{HistoryEvent, Outline};
use gt_ledger::Ledger;
use gt_ledger::clock::Clock;
use gt_ledger::create::create_at;
use gt_ledger::prepare::Prepared;
use gt_ledger::secrets::{Secrets, file, read_key};
use rayon::prelude::*;
use serde_json::json;

use super::rebuilding::{DATA, SECRETS, sample_file};
use crate::bench::throughput::as_f64;
use crate::bench::workload::{ORIGIN, enrol};
use crate::bench::{BenchError, throughput};
use crate::draft::{ChainPosition, CheckedDraft, DraftError, Signatory};

/// So many statements are sealed before the clock goes on.
const AT_A_TIME: usize = 256;
/// How many children are remembered, to ask about them.
const SAMPLE: usize = 4_000;

/// What was made.
pub(in crate::bench) struct Made {
    pub(in crate::bench) entries: u64,
    pub(in crate::bench) per_second: f64,
}

/// A clock that stands until it is set. Both of a ledger's clocks are the same one, so they never drift apart.
#[derive(Clone)]
struct SetClock(Arc<AtomicI64>);

impl Clock for SetClock {
    fn wall_millis(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.wall_millis().unsigned_abs())
    }
}

/// One agency's system, with the head of its chain.
struct Publisher {
    key: PublicKey,
    signatory: Signatory,
    seq: u64,
    prev: Hash,
}

/// Makes the ledger below the folder and seals the history. `signed` sees each statement, with the key that it was signed with.
pub(in crate::bench) fn make(
    folder: &Path,
    outline: &Outline,
    mut signed: impl FnMut(&PublicKey, &Statement),
) -> Result<Made, BenchError> {
    let begun = outline.events().next().map_or(0, |event| event.received_at);
    let clock = SetClock(Arc::new(AtomicI64::new(begun)));
    let created = create_at(&folder.join(DATA), &folder.join(SECRETS), ORIGIN, Box::new(clock.clone()))?;
    let secrets = Secrets::load(&created.secrets)?;
    let ledger =
        Ledger::open(&folder.join(DATA), &secrets, Box::new(clock.clone()), None).map_err(Box::new)?;
    let mut publishers = enrolled(&ledger, &created.secrets, outline, begun)?;
    let started = Instant::now();
    let (mut sample, mut events) = (Vec::new(), outline.events());
    let step = outline.len() / SAMPLE + 1;
    let (mut sealed, mut now) = (0, begun);
    // While one batch is sealed the next one is signed. The clock goes on between them, so that each is sealed at its own time.
    let mut waiting = Vec::new();
    loop {
        let batch: Vec<HistoryEvent> = events.by_ref().take(AT_A_TIME).collect();
        let Some(last) = batch.last() else { break };
        now = now.max(last.received_at);
        sealed += batch.len();
        for event in batch.iter().step_by(step.min(AT_A_TIME)) {
            sample.extend(event.data["child"]["pseudonym"].as_str().map(str::to_owned));
        }
        let prepared = sign(&mut publishers, &batch, now / 1000, &mut signed)?;
        waiting.drain(..).try_for_each(throughput::received)?;
        clock.0.store(now, Ordering::Release);
        waiting.extend(prepared.into_iter().map(|prepared| ledger.submit(prepared)));
        if sealed % (AT_A_TIME * 200) == 0 {
            tracing::info!(sealed, of = outline.len(), "sealing the history");
        }
    }
    waiting.into_iter().try_for_each(throughput::received)?;
    let seconds = started.elapsed().as_secs_f64();
    let entries = ledger.log().size().0;
    ledger.close();
    std::fs::write(sample_file(folder), json!(sample).to_string())?;
    Ok(Made { entries, per_second: as_f64(sealed) / seconds })
}

fn enrolled(
    ledger: &Ledger,
    secrets: &Path,
    outline: &Outline,
    now: i64,
) -> Result<BTreeMap<String, Publisher>, BenchError> {
    let registrar = read_key(&secrets.join(file::REGISTRAR))?;
    let genesis = ledger.registry().genesis();
    let mut publishers = BTreeMap::new();
    for code in outline.agencies() {
        let key = PrivateKey::from_seed(Hash::of_parts(&[b"bench agency", code.as_bytes()]).as_bytes());
        let agency = AgencyCode::parse(code).expect("histories name agencies as statements do");
        enrol(ledger, &registrar, &key, &agency, now / 1000)?;
        let public = key.public();
        let signatory = Signatory::new(key, public.thumbprint(), agency, ORIGIN.to_owned());
        publishers.insert(code.to_owned(), Publisher { key: public, signatory, seq: 0, prev: genesis });
    }
    Ok(publishers)
}

/// A statement, its signer's key, and its place in the batch.
type Placed = (usize, PublicKey, Statement);

/// Signs with all cores, each agency's statements in their order; what comes back is in the history's order.
fn sign(
    publishers: &mut BTreeMap<String, Publisher>,
    batch: &[HistoryEvent],
    iat: i64,
    seen: &mut dyn FnMut(&PublicKey, &Statement),
) -> Result<Vec<Prepared>, BenchError> {
    let drafts: Vec<CheckedDraft> = batch.par_iter().map(draft).collect::<Result<_, _>>()?;
    let mut of_agency: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, event) in batch.iter().enumerate() {
        of_agency.entry(&event.agency).or_default().push(at);
    }
    let drafts = &drafts;
    let signed: Result<Vec<Vec<Placed>>, DraftError> = publishers
        .par_iter_mut()
        .filter_map(|(agency, publisher)| Some((publisher, of_agency.get(agency.as_str())?)))
        .map(|(publisher, places)| {
            let sign = |at: &usize| Ok((*at, publisher.key.clone(), publisher.sign(&drafts[*at], iat)?));
            places.iter().map(sign).collect()
        })
        .collect();
    let mut statements: Vec<Placed> = signed?.into_iter().flatten().collect();
    statements.sort_unstable_by_key(|(at, ..)| *at);
    for (_, key, statement) in &statements {
        seen(key, statement);
    }
    let prepare = |(.., statement): &Placed| Prepared::new(statement.to_compact().as_bytes());
    Ok(statements.par_iter().map(prepare).collect::<Result<_, _>>()?)
}

fn draft(event: &HistoryEvent) -> Result<CheckedDraft, DraftError> {
    let draft =
        json!({"id": "history", "type": event.event_type, "version": event.version, "data": event.data});
    CheckedDraft::parse(draft.to_string().as_bytes())
}

impl Publisher {
    fn sign(&mut self, draft: &CheckedDraft, iat: i64) -> Result<Statement, DraftError> {
        let place = ChainPosition { seq: self.seq, prev: self.prev, iat };
        let statement = self.signatory.sign(draft, place)?.statement;
        self.seq += 1;
        self.prev = statement.hash();
        Ok(statement)
    }
}
