use super::super::BundleError;
use super::says;
use crate::position::LeafIndex;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was looked at is as it must be, and everything was looked at.
    Sound,
    /// Something is not as it must be.
    NotSound,
    /// No fault was found, but something that the verdict rests on was not to be had.
    CouldNotTell,
}

impl Verdict {
    /// The word that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::NotSound => "not_sound",
            Self::CouldNotTell => "could_not_tell",
        }
    }
}

/// A fault, or something that could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it is about, for programs.
    pub code: &'static str,
    /// Where: a JSON pointer into the bundle, or `/log/<index>` in the open log.
    pub place: String,
    /// What it means, one sentence for a person. It repeats no value of a statement.
    pub says: String,
}

/// Whom a finding is about, as its sentence names it.
#[derive(Clone, Copy)]
pub(super) enum Whom<'a> {
    /// The bundle as a whole, or its checkpoint.
    Bundle,
    /// Its form.
    Form(&'a BundleError),
    /// A statement of the registrar, by its number.
    Registrar(usize),
    /// A record whose entry is not known.
    Record(usize),
    /// An entry, by its index.
    Entry(LeafIndex),
    /// The log's last entry, as the bundle has it.
    Tip,
    /// A subject, by its place in the manifest.
    Subject(usize),
    /// An entry of the open log.
    Log(LeafIndex),
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Findings {
    faults: Vec<Finding>,
    unknowns: Vec<Finding>,
}

impl Findings {
    pub(super) fn fault(&mut self, code: &'static str, place: impl Into<String>, whom: Whom<'_>) {
        self.faults.push(Finding { code, place: place.into(), says: says::sentence(code, whom) });
    }

    pub(super) fn unknown(&mut self, code: &'static str, place: impl Into<String>, whom: Whom<'_>) {
        self.unknowns.push(Finding { code, place: place.into(), says: says::sentence(code, whom) });
    }

    /// How many faults there are so far.
    pub(super) const fn fault_count(&self) -> usize {
        self.faults.len()
    }

    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<Finding>) {
        (self.faults, self.unknowns)
    }
}
