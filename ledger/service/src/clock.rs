//! The sealer's clock, and the watch on it: a log whose times may jump is no evidence.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gt_core::time::Timestamp;

/// How far wall and monotonic clock may drift apart before the sealer stops (DESIGN section 3).
pub const MAX_DRIFT: Duration = Duration::from_secs(10);

/// A wall clock and a monotonic clock.
pub trait Clock: Send {
    /// Milliseconds since the Unix epoch.
    fn wall_millis(&self) -> i64;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn wall_millis(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Wall and monotonic clock have drifted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the wall clock moved {millis} ms against the monotonic clock, and 10,000 are allowed: set the clock right and restart"
)]
pub struct ClockDrift {
    /// By how many milliseconds; positive if the wall clock ran ahead.
    pub millis: i64,
}

/// Gives `received_at`: never decreasing, and only while the two clocks agree.
pub struct Watch {
    clock: Box<dyn Clock>,
    anchor: (i64, Duration),
    last: Timestamp,
}

impl Watch {
    /// Starts at the log's last `received_at`.
    pub fn new(clock: Box<dyn Clock>, last: Timestamp) -> Self {
        let anchor = (clock.wall_millis(), clock.monotonic());
        Self { clock, anchor, last }
    }

    /// Learns that the log has an entry of this time, which another sealer's clock gave.
    pub fn not_before(&mut self, received_at: Timestamp) {
        self.last = self.last.max(received_at);
    }

    /// The time of receipt for a batch.
    pub fn received_at(&mut self) -> Result<Timestamp, ClockDrift> {
        let wall = self.clock.wall_millis();
        let elapsed = i64::try_from((self.clock.monotonic().saturating_sub(self.anchor.1)).as_millis())
            .unwrap_or(i64::MAX);
        let drift = wall.saturating_sub(self.anchor.0).saturating_sub(elapsed);
        if Duration::from_millis(drift.unsigned_abs()) > MAX_DRIFT {
            return Err(ClockDrift { millis: drift });
        }
        let now = Timestamp::from_millis(wall).unwrap_or(self.last);
        self.last = self.last.max(now);
        Ok(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone)]
    struct SetClock(Arc<Mutex<(i64, u64)>>);

    impl Clock for SetClock {
        fn wall_millis(&self) -> i64 {
            self.0.lock().expect("not poisoned").0
        }
        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.lock().expect("not poisoned").1)
        }
    }

    #[test]
    fn time_never_goes_back_and_a_jump_stops_the_sealer() {
        let clock = SetClock(Arc::new(Mutex::new((1_000_000, 0))));
        let last = Timestamp::from_millis(999_000).expect("in range");
        let mut watch = Watch::new(Box::new(clock.clone()), last);
        let mut at = |wall, monotonic| {
            *clock.0.lock().expect("not poisoned") = (wall, monotonic);
            watch.received_at().map(Timestamp::as_millis)
        };
        assert_eq!(at(1_000_500, 500), Ok(1_000_500));
        assert_eq!(at(999_500, 1000), Ok(1_000_500));
        assert_eq!(at(1_011_000, 1000), Ok(1_011_000));
        assert_eq!(at(1_011_001, 1000), Err(ClockDrift { millis: 10_001 }));
        assert_eq!(at(980_000, 1000), Err(ClockDrift { millis: -21_000 }));
    }
}
