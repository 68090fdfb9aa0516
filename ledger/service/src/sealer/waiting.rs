use std::sync::mpsc::Receiver;

use super::{Checked, MAX_BATCH, MAX_BATCH_BYTES, Work};

/// What waits for the writing thread.
pub(super) struct Waiting<'w> {
    works: &'w Receiver<Work>,
    /// What came after a batch and is no part of it.
    held: Option<Work>,
}

impl<'w> Waiting<'w> {
    pub(super) const fn new(works: &'w Receiver<Work>) -> Self {
        Self { works, held: None }
    }

    /// The next piece of work; waits for one. Statements that were checked in several parts while the last batch was committed make one
    /// batch: a commit costs about the same for few as for many. What the stream has brought keeps its place among them.
    pub(super) fn next(&mut self) -> Option<Work> {
        let mut batch = match self.held.take().map_or_else(|| self.works.recv().ok(), Some)? {
            Work::Seal(batch) => batch,
            news @ Work::Stream(_) => return Some(news),
        };
        while let Ok(work) = self.works.try_recv() {
            match work {
                Work::Seal(more) if fits(&batch, &more) => batch.extend(more),
                other => {
                    self.held = Some(other);
                    break;
                }
            }
        }
        Some(Work::Seal(batch))
    }

    /// Lets go of everything, until nobody sends any more.
    pub(super) fn drop_all(self) {
        drop(self.held);
        self.works.iter().for_each(drop);
    }
}

fn fits(batch: &[Checked], more: &[Checked]) -> bool {
    let bytes = |some: &[Checked]| some.iter().map(|one| one.ticket.prepared.bytes).sum::<usize>();
    batch.len() + more.len() <= MAX_BATCH && bytes(batch) + bytes(more) <= MAX_BATCH_BYTES
}
