use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use gt_core::key::Signer;
use gt_schemas::PartnershipKey;

use super::journal::Journal;
use super::memory::Memory;
use super::record::Record;
use super::{Identity, Outbox, OutboxError};
use crate::draft::Signatory;

/// An outbox folder that is locked and read, but belongs to nobody's key yet.
pub struct UnclaimedOutbox {
    journal: Journal,
    memory: Memory,
}

impl UnclaimedOutbox {
    /// Opens or makes the outbox in this folder, under an exclusive lock, and cuts off what a crash left unfinished.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        make_folder(folder).map_err(OutboxError::Folder)?;
        let mut memory = Memory::default();
        let journal = Journal::open(&folder.join("journal"), |span, records| {
            for record in records {
                memory.apply(span, record);
            }
        })?;
        sync_folder(folder).map_err(OutboxError::Folder)?;
        match memory.contradiction() {
            Some(order) => Err(OutboxError::Contradiction { order }),
            None => Ok(Self { journal, memory }),
        }
    }

    /// Whose outbox it is, unless it is new.
    pub fn identity(&self) -> Option<&Identity> {
        self.memory.identity()
    }

    /// Gives the outbox to this key. The caller has made sure that a stored identity is the same publisher's, for the same
    /// ledger; newer verifier keys of that ledger are stored. The partnership's key is for the drafts' plain identifiers.
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

/// Makes the folder's own entry and the journal's durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => fs::File::open(".")?.sync_all(),
    }
}
