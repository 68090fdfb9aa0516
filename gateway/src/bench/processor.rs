//! Processor time and memory, where `/proc` tells. Other processes on the machine take cores away, but no processor time.

use std::path::Path;
use std::time::{Duration, Instant};

/// Its unit there.
const TICK: Duration = Duration::from_millis(10);
/// How long this process must have been quiet.
const QUIET: Duration = Duration::from_millis(100);
/// How long is waited for that.
const PATIENCE: Duration = Duration::from_mins(1);

/// The processor time that this process has used, in user and kernel mode.
pub(super) fn of_this_process() -> Option<Duration> {
    read(Path::new("/proc/self/stat"))
}

/// The processor time that the calling thread has used.
pub(super) fn of_this_thread() -> Option<Duration> {
    read(Path::new("/proc/thread-self/stat"))
}

/// The processor time that another process has used.
pub(super) fn of_process(id: u32) -> Option<Duration> {
    read(&Path::new("/proc").join(id.to_string()).join("stat"))
}

/// Waits until this process does next to nothing: until everything that was put off is done. Returns how long that took.
pub(super) fn until_quiet() -> Duration {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let before = of_this_process();
        std::thread::sleep(QUIET);
        let (Some(before), Some(after)) = (before, of_this_process()) else { break };
        if after.saturating_sub(before) <= TICK {
            return started.elapsed().saturating_sub(QUIET);
        }
    }
    started.elapsed()
}

/// The most that this process had resident, in MiB.
pub(super) fn most_resident() -> Option<f64> {
    of_status("VmHWM:")
}

/// Has [`most_resident`] tell of what comes from now on, where the system lets it.
pub(super) fn forget_most_resident() {
    // It goes on telling of all that was otherwise, which is no less.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// What this process has resident now, in MiB.
pub(super) fn resident() -> Option<f64> {
    of_status("VmRSS:")
}

fn of_status(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

fn read(file: &Path) -> Option<Duration> {
    parse(&std::fs::read_to_string(file).ok()?)
}

fn parse(text: &str) -> Option<Duration> {
    // The process's name comes second, in brackets, and may hold spaces.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)?.checked_add(ticks(12)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_kernel_mode_are_added_whatever_the_name() {
        let text =
            "7 (a) b 1) S 1 7 7 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 1 0 5 1000 10 18446744073709551615";
        assert_eq!(parse(text), Some(Duration::from_millis(2810)));
        assert_eq!(parse("7 (x) S 1"), None);
    }
}
