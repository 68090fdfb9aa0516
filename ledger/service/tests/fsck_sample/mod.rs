//! One ledger that has everything: full and growing bundles, tiles of two levels, shards and a journal, statements with one owner and
//! with many. And a small one, whose keys are quickly tried. They are built once; every test works on copies.

#![allow(dead_code)] // Each test binary uses a part of it.

pub(crate) mod forging;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::statement::{DraftMember, EventType, Statement};
use gt_core::verify::Pin;
use gt_ledger::Ledger;
use gt_ledger::audit::{Report, fsck, read_pin, verify_statements};
use gt_ledger::prepare::Prepared;
use gt_ledger::secrets::Secrets;

use crate::partnership::{Home, Publisher, child, fold_keys};

pub(crate) const ENTRIES: u64 = 610;
/// The first entries are the registrar's: the ledger, its service publisher, the configuration, three publishers.
pub(crate) const REGISTRARS: usize = 6;
pub(crate) const DECISIONS: u64 = 30;
/// The child, two others, the recipient, who decided, who authorised.
pub(crate) const OWNERS_OF_A_DECISION: u64 = 6;
pub(crate) const CHILDREN: u64 = 50;

/// The members of the example that are disclosed.
const DISCLOSED: [&str; 13] = [
    "child",
    "others",
    "item_details",
    "recipient_names",
    "times",
    "refs",
    "purpose_text",
    "rationale",
    "less_intrusive_option",
    "identity_protection_steps",
    "advice_content",
    "practitioner",
    "authoriser",
];
const DECISION: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/examples/decision.recorded.share.json"));
const CHILD_IN_EXAMPLE: &str = "nhs.1:S5gwU5S8Y5U-bxah2P9n2yeC_c72A0KjD6RASvAIcMQ";

/// A ledger to copy.
pub(crate) struct Sample {
    pub(crate) home: Home,
    pub(crate) pin: Pin,
    pub(crate) publishers: [Publisher; 3],
    /// An older checkpoint of the same log.
    pub(crate) older: Vec<u8>,
}

/// A copy of a sample's data folder.
pub(crate) struct Copy {
    folder: tempfile::TempDir,
    of: &'static Sample,
}

pub(crate) fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| build(500, 40, ENTRIES))
}

/// 40 entries about 11 children; the first decision is entry 13.
pub(crate) fn small() -> &'static Sample {
    static SMALL: OnceLock<Sample> = OnceLock::new();
    SMALL.get_or_init(|| build(20, 8, 40))
}

/// After `restart` statements about so many children their keys are folded into their shards, and the ledger is opened again; those of ten
/// or fewer children who are first heard of after that are in the journal.
fn build(restart: u64, children: u64, entries: u64) -> Sample {
    let home = Home::new();
    let ledger = home.open();
    let mut publishers = [("gss:E06000005", 1), ("police:32", 2), ("ods:RX1", 3)]
        .map(|(agency, seed)| home.register(&ledger, agency, seed));
    let mut about = |range: std::ops::Range<u64>| -> Vec<Statement> {
        range
            .map(|n| {
                let publisher = &mut publishers[usize::try_from(n % 3).expect("small")];
                let number = if n < restart { n % children } else { children + n % 10 };
                let about = child(u8::try_from(number).expect("small"));
                if n % 20 == 7 { decision(publisher, &about) } else { publisher.next(&about) }
            })
            .collect()
    };
    seal(&ledger, &about(0..restart));
    ledger.close();
    drop(ledger);
    fold_keys(&home.data(), &home.secrets());
    let older = fs::read(home.data().join("checkpoint")).expect("there");
    let ledger = home.open();
    seal(&ledger, &about(restart..entries - REGISTRARS as u64));
    assert_eq!(ledger.log().size().0, entries);
    ledger.close();
    let pin = read_pin(&home.pin).expect("a pin");
    Sample { home, pin, publishers, older }
}

fn seal(ledger: &Ledger, statements: &[Statement]) {
    let waiting: Vec<_> = statements
        .iter()
        .map(|statement| ledger.submit(Prepared::new(statement.to_compact().as_bytes()).expect("sound")))
        .collect();
    for answer in waiting {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
}

fn decision(publisher: &mut Publisher, about: &str) -> Statement {
    let json = Value::parse(DECISION.replace(CHILD_IN_EXAMPLE, about).as_bytes()).expect("the example");
    let mut draft = publisher.draft(about);
    draft.event_type = EventType::parse("decision.recorded").expect("a type");
    draft.kept = vec!["refs".to_owned()];
    let member = |(name, value): (&str, &Value)| {
        let elements = match value {
            Value::Array(people) if ["others", "recipient_names"].contains(&name) => people.clone(),
            whole => vec![whole.clone()],
        };
        let disclosed = DISCLOSED.contains(&name);
        let member =
            if disclosed { DraftMember::Disclosed(elements) } else { DraftMember::Clear(value.clone()) };
        (name.to_owned(), member)
    };
    draft.members = json.as_object().expect("an object").iter().map(member).collect();
    let statement = publisher.sign(&draft);
    publisher.seq += 1;
    publisher.prev = statement.hash();
    statement
}

impl Sample {
    /// What a test opens as a ledger: opening writes, and other tests are copying the sample meanwhile.
    pub(crate) fn copy(&'static self) -> Copy {
        let folder = tempfile::tempdir().expect("a folder");
        copy_folder(&self.home.data(), &folder.path().join("data"));
        Copy { folder, of: self }
    }

    pub(crate) fn secrets(&self) -> Secrets {
        self.home.secrets()
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let bytes = fs::read(self.home.data().join("checkpoint")).expect("there");
        SignedCheckpoint::parse(&bytes).expect("a checkpoint").checkpoint().clone()
    }
}

impl Copy {
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.data().join(file)).expect("there")
    }

    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.data().join(file);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.data().join(file)).expect("removed");
    }

    /// With the keys and the pin.
    pub(crate) fn fsck(&self) -> Report {
        fsck(&self.data(), Some(&self.of.secrets()), Some(&self.of.pin))
    }

    /// What is signed, with the keys and the pin.
    pub(crate) fn verify(&self) -> Report {
        self.verify_watched(&|_, _| ())
    }

    pub(crate) fn verify_watched(&self, progress: &dyn Fn(u64, u64)) -> Report {
        verify_statements(&self.data(), &self.of.secrets(), Some(&self.of.pin), progress)
    }

    /// Without the keys.
    pub(crate) fn fsck_without_keys(&self) -> Report {
        fsck(&self.data(), None, Some(&self.of.pin))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(from, to).expect("copied");
        }
    }
}

/// Every file below a folder with its contents and when it was changed, and every folder.
pub(crate) fn snapshot(folder: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let mut found = vec![(
        folder.to_owned(),
        fs::metadata(folder).and_then(|about| about.modified()).expect("there"),
        Vec::new(),
    )];
    for entry in fs::read_dir(folder).expect("listed").flatten() {
        if entry.path().is_dir() {
            found.extend(snapshot(&entry.path()));
        } else {
            let modified = entry.metadata().and_then(|about| about.modified()).expect("there");
            found.push((entry.path(), modified, fs::read(entry.path()).expect("read")));
        }
    }
    found.sort();
    found
}

/// The files below `tile/`, `open/`, `vault/` and `keyring/`, and the checkpoint, by their paths.
pub(crate) fn files(copy: &Copy) -> Vec<String> {
    let root = copy.data();
    let path = |path: &Path| path.strip_prefix(&root).expect("below").display().to_string();
    let mut files: Vec<String> = ["tile", "open", "vault", "keyring"]
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| snapshot(&folder))
        .filter(|(path, ..)| path.is_file())
        .map(|(file, ..)| path(&file))
        .collect();
    files.push("checkpoint".to_owned());
    files
}
