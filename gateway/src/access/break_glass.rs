//! What waits for a second person's approval. It is kept in memory alone: nothing has been read yet, and who asked asks again after a restart.
//! What was approved is sealed, and holds on every node.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gt_core::base64url;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{AccessPurpose, AccessRole};

/// The most requests that wait at one time.
const MOST: usize = 1_000;
/// How long a request waits, in milliseconds: a day.
const WAITS_MS: i64 = 24 * 3_600_000;
/// The longest time for which somebody may ask, in hours.
pub(crate) const MAX_HOURS: u32 = 72;

/// Somebody asks to read one child's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) subject: String,
    pub(crate) role: AccessRole,
    pub(crate) child: OwnerId,
    pub(crate) purpose: AccessPurpose,
    /// For how long, from the approval on.
    pub(crate) hours: u32,
    pub(crate) at: Timestamp,
}

/// The requests that wait, by their ids.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<String, Asked>>);

impl Requests {
    /// Takes a request, and gives it an id. None if too many wait.
    pub(crate) fn ask(&self, asked: Asked) -> Option<String> {
        let mut waiting = self.waiting(asked.at);
        if waiting.len() >= MOST {
            return None;
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("the operating system gives random bytes");
        let id = base64url::encode(&id);
        waiting.insert(id.clone(), asked);
        Some(id)
    }

    /// The request of this id, if it waits.
    pub(crate) fn get(&self, id: &str, now: Timestamp) -> Option<Asked> {
        self.waiting(now).get(id).cloned()
    }

    /// Takes a request out, so that it is approved once. Whoever then cannot seal the approval puts it back.
    pub(crate) fn take(&self, id: &str, now: Timestamp) -> Option<Asked> {
        self.waiting(now).remove(id)
    }

    /// Puts back what was taken.
    pub(crate) fn put_back(&self, id: &str, asked: Asked) {
        self.waiting(asked.at).insert(id.to_owned(), asked);
    }

    /// All that wait.
    pub(crate) fn all(&self, now: Timestamp) -> Vec<(String, Asked)> {
        self.waiting(now).iter().map(|(id, asked)| (id.clone(), asked.clone())).collect()
    }

    fn waiting(&self, now: Timestamp) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, asked| now.as_millis() - asked.at.as_millis() < WAITS_MS);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: i64) -> Asked {
        Asked {
            subject: "Kim".into(),
            role: AccessRole::Analyst,
            child: OwnerId::from_bytes([1; 16]),
            purpose: AccessPurpose::Review,
            hours: 8,
            at: Timestamp::from_millis(at).expect("a time"),
        }
    }

    #[test]
    fn a_request_waits_a_day_and_is_taken_once() {
        let requests = Requests::default();
        let at = |millis| Timestamp::from_millis(millis).expect("a time");
        let id = requests.ask(asked(0)).expect("there is room");
        assert_eq!(requests.get(&id, at(WAITS_MS - 1)), Some(asked(0)));
        assert_eq!(requests.take(&id, at(5)), Some(asked(0)));
        assert_eq!(requests.take(&id, at(5)), None);
        requests.put_back(&id, asked(0));
        assert_eq!(requests.all(at(5)).len(), 1);
        assert_eq!(requests.get(&id, at(WAITS_MS)), None);
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let requests = Requests::default();
        assert!((0..MOST).all(|_| requests.ask(asked(0)).is_some()));
        assert_eq!(requests.ask(asked(0)), None);
        assert!(requests.ask(asked(WAITS_MS)).is_some(), "the old ones have gone");
    }
}
