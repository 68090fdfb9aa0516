//! What is told as it happens: to any number of listeners, none of whom can hold up another or the log.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gt_projections::{AlertChange, AsOf, Pattern};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// The most changes of alerts that are kept for those who come back.
const MOST_RECENT: usize = 10_000;
/// How far a listener may fall behind, in messages.
const MOST_BEHIND: usize = 4096;
/// The most listeners at a time.
pub(crate) const MOST_LISTENERS: usize = 256;

/// Where something stands in the order in which it is told: the entry that caused it, or that comes next where a deadline passed, and its
/// number among what that entry caused, from 1. Number 0 is before all of them: everything below that tree size has been told.
///
/// Deadlines are numbered in the order in which they pass, before what the next entry itself causes; so a place names the same on every
/// node, and after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    entry: u64,
    number: u32,
}

/// Something that is told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) place: Place,
    /// The alert's pattern; none where the views have advanced.
    pub(crate) pattern: Option<Pattern>,
    /// JSON.
    pub(crate) data: Arc<str>,
}

/// Tells, and keeps what was told lately.
pub(crate) struct Feed {
    state: Mutex<State>,
    listeners: Arc<Semaphore>,
}

struct State {
    recent: VecDeque<Told>,
    /// Everything after this place is among the recent.
    complete_after: Place,
    /// The last place that was given.
    last: Place,
    as_of: AsOf,
    /// None once nothing more will be told.
    sender: Option<broadcast::Sender<Told>>,
}

/// Why nobody can listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// There are as many listeners as there may be.
    TooMany,
    /// Nothing more will be told: the views no longer follow the log, or the ledger is being stopped.
    Over,
}

/// What a listener hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The next thing that is told.
    Told(Told),
    /// What was told after the place that it asked for is no longer kept, up to this one.
    Forgotten {
        /// From where on everything follows.
        complete_after: Place,
    },
    /// It has fallen too far behind, and hears nothing more.
    TooSlow,
}

/// A listener's end.
pub(crate) struct Listener {
    forgotten: Option<Place>,
    waiting: VecDeque<Told>,
    after: Option<Place>,
    live: Option<broadcast::Receiver<Told>>,
    _counted: OwnedSemaphorePermit,
}

impl Place {
    /// Before everything that entries from this tree size on cause.
    pub(crate) const fn at_size(size: u64) -> Self {
        Self { entry: size, number: 0 }
    }

    /// Reads what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (entry, number) = text.split_once('.')?;
        let place = Self { entry: entry.parse().ok()?, number: number.parse().ok()? };
        // One way to write each.
        (place.to_string() == text).then_some(place)
    }

    const fn next_at(self, entry: u64) -> Self {
        if self.entry < entry {
            return Self { entry, number: 1 };
        }
        Self { entry: self.entry, number: self.number + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entry, self.number)
    }
}

impl Feed {
    /// A feed of views that stand here; nothing is known of what was told before.
    pub(crate) fn new(as_of: AsOf) -> Self {
        let start = Place::at_size(as_of.tree_size.0);
        let sender = Some(broadcast::Sender::new(MOST_BEHIND));
        let state = State { recent: VecDeque::new(), complete_after: start, last: start, as_of, sender };
        Self { state: Mutex::new(state), listeners: Arc::new(Semaphore::new(MOST_LISTENERS)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a change of an alert.
    pub(crate) fn tell(&self, change: &AlertChange) {
        let data: Arc<str> = json!(change).to_string().into();
        let mut state = self.state();
        let place = state.last.next_at(change.index.0);
        let told = Told { place, pattern: Some(change.alert.pattern), data };
        state.last = place;
        if state.recent.len() == MOST_RECENT
            && let Some(oldest) = state.recent.pop_front()
        {
            state.complete_after = oldest.place;
        }
        state.recent.push_back(told.clone());
        state.send(told);
    }

    /// Keeps nothing of what was told: who comes back hears that it is not kept, and asks the views.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.recent.clear();
        state.complete_after = state.last;
    }

    /// Tells that the views have advanced, after what their new entries changed.
    pub(crate) fn advance(&self, as_of: AsOf) {
        let mut state = self.state();
        state.as_of = as_of;
        state.last = state.last.max(Place::at_size(as_of.tree_size.0));
        let told = state.tree();
        state.send(told);
    }

    /// Tells nothing more: every listener hears what was told, and then the end.
    pub(crate) fn close(&self) {
        self.state().sender = None;
    }

    /// Whether the views still follow the log, and more will be told.
    pub(crate) fn is_open(&self) -> bool {
        self.state().sender.is_some()
    }

    /// Listens from here on, or from after a place: then it hears first what was told since, as far as that is kept.
    pub(crate) fn listen(&self, after: Option<Place>) -> Result<Listener, Unheard> {
        let counted = Arc::clone(&self.listeners).try_acquire_owned().map_err(|_| Unheard::TooMany)?;
        // Both under one lock, so that nothing falls between them.
        let state = self.state();
        let live = Some(state.sender.as_ref().ok_or(Unheard::Over)?.subscribe());
        let since = |told: &&Told| after.is_some_and(|after| told.place > after);
        let mut waiting: VecDeque<Told> = state.recent.iter().filter(since).cloned().collect();
        let tree = state.tree();
        // What stands at the views' own size (deadlines that have passed) comes after the tree.
        let at = waiting.partition_point(|told| told.place < tree.place);
        waiting.insert(at, tree);
        let forgotten = after.filter(|after| *after < state.complete_after).map(|_| state.complete_after);
        Ok(Listener { forgotten, waiting, after, live, _counted: counted })
    }
}

impl State {
    fn tree(&self) -> Told {
        let place = Place::at_size(self.as_of.tree_size.0);
        Told { place, pattern: None, data: json!(self.as_of).to_string().into() }
    }

    fn send(&self, told: Told) {
        if let Some(sender) = &self.sender {
            // Nobody may be listening.
            let _ = sender.send(told);
        }
    }
}

impl Listener {
    /// The next that it hears; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        if let Some(complete_after) = self.forgotten.take() {
            return Some(Heard::Forgotten { complete_after });
        }
        loop {
            let told = match self.waiting.pop_front() {
                Some(told) => told,
                None => match self.live.as_mut()?.recv().await {
                    Ok(told) => told,
                    Err(RecvError::Lagged(_)) => {
                        self.live = None;
                        return Some(Heard::TooSlow);
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            // Another node may have been ahead of this one when it told the listener.
            if told.pattern.is_none() || self.after.is_none_or(|after| told.place > after) {
                return Some(Heard::Told(told));
            }
        }
    }

    /// Whether this place lies after what the listener had heard when it came.
    pub(crate) fn is_new(&self, place: Place) -> bool {
        self.after.is_none_or(|after| place > after)
    }
}

#[cfg(test)]
mod tests;
