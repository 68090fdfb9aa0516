//! The keys of the rows, ordered so that a range of keys is a list in the order in which it is read.
//!
//! | key | value | what for |
//! |---|---|---|
//! | `s` unit index | the event | a unit's events |
//! | `e` index | unit | finds an event |
//! | `m` time index | | starts of absences |
//! | `d` time index | | decisions |
//! | `g` agency 0 time index | | an agency's decisions |
//! | `h` statement | index | finds a statement that another one names |
//! | `x` statement index | | a statement that is not here yet was replaced by the entry `index` |
//! | `y` unit decision mark | the share, or that there is none | an agency's shares, and those that rely on an agreement |
//! | `v` from 0 to 0 decision mark | the share, or that there is none | who shares with whom |
//! | `f` agency 0 decision mark | findings | what the rules say of an agency's decisions |
//! | `q` due request mark | how it stands | requests, by when they are due |
//! | `r` request mark | how it stands | a request |
//! | `p` agency 0 agency 0 child | | both have said something about the child |
//! | `n` unit alert | | the alerts that a unit has had |
//! | `a` alert index part | the alert, or that it is withdrawn | an alert's changes |
//! | `b` alert index | | what people did about an alert |
//! | `l` index alert | | alerts, by the entry that first made them possible |
//! | `o` time alert | | alerts that stand, by when they are or will be raised |
//! | `k` children time context | | contexts, by the children whom their links have named and by the latest link |
//! | `c` index | when it was received, and the configuration | the rules in force from that entry on |
//!
//! Of `k`, children and time are turned over, so that most and latest come first.
//!
//! A number is eight bytes, big-endian; a time is milliseconds with its sign bit turned, so that bytes sort as times
//! do. A *mark* is the index of the entry that caused the row: rows are added and not changed, so that what a crash left
//! of a batch can be told from what stands.

use gt_ledger::record::ContextId;

use crate::alerts::AlertId;
use crate::event::StatementRef;
use crate::subject::Unit;

pub(crate) type Key = Vec<u8>;

pub(crate) fn event(index: u64) -> Key {
    join(&[b"e", &index.to_be_bytes()])
}

/// What a unit's events start with.
pub(crate) fn history(unit: &Unit) -> Key {
    join(&[b"s", &unit.to_bytes()])
}

/// What all events of a kind of unit start with.
pub(crate) fn histories(tag: u8) -> Key {
    vec![b's', tag]
}

/// What the list of all starts of absences starts with.
pub(crate) fn absences() -> Key {
    b"m".to_vec()
}

/// What the list of all decisions starts with.
pub(crate) fn decisions() -> Key {
    b"d".to_vec()
}

/// What an agency's list of decisions starts with. The zero ends the code: no code contains it.
pub(crate) fn decisions_of(agency: &str) -> Key {
    join(&[b"g", agency.as_bytes(), &[0]])
}

pub(crate) fn statement(statement: StatementRef) -> Key {
    join(&[b"h", &statement.0])
}

/// What the marks on a replaced statement start with.
pub(crate) fn superseded(statement: StatementRef) -> Key {
    join(&[b"x", &statement.0])
}

/// What the marks on all replaced statements start with.
pub(crate) fn all_superseded() -> Key {
    b"x".to_vec()
}

/// What a unit's shares start with.
pub(crate) fn shares(unit: &Unit) -> Key {
    join(&[b"y", &unit.to_bytes()])
}

/// What the shares from one agency to another start with.
pub(crate) fn shared(from: &str, to: &str) -> Key {
    join(&[b"v", from.as_bytes(), &[0], to.as_bytes(), &[0]])
}

/// What the shares of one agency with others start with.
pub(crate) fn shared_by(from: &str) -> Key {
    join(&[b"v", from.as_bytes(), &[0]])
}

/// What all shares between agencies start with.
pub(crate) fn ways() -> Key {
    b"v".to_vec()
}

/// What the shares of all agencies start with.
pub(crate) fn shares_of_agencies() -> Key {
    b"ya".to_vec()
}

/// What the findings of all agencies start with.
pub(crate) fn findings() -> Key {
    b"f".to_vec()
}

/// What an agency's findings start with.
pub(crate) fn findings_of(agency: &str) -> Key {
    join(&[b"f", agency.as_bytes(), &[0]])
}

/// What the rows of requests start with that are due at this time.
pub(crate) fn request_by_due(due: i64) -> Key {
    join(&[b"q", &ordered(due)])
}

/// What the list of requests by when they are due starts with.
pub(crate) fn requests() -> Key {
    b"q".to_vec()
}

/// What the rows of requests by their entries start with.
pub(crate) fn request_by_entry() -> Key {
    b"r".to_vec()
}

/// What the children whom two agencies have in common start with. The order of the two means nothing.
pub(crate) fn in_common(one: &str, other: &str) -> Key {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    join(&[b"p", first.as_bytes(), &[0], second.as_bytes(), &[0]])
}

/// What the list of a unit's alerts starts with.
pub(crate) fn alerts_of(unit: &Unit) -> Key {
    join(&[b"n", &unit.to_bytes()])
}

/// What an alert's changes start with.
pub(crate) fn alert_changes(alert: &AlertId) -> Key {
    join(&[b"a", alert.as_bytes()])
}

pub(crate) fn alert_change(alert: &AlertId, index: u64, part: u8) -> Key {
    join(&[b"a", alert.as_bytes(), &index.to_be_bytes(), &[part]])
}

/// What the rows of what people did about an alert start with.
pub(crate) fn alert_handling(alert: &AlertId) -> Key {
    join(&[b"b", alert.as_bytes()])
}

/// What the list of all alerts starts with.
pub(crate) fn alerts() -> Key {
    b"l".to_vec()
}

pub(crate) fn alert(first: u64, alert: &AlertId) -> Key {
    join(&[b"l", &first.to_be_bytes(), alert.as_bytes()])
}

/// What the list of standing alerts starts with.
pub(crate) fn standing() -> Key {
    b"o".to_vec()
}

/// Whether the key is that of a row that comes and goes. They stand side by side.
pub(crate) fn is_listed(key: &[u8]) -> bool {
    key.first() == Some(&b'o')
}

pub(crate) fn standing_alert(raised_at: i64, alert: &AlertId) -> Key {
    join(&[b"o", &ordered(raised_at), alert.as_bytes()])
}

/// What the list of contexts by their children starts with.
pub(crate) fn contexts_by_children() -> Key {
    b"k".to_vec()
}

pub(crate) fn context_by_children(children: u64, last: i64, context: ContextId) -> Key {
    let last = ordered(last).map(|byte| !byte);
    join(&[b"k", &(!children).to_be_bytes(), &last, context.as_bytes()])
}

/// The children, the time and the context of such a row.
pub(crate) fn read_context_by_children(key: &[u8]) -> Option<(u64, i64, ContextId)> {
    let (children, rest) = key.strip_prefix(b"k")?.split_first_chunk()?;
    let (last, context) = rest.split_first_chunk()?;
    let last = (!u64::from_be_bytes(*last) ^ SIGN).cast_signed();
    Some((!u64::from_be_bytes(*children), last, ContextId::from_bytes(context.try_into().ok()?)))
}

pub(crate) fn configuration(index: u64) -> Key {
    join(&[b"c", &index.to_be_bytes()])
}

/// What the rows of all configurations start with.
pub(crate) fn configurations() -> Key {
    b"c".to_vec()
}

/// The tags and the id with which a key begins that has one there.
pub(crate) fn stem(key: &[u8]) -> Option<&[u8]> {
    match key {
        [b'a' | b'b' | b'h' | b'x', ..] => key.get(..17),
        [b's' | b'n' | b'y', b'c' | b'p' | b'x' | b'g' | b'i' | b'l', ..] => key.get(..18),
        _ => None,
    }
}

/// The first key behind all that start so.
pub(crate) fn after(prefix: &[u8]) -> Key {
    // No key goes on with so many: it holds an index below 2^53.
    join(&[prefix, &[0xff; 64]])
}

/// A row of a list by time.
pub(crate) fn at(prefix: &[u8], time: i64, index: u64) -> Key {
    join(&[prefix, &ordered(time), &index.to_be_bytes()])
}

/// A row of a list by index.
pub(crate) fn indexed(prefix: &[u8], index: u64) -> Key {
    join(&[prefix, &index.to_be_bytes()])
}

/// A row about the entry `index`, caused by the entry `mark`.
pub(crate) fn marked(prefix: &[u8], index: u64, mark: u64) -> Key {
    join(&[prefix, &index.to_be_bytes(), &mark.to_be_bytes()])
}

/// The index at the end of a key.
pub(crate) fn last_index(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The two indexes at the end of a key.
pub(crate) fn last_two(key: &[u8]) -> Option<(u64, u64)> {
    let (before, mark) = key.split_last_chunk::<8>()?;
    Some((last_index(before)?, u64::from_be_bytes(*mark)))
}

/// The time that stands after the first byte of a key.
pub(crate) fn time_after_tag(key: &[u8]) -> Option<i64> {
    let bytes = key.get(1..9)?.first_chunk()?;
    Some((u64::from_be_bytes(*bytes) ^ SIGN).cast_signed())
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
            prop_assert_eq!(time_after_tag(&left), Some(a.0));
        }
    }

    #[test]
    fn of_contexts_that_with_the_most_children_comes_first_and_then_the_latest() {
        let context = |id: u8| ContextId::from_bytes([id; 16]);
        let sorted = [(3, 5, 1), (2, 9, 2), (2, -1, 1), (2, -1, 2), (0, i64::MAX, 1)];
        let keys = sorted.map(|(children, last, id)| context_by_children(children, last, context(id)));
        assert!(keys.is_sorted());
        let read = keys.map(|key| read_context_by_children(&key));
        assert_eq!(read, sorted.map(|(children, last, id)| Some((children, last, context(id)))));
    }

    #[test]
    fn no_agency_lists_anothers_decisions() {
        assert!(!at(&decisions_of("ods:RX10"), 5, 1).starts_with(&decisions_of("ods:RX1")));
    }
}
