//! What the folding of recent batches has in memory, so that it need not be read again for each entry.
//!
//! Everything here can be dropped at any time between batches and is then read from the rows. It is as of the end of the
//! last batch that was written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use gt_ledger::record::OwnerId;

use crate::alerts::{AlertId, Content};
use crate::event::StatementRef;
use crate::history::{History, Mark};
use crate::share::Briefs;
use crate::subject::Unit;

/// About 700 bytes each, twice. In a large log tens of thousands of entries lie between two about one child, and a history that is no longer
/// here is read again.
const MOST_EVENTS: usize = 120_000;

/// The histories in use, the agencies' shares, who has several identifiers, which clocks run.
#[derive(Default)]
pub(crate) struct Cache {
    histories: Lately<Unit, History>,
    /// The alerts that a unit has had.
    alerts: Lately<Unit, BTreeSet<AlertId>>,
    /// What an alert says, if it stands, raised or not yet, and since when.
    said: Lately<AlertId, Option<Said>>,
    /// How many events, alerts and lists of them came since the last turn.
    events: usize,
    /// Each agency's shares.
    pub(super) shares: HashMap<String, Briefs>,
    /// What is known of the ways from one agency to another.
    pub(super) edges: HashMap<String, HashMap<String, Way>>,
    /// Who is named by any identifier link.
    pub(super) linked: HashSet<OwnerId>,
    /// The statements that some statement replaces, whether they are here or not, and whoever said so.
    pub(super) replaced: HashSet<StatementRef>,
    /// Alerts whose clocks run, by when they are raised.
    pub(super) clocks: BTreeSet<(i64, AlertId)>,
    /// When the last entry was received.
    pub(super) last_received: Option<i64>,
}

/// The way from one agency to another.
#[derive(Default)]
pub(super) struct Way {
    /// How many shares stand.
    pub(super) shares: usize,
    /// Where there are none and enough children are in common: when that was so. What is said of later times changes nothing about it.
    pub(super) enough_at: Option<i64>,
}

/// What an alert says, and since when.
pub(super) type Said = (Mark, Arc<Content>);

/// What was in use since the last turn, and before that. What is not asked for in two turns goes.
struct Lately<K, V> {
    recent: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Self { recent: HashMap::new(), older: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone, V> Lately<K, V> {
    /// The value, if it is here; it then stays for another turn.
    fn get(&mut self, key: &K) -> Option<&mut V> {
        if !self.recent.contains_key(key) {
            let value = self.older.remove(key)?;
            self.recent.insert(key.clone(), value);
        }
        self.recent.get_mut(key)
    }

    fn turn(&mut self) {
        self.older = std::mem::take(&mut self.recent);
    }
}

impl Cache {
    /// For views at a position: what the rows say of links, replacements and clocks.
    pub(crate) fn new(
        linked: HashSet<OwnerId>,
        replaced: HashSet<StatementRef>,
        clocks: BTreeSet<(i64, AlertId)>,
        last_received: Option<i64>,
    ) -> Self {
        Self { linked, replaced, clocks, last_received, ..Self::default() }
    }

    /// Whether the unit's history is here; if so it stays for another turn.
    pub(super) fn holds(&mut self, unit: &Unit) -> bool {
        self.histories.get(unit).is_some()
    }

    pub(super) fn insert(&mut self, unit: Unit, history: History) {
        self.events += history.len() + 1;
        self.histories.recent.insert(unit, history);
    }

    /// The history of a unit that is here.
    pub(super) fn history(&self, unit: &Unit) -> &History {
        self.histories.recent.get(unit).expect("a unit is loaded before it is looked at")
    }

    pub(super) fn history_mut(&mut self, unit: &Unit) -> &mut History {
        self.events += 1;
        self.histories.recent.get_mut(unit).expect("a unit is loaded before it is changed")
    }

    /// The alerts that the unit has had, if they are known here.
    pub(super) fn alerts(&mut self, unit: &Unit) -> Option<&mut BTreeSet<AlertId>> {
        self.alerts.get(unit)
    }

    pub(super) fn insert_alerts(&mut self, unit: Unit, alerts: BTreeSet<AlertId>) {
        self.events += 1;
        self.alerts.recent.insert(unit, alerts);
    }

    /// What the alert says, if it is known here: nothing, if it does not stand.
    #[allow(clippy::option_option)]
    pub(super) fn said(&mut self, id: &AlertId) -> Option<Option<Said>> {
        self.said.get(id).cloned()
    }

    pub(super) fn insert_said(&mut self, id: AlertId, said: Option<Said>) {
        self.events += 1;
        self.said.recent.insert(id, said);
    }

    /// At the end of a batch: makes room.
    pub(super) fn turn(&mut self) {
        if self.events > MOST_EVENTS {
            self.histories.turn();
            self.alerts.turn();
            self.said.turn();
            self.events = 0;
        }
    }
}
