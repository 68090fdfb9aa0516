//! A publisher's chain of statements: where the next one belongs, and what to say of one that belongs elsewhere.

use crate::hash::Hash;
use crate::position::LeafIndex;

/// The entries of one publisher's statements, in `seq` order, and the head that the next one must name.
///
/// The entries of earlier statements may be kept elsewhere, so that a chain takes no more memory the longer it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// How many statements, from the first on, have their entries elsewhere.
    elsewhere: u64,
    entries: Vec<LeafIndex>,
    head: Hash,
}

/// Where a statement with a valid signature belongs in its publisher's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the next one.
    Next,
    /// That `seq` is sealed already, at this index: the same statement again (a duplicate), or a fork.
    Taken(LeafIndex),
    /// The same, at an index that is kept elsewhere.
    TakenEarlier,
    /// Earlier ones are missing.
    Gap,
    /// It has the next `seq`, but names another predecessor than the ledger has.
    OtherPredecessor,
}

impl Chain {
    /// The empty chain. For everybody but the registrar the first `prev` is the genesis leaf hash; for the registrar, zeros.
    pub const fn new(first_prev: Hash) -> Self {
        Self { elsewhere: 0, entries: Vec::new(), head: first_prev }
    }

    /// A chain that goes on: the entries of its first `elsewhere` statements are kept elsewhere, those of the ones after are `entries`.
    pub const fn resumed(elsewhere: u64, entries: Vec<LeafIndex>, head: Hash) -> Self {
        Self { elsewhere, entries, head }
    }

    /// The `seq` that comes next.
    pub fn next_seq(&self) -> u64 {
        self.elsewhere + self.entries.len() as u64
    }

    /// What the next statement must name as `prev`.
    pub const fn head(&self) -> Hash {
        self.head
    }

    /// Where statement `seq` is sealed, if that is not kept elsewhere.
    pub fn entry(&self, seq: u64) -> Option<LeafIndex> {
        self.entries.get(usize::try_from(seq.checked_sub(self.elsewhere)?).ok()?).copied()
    }

    /// The entries that are kept here, and the `seq` of the first of them.
    pub fn kept(&self) -> (u64, &[LeafIndex]) {
        (self.elsewhere, &self.entries)
    }

    /// The entries of the statements before `seq` are kept elsewhere from now on. Never goes back, nor beyond what there is.
    pub fn keep_elsewhere(&mut self, seq: u64) {
        let seq = seq.min(self.next_seq());
        if let Some(more) = seq.checked_sub(self.elsewhere).and_then(|more| usize::try_from(more).ok()) {
            self.entries.drain(..more);
            self.entries.shrink_to(self.entries.len().max(64));
            self.elsewhere = seq;
        }
    }

    /// Says where a statement belongs.
    pub fn place(&self, seq: u64, prev: &Hash) -> Place {
        match (self.entry(seq), seq == self.next_seq()) {
            (Some(index), _) => Place::Taken(index),
            (None, false) if seq < self.elsewhere => Place::TakenEarlier,
            (None, false) => Place::Gap,
            (None, true) if *prev != self.head => Place::OtherPredecessor,
            (None, true) => Place::Next,
        }
    }

    /// Steps past the next statement, sealed at `index`. The caller has seen [`Place::Next`].
    pub fn push(&mut self, index: LeafIndex, statement: Hash) {
        self.entries.push(index);
        self.head = statement;
    }

    /// Forgets every statement from `next_seq` on, whose sealing came to nothing. `head` is what the chain's head was then. Nothing
    /// is forgotten that is kept elsewhere.
    pub fn step_back(&mut self, next_seq: u64, head: Hash) {
        if let Some(Ok(kept)) = next_seq.checked_sub(self.elsewhere).map(usize::try_from)
            && kept < self.entries.len()
        {
            self.entries.truncate(kept);
            self.head = head;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_apart() {
        let genesis = Hash::of(b"genesis");
        let first = Hash::of(b"first");
        let mut chain = Chain::new(genesis);
        assert_eq!(chain.place(0, &first), Place::OtherPredecessor);
        assert_eq!(chain.place(0, &genesis), Place::Next);
        assert_eq!(chain.place(1, &genesis), Place::Gap);
        chain.push(LeafIndex(4), first);
        assert_eq!(chain.place(0, &genesis), Place::Taken(LeafIndex(4)));
        assert_eq!(chain.place(1, &genesis), Place::OtherPredecessor);
        assert_eq!(chain.place(1, &first), Place::Next);
        assert_eq!((chain.next_seq(), chain.head()), (1, first));
        assert_eq!(chain.place(u64::MAX, &first), Place::Gap);
    }

    #[test]
    fn stepping_back_forgets_what_came_to_nothing_and_nothing_else() {
        let (genesis, first) = (Hash::of(b"genesis"), Hash::of(b"first"));
        let mut chain = Chain::new(genesis);
        chain.push(LeafIndex(4), first);
        let before = chain.clone();
        chain.step_back(1, genesis);
        assert_eq!(chain, before, "there is nothing to forget");
        chain.push(LeafIndex(5), Hash::of(b"second"));
        chain.step_back(1, first);
        assert_eq!(chain, before);
        chain.step_back(0, genesis);
        assert_eq!(chain, Chain::new(genesis));
    }

    #[test]
    fn what_is_kept_elsewhere_is_taken_all_the_same() {
        let (genesis, third) = (Hash::of(b"genesis"), Hash::of(b"third"));
        let mut chain = Chain::new(genesis);
        for (index, text) in [(4, "first"), (5, "second"), (9, "third")] {
            chain.push(LeafIndex(index), Hash::of(text.as_bytes()));
        }
        let whole = chain.clone();
        chain.keep_elsewhere(2);
        assert_eq!(chain, Chain::resumed(2, vec![LeafIndex(9)], third));
        assert_eq!((chain.next_seq(), chain.head()), (3, third));
        assert_eq!((chain.place(1, &genesis), chain.entry(1)), (Place::TakenEarlier, None));
        assert_eq!(chain.place(2, &genesis), Place::Taken(LeafIndex(9)));
        assert_eq!((chain.place(3, &third), chain.place(4, &third)), (Place::Next, Place::Gap));
        chain.keep_elsewhere(1);
        assert_eq!(chain.kept(), (2, [LeafIndex(9)].as_slice()), "it does not go back");
        chain.step_back(1, genesis);
        assert_eq!(chain.next_seq(), 3, "what is kept elsewhere is durable");
        chain.step_back(2, Hash::of(b"second"));
        assert_eq!((chain.next_seq(), chain.head()), (2, Hash::of(b"second")));
        chain.keep_elsewhere(u64::MAX);
        assert_eq!(chain.next_seq(), 2);
        assert_eq!(whole.kept().0, 0);
    }
}
