//! A publisher's chain of statements: where the next one belongs, and what to say of one that belongs elsewhere.

use crate::hash::Hash;
use crate::position::LeafIndex;

/// The entries of one publisher's statements, in `seq` order, and the head that the next one must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
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
    /// Earlier ones are missing.
    Gap,
    /// It has the next `seq`, but names another predecessor than the ledger has.
    OtherPredecessor,
}

impl Chain {
    /// The empty chain. For everybody but the registrar the first `prev` is the genesis leaf hash; for the registrar, zeros.
    pub const fn new(first_prev: Hash) -> Self {
        Self { entries: Vec::new(), head: first_prev }
    }

    /// The `seq` that comes next.
    pub fn next_seq(&self) -> u64 {
        self.entries.len() as u64
    }

    /// What the next statement must name as `prev`.
    pub const fn head(&self) -> Hash {
        self.head
    }

    /// Where statement `seq` is sealed.
    pub fn entry(&self, seq: u64) -> Option<LeafIndex> {
        self.entries.get(usize::try_from(seq).ok()?).copied()
    }

    /// Says where a statement belongs.
    pub fn place(&self, seq: u64, prev: &Hash) -> Place {
        match (self.entry(seq), seq == self.next_seq()) {
            (Some(index), _) => Place::Taken(index),
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

    /// Forgets every statement from `next_seq` on, whose sealing came to nothing. `head` is what the chain's head was then.
    pub fn step_back(&mut self, next_seq: u64, head: Hash) {
        if let Ok(kept) = usize::try_from(next_seq)
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
}
