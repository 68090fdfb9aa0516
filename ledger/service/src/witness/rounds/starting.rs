use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::note::VerifierKey;
use gt_core::policy::Policy;
use gt_core::{Hash, TreeSize};

use super::coordinator::{Coordinator, Event};
use super::{Rounds, WitnessStatus, Witnessing, WitnessingError};
use crate::disk::read_if_there;
use crate::layout;
use crate::open_ledger::Shared;
use crate::witness::comparing::{WitnessContradiction, compare};
use crate::witness::peer::{Peer, PeerFault};

/// How long witnesses are waited for before the ledger starts without their word.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// How long a node of several waits for what another node has sealed to reach it.
const CATCH_UP: Duration = Duration::from_secs(10);

/// What a witness has seen of this ledger.
type Seen = Result<Option<SignedCheckpoint>, PeerFault>;

pub(super) fn start(
    root: &Path,
    shared: &Arc<Shared>,
    witnessing: &Witnessing,
    waits: bool,
) -> Result<(), WitnessingError> {
    let peers = Peer::of_policy(&witnessing.policy, &witnessing.transport);
    let (origin, keys) = identity(shared);
    check_policy(&witnessing.policy, &peers, &origin, shared)?;
    let statuses = peers.iter().map(|peer| WitnessStatus {
        name: peer.name.clone(),
        url: peer.url.clone(),
        size: TreeSize(0),
        cosigned_at: None,
        problem: None,
    });
    let (events, taken) = channel();
    let rounds = Arc::new(Rounds {
        root: root.to_owned(),
        statuses: Mutex::new(statuses.collect()),
        peers,
        require_quorum: witnessing.require_quorum,
        patience: witnessing.patience,
        events: Mutex::new(events.clone()),
        cosigned: RwLock::default(),
        thread: Mutex::default(),
    });
    let mut known: Vec<TreeSize> = vec![TreeSize(0); rounds.peers.len()];
    for (at, seen) in ask_all(&rounds.peers, &origin, &keys) {
        let name = &rounds.peers[at].name;
        let checkpoint = match seen {
            Ok(Some(checkpoint)) => checkpoint,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(witness = %name, "what this witness has seen was not compared: {error}");
                continue;
            }
        };
        known[at] = checkpoint.checkpoint().size();
        if let Some(contradiction) = contradiction(shared, name, &checkpoint, waits) {
            rounds.keep_evidence(shared, &contradiction);
            return Err(contradiction.into());
        }
    }
    let cosigned = read_cosigned(root, shared, &witnessing.policy)?;
    *rounds.cosigned.write().expect("nobody else has it yet") = cosigned.map(Arc::new);
    let coordinator = Coordinator::new(&rounds, shared, witnessing, &events, &known, waits)
        .map_err(WitnessingError::Threads)?;
    let thread = thread::Builder::new().name("gt-witness".into()).spawn(move || coordinator.run(&taken));
    let thread = thread.map_err(WitnessingError::Threads)?;
    *rounds.thread.lock().expect("nobody else has it yet") = Some(thread);
    if let Err(rounds) = shared.witnesses.set(rounds) {
        rounds.close();
        return Err(WitnessingError::Twice);
    }
    let _ = events.send(Event::Grown);
    Ok(())
}

/// The ledger's origin and keys, as its registry has them.
fn identity(shared: &Shared) -> (String, Vec<VerifierKey>) {
    let registry = shared.registry();
    let keys = registry.ledger_keys();
    (keys.origin.clone(), keys.verifier_keys.clone())
}

fn check_policy(
    policy: &Policy,
    peers: &[Peer],
    origin: &str,
    shared: &Shared,
) -> Result<(), WitnessingError> {
    if peers.is_empty() {
        return Err(WitnessingError::NobodyToAsk);
    }
    let newest = shared.log.published().checkpoint.clone();
    let lists = policy
        .logs()
        .iter()
        .any(|log| log.key.name() == origin && newest.note().is_signed_by(&log.key) == Some(true));
    if policy.logs().is_empty() || lists {
        Ok(())
    } else {
        Err(WitnessingError::OtherLog { origin: origin.to_owned() })
    }
}

/// Asks all at once. One that does not answer in time is left out with a warning; its thread ends when its transport gives up.
fn ask_all(peers: &[Peer], origin: &str, keys: &[VerifierKey]) -> Vec<(usize, Seen)> {
    let (answer, answers) = channel();
    for (at, peer) in peers.iter().cloned().enumerate() {
        let (answer, origin, keys) = (answer.clone(), origin.to_owned(), keys.to_vec());
        let asking = thread::Builder::new().name("gt-witness-ask".into());
        let started = asking.spawn(move || drop(answer.send((at, peer.latest(&origin, &keys)))));
        if let Err(error) = started {
            tracing::warn!(%error, "a witness cannot be asked");
        }
    }
    drop(answer);
    let (until, mut seen) = (Instant::now() + START_PATIENCE, Vec::new());
    loop {
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(one) => seen.push(one),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                for (at, peer) in peers.iter().enumerate() {
                    if !seen.iter().any(|(answered, _)| *answered == at) {
                        tracing::warn!(witness = %peer.name, "this witness has not answered in time, and was not compared with");
                    }
                }
                break;
            }
        }
    }
    seen.sort_by_key(|(at, _)| *at);
    seen
}

/// Whether what a witness has seen contradicts the log. On a node of several, what another one has sealed is waited for.
pub(super) fn contradiction(
    shared: &Shared,
    witness: &str,
    checkpoint: &SignedCheckpoint,
    waits: bool,
) -> Option<WitnessContradiction> {
    let (size, until) = (checkpoint.checkpoint().size(), Instant::now() + CATCH_UP);
    while waits && size > shared.log.size() && Instant::now() < until && !shared.is_stopped() {
        thread::sleep(Duration::from_millis(20));
    }
    compare(&shared.log, witness, checkpoint).unwrap_or_else(|error| {
        tracing::error!(%error, "the log cannot be read to be compared with a witness");
        None
    })
}

/// See [`Rounds::check_take_over`]. The batch that was committed is not shown to readers yet: what lies before it is compared as
/// always, and of what lies within it only the whole is known.
pub(super) fn check_take_over(
    rounds: &Rounds,
    shared: &Shared,
    committed: TreeSize,
    root: Hash,
) -> Result<(), WitnessContradiction> {
    let (origin, keys) = identity(shared);
    for (at, seen) in ask_all(&rounds.peers, &origin, &keys) {
        let name = &rounds.peers[at].name;
        let checkpoint = match seen {
            Ok(Some(checkpoint)) => checkpoint,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(witness = %name, "what this witness has seen was not compared: {error}");
                continue;
            }
        };
        let head = checkpoint.checkpoint();
        if head.size() == committed && head.root() == root {
            continue;
        }
        match contradiction(shared, name, &checkpoint, false) {
            Some(WitnessContradiction::OlderCopy { witness, seen, checkpoint, .. }) => {
                return Err(WitnessContradiction::OlderCopy { witness, seen, own: committed, checkpoint });
            }
            Some(rewritten) => return Err(rewritten),
            None => {}
        }
    }
    Ok(())
}

/// The newest checkpoint that met the quorum before this start. One that no longer meets it, or does not read, is left out.
fn read_cosigned(
    root: &Path,
    shared: &Shared,
    policy: &Policy,
) -> Result<Option<SignedCheckpoint>, WitnessContradiction> {
    let file = layout::cosigned();
    let read = read_if_there(&root.join(&file)).ok().flatten();
    let Some(checkpoint) = read.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok()) else {
        return Ok(None);
    };
    let (origin, keys) = identity(shared);
    if checkpoint.verify(&origin, &keys).is_err() || policy.check(&checkpoint).is_err() {
        tracing::warn!(file = %file.display(), "the cosigned checkpoint does not meet the policy, and is not shown");
        return Ok(None);
    }
    match contradiction(shared, "of state/cosigned", &checkpoint, false) {
        Some(contradiction) => Err(contradiction),
        None => Ok(Some(checkpoint)),
    }
}
