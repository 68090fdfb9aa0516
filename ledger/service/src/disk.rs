//! Every change to the data folder goes through here, so that a test can record the writes and cut the power at any of them.

mod syncing;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncing::Syncers;
pub use syncing::Syncing;

/// How many finished files are held in memory: views that follow the log read what was sealed last, and may be some seconds behind.
pub(crate) const HELD_IN_MEMORY: usize = 64;

/// One change to the data folder. Paths are relative to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A folder was made.
    MakeFolder(PathBuf),
    /// Bytes were appended to a file, which was made if it was not there.
    Append(PathBuf, Vec<u8>),
    /// A file was given new contents.
    Replace(PathBuf, Vec<u8>),
    /// A file was cut to a length.
    Cut(PathBuf, u64),
    /// A file was renamed, replacing what stood there.
    Rename(PathBuf, PathBuf),
    /// Two files have changed places.
    Exchange(PathBuf, PathBuf),
    /// A file was removed.
    Remove(PathBuf),
    /// An empty folder was removed.
    RemoveFolder(PathBuf),
    /// A file's contents were made durable.
    SyncFile(PathBuf),
    /// A folder's names were made durable.
    SyncFolder(PathBuf),
}

/// Is told of each change after it was made, in order.
pub trait Recorder: Send + Sync {
    /// Takes one change.
    fn record(&self, change: Change);

    /// Whether two files of the folder can change places at once, as far as this recorder goes: not every file system lets them.
    fn can_exchange(&self) -> bool {
        true
    }
}

/// Who may read what is written, as far as the process's umask lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody, such as the web server that hands a mirror out.
    Everybody,
}

/// The data folder, as something to write to.
pub struct Disk {
    root: PathBuf,
    readers: Readers,
    recorder: Option<Arc<dyn Recorder>>,
    appending: HashMap<PathBuf, File>,
    /// Files that were appended to last and will not be any more; the newest last.
    finished: VecDeque<File>,
    durable_folders: HashSet<PathBuf>,
    syncers: Syncers,
}

impl Disk {
    /// The folder at `root`, which exists.
    pub fn new(root: &Path, recorder: Option<Arc<dyn Recorder>>) -> Self {
        Self::read_by(Readers::Owner, root, recorder)
    }

    /// The same for a folder whose contents are open to everybody: a mirror.
    pub fn of_open_log(root: &Path, recorder: Option<Arc<dyn Recorder>>) -> Self {
        Self::read_by(Readers::Everybody, root, recorder)
    }

    fn read_by(readers: Readers, root: &Path, recorder: Option<Arc<dyn Recorder>>) -> Self {
        Self {
            root: root.to_owned(),
            readers,
            recorder,
            appending: HashMap::new(),
            finished: VecDeque::new(),
            durable_folders: HashSet::new(),
            syncers: Syncers::default(),
        }
    }

    /// The same folder, for a thread of its own that writes other files.
    pub(crate) fn another(&self) -> Self {
        Self::read_by(self.readers, &self.root, self.recorder.clone())
    }

    /// The folder's own path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Appends to a file and makes it, and the folders above it, if they are not there. Its name is durable then; the caller makes
    /// what it holds so.
    pub fn append(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.append_unnamed(path, bytes)? {
            self.sync_folder(path.parent().unwrap_or(Path::new("")))?;
        }
        Ok(())
    }

    /// The same, but leaves it to the caller to make the name durable, with others in the same folder: if this says so.
    pub fn append_unnamed(&mut self, path: &Path, bytes: &[u8]) -> io::Result<bool> {
        self.append_parts_unnamed(path, &[bytes])
    }

    /// The same for bytes that are in several places, without putting them into one first.
    pub fn append_parts_unnamed(&mut self, path: &Path, parts: &[&[u8]]) -> io::Result<bool> {
        // Also for a file that was there: the process that made it may have been killed before its name was durable.
        let unnamed = !self.appending.contains_key(path);
        if unnamed {
            self.make_folders(path)?;
            let new = !self.root.join(path).exists();
            let file = self.options().append(true).create(true).open(self.root.join(path))?;
            self.appending.insert(path.to_owned(), file);
            if new {
                self.note(|| Change::Append(path.to_owned(), Vec::new()));
            }
        }
        let file = self.appending.get_mut(path).expect("opened above");
        write_parts(file, parts)?;
        self.note(|| Change::Append(path.to_owned(), parts.concat()));
        Ok(unnamed)
    }

    /// Replaces a file durably: write beside it, make that durable, rename, make the folder durable. A crash leaves the old or the new one.
    pub fn replace(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = self.write_beside(path, bytes)?;
        self.sync(&beside)?;
        self.rename(&beside, path)?;
        self.sync_folder(path.parent().unwrap_or(Path::new("")))
    }

    /// Replaces files of one folder durably, and waits for the disk twice, however many they are. A crash leaves of each the old or the
    /// new one.
    pub fn replace_together(&mut self, files: &[(PathBuf, Vec<u8>)]) -> io::Result<()> {
        let Some((first, _)) = files.first() else { return Ok(()) };
        let written = files.iter().map(|(path, bytes)| self.write_beside(path, bytes));
        let written = written.collect::<io::Result<Vec<_>>>()?;
        self.sync_together(&written, &[])?;
        for (beside, (path, _)) in written.iter().zip(files) {
            self.rename(beside, path)?;
        }
        self.sync_folder(first.parent().unwrap_or(Path::new("")))
    }

    /// The first part of [`Self::replace`]: writes the new contents beside the file, and says where. The caller makes them durable.
    pub fn write_beside(&mut self, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        let beside = path.with_extension("new");
        self.write_lazily(&beside, bytes)?;
        Ok(beside)
    }

    /// Puts what lies beside the file in its place. The caller makes the folder durable. What stood there then lies beside it, and is
    /// written over by the next [`Self::write_beside`]: so a file that is replaced hundreds of times a second needs no new one each time.
    /// False where that cannot be done: then nothing lies beside it. Not for what is to be gone.
    pub fn exchange_into_place(&mut self, path: &Path) -> io::Result<bool> {
        let beside = path.with_extension("new");
        let can = self.recorder.as_ref().is_none_or(|recorder| recorder.can_exchange());
        let exchanged = can && exchange(&self.root.join(&beside), &self.root.join(path))?;
        if exchanged {
            self.appending.remove(&beside);
            self.appending.remove(path);
            self.note(|| Change::Exchange(beside, path.to_owned()));
        } else {
            self.rename(&beside, path)?;
        }
        Ok(exchanged)
    }

    /// Replaces a file without waiting for the disk. After a crash it may be old, new or unreadable.
    pub fn replace_lazily(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = self.write_beside(path, bytes)?;
        self.rename(&beside, path)
    }

    /// The same for a file that nobody reads meanwhile: it gets its new contents in its place.
    pub fn write_lazily(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.make_folders(path)?;
        // To empty it first would free its blocks, and where the disk is told of that at once (`discard`), it takes a third of a second.
        let mut file = self.options().write(true).create(true).truncate(false).open(self.root.join(path))?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        self.note(|| Change::Replace(path.to_owned(), bytes.to_vec()));
        Ok(())
    }

    /// Writes over what a file holds, in its place and durably, so that the old bytes do not stay behind under no name. A crash leaves
    /// anything between the old and the new bytes.
    pub fn overwrite(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.appending.remove(path);
        let mut file = OpenOptions::new().write(true).open(self.root.join(path))?;
        file.write_all(bytes)?;
        self.note(|| Change::Replace(path.to_owned(), bytes.to_vec()));
        file.sync_data()?;
        self.note(|| Change::SyncFile(path.to_owned()));
        Ok(())
    }

    /// Renames a file. The caller makes the folders durable.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.make_folders(to)?;
        self.appending.remove(from);
        self.appending.remove(to);
        fs::rename(self.root.join(from), self.root.join(to))?;
        self.note(|| Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Cuts a file to a length, durably.
    pub fn cut(&mut self, path: &Path, len: u64) -> io::Result<()> {
        self.appending.remove(path);
        let file = OpenOptions::new().write(true).open(self.root.join(path))?;
        file.set_len(len)?;
        self.note(|| Change::Cut(path.to_owned(), len));
        file.sync_data()?;
        self.note(|| Change::SyncFile(path.to_owned()));
        Ok(())
    }

    /// Removes a file. The caller makes the folder durable.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.appending.remove(path);
        fs::remove_file(self.root.join(path))?;
        self.note(|| Change::Remove(path.to_owned()));
        Ok(())
    }

    /// Removes a folder if nothing is in it. The caller makes the folder above durable.
    pub fn remove_folder_if_empty(&mut self, path: &Path) -> io::Result<()> {
        match fs::remove_dir(self.root.join(path)) {
            Ok(()) => {
                self.durable_folders.remove(path);
                self.note(|| Change::RemoveFolder(path.to_owned()));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes a file durably.
    pub fn remove_durably(&mut self, path: &Path) -> io::Result<()> {
        self.remove(path)?;
        self.sync_folder(path.parent().unwrap_or(Path::new("")))
    }

    /// Closes a file that was appended to.
    pub fn close(&mut self, path: &Path) {
        self.appending.remove(path);
    }

    /// The same for a file that is durable, that nothing will be appended to, and that is seldom read but soon. The system is told that it
    /// need not hold in memory what it says, once [`HELD_IN_MEMORY`] later ones are finished too; until then it stays open.
    ///
    /// Otherwise all that is ever written fills the memory, a new page for each that goes to the disk; and a virtual machine often has
    /// to ask its host for a new page, which takes longer than to write it.
    pub fn finish(&mut self, path: &Path) {
        self.finished.extend(self.appending.remove(path));
        if self.finished.len() > HELD_IN_MEMORY
            && let Some(file) = self.finished.pop_front()
        {
            let_go(&file);
        }
    }

    /// Makes the folders above `path`, each one's name durable. One that is there already may have been made by a process that was
    /// killed before that, so its name is made durable too, once a process.
    pub(crate) fn make_folders(&mut self, path: &Path) -> io::Result<()> {
        let Some(folder) = path.parent() else { return Ok(()) };
        if folder.as_os_str().is_empty() || self.durable_folders.contains(folder) {
            return Ok(());
        }
        self.make_folders(folder)?;
        if !self.root.join(folder).is_dir() {
            match self.readers {
                Readers::Owner => private_folder(&self.root.join(folder))?,
                Readers::Everybody => fs::create_dir(self.root.join(folder))?,
            }
            self.note(|| Change::MakeFolder(folder.to_owned()));
        }
        self.sync_folder(folder.parent().unwrap_or(Path::new("")))?;
        self.durable_folders.insert(folder.to_owned());
        Ok(())
    }

    fn options(&self) -> OpenOptions {
        match self.readers {
            Readers::Owner => private(),
            Readers::Everybody => OpenOptions::new(),
        }
    }

    fn note(&self, change: impl FnOnce() -> Change) {
        if let Some(recorder) = &self.recorder {
            recorder.record(change());
        }
    }
}

/// It is advice: that it cannot be given is no error.
#[cfg(target_os = "linux")]
fn let_go(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
const fn let_go(_: &File) {}

/// Lets two files change places at once; false if one of them is not there, or if this cannot be done here.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

fn write_parts(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = slices.as_mut_slice();
    // Parts without bytes are nothing to wait for.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads a file that will not be read again soon, and tells the system that it need not hold it in memory ([`Disk::finish`]).
pub(crate) fn read_once(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let (mut bytes, len) = (Vec::new(), file.metadata()?.len());
    bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX))?;
    file.read_to_end(&mut bytes)?;
    let_go(&file);
    Ok(bytes)
}

/// Reads a file of the data folder; `None` if it is not there.
pub fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder that only its owner can enter.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes the name of a file or folder durable that was made without a [`Disk`].
pub fn sync_name(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Options for a file that only its owner can read.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
