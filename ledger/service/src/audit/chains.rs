use std::collections::HashMap;

use gt_core::Hash;
use gt_core::statement::PublisherId;

use crate::refusal::ChainHead;

/// The heads of the publishers' chains.
pub(super) struct Chains {
    heads: HashMap<PublisherId, ChainHead>,
    /// A statement was lost, and it may have been anybody's: a chain is taken up where it goes on.
    broken: bool,
}

/// A statement's place in its publisher's chain.
pub(super) struct ChainStep {
    pub(super) publisher: PublisherId,
    pub(super) seq: u64,
    /// `None` if the statement cannot be read.
    pub(super) prev: Option<Hash>,
    /// The statement's hash.
    pub(super) statement: Hash,
}

impl Chains {
    pub(super) fn new() -> Self {
        Self { heads: HashMap::new(), broken: false }
    }

    /// Says that a statement was lost.
    pub(super) fn break_off(&mut self) {
        self.heads.clear();
        self.broken = true;
    }

    /// Takes the next statement of a chain, whose first one names `first_prev`; tells what is wrong with its place.
    pub(super) fn follow(&mut self, step: &ChainStep, first_prev: Hash) -> Option<(&'static str, String)> {
        let first = ChainHead { next_seq: 0, head: first_prev };
        let before = self.heads.get(&step.publisher).copied().or((!self.broken).then_some(first));
        let after = ChainHead { next_seq: step.seq.saturating_add(1), head: step.statement };
        self.heads.insert(step.publisher, after);
        let before = before?;
        if step.seq != before.next_seq {
            let what = format!("its seq is {}, and its publisher's next is {}", step.seq, before.next_seq);
            let code = if step.seq < before.next_seq { "chain_fork" } else { "chain_gap" };
            return Some((code, what));
        }
        step.prev.filter(|prev| *prev != before.head).map(|_| {
            ("chain_prev", "its prev is not the hash of its publisher's statement before".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_apart() {
        let (genesis, one, two) = (Hash::of(b"genesis"), Hash::of(b"one"), Hash::of(b"two"));
        let step = |seq, prev, statement| ChainStep { publisher: Hash::ZERO, seq, prev, statement };
        let code = |chains: &mut Chains, step| chains.follow(&step, genesis).map(|(code, _)| code);
        let mut chains = Chains::new();
        assert_eq!(code(&mut chains, step(0, Some(genesis), one)), None);
        assert_eq!(code(&mut chains, step(1, None, two)), None);
        assert_eq!(code(&mut chains, step(2, Some(one), two)), Some("chain_prev"));
        assert_eq!(code(&mut chains, step(4, Some(two), one)), Some("chain_gap"));
        assert_eq!(code(&mut chains, step(1, Some(one), two)), Some("chain_fork"));
        chains.break_off();
        assert_eq!(code(&mut chains, step(9, Some(genesis), one)), None);
        assert_eq!(code(&mut chains, step(11, Some(one), two)), Some("chain_gap"));
        assert_eq!(
            Chains::new().follow(&step(u64::MAX, None, one), genesis).map(|(code, _)| code),
            Some("chain_gap")
        );
    }
}
