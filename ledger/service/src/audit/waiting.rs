use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What one thread puts in and several take out, a bounded number at a time.
///
/// A taker may hold back what it took, to work on several together, as long as there is something to wait for: it is told when there is
/// nothing, since whoever puts in waits for what is held back, or has ended.
pub(super) struct Waiting<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Nothing is put in before something that was taken is done.
    held_up: bool,
    ended: bool,
}

/// Ends it when dropped, however its holder ends.
pub(super) struct Ending<'w, T>(&'w Waiting<T>);

impl<T> Waiting<T> {
    /// At most so many wait.
    pub(super) fn new(most: usize) -> Self {
        let state = State { items: VecDeque::with_capacity(most), held_up: false, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// What ends it for all when this thread leaves. What waits then can still be taken.
    pub(super) const fn ending(&self) -> Ending<'_, T> {
        Ending(self)
    }

    /// Puts one in when there is room. False if it has ended.
    pub(super) fn put(&self, item: T) -> bool {
        let mut state = self.wait_while(|state| state.items.len() >= self.most && !state.ended);
        if !state.ended {
            state.items.push_back(item);
            self.changed.notify_all();
        }
        !state.ended
    }

    /// Says whether nothing is put in before something that was taken is done.
    pub(super) fn hold_up(&self, held_up: bool) {
        self.lock().held_up = held_up;
        self.changed.notify_all();
    }

    /// Takes the next one, once there is one. `None` if it has ended, and, for whoever is `holding` some back, if none will come before
    /// those are done.
    pub(super) fn take(&self, holding: bool) -> Option<T> {
        let mut state =
            self.wait_while(|state| state.items.is_empty() && !state.ended && !(holding && state.held_up));
        let item = state.items.pop_front();
        self.changed.notify_all();
        item
    }

    fn wait_while(&self, condition: impl Fn(&State<T>) -> bool) -> MutexGuard<'_, State<T>> {
        let waited = self.changed.wait_while(self.lock(), |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn who_holds_back_is_told_that_nothing_comes_before_that_is_done() {
        let waiting = Waiting::new(2);
        assert!(waiting.put(1) && waiting.put(2));
        assert_eq!((waiting.take(false), waiting.take(true)), (Some(1), Some(2)));
        waiting.hold_up(true);
        assert_eq!(waiting.take(true), None);
        thread::scope(|scope| {
            // Holding nothing back, it waits for the next.
            let other = scope.spawn(|| waiting.take(false));
            waiting.hold_up(false);
            assert!(waiting.put(3));
            assert_eq!(other.join().expect("no panic"), Some(3));
        });
    }

    #[test]
    fn what_waits_at_the_end_is_taken_still_and_nothing_is_put_in() {
        let waiting = Waiting::new(1);
        assert!(waiting.put(1));
        thread::scope(|scope| {
            // There is no room, and then no taker any more.
            let put = scope.spawn(|| waiting.put(2));
            drop(waiting.ending());
            assert!(!put.join().expect("no panic"));
        });
        assert_eq!((waiting.take(false), waiting.take(false)), (Some(1), None));
    }
}
