use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gt_core::checkpoint::{SignedCheckpoint, SignedCheckpointError};
use gt_core::note::{NoteSignature, NoteSigner, SignNoteError, VerifierKey};
use gt_core::witness::{
    AddCheckpoint, AddCheckpointError, Refusal, decide, origin_hash, shown_fork, signature_lines, with_only,
};
use serde_json::Value;

use super::forks::{Fork, Forks};
use super::home::{LOGS, WitnessError, WitnessFolder};
use super::logs::{LogsError, LogsFile};
use crate::disk::{Disk, read_if_there};
use crate::private_keys::KeyAccess;

/// A witness: it signs what extends what it has signed before.
pub struct Witness {
    root: PathBuf,
    signers: [NoteSigner; 2],
    logs: LogsFile,
    /// What was signed last, by origin. The lock of one is held from the check until what is signed is durable.
    latest: Mutex<HashMap<String, Arc<Mutex<Latest>>>>,
    forks: Mutex<Forks>,
    _lock: File,
}

/// What was signed last of one log.
struct Latest {
    file: PathBuf,
    disk: Disk,
    known: Known,
}

/// What is known of a log.
enum Known {
    /// The file is to be read, again or for the first time.
    Unread,
    /// Nothing of it was signed.
    Nothing,
    /// What was signed last: the log's signatures and this witness's own.
    Signed(SignedCheckpoint),
}

/// Why a witness does not sign.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The request does not read.
    #[error("the request does not read: {0}")]
    Malformed(#[source] AddCheckpointError),
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The folder is not in order, or cannot be written.
    #[error(transparent)]
    Folder(#[from] WitnessError),
    /// The checkpoint cannot be signed: its origin is longer than what a cosigner signs, say.
    #[error(transparent)]
    Sign(#[from] SignNoteError),
    /// The checkpoint with its signatures is no note.
    #[error(transparent)]
    Note(#[from] SignedCheckpointError),
}

impl AddError {
    /// The HTTP status: C2SP's, or 500.
    pub fn status(&self) -> u16 {
        match self {
            // An empty tree has one root: a matter of content to C2SP, and no checkpoint at all to the parser.
            Self::Malformed(error) if error.code() == "empty_tree_root" => 422,
            Self::Malformed(AddCheckpointError::TooLong { .. }) => 413,
            Self::Malformed(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::Folder(_) | Self::Sign(_) | Self::Note(_) => 500,
        }
    }
}

impl Witness {
    /// Opens a witness's folder, which no other process may have open, and reads what it has signed last of each log that it knows.
    pub fn open(root: &Path) -> Result<Self, WitnessError> {
        Self::open_with(root, &KeyAccess::default())
    }

    /// The same, with keys that are had in another way than from plain files.
    pub fn open_with(root: &Path, keys: &KeyAccess) -> Result<Self, WitnessError> {
        let folder = WitnessFolder::new(root).with_keys(keys.clone());
        let opened = folder.open()?;
        let io = |source| WitnessError::Io { file: root.join("forks"), source };
        let witness = Self {
            root: folder.root().to_owned(),
            signers: opened.signers,
            logs: LogsFile::open(root, Path::new(LOGS))?,
            latest: Mutex::default(),
            forks: Mutex::new(Forks::open(root).map_err(io)?),
            _lock: opened.lock,
        };
        for origin in witness.logs.current()?.origins() {
            let latest = witness.latest(origin);
            witness.signed(&mut lock(&latest), origin)?;
        }
        Ok(witness)
    }

    /// Its keys.
    pub fn verifier_keys(&self) -> Vec<VerifierKey> {
        self.signers.iter().map(|signer| signer.verifier_key().clone()).collect()
    }

    /// How many logs it knows.
    pub fn known_logs(&self) -> Result<usize, LogsError> {
        Ok(self.logs.current()?.origins().count())
    }

    /// Signs a checkpoint, or says why not. `now` is the time in seconds since the Unix epoch. What it returns is durable, and is
    /// the answer's body: lines of signatures.
    pub fn add_checkpoint(&self, request: &[u8], now: u64) -> Result<String, AddError> {
        let request = AddCheckpoint::parse(request).map_err(AddError::Malformed)?;
        let origin = request.checkpoint.checkpoint().origin();
        let logs = self.logs.current().map_err(WitnessError::from)?;
        let keys = logs.keys(origin);
        if keys.is_empty() {
            // Before anything is remembered of it: anybody can name any origin.
            return Err(Refusal::UnknownOrigin.into());
        }
        let latest = self.latest(origin);
        let mut latest = lock(&latest);
        let seen = self.signed(&mut latest, origin)?;
        if let Err(refusal) = decide(seen.as_ref().map(SignedCheckpoint::checkpoint), &request, keys) {
            drop(latest);
            self.look_for_fork(seen.as_ref(), &request, &refusal);
            return Err(refusal.into());
        }
        // A clock that was put back does not make the witness say that it saw less at a later time.
        let last = seen.iter().flat_map(|seen| self.own(seen)).filter_map(NoteSignature::cosigned_at).max();
        let now = now.max(last.unwrap_or(1));
        let cosignatures: Vec<NoteSignature> = self
            .signers
            .iter()
            .map(|signer| request.checkpoint.note().cosign(signer, now))
            .collect::<Result<_, _>>()?;
        let signed = of_log(&request.checkpoint, keys, &cosignatures)?;
        latest.keep(signed)?;
        drop(latest);
        if let Err(error) = lock(&self.forks).was_consistent(request.checkpoint.checkpoint()) {
            tracing::error!(%error, "what was settled could not be let go of");
        }
        Ok(signature_lines(&cosignatures))
    }

    /// What it signed last of the log with this origin hash, with the log's signatures and its own.
    pub fn checkpoint(&self, hash: &str) -> Result<Option<SignedCheckpoint>, WitnessError> {
        let logs = self.logs.current()?;
        let Some(origin) = logs.origin_of(hash) else { return Ok(None) };
        let latest = self.latest(origin);
        self.signed(&mut lock(&latest), origin)
    }

    /// The forks that it has evidence of, as JSON.
    pub fn forks(&self) -> Vec<Value> {
        lock(&self.forks).kept().map(Fork::to_json).collect()
    }

    fn latest(&self, origin: &str) -> Arc<Mutex<Latest>> {
        let mut all = lock(&self.latest);
        if let Some(latest) = all.get(origin) {
            return Arc::clone(latest);
        }
        let file = PathBuf::from(format!("seen/{}", origin_hash(origin)));
        let latest = Latest { file, disk: Disk::new(&self.root, None), known: Known::Unread };
        let latest = Arc::new(Mutex::new(latest));
        all.insert(origin.to_owned(), Arc::clone(&latest));
        latest
    }

    /// What was signed last, read from the file if need be.
    fn signed(&self, latest: &mut Latest, origin: &str) -> Result<Option<SignedCheckpoint>, WitnessError> {
        match &latest.known {
            Known::Unread => {}
            Known::Nothing => return Ok(None),
            Known::Signed(signed) => return Ok(Some(signed.clone())),
        }
        let file = self.root.join(&latest.file);
        let read = read_if_there(&file).map_err(|source| WitnessError::Io { file: file.clone(), source })?;
        let seen = || WitnessError::Seen { origin: origin.to_owned(), file: file.clone() };
        let signed = match read {
            None => None,
            Some(bytes) => {
                let signed = SignedCheckpoint::parse(&bytes).map_err(|_| seen())?;
                let own = |signer: &NoteSigner| signed.note().is_signed_by(signer.verifier_key());
                if signed.checkpoint().origin() != origin
                    || self.signers.iter().any(|one| own(one) != Some(true))
                {
                    return Err(seen());
                }
                Some(signed)
            }
        };
        latest.known = signed.clone().map_or(Known::Nothing, Known::Signed);
        Ok(signed)
    }

    /// Its own signatures among those of a checkpoint.
    fn own<'s>(&self, signed: &'s SignedCheckpoint) -> impl Iterator<Item = &'s NoteSignature> {
        let ids = self.signers.each_ref().map(|signer| signer.verifier_key().id());
        signed.note().signatures().iter().filter(move |signature| ids.contains(&signature.key_id()))
    }

    /// Keeps what a refused request shows of its log, if its signatures are the log's.
    fn look_for_fork(&self, seen: Option<&SignedCheckpoint>, request: &AddCheckpoint, refusal: &Refusal) {
        let signed = !matches!(refusal, Refusal::UnknownOrigin | Refusal::NotSigned(_));
        let Some(seen) = seen.filter(|_| signed) else { return };
        let kept = match shown_fork(seen.checkpoint(), request) {
            Some(shown) => lock(&self.forks).keep(Fork::new(seen, request, shown)),
            None if matches!(refusal, Refusal::Inconsistent(_)) => {
                lock(&self.forks).keep_unproven(seen, request)
            }
            None => Ok(()),
        };
        if let Err(error) = kept {
            tracing::error!(%error, "the evidence could not be kept");
        }
    }
}

impl Latest {
    /// Makes durable what is about to be signed.
    fn keep(&mut self, signed: SignedCheckpoint) -> Result<(), WitnessError> {
        // Should writing fail, the file says what holds: the old or the new.
        self.known = Known::Unread;
        let written = self.disk.replace(&self.file, signed.to_string().as_bytes());
        written.map_err(|source| WitnessError::Io { file: self.file.clone(), source })?;
        self.known = Known::Signed(signed);
        Ok(())
    }
}

/// The checkpoint with the signatures of the log's keys, which have been verified, and these.
fn of_log(
    checkpoint: &SignedCheckpoint,
    keys: &[VerifierKey],
    cosignatures: &[NoteSignature],
) -> Result<SignedCheckpoint, SignedCheckpointError> {
    let is_of_log = |signature: &NoteSignature| {
        keys.iter().any(|key| key.id() == signature.key_id() && key.name() == signature.name())
    };
    let mut kept: Vec<NoteSignature> = Vec::new();
    for signature in checkpoint.note().signatures().iter().filter(|one| is_of_log(one)).chain(cosignatures) {
        if !kept.contains(signature) {
            kept.push(signature.clone());
        }
    }
    with_only(checkpoint, &kept)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
