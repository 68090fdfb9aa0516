//! A start from a snapshot of the state comes to what a start from the whole log comes to, whatever happened to the snapshot.

mod partnership;

use std::fs;
use std::path::{Path, PathBuf};

use gt_core::{LeafIndex, TreeSize};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::layout;
use gt_ledger::refusal::Refusal;
use gt_ledger::secrets::Secrets;
use partnership::{Home, Publisher, child};

/// More than two bundles of one publisher, so that whole blocks of links and of its chain are in the file.
const STATEMENTS: u32 = 600;

/// A ledger with statements about some children, closed, so that its snapshot covers everything.
struct Scene {
    home: Home,
    publisher: Publisher,
    /// Every statement, as it was sent.
    sent: Vec<String>,
}

impl Scene {
    fn new(statements: u32) -> Self {
        let home = Home::new();
        let ledger = home.open();
        let publisher = home.register(&ledger, "gss:E06000005", 1);
        let mut scene = Self { home, publisher, sent: Vec::new() };
        scene.seal(&ledger, statements);
        ledger.close();
        drop(ledger);
        scene
    }

    fn seal(&mut self, ledger: &Ledger, statements: u32) {
        let first = self.sent.len();
        self.sent.extend((0..statements).map(|n| {
            let about = child(u8::try_from(n % 7).expect("small"));
            self.publisher.next(&about).to_compact()
        }));
        let prepared = self.sent[first..]
            .iter()
            .map(|text| gt_ledger::prepare::Prepared::new(text.as_bytes()).expect("sound"));
        let waiting: Vec<_> = prepared.map(|prepared| ledger.submit(prepared)).collect();
        for answer in waiting {
            answer.blocking_recv().expect("answered").expect("sealed");
        }
    }

    /// What a start makes of the folder, from how many entries of a snapshot on, and what was wrong with that.
    fn start(&self, folder: &Path) -> (Ledger, u64, Option<String>) {
        let ledger = Ledger::open(folder, &self.home.secrets(), Box::new(SystemClock::default()), None)
            .expect("opens");
        let start = ledger.state_start().clone();
        (ledger, start.from.0, start.fault)
    }

    /// The folder as it is now, for a start that changes it.
    fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("data");
        copy_folder(&self.home.data(), &copy);
        (folder, copy)
    }

    /// The ledger reads everything, knows every statement again, and seals on.
    fn assert_whole(&self, ledger: &Ledger) {
        let mut read = 0;
        while TreeSize(read) < ledger.log().size() {
            let records = ledger.records(LeafIndex(read), 256).expect("reads");
            read += records.len() as u64;
            for record in records {
                let said = record.statement.expect("nothing was erased");
                assert!(said.primary.is_none() || !said.disclosed.is_empty(), "entry {}", record.entry.index);
            }
        }
        for text in self.sent.iter().step_by(97).chain(self.sent.last()) {
            let again = ledger.seal_blocking(text.as_bytes()).expect("known");
            assert!(again.duplicate);
            let receipt = ledger.presentation(again.index).expect("reads").expect("open");
            assert_eq!(receipt, *text);
        }
        assert!(ledger.head(&self.publisher.id).next_seq >= self.publisher.seq);
        let child = gt_core::statement::Owner::Person(
            gt_core::statement::Pseudonym::parse(&child(3)).expect("a pseudonym"),
        );
        let id = ledger.owner_id(&child).expect("known");
        assert_eq!(ledger.owner_of(&id), Some(child));
        let next = self.publisher_at(ledger).next(&partnership::child(3));
        let size = ledger.log().size();
        let sealed = ledger.seal_blocking(next.to_compact().as_bytes()).expect("sealing goes on");
        assert_eq!((sealed.index, sealed.duplicate), (LeafIndex(size.0), false));
    }

    fn publisher_at(&self, ledger: &Ledger) -> Publisher {
        let mut publisher = Publisher::new("gss:E06000005", 1, self.home.genesis());
        let head = ledger.head(&publisher.id);
        (publisher.seq, publisher.prev) = (head.next_seq, head.head);
        publisher
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn index_file(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder.join("state")).expect("a folder").map(|one| one.expect("one").path());
    let mut of_blocks = files.filter(|file| file.file_stem().is_some_and(|stem| stem == "index"));
    let file = of_blocks.next().expect("there is one");
    assert_eq!(of_blocks.next(), None, "and no other");
    file
}

#[test]
fn a_start_goes_on_from_the_snapshot_and_needs_none() {
    let scene = Scene::new(STATEMENTS);
    let (_folder, copy) = scene.copy();
    let size = {
        let (ledger, from, fault) = scene.start(&copy);
        assert_eq!((TreeSize(from), fault), (ledger.log().size(), None), "nothing was read again");
        scene.assert_whole(&ledger);
        ledger.log().size()
    };
    fs::remove_dir_all(copy.join("state")).expect("removed");
    let (ledger, from, fault) = scene.start(&copy);
    assert_eq!((from, fault, ledger.log().size()), (0, None, size));
    scene.assert_whole(&ledger);
}

#[test]
fn a_start_after_a_kill_reads_what_came_after_the_snapshot() {
    let mut scene = Scene::new(STATEMENTS);
    let files = [scene.home.data().join(layout::snapshot()), index_file(&scene.home.data())];
    let before = files.clone().map(|file| fs::read(file).expect("readable"));
    let (ledger, covered, _) = scene.start(&scene.home.data());
    scene.seal(&ledger, 300);
    ledger.close();
    drop(ledger);
    // A process that is killed writes no snapshot of what it has sealed since the last one.
    for (file, bytes) in files.iter().zip(before) {
        fs::write(file, bytes).expect("written");
    }
    let (_folder, copy) = scene.copy();
    let (survivor, from, fault) = scene.start(&copy);
    assert_eq!((from, fault), (covered, None));
    assert_eq!(survivor.log().size(), TreeSize(covered + 300));
    scene.assert_whole(&survivor);
    // And again from what that one left.
    survivor.close();
    drop(survivor);
    let (survivor, from, fault) = scene.start(&copy);
    assert_eq!((TreeSize(from), fault), (survivor.log().size(), None));
}

#[test]
fn a_snapshot_that_is_not_right_is_named_and_not_used() {
    let scene = Scene::new(STATEMENTS);
    let (other, later) = (Scene::new(30), {
        let (_folder, copy) = scene.copy();
        let (ledger, ..) = scene.start(&copy);
        scene.assert_whole(&ledger);
        drop(ledger);
        fs::read(copy.join(layout::snapshot())).expect("a snapshot")
    });
    let sound = fs::read(scene.home.data().join(layout::snapshot())).expect("a snapshot");
    let foreign = fs::read(other.home.data().join(layout::snapshot())).expect("a snapshot");
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        bytes
    };
    let cases = [
        ("cut short", sound[..sound.len() / 2].to_vec(), "does not open"),
        ("cut at its end", sound[..sound.len() - 1].to_vec(), "does not open"),
        ("empty", Vec::new(), "is empty"),
        ("of one byte", vec![1], "does not open"),
        ("flipped early", flipped(30), "does not open"),
        ("flipped late", flipped(sound.len() - 1), "does not open"),
        ("of a later form", [&[9], &sound[1..]].concat(), "another version"),
        ("another ledger's", foreign, "does not open"),
        ("of a log that goes on", later, "restored from an older copy"),
    ];
    for (what, bytes, says) in cases {
        let (_folder, copy) = scene.copy();
        fs::write(copy.join(layout::snapshot()), bytes).expect("written");
        let (ledger, from, fault) = scene.start(&copy);
        let fault = fault.unwrap_or_else(|| panic!("{what}: used"));
        assert!(fault.contains(says), "{what}: {fault}");
        assert_eq!(from, 0, "{what}");
        scene.assert_whole(&ledger);
        drop(ledger);
        let (_, from, fault) = scene.start(&copy);
        assert!(from > 0 && fault.is_none(), "{what}: the next start has a sound one");
    }
}

#[test]
fn an_older_snapshot_only_means_that_more_is_read() {
    let mut scene = Scene::new(STATEMENTS);
    let older = fs::read(scene.home.data().join(layout::snapshot())).expect("a snapshot");
    let (ledger, covered, _) = scene.start(&scene.home.data());
    scene.seal(&ledger, 300);
    ledger.close();
    drop(ledger);
    let (_folder, copy) = scene.copy();
    fs::write(copy.join(layout::snapshot()), older).expect("written");
    let (ledger, from, fault) = scene.start(&copy);
    assert_eq!((from, fault), (covered, None));
    scene.assert_whole(&ledger);
}

#[test]
fn a_snapshot_of_another_history_under_the_same_keys_is_not_used() {
    let scene = Scene::new(STATEMENTS);
    let (_folder, copy) = scene.copy();
    // The copy goes on, and the original goes on otherwise.
    let of_copy = {
        let (ledger, ..) = scene.start(&copy);
        scene.assert_whole(&ledger);
        drop(ledger);
        fs::read(copy.join(layout::snapshot())).expect("a snapshot")
    };
    let (ledger, ..) = scene.start(&scene.home.data());
    let other = scene.publisher_at(&ledger).next(&child(5));
    ledger.seal_blocking(other.to_compact().as_bytes()).expect("sealed");
    ledger.close();
    drop(ledger);
    fs::write(scene.home.data().join(layout::snapshot()), of_copy).expect("written");
    let (_, from, fault) = scene.start(&scene.home.data());
    assert!(from == 0 && fault.is_some_and(|fault| fault.contains("another history")));
}

#[test]
fn blocks_that_are_gone_are_noticed_at_the_start_and_altered_ones_when_they_are_read() {
    let scene = Scene::new(STATEMENTS);
    for keep in [0, 1000] {
        let (_folder, copy) = scene.copy();
        let file = index_file(&copy);
        let bytes = fs::read(&file).expect("readable");
        fs::write(&file, &bytes[..keep]).expect("written");
        let (ledger, from, fault) = scene.start(&copy);
        assert!(from == 0 && fault.is_some_and(|fault| fault.contains("ends at byte")));
        scene.assert_whole(&ledger);
    }
    let (_folder, copy) = scene.copy();
    let file = index_file(&copy);
    let mut bytes = fs::read(&file).expect("readable");
    for at in (0..bytes.len()).step_by(64) {
        bytes[at] ^= 1;
    }
    fs::write(&file, bytes).expect("written");
    let (ledger, from, fault) = scene.start(&copy);
    assert!(from > 0 && fault.is_none());
    // What cannot be read must not pass for erased, nor a duplicate for something new.
    let error = ledger.records(LeafIndex(0), 256).expect_err("it is damaged");
    assert!(error.to_string().contains("state/ is damaged"), "{error}");
    assert!(matches!(ledger.seal_blocking(scene.sent[0].as_bytes()), Err(Refusal::Unreadable)));
    let next = scene.publisher_at(&ledger).next(&child(3));
    ledger.seal_blocking(next.to_compact().as_bytes()).expect("sealing goes on");
    drop(ledger);
    let (ledger, from, _) = scene.start(&copy);
    assert_eq!(from, 0, "the snapshot was removed, so everything is made anew");
    scene.assert_whole(&ledger);
}

#[test]
fn a_keyring_that_lost_owners_is_not_counted_on_from_a_snapshot() {
    let scene = Scene::new(30);
    let (_folder, copy) = scene.copy();
    let shard = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name");
        (name.len() == 2).then(|| entry.path())
    };
    let shards = fs::read_dir(copy.join("keyring")).expect("a folder").map(|entry| entry.expect("an entry"));
    for file in shards.filter_map(shard) {
        fs::remove_file(file).expect("removed");
    }
    let _ = fs::remove_file(copy.join("keyring/journal"));
    let (_, from, fault) = scene.start(&copy);
    assert!(from == 0 && fault.is_some_and(|fault| fault.contains("keyring")));
}

#[test]
fn nothing_personal_is_in_the_snapshot_and_an_old_key_opens_none() {
    let scene = Scene::new(STATEMENTS);
    let secrets = || Secrets::load(&scene.home.secrets_folder()).expect("sound");
    let before = fs::read(scene.home.data().join(layout::snapshot())).expect("a snapshot");
    let of_blocks = index_file(&scene.home.data());
    let (ledger, ..) = scene.start(&scene.home.data());
    ledger.rotate_kek().expect("renewed");
    let after = fs::read(scene.home.data().join(layout::snapshot())).expect("a snapshot");
    assert_ne!(before, after);
    assert_ne!(index_file(&scene.home.data()), of_blocks, "the blocks are under another key too");
    scene.assert_whole(&ledger);
    drop(ledger);
    let keyring = gt_ledger::keyring::Keyring::open(&scene.home.data(), secrets().kek()).expect("opens");
    let snapshot = fs::read(scene.home.data().join(layout::snapshot())).expect("a snapshot");
    let blocks = fs::read(index_file(&scene.home.data())).expect("readable");
    for (tag, held) in keyring.owners() {
        for needle in [tag.as_slice(), &held.link.name(0), &held.link.name(1)[..8]] {
            for bytes in [&before, &snapshot, &blocks] {
                assert!(!bytes.windows(needle.len()).any(|window| window == needle));
            }
        }
    }
    // From before the renewal: under a key that is gone.
    fs::write(scene.home.data().join(layout::snapshot()), before).expect("written");
    let (_, from, fault) = scene.start(&scene.home.data());
    assert!(from == 0 && fault.is_some_and(|fault| fault.contains("before the key-encryption key")));
}

#[test]
fn an_entry_that_rotted_is_neither_a_fork_nor_in_a_receipt() {
    let scene = Scene::new(STATEMENTS);
    let (_folder, copy) = scene.copy();
    let sealed = {
        let (ledger, ..) = scene.start(&copy);
        ledger.seal_blocking(scene.sent[300].as_bytes()).expect("known").index
    };
    // The hash of its statement: all of it still reads, and only the log's root tells.
    let file = copy.join(layout::full_entries(sealed.0 / 256));
    let mut bytes = fs::read(&file).expect("readable");
    let find = |what: &str, from: usize| {
        let found = bytes[from..].windows(what.len()).position(|there| there == what.as_bytes());
        from + found.expect("it is there") + what.len()
    };
    let hash = find(r#""statement":""#, find(&format!(r#"{{"index":{sealed},"#), 0));
    bytes[hash] = if bytes[hash] == b'A' { b'B' } else { b'A' };
    fs::write(&file, bytes).expect("written");
    let (ledger, from, fault) = scene.start(&copy);
    assert!(from > 0 && fault.is_none());
    let again = ledger.seal_blocking(scene.sent[300].as_bytes());
    assert!(matches!(again, Err(Refusal::Unreadable)), "{again:?}");
    assert!(ledger.integrity_alerts().is_empty());
    assert!(ledger.seal_blocking(scene.sent[301].as_bytes()).expect("known").duplicate);
    let next = scene.publisher_at(&ledger).next(&child(3));
    ledger.seal_blocking(next.to_compact().as_bytes()).expect("sealing goes on");
}
