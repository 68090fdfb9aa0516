//! When a node that seals leaves the stream to others for a moment.
//!
//! Whoever commits first wins, and a sealer that has work follows its own last batch without having to read it. Another node, which wants
//! to begin an epoch because somebody is to be erased, has to read that batch first, and would lose again and again.

use std::time::{Duration, Instant};

/// How long it seals at most without a pause: a hundredth of its time goes to others. Whoever publishes in a pause waits for it, and that is
/// one in a hundred, so that a p99 hardly knows of it; an erasure is tried for a minute, and has a dozen turns.
const SEALS_FOR: Duration = Duration::from_secs(5);
/// Long enough for another node to read what is there and to commit something of its own.
const PAUSE: Duration = Duration::from_millis(50);

/// Since when a node has sealed without a pause.
#[derive(Default)]
pub(super) struct Turns {
    since: Option<Instant>,
    ended: Option<Instant>,
}

impl Turns {
    /// Looks, after a batch that was begun at this time, whether others are to have their turn; waits until they had it.
    pub(super) fn give_way(&mut self, begun: Instant) {
        if self.is_due(begun, Instant::now()) {
            std::thread::sleep(PAUSE);
            self.since = None;
        }
        self.ended = Some(Instant::now());
    }

    fn is_due(&mut self, begun: Instant, now: Instant) -> bool {
        // It had nothing to do for as long.
        if self.ended.is_none_or(|ended| begun.duration_since(ended) >= PAUSE) {
            self.since = None;
        }
        now.duration_since(*self.since.get_or_insert(begun)) >= SEALS_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_a_turn_once_it_has_sealed_for_long_and_never_paused() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut turns = Turns::default();
        for batch in 0..500 {
            assert!(!turns.is_due(at(batch * 10), at(batch * 10 + 9)), "{batch}");
            turns.ended = Some(at(batch * 10 + 9));
        }
        assert!(turns.is_due(at(5_000), at(5_009)));
        // A pause of its own is as good.
        turns.ended = Some(at(5_009));
        assert!(!turns.is_due(at(5_059), at(5_061)));
        turns.ended = Some(at(5_061));
        assert!(!turns.is_due(at(10_050), at(10_058)), "not since then");
    }
}
