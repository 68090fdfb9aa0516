//! Numbers that look drawn and are the same each time.

pub(super) struct Draw(gt_history::Draw);

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self(gt_history::Draw::new(seed))
    }

    /// A number below `limit`. Its slight bias does no harm here.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0.number() % limit
    }

    pub(super) fn millis(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(limit.unsigned_abs())).expect("what is below an i64 is one")
    }

    pub(super) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let at = self.below(items.len() as u64);
        &items[usize::try_from(at).expect("a position in a list")]
    }
}
