//! Making durable what was written: one after another, all at once, or while something else is done.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::{Change, Disk};

/// Threads that sync files: a batch waits for several at once, some hundred times a second, so they are kept between batches.
#[derive(Default)]
pub(super) struct Syncers(Mutex<Vec<Syncer>>);

/// So many are kept: those of a batch.
const KEPT: usize = 4;

/// A file, and how it is made durable: its contents, or a folder's names.
type Work = (File, fn(&File) -> io::Result<()>);

/// One thread, which ends when this is dropped. It has nothing to do.
struct Syncer {
    works: SyncSender<Work>,
    done: Receiver<io::Result<()>>,
}

/// A file or folder that is being made durable.
#[must_use = "nothing is known to be durable before `Disk::finish_sync`"]
pub struct Syncing {
    durable: Change,
    /// `None` if it is durable already.
    syncer: Option<Syncer>,
}

impl Syncer {
    fn start() -> io::Result<Self> {
        let (works, waiting) = sync_channel::<Work>(1);
        let (tell, done) = sync_channel(1);
        let sync_each = move || {
            for (file, sync) in waiting {
                // Nobody waits any more for what was given up.
                let _ = tell.send(sync(&file));
            }
        };
        std::thread::Builder::new().name("gt-sync".into()).spawn(sync_each)?;
        Ok(Self { works, done })
    }
}

impl Syncers {
    /// Begins; hands the work back where there is no thread for it.
    fn begin(&self, work: Work) -> Result<Syncer, Work> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(syncer) = idle.or_else(|| Syncer::start().ok()) else { return Err(work) };
        match syncer.works.send(work) {
            Ok(()) => Ok(syncer),
            Err(unsent) => Err(unsent.0),
        }
    }

    fn finish(&self, syncer: Syncer) -> io::Result<()> {
        let done = syncer.done.recv().map_err(|_| io::Error::other("a thread that syncs has ended"))?;
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(syncer);
        }
        done
    }
}

impl Disk {
    /// Makes a file's contents durable.
    pub fn sync(&self, path: &Path) -> io::Result<()> {
        self.opened(path)?.sync_data()?;
        self.note(|| Change::SyncFile(path.to_owned()));
        Ok(())
    }

    /// Makes a folder's names durable.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(self.root.join(path))?.sync_all()?;
        self.note(|| Change::SyncFolder(path.to_owned()));
        Ok(())
    }

    /// Begins to make a file's contents durable.
    pub fn sync_meanwhile(&self, path: &Path) -> io::Result<Syncing> {
        self.begin_sync((self.opened(path)?, File::sync_data), Change::SyncFile(path.to_owned()))
    }

    /// Waits until what was begun is done.
    pub fn finish_sync(&self, syncing: Syncing) -> io::Result<()> {
        if let Some(syncer) = syncing.syncer {
            self.syncers.finish(syncer)?;
        }
        self.note(|| syncing.durable);
        Ok(())
    }

    /// Makes the contents of files and the names in folders durable, all at the same time: that takes hardly longer than one of them,
    /// since a file system writes its journal once for all who wait for it.
    pub fn sync_together(&self, files: &[PathBuf], folders: &[PathBuf]) -> io::Result<()> {
        let files = files.iter().map(|path| (path, true));
        let mut all = files.chain(folders.iter().map(|path| (path, false)));
        // The last one on this thread.
        let last = all.next_back();
        let mut syncing = Vec::new();
        for (path, is_file) in all {
            syncing.push(if is_file {
                self.sync_meanwhile(path)?
            } else {
                let folder = File::open(self.root.join(path))?;
                self.begin_sync((folder, File::sync_all), Change::SyncFolder(path.clone()))?
            });
        }
        match last {
            Some((path, true)) => self.sync(path)?,
            Some((path, false)) => self.sync_folder(path)?,
            None => {}
        }
        syncing.into_iter().try_for_each(|one| self.finish_sync(one))
    }

    fn begin_sync(&self, work: Work, durable: Change) -> io::Result<Syncing> {
        let syncer = match self.syncers.begin(work) {
            Ok(syncer) => Some(syncer),
            // Now takes longer, and is as durable.
            Err((file, sync)) => sync(&file).map(|()| None)?,
        };
        Ok(Syncing { durable, syncer })
    }

    /// The file as it is appended to, or opened for this.
    fn opened(&self, path: &Path) -> io::Result<File> {
        self.appending.get(path).map_or_else(|| File::open(self.root.join(path)), File::try_clone)
    }
}
