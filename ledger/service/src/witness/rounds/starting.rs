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
use crate::log::LogReader;
use crate::open_ledger::Shared;
use crate::witness::comparing::{WitnessContradiction, compare};
use crate::witness::peer::{Peer, PeerFault};

/// How long witnesses are waited for before the ledger starts without their word.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// What whoever reads that a witness was not asked should know. The ledger starts all the same: a decision must be recorded on a day on which
/// a witness is away, too.
const UNASKED: &str = "if this folder was put back from a backup, stop the ledger until it can be asked";
/// How long a node of several waits for what another node has sealed to reach it.
const CATCH_UP: Duration = Duration::from_secs(10);

/// What a witness has seen of this ledger.
enum Seen {
    /// A checkpoint under this ledger's keys, which it shows.
    Shown(SignedCheckpoint),
    /// It shows nothing, and says that it has signed so many entries, more than this ledger has published.
    Said(TreeSize),
    /// It showed nothing, and has signed what this ledger has published: of so many entries.
    Signed(TreeSize),
}

pub(super) fn start(
    root: &Path,
    shared: &Arc<Shared>,
    witnessing: &Witnessing,
    waits: bool,
) -> Result<(), WitnessingError> {
    let peers = Peer::of_policy(&witnessing.policy, &witnessing.transport);
    let (origin, _) = identity(shared);
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
    let known = compare_at_start(&rounds, shared, waits)
        .inspect_err(|contradiction| rounds.keep_evidence(shared, contradiction))?;
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

/// Compares with what the witnesses have seen. Returns the sizes of that, 0 where nothing is known.
fn compare_at_start(
    rounds: &Rounds,
    shared: &Arc<Shared>,
    waits: bool,
) -> Result<Vec<TreeSize>, WitnessContradiction> {
    let mut known = vec![TreeSize(0); rounds.peers.len()];
    go_through(rounds, shared, |at, name, seen| {
        let (size, found) = match seen {
            Seen::Shown(checkpoint) => {
                (checkpoint.checkpoint().size(), contradiction(shared, name, checkpoint, waits))
            }
            Seen::Said(size) => (*size, unshown(shared, name, *size, waits)),
            Seen::Signed(size) => (*size, None),
        };
        known[at] = size;
        found.filter(|found| {
            let lags = found.is_behind() && waits && shared.waits_for_key().is_some();
            if lags {
                tracing::warn!(witness = %name, "this node waits for a key, and is compared again before it seals: {found}");
            }
            !lags
        })
    })?;
    Ok(known)
}

/// Asks every witness what it has seen, and ends with the first contradiction that is found in that. First all are asked to show it. Then
/// those that show nothing are asked to sign what is published, as if nothing were known of them, and so have to say what they have signed.
fn go_through(
    rounds: &Rounds,
    shared: &Shared,
    mut found_in: impl FnMut(usize, &str, &Seen) -> Option<WitnessContradiction>,
) -> Result<(), WitnessContradiction> {
    let (origin, keys) = identity(shared);
    let everybody: Vec<_> = rounds.peers.iter().cloned().enumerate().collect();
    let mut unshown = Vec::new();
    let mut take = |at: usize, seen: Result<Seen, PeerFault>| {
        let name = &rounds.peers[at].name;
        match seen {
            Ok(seen) => found_in(at, name, &seen).map_or(Ok(()), Err),
            Err(error) => {
                tracing::warn!(witness = %name, "what this witness has seen was not compared ({UNASKED}): {error}");
                Ok(())
            }
        }
    };
    for (at, shown) in ask_all(&everybody, move |peer| peer.latest(&origin, &keys)) {
        match shown.transpose() {
            Some(shown) => take(at, shown.map(Seen::Shown))?,
            None => unshown.push(everybody[at].clone()),
        }
    }
    let (log, published) = (Arc::clone(&shared.log), shared.log.published().checkpoint.clone());
    for (at, answer) in ask_all(&unshown, move |peer| says(peer, &log, &published)) {
        take(at, answer)?;
    }
    Ok(())
}

/// What a witness that shows nothing answers to a request to sign.
fn says(peer: &Peer, log: &LogReader, published: &SignedCheckpoint) -> Result<Seen, PeerFault> {
    match peer.cosign(log, published, &mut TreeSize(0)) {
        Ok(_) => Ok(Seen::Signed(published.checkpoint().size())),
        Err(PeerFault::Ahead { size }) => Ok(Seen::Said(size)),
        Err(error) => Err(error),
    }
}

/// Asks these at once. One that does not answer in time is left out with a warning; its thread ends when its transport gives up.
fn ask_all<T: Send + 'static>(
    peers: &[(usize, Peer)],
    ask: impl Fn(&Peer) -> T + Clone + Send + 'static,
) -> Vec<(usize, T)> {
    let (answer, answers) = channel();
    for (at, peer) in peers.iter().cloned() {
        let (answer, ask) = (answer.clone(), ask.clone());
        let asking = thread::Builder::new().name("gt-witness-ask".into());
        let started = asking.spawn(move || drop(answer.send((at, ask(&peer)))));
        if let Err(error) = started {
            tracing::warn!(%error, "a witness cannot be asked");
        }
    }
    drop(answer);
    let (until, mut heard) = (Instant::now() + START_PATIENCE, Vec::new());
    loop {
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(one) => heard.push(one),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let silent = |at: &usize| !heard.iter().any(|(answered, _)| answered == at);
                for (_, peer) in peers.iter().filter(|(at, _)| silent(at)) {
                    tracing::warn!(witness = %peer.name, "this witness has not answered in time, and was not compared with: {UNASKED}");
                }
                break;
            }
        }
    }
    heard.sort_by_key(|(at, _)| *at);
    heard
}

/// Whether what a witness has seen contradicts the log. On a node of several, what another one has sealed is waited for.
pub(super) fn contradiction(
    shared: &Shared,
    witness: &str,
    checkpoint: &SignedCheckpoint,
    waits: bool,
) -> Option<WitnessContradiction> {
    if waits {
        wait_for(shared, checkpoint.checkpoint().size());
    }
    compare(&shared.log, witness, checkpoint).unwrap_or_else(|error| {
        tracing::error!(%error, "the log cannot be read to be compared with a witness");
        None
    })
}

/// The same of the size that a witness says it has signed. Nothing vouches for that but the witness, which the ledger's operator has chosen:
/// what it says may keep the ledger from sealing, and no more.
pub(super) fn unshown(
    shared: &Shared,
    witness: &str,
    seen: TreeSize,
    waits: bool,
) -> Option<WitnessContradiction> {
    if waits {
        wait_for(shared, seen);
    }
    let (witness, own) = (witness.to_owned(), shared.log.size());
    (seen > own).then_some(WitnessContradiction::Unshown { witness, seen, own })
}

/// Waits for what another node has sealed, unless it cannot come: this one waits for the key to it.
fn wait_for(shared: &Shared, size: TreeSize) {
    let until = Instant::now() + CATCH_UP;
    let may_come = || !shared.is_stopped() && shared.waits_for_key().is_none();
    while size > shared.log.size() && Instant::now() < until && may_come() {
        thread::sleep(Duration::from_millis(20));
    }
}

/// See [`Rounds::check_take_over`]. The batch that was committed is not shown to readers yet: what lies before it is compared as
/// always, and of what lies within it only the whole is known.
pub(super) fn check_take_over(
    rounds: &Rounds,
    shared: &Shared,
    committed: TreeSize,
    root: Hash,
) -> Result<(), WitnessContradiction> {
    go_through(rounds, shared, |_, name, seen| {
        let found = match seen {
            Seen::Shown(checkpoint) => {
                let head = checkpoint.checkpoint();
                let is_committed = head.size() == committed && head.root() == root;
                if is_committed { None } else { contradiction(shared, name, checkpoint, false) }
            }
            Seen::Said(size) if *size == committed => None,
            Seen::Said(size) => unshown(shared, name, *size, false),
            Seen::Signed(_) => None,
        };
        found.map(|found| found.with_own(committed))
    })
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
