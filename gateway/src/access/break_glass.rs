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
/// The most of one person's: nobody keeps others from asking.
const MOST_OF_ONE: usize = 20;
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

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooMany {
    /// Of everybody's.
    #[error("a thousand requests wait for approval, and no more are taken")]
    InAll,
    /// Of this reader's.
    #[error(
        "twenty of your requests wait for approval, and no more are taken until one is approved or a day old"
    )]
    Yours,
}

/// The requests that wait, by their ids.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<String, Asked>>);

impl Requests {
    /// Takes a request, and gives it an id: that of the same request, if it waits already.
    pub(crate) fn ask(&self, asked: Asked) -> Result<String, TooMany> {
        let mut waiting = self.waiting(asked.at);
        let again = |known: &Asked| *known == Asked { at: known.at, ..asked.clone() };
        if let Some((id, _)) = waiting.iter().find(|(_, known)| again(known)) {
            return Ok(id.clone());
        }
        if waiting.values().filter(|known| known.subject == asked.subject).count() >= MOST_OF_ONE {
            return Err(TooMany::Yours);
        }
        if waiting.len() >= MOST {
            return Err(TooMany::InAll);
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("the operating system gives random bytes");
        let id = base64url::encode(&id);
        waiting.insert(id.clone(), asked);
        Ok(id)
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
    fn no_more_wait_than_there_is_room_for_and_nobody_takes_it_all() {
        let requests = Requests::default();
        let of = |reader: usize, child: usize, at| {
            let child = OwnerId::from_bytes((child as u128).to_be_bytes());
            requests.ask(Asked { subject: format!("Reader {reader}"), child, ..asked(at) })
        };
        let first = of(0, 0, 0).expect("there is room");
        assert_eq!(of(0, 0, 5), Ok(first), "the same request waits once");
        assert!((1..MOST_OF_ONE).all(|child| of(0, child, 0).is_ok()));
        assert_eq!(of(0, MOST_OF_ONE, 0), Err(TooMany::Yours));
        assert!(of(0, 3, 0).is_ok(), "that one waits");
        for reader in 1..MOST / MOST_OF_ONE {
            assert!((0..MOST_OF_ONE).all(|child| of(reader, child, 0).is_ok()), "{reader}");
        }
        assert_eq!(of(MOST, 0, 0), Err(TooMany::InAll));
        assert!(of(MOST, 0, WAITS_MS).is_ok(), "the old ones have gone");
    }
}
