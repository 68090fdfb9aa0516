//! What the folding of recent batches has in memory, so that it need not be read again for each entry.
//!
//! Everything here can be dropped at any time between batches and is then read from the rows. It is as of the end of the
//! last batch that was written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use gt_ledger::record::OwnerId;

use crate::alerts::{AlertId, Content};
use crate::event::{StatementRef, ViewEvent};
use crate::history::{EventRows, History, Mark};
use crate::share::Briefs;
use crate::subject::Unit;

/// About 700 bytes each, twice.
const MOST_EVENTS: usize = 40_000;
/// Bytes of histories' rows, twice: some 130 for an event. In a large log hundreds of thousands of entries lie between two about one child, and
/// rows that are not here are read from as many runs as have some of them.
const MOST_ROWS: usize = 64 << 20;
/// Alerts, and lists of them: some 100 bytes each, twice.
const MOST_ALERTS: usize = 150_000;

/// The histories in use, the agencies' shares, who has several identifiers, which clocks run.
#[derive(Default)]
pub(crate) struct Cache {
    histories: Lately<Unit, History>,
    /// The rows of histories, those of one after another. They take a fifth of the memory, so they stay longer.
    rows: Lately<Unit, EventRows>,
    /// The alerts that a unit has had.
    alerts: Lately<Unit, BTreeSet<AlertId>>,
    /// What an alert says, if it stands, raised or not yet, and since when.
    said: Lately<AlertId, Option<Said>>,
    /// What came since the last turn: how many events, how many bytes of rows, how many alerts and lists of them.
    events: usize,
    row_bytes: usize,
    listed: usize,
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

    fn remove(&mut self, key: &K) {
        self.recent.remove(key);
        self.older.remove(key);
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
    pub(super) fn holds(&mut self, unit: &Unit, size: u64) -> bool {
        if self.histories.get(unit).is_some() {
            return true;
        }
        let Some(history) = self.rows.get(unit).and_then(|rows| History::of(rows, size)) else {
            return false;
        };
        self.insert_history(unit.clone(), history);
        true
    }

    /// A unit's history, and its rows.
    pub(super) fn insert(&mut self, unit: Unit, history: History, rows: EventRows) {
        self.row_bytes += rows.len();
        self.rows.recent.insert(unit.clone(), rows);
        self.insert_history(unit, history);
    }

    fn insert_history(&mut self, unit: Unit, history: History) {
        self.events += history.len() + 1;
        self.histories.recent.insert(unit, history);
    }

    /// The history of a unit that is here.
    pub(super) fn history(&self, unit: &Unit) -> &History {
        self.histories.recent.get(unit).expect("a unit is loaded before it is looked at")
    }

    /// Adds the entry that is folded, with its row, to the history of a unit that is here.
    pub(super) fn push(&mut self, unit: &Unit, event: ViewEvent, row: &[u8]) {
        if let Some(rows) = self.rows.get(unit) {
            self.row_bytes += row.len();
            rows.push(event.index, row);
        }
        self.events += 1;
        self.history_mut(unit).push(event);
    }

    /// Notes that an event of a unit that is here was replaced.
    pub(super) fn supersede(&mut self, unit: &Unit, index: u64, by: Mark) {
        self.rows.remove(unit);
        self.history_mut(unit).supersede(index, by);
    }

    fn history_mut(&mut self, unit: &Unit) -> &mut History {
        self.histories.recent.get_mut(unit).expect("a unit is loaded before it is changed")
    }

    /// The alerts that the unit has had, if they are known here.
    pub(super) fn alerts(&mut self, unit: &Unit) -> Option<&mut BTreeSet<AlertId>> {
        self.alerts.get(unit)
    }

    pub(super) fn insert_alerts(&mut self, unit: Unit, alerts: BTreeSet<AlertId>) {
        self.listed += 1;
        self.alerts.recent.insert(unit, alerts);
    }

    /// What the alert says, if it is known here: nothing, if it does not stand.
    #[allow(clippy::option_option)]
    pub(super) fn said(&mut self, id: &AlertId) -> Option<Option<Said>> {
        self.said.get(id).cloned()
    }

    pub(super) fn insert_said(&mut self, id: AlertId, said: Option<Said>) {
        self.listed += 1;
        self.said.recent.insert(id, said);
    }

    /// At the end of a batch: makes room.
    pub(super) fn turn(&mut self) {
        if self.events > MOST_EVENTS {
            self.histories.turn();
            self.events = 0;
        }
        if self.row_bytes > MOST_ROWS {
            self.rows.turn();
            self.row_bytes = 0;
        }
        if self.listed > MOST_ALERTS {
            self.alerts.turn();
            self.said.turn();
            self.listed = 0;
        }
    }
}
