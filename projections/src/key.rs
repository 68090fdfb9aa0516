//! The keys of the rows, ordered so that a range of keys is a list in the order in which it is read.
//!
//! | key | value | what for |
//! |---|---|---|
//! | `e` index | the event | every other row leads here |
//! | `t` child time index | type | a child's timeline |
//! | `d` time index | | decisions |
//! | `g` agency 0 time index | | an agency's decisions |
//! | `m` child time index | | a child's starts and ends of absences |
//! | `c` context time index | | a context's links |
//! | `h` statement | index | finds a statement that another one replaces |
//! | `x` statement index | | statement was replaced by the entry `index` |
//! | `s` subject alert index | `R` or `W` | an alert was raised, or withdrawn, by the entry `index` |
//! | `l` index alert | pattern, subject | alerts, by the entry that first raised them |
//! | `i` alert | index | finds an alert in `l` |
//!
//! A number is eight bytes, big-endian; a time is milliseconds with its sign bit turned, so that bytes sort as times
//! do. All ids have sixteen bytes.

use crate::alerts::AlertId;
use crate::event::StatementRef;
use crate::history::Subject;

pub(crate) type Key = Vec<u8>;

pub(crate) fn event(index: u64) -> Key {
    join(&[b"e", &index.to_be_bytes()])
}

/// What a child's timeline starts with.
pub(crate) fn timeline(child: &[u8; 16]) -> Key {
    join(&[b"t", child])
}

/// What the list of all decisions starts with.
pub(crate) fn decisions() -> Key {
    b"d".to_vec()
}

/// What an agency's list of decisions starts with. The zero ends the code: no code contains it.
pub(crate) fn decisions_of(agency: &str) -> Key {
    join(&[b"g", agency.as_bytes(), &[0]])
}

/// What the events of a subject start with, those that patterns look at.
pub(crate) fn history(subject: &Subject) -> Key {
    match subject {
        Subject::Child(child) => join(&[b"m", child.as_bytes()]),
        Subject::Context(context) => join(&[b"c", context.as_bytes()]),
    }
}

pub(crate) fn statement(statement: StatementRef) -> Key {
    join(&[b"h", &statement.0])
}

/// What the marks on a replaced statement start with.
pub(crate) fn superseded(statement: StatementRef) -> Key {
    join(&[b"x", &statement.0])
}

/// What the changes of a subject's alerts start with.
pub(crate) fn alert_changes(subject: &Subject) -> Key {
    join(&[b"s", &subject.to_bytes()])
}

pub(crate) fn alert_change(subject: &Subject, alert: &AlertId, index: u64) -> Key {
    join(&[&alert_changes(subject), alert.as_bytes(), &index.to_be_bytes()])
}

/// What the list of all alerts starts with.
pub(crate) fn alerts() -> Key {
    b"l".to_vec()
}

pub(crate) fn alert(first_raised: u64, alert: &AlertId) -> Key {
    join(&[b"l", &first_raised.to_be_bytes(), alert.as_bytes()])
}

pub(crate) fn alert_by_id(alert: &AlertId) -> Key {
    join(&[b"i", alert.as_bytes()])
}

/// A row of a list by time.
pub(crate) fn at(prefix: &[u8], time: i64, index: u64) -> Key {
    join(&[prefix, &ordered(time), &index.to_be_bytes()])
}

/// A row of a list by index.
pub(crate) fn indexed(prefix: &[u8], index: u64) -> Key {
    join(&[prefix, &index.to_be_bytes()])
}

/// The index at the end of a key.
pub(crate) fn last_index(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// A number that is the whole value of a row.
pub(crate) fn number(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

const SIGN: u64 = 1 << 63;

fn ordered(time: i64) -> [u8; 8] {
    (time.cast_unsigned() ^ SIGN).to_be_bytes()
}

fn join(parts: &[&[u8]]) -> Key {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_as_times_and_then_as_indexes(a: (i64, u64), b: (i64, u64)) {
            let (left, right) = (at(b"d", a.0, a.1), at(b"d", b.0, b.1));
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
            prop_assert_eq!(last_index(&left), Some(a.1));
        }
    }

    #[test]
    fn no_agency_lists_anothers_decisions() {
        assert!(!at(&decisions_of("ods:RX10"), 5, 1).starts_with(&decisions_of("ods:RX1")));
    }
}
