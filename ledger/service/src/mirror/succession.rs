use gt_core::entry::{Entry, Predecessor, SuccessionError};
use gt_core::{Hash, LeafIndex};

/// What the next entry must follow, as far as somebody can tell who does not see whose statements the entries seal.
pub(super) struct Succession {
    before: Predecessor,
    /// The last entry may have been the registrar's, so the next may count one more.
    author_unknown: bool,
}

impl Succession {
    /// Before entry 0.
    pub(super) const fn new() -> Self {
        Self { before: Predecessor::GENESIS, author_unknown: false }
    }

    /// After this entry, whose leaf hash is known.
    pub(super) const fn after(entry: &Entry, leaf_hash: Hash) -> Self {
        let first = entry.index.0 == 0;
        Self {
            before: Predecessor {
                next_index: LeafIndex(entry.index.0 + 1),
                leaf_hash,
                received_at: Some(entry.received_at),
                registry: if first { 1 } else { entry.registry },
            },
            author_unknown: !first,
        }
    }

    /// Checks that the entry follows, and steps past it.
    pub(super) fn follow(&mut self, entry: &Entry, leaf_hash: Hash) -> Result<(), SuccessionError> {
        let mut before = self.before;
        if self.author_unknown && entry.registry == before.registry + 1 {
            before.registry = entry.registry;
        }
        // Entry 0 is the registrar's: it makes the registrar.
        let first = entry.index.0 == 0;
        before.follow(entry, leaf_hash, first)?;
        *self = Self { before, author_unknown: !first };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::time::Timestamp;

    fn entries(registry: &[u64]) -> Vec<Entry> {
        let mut made: Vec<Entry> = Vec::new();
        for (index, registry) in (0..).zip(registry) {
            made.push(Entry {
                index: LeafIndex(index),
                prev: made.last().map_or(Hash::ZERO, Entry::leaf_hash),
                received_at: Timestamp::from_millis(1_780_000_000_000).expect("in range"),
                registry: *registry,
                links: Vec::new(),
                statement: Hash::of(&index.to_be_bytes()),
            });
        }
        made
    }

    fn outcome(entries: &[Entry]) -> Result<(), &'static str> {
        let mut succession = Succession::new();
        entries
            .iter()
            .try_for_each(|entry| succession.follow(entry, entry.leaf_hash()).map_err(SuccessionError::code))
    }

    #[test]
    fn the_registry_grows_by_one_at_most_and_never_falls() {
        assert_eq!(outcome(&entries(&[0, 1, 1, 2, 3, 3])), Ok(()));
        for wrong in [&[1][..], &[0, 0], &[0, 2], &[0, 1, 3], &[0, 1, 2, 1]] {
            assert_eq!(outcome(&entries(wrong)), Err("entry_registry"), "{wrong:?}");
        }
    }

    #[test]
    fn going_on_after_an_entry_is_as_strict_as_having_seen_it() {
        for registry in [&[0, 1, 1, 2, 3, 3][..], &[0, 1, 2, 1], &[0, 1, 1, 3], &[0, 2]] {
            let all = entries(registry);
            for at in 1..all.len() {
                let mut succession = Succession::after(&all[at - 1], all[at - 1].leaf_hash());
                let alone = succession.follow(&all[at], all[at].leaf_hash()).is_ok();
                if outcome(&all[..at]).is_ok() {
                    assert_eq!(alone, outcome(&all[..=at]).is_ok(), "{registry:?} {at}");
                }
            }
        }
        let mut later = entries(&[0, 1, 1]);
        later[2].received_at = Timestamp::from_millis(0).expect("in range");
        assert_eq!(outcome(&later), Err("entry_time"));
        let mut other = entries(&[0, 1, 1]);
        other[2].prev = Hash::ZERO;
        assert_eq!(outcome(&other), Err("entry_prev"));
        other[2].index = LeafIndex(3);
        assert_eq!(outcome(&other), Err("entry_index"));
    }
}
