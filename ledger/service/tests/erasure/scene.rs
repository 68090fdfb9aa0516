//! A small partnership that knows some children, in words that must not be found afterwards.

use std::fs;
use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_core::erasure::Scope;
use gt_core::json::Value;
use gt_core::statement::{DraftMember, EventType, Owner, Pseudonym, Statement};
use gt_core::verify::Pin;
use gt_ledger::Ledger;
use gt_ledger::audit::{Report, Verdict, fsck, read_pin};
use gt_ledger::erasure::{EraseRequest, ErasureReceipt, Whom};
use gt_ledger::record::{OwnerId, Record};
use gt_ledger::secrets::Secrets;

use crate::partnership::{Home, Publisher, child, fold_keys};

/// What a child's record says in words.
pub(crate) const WORDS: &str = "she told the lollipop lady about the caravan";

pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) ledger: Ledger,
    pub(crate) council: Publisher,
    pub(crate) police: Publisher,
    pub(crate) receipts: Vec<String>,
}

impl Scene {
    /// Children 1–9, each with a note in words and a missing episode, by two agencies; child 1 has both agencies.
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let ledger = home.open();
        let council = home.register(&ledger, "gss:E06000005", 1);
        let police = home.register(&ledger, "police:32", 2);
        let mut scene = Self { home, ledger, council, police, receipts: Vec::new() };
        for n in 1..10 {
            scene.note(n, WORDS);
            let statement = scene.police.next(&child(n));
            scene.seal(&statement);
        }
        scene
    }

    pub(crate) fn seal(&mut self, statement: &Statement) -> u64 {
        let sealed = self.ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealed");
        self.receipts.push(sealed.receipt.to_string());
        sealed.index.0
    }

    /// The council says something about a child in words.
    pub(crate) fn note(&mut self, n: u8, words: &str) -> Statement {
        let statement = about(&mut self.council, "record.released", n, &format!(r#","x":{words:?}"#));
        self.seal(&statement);
        statement
    }

    pub(crate) fn says(&mut self, of_police: bool, event_type: &str, n: u8) -> u64 {
        let publisher = if of_police { &mut self.police } else { &mut self.council };
        let statement = about(publisher, event_type, n, "");
        self.seal(&statement)
    }

    pub(crate) fn link(&mut self, event_type: &str, one: u8, other: u8, at: &str) -> u64 {
        let statement = identifiers(&mut self.council, event_type, one, other, at);
        self.seal(&statement)
    }

    pub(crate) fn erase(&self, n: u8, scope: Scope) -> ErasureReceipt {
        self.ledger.erase(&request(n, scope)).expect("erased")
    }

    pub(crate) fn owner_id(&self, n: u8) -> Option<OwnerId> {
        self.ledger.owner_id(&owner(n))
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        records(&self.ledger)
    }

    pub(crate) fn pin(&self) -> Pin {
        read_pin(&self.home.pin).expect("a pin")
    }

    pub(crate) fn fsck(&self) -> Report {
        fsck(&self.home.data(), Some(&self.home.secrets()), Some(&self.pin()))
    }

    pub(crate) fn assert_sound(&self) -> Report {
        let report = self.fsck();
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
        report
    }

    /// Closes the ledger, folds new keys into their shards, and opens it again.
    pub(crate) fn restart(&mut self) {
        self.ledger.close();
        fold_keys(&self.home.data(), &self.home.secrets());
        let elsewhere = Home::new();
        // The folder's lock goes with the ledger.
        drop(std::mem::replace(&mut self.ledger, elsewhere.open()));
        self.ledger = self.home.open();
    }
}

pub(crate) fn records(ledger: &Ledger) -> Vec<Record> {
    ledger.records(gt_core::LeafIndex(0), 256).expect("reads")
}

pub(crate) fn owner(n: u8) -> Owner {
    Owner::Person(pseudonym(n))
}

pub(crate) fn pseudonym(n: u8) -> Pseudonym {
    Pseudonym::parse(&child(n)).expect("a pseudonym")
}

pub(crate) fn request(n: u8, scope: Scope) -> EraseRequest {
    EraseRequest {
        whom: Whom::Pseudonym(pseudonym(n)),
        scope,
        authority: AgencyCode::parse("gss:E06000005").expect("a code"),
        ground: "EnteredInError",
        known: None,
    }
}

fn json(text: &str) -> Value {
    Value::parse(text.as_bytes()).expect("test JSON")
}

/// A hold, a restriction or the end of one; `extra` is the words in which it is told.
pub(crate) fn about(publisher: &mut Publisher, event_type: &str, n: u8, extra: &str) -> Statement {
    let mut draft = publisher.draft(&child(n));
    draft.event_type = EventType::parse(event_type).expect("a type");
    let ground = if event_type.starts_with("hold") { "Inquiry" } else { "Other" };
    draft.members.retain(|(name, _)| name == "child");
    draft.members.push(("ground".into(), DraftMember::Clear(Value::from(ground))));
    let times = json(r#"{"occurred_at":"2026-03-01T09:00:00Z"}"#);
    draft.members.push(("times".into(), DraftMember::Disclosed(vec![times])));
    if !extra.is_empty() {
        let words = json(&format!("{{\"a\":0{extra}}}"));
        let words = words.as_object().and_then(|object| object.get("x")).expect("words").clone();
        draft.members.push(("reason".into(), DraftMember::Disclosed(vec![words])));
    }
    next(publisher, &draft)
}

/// Two pseudonyms of one person, or of two after all.
pub(crate) fn identifiers(
    publisher: &mut Publisher,
    event_type: &str,
    one: u8,
    other: u8,
    at: &str,
) -> Statement {
    let mut draft = publisher.draft(&child(one));
    draft.event_type = EventType::parse(event_type).expect("a type");
    let sides = [one, other].map(|n| json(&format!(r#"{{"pseudonym":"{}"}}"#, child(n))));
    draft.members = vec![
        ("evidence".into(), DraftMember::Clear(Value::from("DocumentSeen"))),
        ("confidence".into(), DraftMember::Clear(Value::from("Confirmed"))),
        ("identifiers".into(), DraftMember::Disclosed(sides.to_vec())),
        ("times".into(), DraftMember::Disclosed(vec![json(&format!(r#"{{"occurred_at":"{at}"}}"#))])),
    ];
    next(publisher, &draft)
}

fn next(publisher: &mut Publisher, draft: &gt_core::statement::Draft) -> Statement {
    let statement = publisher.sign(draft);
    publisher.seq += 1;
    publisher.prev = statement.hash();
    statement
}

/// Whether any file below a folder has these bytes.
pub(crate) fn is_found_below(folder: &Path, needle: &[u8]) -> bool {
    fs::read_dir(folder).expect("listed").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_found_below(&path, needle);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
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

/// The secrets of a folder whose files a test has written.
pub(crate) fn secrets_of(folder: &Path) -> Secrets {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(folder).expect("listed").flatten() {
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600)).expect("set");
    }
    Secrets::load(folder).expect("sound secrets")
}
