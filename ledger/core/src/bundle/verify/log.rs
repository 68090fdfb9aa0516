//! Step 11: the open log, from entry 0 to the checkpoint. It is also where an older or newer checkpoint is looked up for step 10.

use std::collections::HashMap;

use super::super::SubjectLinks;
use super::finding::{Findings, Whom};
use super::registrar::RegistrarChain;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::hash::Hash;
use crate::link::{CompletenessError, LinkName};
use crate::position::{LeafIndex, TreeSize};
use crate::time::Timestamp;
use crate::tree::{self, Frontier};

/// The entries of a log in order, from wherever they are. Nothing of what it gives is believed before it has been checked.
pub trait OpenLog {
    /// The bytes of the next entry, from entry 0 on; `None` at the end. It is not asked again after an error or the end.
    fn next_entry(&mut self) -> Result<Option<Vec<u8>>, OpenLogError>;
}

/// The log cannot be read. Whoever gave it knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be read")]
pub struct OpenLogError;

/// How far the log was read.
pub(super) enum Seen {
    /// To the checkpoint.
    All,
    /// It ends before.
    TooShort,
    /// It cannot be read before.
    NotRead,
}

/// One passage through the log.
pub(super) struct Walk<'a> {
    head: &'a Checkpoint,
    known_size: Option<TreeSize>,
    chain: &'a RegistrarChain,
    openings: &'a [SubjectLinks],
    watched: HashMap<LinkName, Vec<Watch>>,
    frontier: Frontier,
    last: Option<(Hash, Timestamp)>,
    fault: Option<(&'static str, LeafIndex)>,
    root_at_known: Option<Hash>,
    root_at_head: Option<Hash>,
}

/// A name that must stand in its own entry alone, or in none.
struct Watch {
    own: Option<LeafIndex>,
    other: Option<LeafIndex>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        head: &'a Checkpoint,
        known: Option<&Checkpoint>,
        chain: &'a RegistrarChain,
        openings: &'a [SubjectLinks],
    ) -> Self {
        let mut watched: HashMap<LinkName, Vec<Watch>> = HashMap::new();
        for (name, own) in openings.iter().flat_map(names_of) {
            let of_name = watched.entry(name).or_default();
            if !of_name.iter().any(|watch| watch.own == own) {
                of_name.push(Watch { own, other: None });
            }
        }
        Self {
            head,
            known_size: known.map(Checkpoint::size),
            chain,
            openings,
            watched,
            frontier: Frontier::new(),
            last: None,
            fault: None,
            root_at_known: None,
            root_at_head: None,
        }
    }

    /// The log's root at the known checkpoint's size, if it was read so far.
    pub(super) const fn root_at_known(&self) -> Option<Hash> {
        self.root_at_known
    }

    /// Reads the log up to the later of both checkpoints.
    pub(super) fn run(&mut self, log: &mut dyn OpenLog) -> Seen {
        let until = self.known_size.max(Some(self.head.size())).unwrap_or_default();
        loop {
            self.take_roots();
            if self.frontier.size() >= until {
                return Seen::All;
            }
            let ended = match log.next_entry() {
                Ok(Some(bytes)) => {
                    self.entry(&bytes);
                    continue;
                }
                Ok(None) => Seen::TooShort,
                Err(OpenLogError) => Seen::NotRead,
            };
            return if self.root_at_head.is_some() { Seen::All } else { ended };
        }
    }

    fn take_roots(&mut self) {
        let size = self.frontier.size();
        if Some(size) == self.known_size {
            self.root_at_known = Some(self.frontier.root());
        }
        if size == self.head.size() {
            self.root_at_head = Some(self.frontier.root());
        }
    }

    fn entry(&mut self, bytes: &[u8]) {
        let index = self.frontier.size().next_index();
        let leaf_hash = tree::leaf_hash(bytes);
        self.frontier.push(leaf_hash);
        if self.fault.is_some() || !self.head.size().contains(index) {
            return;
        }
        match self.check(bytes, index) {
            Ok(received_at) => self.last = Some((leaf_hash, received_at)),
            Err(code) => self.fault = Some((code, index)),
        }
    }

    fn check(&mut self, bytes: &[u8], index: LeafIndex) -> Result<Timestamp, &'static str> {
        let entry = Entry::parse(bytes).map_err(|error| error.code())?;
        if entry.index != index {
            return Err("index_differs");
        }
        if entry.prev != self.last.map_or(Hash::ZERO, |(leaf_hash, _)| leaf_hash) {
            return Err("entry_prev");
        }
        if self.last.is_some_and(|(_, time)| entry.received_at < time) {
            return Err("received_at_decreases");
        }
        if entry.registry != self.chain.below(index) {
            return Err("registry_count");
        }
        for link in &entry.links {
            for watch in self.watched.get_mut(&link.name).into_iter().flatten() {
                if watch.own != Some(index) && watch.other.is_none() {
                    watch.other = Some(index);
                }
            }
        }
        Ok(entry.received_at)
    }

    /// The first entry, other than its own, in which a name stands.
    fn elsewhere(&self, name: &LinkName, own: Option<LeafIndex>) -> Option<LeafIndex> {
        self.watched.get(name)?.iter().find(|watch| watch.own == own)?.other
    }
}

/// A subject's names with the entries in which they may stand: l(0)…l(k) in their own, l(k+1) in none.
fn names_of(links: &SubjectLinks) -> impl Iterator<Item = (LinkName, Option<LeafIndex>)> + '_ {
    let openings = links.links.iter().map(|opening| (opening.name, Some(opening.index)));
    openings.chain([(links.next, None)])
}

/// Reports what the log shows. `seen` is `None` if there is no log.
pub(super) fn report(seen: Option<Seen>, walk: &Walk<'_>, is_about_child: bool, findings: &mut Findings) {
    let Some(seen) = seen else {
        if is_about_child {
            findings.unknown("completeness_not_checked", "/completeness", Whom::Bundle);
        }
        return;
    };
    if let Some((code, index)) = walk.fault {
        findings.fault(code, format!("/log/{index}"), Whom::Log(index));
        return;
    }
    match seen {
        Seen::NotRead => findings.unknown("log_not_read", "/log", Whom::Bundle),
        Seen::TooShort => findings.unknown("log_too_short", "/log", Whom::Bundle),
        Seen::All if walk.root_at_head != Some(walk.head.root()) => {
            findings.fault("log_differs", "/log", Whom::Bundle);
        }
        Seen::All => report_names(walk, findings),
    }
}

fn report_names(walk: &Walk<'_>, findings: &mut Findings) {
    for links in walk.openings {
        for (name, own) in names_of(links) {
            let Some(index) = walk.elsewhere(&name, own) else { continue };
            let code = match own {
                Some(_) => CompletenessError::Repeated { n: 0, index }.code(),
                None => CompletenessError::GoesOn { index }.code(),
            };
            findings.fault(code, format!("/log/{index}"), Whom::Log(index));
        }
    }
}
