use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::key::Signer;
use gt_schemas::PartnershipKey;

use super::journal::Journal;
use super::memory::Memory;
use super::record::Record;
use super::{Identity, Outbox, OutboxError};
use crate::draft::Signatory;

/// The file that says that the journal beside it has been begun, so that one which lost its beginning is not taken for new.
const BEGUN: &str = "begun";

/// An outbox folder that is locked and read, but belongs to nobody's key yet.
pub struct UnclaimedOutbox {
    folder: PathBuf,
    is_begun: bool,
    journal: Journal,
    memory: Memory,
}

impl UnclaimedOutbox {
    /// Opens or makes the outbox in this folder, under an exclusive lock, and cuts off what a crash left unfinished.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        make_folder(folder).map_err(OutboxError::Folder)?;
        let is_begun = folder.join(BEGUN).try_exists().map_err(OutboxError::Folder)?;
        let mut memory = Memory::default();
        let journal = Journal::open(&folder.join("journal"), is_begun, |span, records| {
            for record in records {
                memory.apply(span, record);
            }
        })?;
        sync_folder(folder).map_err(OutboxError::Folder)?;
        match memory.contradiction() {
            Some(order) => Err(OutboxError::Contradiction { order }),
            None => Ok(Self { folder: folder.to_owned(), is_begun, journal, memory }),
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose outbox it is, unless it is new.
    pub fn identity(&self) -> Option<&Identity> {
        self.memory.identity()
    }

    /// Whether it ever signed anything. Until then no statement names its ledger, and it can go over to another one.
    pub fn has_signed(&self) -> bool {
        self.memory.has_signed
    }

    /// How many drafts wait to be sealed.
    pub fn queued(&self) -> usize {
        self.memory.queued()
    }

    /// Gives the outbox to this key. The caller has made sure that a stored identity is the same publisher's, and for the same
    /// ledger unless nothing is signed; newer verifier keys of that ledger are stored. The partnership's key is for the
    /// drafts' plain identifiers.
    ///
    /// # Errors
    /// [`OutboxError::Journal`] and [`OutboxError::Folder`] if the disk does not take it.
    pub fn claim(
        mut self,
        identity: Identity,
        key: impl Into<Box<dyn Signer>>,
        partnership_key: Option<PartnershipKey>,
    ) -> Result<Outbox, OutboxError> {
        if self.memory.identity() != Some(&identity) {
            let record = Record::Identity {
                publisher: identity.publisher.to_string(),
                agency: identity.agency.to_string(),
                pin: identity.pin.to_json(),
            };
            let span = self.journal.append(std::slice::from_ref(&record))?;
            self.memory.apply(span, record);
        }
        // Behind the journal's first line: a crash in between leaves a sound journal, which the next start marks.
        if !self.is_begun {
            mark_begun(&self.folder).map_err(OutboxError::Folder)?;
        }
        let (agency, origin) = (identity.agency.clone(), identity.pin.origin.clone());
        let signatory = Signatory::new(key, identity.publisher, agency, origin);
        let signatory = Arc::new(signatory.with_partnership_key(partnership_key));
        Ok(Outbox { journal: self.journal, memory: self.memory, identity, signatory })
    }
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn mark_begun(folder: &Path) -> io::Result<()> {
    let mut file = fs::File::create(folder.join(BEGUN))?;
    file.write_all(b"The journal in this folder has been begun. If it is empty or gone, it was lost.\n")?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

/// Makes the folder's own entry and the journal's durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => fs::File::open(".")?.sync_all(),
    }
}
