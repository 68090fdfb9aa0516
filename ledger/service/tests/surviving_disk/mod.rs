//! A model of what a power cut leaves of a folder, fed with the recorded changes.
//!
//! What was made durable survives: a file's contents by `SyncFile`, a name (a creation, a rename, a removal) once every folder that it
//! concerns had its `SyncFolder`. What was not survives wholly, partly or not at all, each change for itself.

#[allow(dead_code)] // One folder alone needs none.
pub(crate) mod tape;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gt_ledger::disk::Change;

const SECTOR: usize = 512;

/// A seeded generator (`SplitMix64`), so that a failure comes again.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("64 bits").max(1);
        usize::try_from(self.next() % end).expect("below a usize")
    }

    fn flip(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

/// How much survives of what was not made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survival {
    /// Nothing.
    None,
    /// Everything, as if only the process had been killed.
    All,
    /// Each name by chance; of contents a beginning, or all of it with lost sectors.
    Chance,
}

#[derive(Clone, Default)]
struct Contents {
    durable: Vec<u8>,
    now: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Clone)]
enum Naming {
    Made(PathBuf, Node),
    Renamed(PathBuf, PathBuf, usize),
    Exchanged((PathBuf, usize), (PathBuf, usize)),
    Removed(PathBuf),
}

type Names = BTreeMap<PathBuf, Node>;

/// The folder as the disk holds it and as processes see it.
#[derive(Clone, Default)]
pub(crate) struct SurvivingDisk {
    files: Vec<Contents>,
    durable_names: Names,
    names: Names,
    pending: Vec<(Naming, BTreeSet<PathBuf>)>,
}

impl SurvivingDisk {
    /// A folder all of which is durable.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        let mut folders = vec![PathBuf::new()];
        while let Some(at) = folders.pop() {
            for entry in fs::read_dir(folder.join(&at)).expect("a folder") {
                let path = at.join(entry.expect("an entry").file_name());
                let node = if folder.join(&path).is_dir() {
                    folders.push(path.clone());
                    Node::Folder
                } else {
                    let bytes = fs::read(folder.join(&path)).expect("readable");
                    disk.file(Contents { durable: bytes.clone(), now: bytes })
                };
                disk.names.insert(path, node);
            }
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    /// Takes the next change.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::MakeFolder(path) => self.name(Naming::Made(path.clone(), Node::Folder), &[path]),
            Change::Append(path, bytes) => self.contents(path).now.extend_from_slice(bytes),
            Change::Replace(path, bytes) => self.contents(path).now.clone_from(bytes),
            Change::Cut(path, len) => {
                let len = usize::try_from(*len).expect("short");
                self.contents(path).now.truncate(len);
            }
            Change::Rename(from, to) => {
                let file = self.named(from);
                self.name(Naming::Renamed(from.clone(), to.clone(), file), &[from, to]);
            }
            Change::Exchange(one, other) => {
                let (at_one, at_other) = (self.named(one), self.named(other));
                let naming = Naming::Exchanged((one.clone(), at_other), (other.clone(), at_one));
                self.name(naming, &[one, other]);
            }
            Change::Remove(path) | Change::RemoveFolder(path) => {
                self.name(Naming::Removed(path.clone()), &[path]);
            }
            Change::SyncFile(path) => {
                let contents = self.contents(path);
                contents.durable.clone_from(&contents.now);
            }
            Change::SyncFolder(folder) => self.sync_names(folder),
        }
    }

    /// Writes what survives a power cut now to an empty folder.
    pub(crate) fn survivor(&self, into: &Path, survival: Survival, chance: &mut Chance) {
        let mut names = self.durable_names.clone();
        for (naming, not_yet) in &self.pending {
            let keeps = match survival {
                Survival::None => not_yet.is_empty(),
                Survival::All => true,
                Survival::Chance => not_yet.is_empty() || chance.flip(),
            };
            if keeps {
                rename(&mut names, naming);
            }
        }
        // Rising order: a folder comes before what is in it. What lies in a folder whose name is lost is lost with it.
        for (path, node) in &names {
            let target = into.join(path);
            if !target.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match node {
                Node::Folder => fs::create_dir(&target).expect("made"),
                Node::File(file) => {
                    fs::write(&target, self.files[*file].survivor(survival, chance)).expect("written");
                }
            }
        }
    }

    fn file(&mut self, contents: Contents) -> Node {
        self.files.push(contents);
        Node::File(self.files.len() - 1)
    }

    fn named(&self, path: &Path) -> usize {
        match self.names.get(path) {
            Some(Node::File(file)) => *file,
            _ => panic!("{} is no file", path.display()),
        }
    }

    fn contents(&mut self, path: &Path) -> &mut Contents {
        let file = match self.names.get(path) {
            Some(Node::File(file)) => *file,
            Some(Node::Folder) => panic!("{} is a folder", path.display()),
            None => {
                let node = self.file(Contents::default());
                self.name(Naming::Made(path.to_owned(), node), &[path]);
                self.files.len() - 1
            }
        };
        &mut self.files[file]
    }

    fn name(&mut self, naming: Naming, concerns: &[&Path]) {
        rename(&mut self.names, &naming);
        let folders = concerns.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect();
        self.pending.push((naming, folders));
    }

    fn sync_names(&mut self, folder: &Path) {
        for (_, not_yet) in &mut self.pending {
            not_yet.remove(folder);
        }
        // Names settle in order, so that an earlier change that may still be lost does not undo a later one.
        let settled = self.pending.iter().take_while(|(_, not_yet)| not_yet.is_empty()).count();
        for (naming, _) in self.pending.drain(..settled) {
            rename(&mut self.durable_names, &naming);
        }
    }
}

impl Contents {
    fn survivor(&self, survival: Survival, chance: &mut Chance) -> Vec<u8> {
        match survival {
            Survival::None => self.durable.clone(),
            Survival::All => self.now.clone(),
            Survival::Chance if self.durable == self.now => self.now.clone(),
            Survival::Chance => {
                let same = self.durable.iter().zip(&self.now).take_while(|(old, new)| old == new).count();
                match chance.below(4) {
                    0 => self.durable.clone(),
                    1 => self.now.clone(),
                    2 => self.now[..same + chance.below(self.now.len() - same + 1)].to_vec(),
                    _ => self.with_lost_sectors(same, chance),
                }
            }
        }
    }

    /// The new length, but some sectors beyond what was durable were never written.
    fn with_lost_sectors(&self, same: usize, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.now.clone();
        for sector in same / SECTOR..bytes.len().div_ceil(SECTOR) {
            if chance.flip() {
                let end = ((sector + 1) * SECTOR).min(bytes.len());
                bytes[(sector * SECTOR).max(same)..end].fill(0);
            }
        }
        bytes
    }
}

fn rename(names: &mut Names, naming: &Naming) {
    match naming {
        Naming::Made(path, node) => {
            names.insert(path.clone(), *node);
        }
        Naming::Renamed(from, to, file) => {
            if names.get(from) == Some(&Node::File(*file)) {
                names.remove(from);
            }
            names.insert(to.clone(), Node::File(*file));
        }
        Naming::Exchanged(one, other) => {
            for (path, file) in [one, other] {
                names.insert(path.clone(), Node::File(*file));
            }
        }
        Naming::Removed(path) => {
            names.remove(path);
        }
    }
}
