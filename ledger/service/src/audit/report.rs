use std::collections::HashMap;

use gt_core::checkpoint::Checkpoint;
use serde::Serialize;

use super::source::SourceError;

/// How many faults a report lists; further ones are counted.
pub const MAX_FAULTS: usize = 100;

/// How many faults of one kind a report lists for one bundle: a file in the wrong place makes 256 of them.
const MAX_ALIKE: usize = 3;

/// The code of a part of the log that is not there.
const MISSING: &str = "missing";

/// What an audit comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that was looked at is as it must be.
    Sound,
    /// Something is not as it must be.
    NotSound,
    /// No fault was found, but something that the verdict rests on was not to be had.
    CouldNotTell,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a file of the data folder (or the address it was fetched from), and the entry if it is about one.
    pub place: String,
    /// A stable code for programs.
    pub code: &'static str,
    /// What is wrong, for people. It repeats no value of a statement.
    pub what: String,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Entries that were read.
    pub entries: u64,
    /// Links in them.
    pub links: u64,
    /// Vault records whose checksum holds.
    pub vault_records: u64,
    /// Statements of the registrar, `ledger.created` included.
    pub registrar_statements: u64,
    /// Publishers in the registry, revoked ones and the ledger's own service included, the registrar not.
    pub publishers: u64,
    /// Statements, the registrar's included, that were read and whose signatures hold under the registry.
    pub statements_read: u64,
    /// Statements whose record key is gone.
    pub statements_unreadable: u64,
    /// Disclosures that were read.
    pub disclosures_read: u64,
    /// Disclosures whose data key is gone.
    pub disclosures_unreadable: u64,
    /// Owners with living keys and at least one entry.
    pub owners: u64,
    /// Those of them who are the child of a statement that was read.
    pub children: u64,
}

/// What an audit found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    verdict: Verdict,
    /// The origin that the checkpoint names.
    pub origin: Option<String>,
    /// How many entries the checkpoint covers.
    pub size: Option<u64>,
    /// The checkpoint's root, base64url.
    pub root: Option<String>,
    /// The faults, in the order in which they were found, at most [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many more were found.
    pub more_faults: u64,
    /// What the verdict would rest on and was not to be had.
    pub could_not_tell: Vec<String>,
    /// What somebody should know and is no fault.
    pub notes: Vec<String>,
    /// How much was looked at.
    pub counts: Counts,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, code: &'static str, what: impl Into<String>) -> Self {
        Self { place: place.into(), code, what: what.into() }
    }
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            verdict: Verdict::Sound,
            origin: None,
            size: None,
            root: None,
            faults: Vec::new(),
            more_faults: 0,
            could_not_tell: Vec::new(),
            notes: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// What the audit comes to.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(super) fn covers(&mut self, checkpoint: &Checkpoint) {
        self.origin = Some(checkpoint.origin().to_owned());
        self.size = Some(checkpoint.size().0);
        self.root = Some(checkpoint.root().to_string());
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.verdict = Verdict::NotSound;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }

    /// Takes the faults of one bundle; of those with one code, the first few and how many more there are.
    pub(super) fn add_alike(&mut self, file: &str, faults: Vec<Fault>) {
        let mut of_code: HashMap<&'static str, usize> = HashMap::new();
        let mut codes = Vec::new();
        for fault in faults {
            let count = of_code.entry(fault.code).or_insert_with(|| {
                codes.push(fault.code);
                0
            });
            *count += 1;
            if *count <= MAX_ALIKE {
                self.add(fault);
            }
        }
        for code in codes {
            let more = of_code[code].saturating_sub(MAX_ALIKE);
            if more > 0 {
                self.add(Fault::new(file, code, format!("{more} more of the same kind in this file")));
            }
        }
    }

    pub(super) fn could_not_tell(&mut self, why: impl Into<String>) {
        if self.verdict == Verdict::Sound {
            self.verdict = Verdict::CouldNotTell;
        }
        if self.could_not_tell.len() < MAX_FAULTS {
            self.could_not_tell.push(why.into());
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        if self.notes.len() < MAX_FAULTS {
            self.notes.push(note.into());
        }
    }

    /// Takes what was found on the way, in its order, behind what is here. Counts are left out.
    pub(super) fn append(&mut self, part: Self) {
        part.faults.into_iter().for_each(|fault| self.add(fault));
        self.more_faults += part.more_faults;
        part.could_not_tell.into_iter().for_each(|why| self.could_not_tell(why));
        part.notes.into_iter().for_each(|note| self.note(note));
    }

    /// Whether there are faults, and all of them are that parts are missing.
    pub(super) fn only_lacks_parts(&self) -> bool {
        !self.faults.is_empty() && self.faults.iter().all(|fault| fault.code == MISSING)
    }

    /// What is missing is a fault; what cannot be reached leaves the question open, and so does a place where no ledger ever was.
    pub(super) fn source_error(&mut self, error: &SourceError) {
        match error {
            SourceError::Missing { place } => {
                self.add(Fault::new(place, MISSING, "missing, and the checkpoint covers it"));
            }
            SourceError::TooLong { place } => {
                self.add(Fault::new(place, "too_long", "longer than any such file can be"));
            }
            SourceError::NoFile { place } => {
                self.add(Fault::new(place, "unknown", "neither a file nor a folder"));
            }
            SourceError::NoLedger { .. } | SourceError::Unreachable { .. } => {
                self.could_not_tell(error.to_string());
            }
        }
    }
}
