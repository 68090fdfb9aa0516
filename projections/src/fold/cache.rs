//! What the folding of recent batches has in memory, so that it need not be read again for each entry.
//!
//! Everything here can be dropped at any time between batches and is then read from the rows. It is as of the end of the
//! last batch that was written.

use std::collections::{BTreeSet, HashMap, HashSet};

use gt_ledger::record::OwnerId;

use crate::alerts::AlertId;
use crate::history::History;
use crate::share::Brief;
use crate::subject::Unit;

/// About 700 bytes each, twice.
const MOST_EVENTS: usize = 40_000;

/// The histories in use, the agencies' shares, who has several identifiers, which clocks run.
#[derive(Default)]
pub(crate) struct Cache {
    /// In use since the last turn, and before that. What is not asked for in two turns goes.
    recent: HashMap<Unit, History>,
    older: HashMap<Unit, History>,
    events: usize,
    /// Each agency's shares, sorted.
    pub(super) shares: HashMap<String, Vec<Brief>>,
    /// How many shares stand from one agency to another.
    pub(super) edges: HashMap<(String, String), usize>,
    /// Who is named by any identifier link.
    pub(super) linked: HashSet<OwnerId>,
    /// Alerts whose clocks run, by when they are raised.
    pub(super) clocks: BTreeSet<(i64, AlertId)>,
    /// When the last entry was received.
    pub(super) last_received: Option<i64>,
}

impl Cache {
    /// For views at a position: what the rows say of links and clocks.
    pub(crate) fn new(
        linked: HashSet<OwnerId>,
        clocks: BTreeSet<(i64, AlertId)>,
        last_received: Option<i64>,
    ) -> Self {
        Self { linked, clocks, last_received, ..Self::default() }
    }

    /// Whether the unit's history is here; if so it stays for another turn.
    pub(super) fn holds(&mut self, unit: &Unit) -> bool {
        if self.recent.contains_key(unit) {
            return true;
        }
        match self.older.remove(unit) {
            Some(history) => {
                self.insert(unit.clone(), history);
                true
            }
            None => false,
        }
    }

    pub(super) fn insert(&mut self, unit: Unit, history: History) {
        self.events += history.len() + 1;
        self.recent.insert(unit, history);
    }

    /// The history of a unit that is here.
    pub(super) fn history(&self, unit: &Unit) -> &History {
        self.recent.get(unit).expect("a unit is loaded before it is looked at")
    }

    pub(super) fn history_mut(&mut self, unit: &Unit) -> &mut History {
        self.events += 1;
        self.recent.get_mut(unit).expect("a unit is loaded before it is changed")
    }

    /// At the end of a batch: makes room.
    pub(super) fn turn(&mut self) {
        if self.events > MOST_EVENTS {
            self.older = std::mem::take(&mut self.recent);
            self.events = 0;
        }
    }
}
