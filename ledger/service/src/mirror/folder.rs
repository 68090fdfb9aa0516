use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::TreeSize;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::fork::ForkEvidence;
use gt_core::verify::Pin;

use super::compare::has_its_root;
use super::copying::{Copying, Held};
use super::error::{LogFault, MirrorError};
use super::head::Head;
use super::relation::{Relation, Side, relation};
use super::writer::{Writer, at};
use crate::audit::{DataFolder, LogSource, copied};
use crate::disk::{Disk, Recorder, read_if_there, sync_name};
use crate::layout;

/// A log that grows while it is copied is asked for again so many times.
const ATTEMPTS: u32 = 3;

/// A mirror's folder, held by this process alone.
pub struct MirrorFolder {
    root: PathBuf,
    pin: Option<Pin>,
    held: Option<SignedCheckpoint>,
    writer: Writer,
    /// Given back when the process ends, however it ends.
    _lock: File,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many entries were copied.
    pub copied: u64,
    /// How many there are to copy.
    pub of: u64,
}

/// What came of asking a log for what is new.
#[derive(Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing is new.
    Unchanged {
        /// How many entries both have.
        size: TreeSize,
    },
    /// The mirror has grown.
    Grown {
        /// How many entries it had.
        from: TreeSize,
        /// How many it has.
        to: TreeSize,
    },
    /// The log is of one history with the mirror and ends before it: the ledger has lost entries, or an old checkpoint is served.
    Behind {
        /// How many entries the mirror has.
        held: TreeSize,
        /// How many the log has.
        served: TreeSize,
    },
    /// The log is of another history. The evidence is in `fork.json`, and nothing else was changed.
    Fork(Box<ForkEvidence>),
}

impl MirrorFolder {
    /// Opens the mirror in this folder, or makes a folder for one. A mirror that is there must be the pinned ledger's.
    ///
    /// Without a pin nothing says whose log it is: the origin of the first checkpoint is kept to, and signatures are not looked at.
    pub fn open(
        root: &Path,
        pin: Option<Pin>,
        recorder: Option<Arc<dyn Recorder>>,
    ) -> Result<Self, MirrorError> {
        if !root.is_dir() {
            fs::create_dir_all(root).and_then(|()| sync_name(root)).map_err(at(root))?;
        }
        only_of_a_mirror(root)?;
        let lock = lock(root)?;
        let writer = Writer::new(Disk::of_open_log(root, recorder));
        let held = if root.join(layout::checkpoint()).exists() {
            let folder = DataFolder::new(root);
            let head = Head::read(&folder, pin.as_ref()).map_err(MirrorError::Held)?;
            Some(head.signed)
        } else {
            None
        };
        Ok(Self { root: root.to_owned(), pin, held, writer, _lock: lock })
    }

    /// The checkpoint up to which the mirror holds the log.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.held.as_ref().map(SignedCheckpoint::checkpoint)
    }

    /// Copies what the log has beyond the mirror. Whatever ends it early leaves the mirror as it was, or as it will be; what was copied
    /// beyond the checkpoint is not asked for again.
    pub fn catch_up(
        &mut self,
        source: &dyn LogSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Round, MirrorError> {
        let mut head = self.served(source)?;
        for _ in 1..ATTEMPTS {
            match self.round(&head, progress) {
                Err(MirrorError::Served(fault)) if fault.is_missing() => {
                    // A log that has grown meanwhile may have dropped partial tiles of the size that it had.
                    let newer = self.served(source)?;
                    if newer.signed == head.signed {
                        return Err(MirrorError::Served(fault));
                    }
                    head = newer;
                }
                round => return round,
            }
        }
        self.round(&head, progress)
    }

    fn served<'s>(&self, source: &'s dyn LogSource) -> Result<Head<'s>, MirrorError> {
        Head::read(source, self.pin.as_ref()).map_err(MirrorError::Served)
    }

    fn round(&mut self, served: &Head<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Round, MirrorError> {
        let folder = DataFolder::new(&self.root);
        let to = served.checkpoint().size();
        let (from, held) = match &self.held {
            None => {
                // Before everything is asked for that a checkpoint claims.
                has_its_root(served).map_err(MirrorError::Served)?;
                (TreeSize(0), Held::nothing())
            }
            Some(signed) => {
                let mirror = Head { source: &folder, signed: signed.clone() };
                let from = mirror.checkpoint().size();
                match related(&mirror, served)? {
                    Relation::Same => {
                        self.sweep(&folder, from)?;
                        return Ok(Round::Unchanged { size: from });
                    }
                    Relation::Ahead(Side::First) => return Ok(Round::Behind { held: from, served: to }),
                    Relation::Fork(evidence) => return self.keep_evidence(evidence),
                    Relation::Ahead(Side::Second) => {
                        (from, Held::read(&folder, mirror.checkpoint()).map_err(MirrorError::Held)?)
                    }
                }
            }
        };
        Copying::new(&folder, served, &mut self.writer, held).run(progress)?;
        self.writer.make_durable()?;
        self.writer.publish(&served.signed)?;
        self.held = Some(served.signed.clone());
        self.sweep(&folder, to)?;
        Ok(Round::Grown { from, to })
    }

    /// Removes the partial tiles whose full ones are there, and what an interrupted copy left.
    fn sweep(&mut self, folder: &DataFolder, size: TreeSize) -> Result<(), MirrorError> {
        self.writer.remove(&copied::left_over(folder, size))
    }

    /// Keeps the evidence, unless there is some already that is as good.
    fn keep_evidence(&mut self, evidence: Box<ForkEvidence>) -> Result<Round, MirrorError> {
        let file = layout::fork();
        let there = read_if_there(&self.root.join(&file)).map_err(at(&file))?;
        let as_good = there
            .and_then(|bytes| ForkEvidence::parse(&bytes).ok())
            .is_some_and(|there| self.pin.as_ref().is_none_or(|pin| there.verify(pin).is_ok()));
        if !as_good {
            self.writer.replace(&file, format!("{}\n", evidence.to_json()).as_bytes())?;
        }
        Ok(Round::Fork(evidence))
    }
}

/// How the mirror and the served log stand to each other.
fn related(mirror: &Head<'_>, served: &Head<'_>) -> Result<Relation, MirrorError> {
    let (held, other) = (mirror.checkpoint().origin(), served.checkpoint().origin());
    if held != other {
        return Err(MirrorError::OtherOrigin { held: held.to_owned(), served: other.to_owned() });
    }
    relation(mirror, served).map_err(|(side, fault): (Side, LogFault)| match side {
        Side::First => MirrorError::Held(fault),
        Side::Second => MirrorError::Served(fault),
    })
}

/// Refuses a folder that holds anything else, such as a ledger's own.
fn only_of_a_mirror(root: &Path) -> Result<(), MirrorError> {
    let own = [layout::checkpoint(), layout::fork()];
    for entry in fs::read_dir(root).map_err(at(root))? {
        let name = PathBuf::from(entry.map_err(at(root))?.file_name());
        let known = own.iter().any(|file| name == *file || name == file.with_extension("new"));
        if !known && name != layout::mirror_lock() && name.as_os_str() != "tile" {
            return Err(MirrorError::NotAMirror { name: name.display().to_string() });
        }
    }
    Ok(())
}

fn lock(root: &Path) -> Result<File, MirrorError> {
    let file = layout::mirror_lock();
    let open = OpenOptions::new().write(true).create(true).truncate(false).open(root.join(&file));
    let lock = open.map_err(at(&file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(MirrorError::Locked),
        Err(TryLockError::Error(error)) => Err(at(&file)(error)),
    }
}
