//! What has to hold after every fault: the folder is sound, every receipt's statement stands in the log, once, under every checkpoint that
//! was handed out, and the views are what a rebuild gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gt_core::Hash;
use gt_core::tree::Frontier;
use gt_projections::{Options, Projector};

use crate::nats::{Kept, entries};
use crate::partnership::{Home, Process, copy_folder, path, run};

/// Every receipt that has come so far, read once.
#[derive(Default)]
pub(crate) struct Standing {
    read: usize,
    /// The place of each acknowledged statement.
    places: BTreeMap<Hash, u64>,
    /// The root of each checkpoint that a receipt came with, by its size.
    roots: BTreeMap<u64, Hash>,
}

impl Standing {
    /// Takes in the receipts that are new. Each must hold, and contradict none before it.
    pub(crate) fn learn(&mut self, home: &Home, receipts: &[Kept]) {
        for Kept { statement, receipt, .. } in &receipts[self.read..] {
            let verdict = home.prove(receipt, *statement);
            let index = verdict.entry.index.0;
            let known = *self.places.entry(*statement).or_insert(index);
            assert_eq!(known, index, "{statement} has one place");
            let (size, root) = (verdict.checkpoint.size().0, verdict.checkpoint.root());
            assert_eq!(*self.roots.entry(size).or_insert(root), root, "one root for {size} entries");
        }
        self.read = receipts.len();
    }

    /// How many statements have been acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.places.len()
    }

    /// Holds the log of a folder at rest against everything that was acknowledged. Returns how many entries it has.
    pub(crate) fn check_log(&self, data: &Path) -> usize {
        let entries = entries(data);
        let sealed: BTreeMap<Hash, u64> =
            entries.iter().map(|entry| (entry.statement, entry.index.0)).collect();
        assert_eq!(sealed.len(), entries.len(), "no statement has two entries");
        for (statement, index) in &self.places {
            assert_eq!(sealed.get(statement), Some(index), "{statement} was acknowledged");
        }
        let (mut tree, mut sizes) = (Frontier::new(), BTreeSet::new());
        for entry in &entries {
            tree.push(entry.leaf_hash());
            let size = tree.size().0;
            if let Some(root) = self.roots.get(&size) {
                assert_eq!(tree.root(), *root, "the checkpoint of {size} entries that was handed out");
                sizes.insert(size);
            }
        }
        assert_eq!(
            sizes.len(),
            self.roots.len(),
            "the log is as long as every checkpoint that was handed out"
        );
        assert!(entries.is_sorted_by_key(|entry| entry.received_at), "times of receipt never go back");
        entries.len()
    }
}

/// `fsck` and `verify` find nothing wrong with a folder.
pub(crate) fn is_sound(home: &Home, data: &Path) {
    let pin = home.pin_file();
    let checks: [&[&str]; 2] = [&["fsck"], &["verify", "--pin", path(&pin)]];
    for check in checks {
        let ended = run([check, &["--json", "--data", path(data)]].concat());
        assert_eq!(ended.code, Some(0), "{check:?}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.json()["verdict"], "sound", "{check:?}: {}", ended.stdout);
    }
}

/// The views of a folder at rest are those of the same folder without any, once it has been served.
pub(crate) fn views_are_what_a_rebuild_gives(home: &Home) {
    let (data, rebuilt) = (home.data(), home.at("rebuilt"));
    copy_folder(&data, &rebuilt);
    copy_folder(&home.at("data.secrets"), &home.at("rebuilt.secrets"));
    fs::remove_dir_all(rebuilt.join("views")).expect("it had views");
    let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&rebuilt)];
    let mut process = Process::start(arguments, &home.at("rebuilt.log"));
    process.listening();
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(0), "{}", process.log_text());
    let (had, gives) = (rows(&data), rows(&rebuilt));
    assert!(had == gives, "the views differ from a rebuild: {} bytes, and {}", had.len(), gives.len());
    for folder in ["rebuilt", "rebuilt.secrets"] {
        fs::remove_dir_all(home.at(folder)).expect("a copy that nobody uses");
    }
}

/// All rows of a folder's views; nobody serves it.
pub(crate) fn rows(data: &Path) -> Vec<u8> {
    let opened = Projector::open(&data.join("views"), Options::default()).expect("views that open");
    assert_eq!(opened.rebuilt, None, "they were left in order");
    let size = entries(data).len() as u64;
    assert_eq!(opened.projector.position().0, size, "they reflect the whole log");
    let rows = opened.projector.dump().expect("rows that read");
    opened.projector.close().expect("written out");
    rows
}
