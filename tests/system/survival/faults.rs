use super::injection::Failing;
use crate::partnership::Random;

/// What can happen to a ledger that is a process alone.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// `kill -9` in the middle of its work.
    Kill,
    /// `kill -9`, and again while it starts, after so many milliseconds.
    KillAtStart(u64),
    /// It stands still for so many milliseconds.
    Freeze(u64),
    /// Its system calls fail while it works.
    Calls(Failing),
    /// They fail for the views' files alone.
    CallsOnViews(Failing),
    /// They fail while it starts.
    CallsAtStart(Failing),
    /// The disk is full for a while, and it is started on the full disk.
    DiskFull,
    /// Its clock jumps by so many seconds.
    Clock(i64),
    /// The views' files are damaged while it is down.
    Views,
    /// Listeners do not read.
    SlowListeners(usize),
    /// `kill -9` of an agency's own agent and of its `publish`, in the middle of their work.
    Outboxes,
}

impl Fault {
    const KINDS: u64 = 11;

    /// Any fault.
    pub(super) fn drawn(random: &mut Random) -> Self {
        // Calls that fail are of several kinds.
        let kind = random.below(Self::KINDS + 4);
        Self::of_kind(kind.min(Self::KINDS), random)
    }

    /// Those that no other test has: a clock that jumps far, a start that fails, a full disk, damaged views, views that cannot be written, and
    /// two kinds of calls.
    pub(super) fn some(random: &mut Random) -> Vec<Self> {
        let calls = (0..2).map(|kind| Self::Calls(Failing::drawn(kind, random))).collect::<Vec<_>>();
        let start = Self::CallsAtStart(Failing::of_any_start(random));
        let others = [4, 6, 7, 9].map(|kind| Self::of_kind(kind, random));
        [start].into_iter().chain(others).chain(calls).collect()
    }

    fn of_kind(kind: u64, random: &mut Random) -> Self {
        match kind {
            0 => Self::Kill,
            1 => Self::KillAtStart(random.below(400)),
            2 => Self::Freeze(200 + random.below(4_000)),
            3 => Self::Clock(if random.once_in(2) { 1 } else { -1 } * signed(1 + random.below(9))),
            4 => Self::Clock(if random.once_in(2) { 1 } else { -1 } * signed(12 + random.below(3_600))),
            5 => Self::CallsAtStart(Failing::drawn(random.below(Failing::KINDS), random)),
            6 => Self::DiskFull,
            7 => Self::Views,
            8 => Self::SlowListeners(8),
            9 => Self::CallsOnViews(Failing::of_open_files(random)),
            10 => Self::Outboxes,
            _ => Self::Calls(Failing::drawn(random.below(Failing::KINDS), random)),
        }
    }

    /// In words.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Kill => "kill -9".to_owned(),
            Self::KillAtStart(millis) => format!("kill -9, and again {millis} ms into the start"),
            Self::Freeze(millis) => format!("stands still for {millis} ms"),
            Self::Calls(failing) => failing.to_text(),
            Self::CallsOnViews(failing) => format!("on the views {}", failing.to_text()),
            Self::CallsAtStart(failing) => format!("at the start {}", failing.to_text()),
            Self::DiskFull => "the disk is full".to_owned(),
            Self::Clock(seconds) => format!("the clock jumps by {seconds:+} s"),
            Self::Views => "the views are damaged".to_owned(),
            Self::Outboxes => "kill -9 of the agent and of `publish`".to_owned(),
            Self::SlowListeners(count) => format!("{count} listeners do not read"),
        }
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).expect("an hour")
}
