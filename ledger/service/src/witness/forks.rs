use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::fork::{Beginning, ForkEvidence};
use gt_core::proof::ConsistencyProof;
use gt_core::witness::{AddCheckpoint, ShownFork};
use gt_core::{Hash, base64url};
use serde_json::{Value, json};

use crate::disk::{Disk, read_if_there};

/// How many proven forks are kept. Only a ledger's own key can make them.
const MAX_KEPT: usize = 1000;
/// How many refused requests are kept of which nothing is proven: anybody can make them.
const MAX_UNPROVEN: usize = 32;

const FOLDER: &str = "forks";
const UNPROVEN: &str = "forks/unproven";

/// A ledger has signed two histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fork {
    /// Its id, which the two checkpoints give.
    id: String,
    evidence: ForkEvidence,
}

/// What a witness has kept of forks.
pub(super) struct Forks {
    disk: Disk,
    kept: BTreeMap<String, Fork>,
    /// By the number in the names of its two files; `None` if they do not read.
    unproven: BTreeMap<u64, Option<Unproven>>,
}

/// What a request whose proof does not hold was about: what was seen, and what was to be signed. Of what the two say, and not of who has
/// cosigned since.
#[derive(PartialEq, Eq)]
struct Unproven {
    seen: Checkpoint,
    requested: Checkpoint,
}

impl Unproven {
    fn read(seen: &[u8], request: &[u8]) -> Option<Self> {
        let seen = SignedCheckpoint::parse(seen).ok()?.checkpoint().clone();
        let requested = AddCheckpoint::parse(request).ok()?.checkpoint.checkpoint().clone();
        Some(Self { seen, requested })
    }
}

impl Fork {
    /// The evidence of a fork, from a checkpoint that was seen and a request that contradicts it.
    pub(super) fn new(seen: &SignedCheckpoint, request: &AddCheckpoint, shown: ShownFork) -> Self {
        let (first, second) = (seen.clone(), request.checkpoint.clone());
        let beginning = match shown {
            ShownFork::SameSize => None,
            ShownFork::OtherHistory { other_root } => {
                let (from, to) = (request.old, second.checkpoint().size());
                let proof = ConsistencyProof { from, to, path: request.proof.clone() };
                Some(Beginning { root: other_root, proof })
            }
        };
        Self::of(ForkEvidence { first, second, beginning })
    }

    fn of(evidence: ForkEvidence) -> Self {
        // Of what the two say, and not of who has cosigned since.
        let parts = [&evidence.first, &evidence.second].map(|signed| signed.checkpoint().to_string());
        let id = Hash::of_parts(&[parts[0].as_bytes(), parts[1].as_bytes()]);
        Self { id: base64url::encode(&id.as_bytes()[..16]), evidence }
    }

    fn checkpoints(&self) -> [&Checkpoint; 2] {
        [self.evidence.first.checkpoint(), self.evidence.second.checkpoint()]
    }

    /// The fork as JSON, with its evidence.
    pub(super) fn to_json(&self) -> Value {
        let evidence: Value = serde_json::from_str(&self.evidence.to_json()).expect("JSON of this process");
        let [first, second] = self.checkpoints();
        json!({
            "id": self.id,
            "origin": first.origin(),
            "sizes": [first.size().0, second.size().0],
            "evidence": evidence,
        })
    }
}

impl Forks {
    /// Reads what was kept.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let mut kept = BTreeMap::new();
        for file in files(&root.join(FOLDER))? {
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match ForkEvidence::parse(&fs::read(&file)?) {
                Ok(evidence) => {
                    let fork = Fork::of(evidence);
                    kept.insert(fork.id.clone(), fork);
                }
                Err(error) => {
                    tracing::error!(file = %file.display(), %error, "the evidence of a fork does not read");
                }
            }
        }
        let unproven = unproven(root)?;
        Ok(Self { disk: Disk::new(root, None), kept, unproven })
    }

    /// Keeps a fork, and says so once.
    pub(super) fn keep(&mut self, fork: Fork) -> io::Result<()> {
        if self.kept.contains_key(&fork.id) {
            return Ok(());
        }
        let ([first, second], id) = (fork.checkpoints(), &fork.id);
        let (origin, sizes) = (first.origin(), [first.size().0, second.size().0]);
        tracing::error!(%origin, ?sizes, %id, "FORK: the ledger has signed two histories; the evidence is kept");
        if self.kept.len() < MAX_KEPT {
            let file = PathBuf::from(format!("{FOLDER}/{id}.json"));
            self.disk.replace(&file, fork.evidence.to_json().as_bytes())?;
            self.kept.insert(fork.id.clone(), fork);
        }
        Ok(())
    }

    /// Keeps a request that is validly signed and whose proof does not hold: its sender has erred, or the ledger has two histories.
    pub(super) fn keep_unproven(
        &mut self,
        seen: &SignedCheckpoint,
        request: &AddCheckpoint,
    ) -> io::Result<()> {
        let origin = seen.checkpoint().origin();
        tracing::warn!(%origin, "a signed checkpoint came with a proof that does not hold");
        let requested = request.checkpoint.checkpoint().clone();
        let one = Some(Unproven { seen: seen.checkpoint().clone(), requested });
        if self.unproven.len() >= MAX_UNPROVEN || self.unproven.values().any(|kept| *kept == one) {
            return Ok(());
        }
        let mut numbers = 0..MAX_UNPROVEN as u64;
        let free = numbers.find(|number| !self.unproven.contains_key(number)).expect("fewer are taken");
        let [first, second] = unproven_files(free);
        self.disk.replace(&first, seen.to_string().as_bytes())?;
        self.disk.replace(&second, request.to_string().as_bytes())?;
        self.unproven.insert(free, one);
        Ok(())
    }

    /// Lets go of what was asked with a wrong proof about a checkpoint that has turned out to extend what was seen: it is no fork.
    pub(super) fn was_consistent(&mut self, signed: &Checkpoint) -> io::Result<()> {
        let is_about = |one: &Option<Unproven>| one.as_ref().is_some_and(|one| one.requested == *signed);
        let settled: Vec<u64> =
            self.unproven.iter().filter(|(_, one)| is_about(one)).map(|(number, _)| *number).collect();
        for number in settled {
            for file in unproven_files(number) {
                self.disk.remove(&file)?;
            }
            self.unproven.remove(&number);
        }
        Ok(())
    }

    /// All that is kept.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Fork> {
        self.kept.values()
    }
}

/// The files of a request of which nothing is proven.
fn unproven_files(number: u64) -> [PathBuf; 2] {
    ["seen", "request"].map(|what| PathBuf::from(format!("{UNPROVEN}/{number:03}-{what}")))
}

/// Reads what was kept of requests of which nothing is proven. A file without its other one is of a write or removal that was interrupted,
/// and its number is free.
fn unproven(root: &Path) -> io::Result<BTreeMap<u64, Option<Unproven>>> {
    let mut found = BTreeMap::new();
    for file in files(&root.join(UNPROVEN))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(number) = name.strip_suffix("-seen").and_then(|number| number.parse().ok()) else {
            continue;
        };
        let [seen, request] = unproven_files(number).map(|file| read_if_there(&root.join(file)));
        if let (Some(seen), Some(request)) = (seen?, request?) {
            found.insert(number, Unproven::read(&seen, &request));
        }
    }
    Ok(found)
}

/// The files in a folder; none if it is not there.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let items = match fs::read_dir(folder) {
        Ok(items) => items,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for item in items {
        let item = item?;
        if item.file_type()?.is_file() {
            found.push(item.path());
        }
    }
    Ok(found)
}
