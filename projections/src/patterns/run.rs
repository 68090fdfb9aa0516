//! Runs: where enough different things happen within a window of time, and how such windows join.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;

use gt_schemas::configuration::Window;

use super::DAY;

/// Finds the runs in items that are sorted by time, as ranges of positions.
///
/// A *qualifying window* is a stretch of items, no longer than the threshold's days from its first to its last
/// (exactly as long is still within), that holds at least the threshold's number of different things. Qualifying
/// windows that have an item in common join; a **run** is as many as join. So a cluster that goes on is one run that
/// grows, and two clusters are two runs as long as no item belongs to both.
pub(super) fn runs<T: Eq + Hash>(items: &[(i64, T)], threshold: Window) -> Vec<RangeInclusive<usize>> {
    let span = i64::from(threshold.days) * DAY;
    let mut inside: HashMap<&T, u32> = HashMap::new();
    let (mut first, mut runs): (usize, Vec<RangeInclusive<usize>>) = (0, Vec::new());
    for (last, (time, thing)) in items.iter().enumerate() {
        *inside.entry(thing).or_default() += 1;
        while time - items[first].0 > span {
            leave(&mut inside, &items[first].1);
            first += 1;
        }
        if inside.len() < usize::try_from(threshold.count).unwrap_or(usize::MAX) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if first <= *run.end() => *run = *run.start()..=last,
            _ => runs.push(first..=last),
        }
    }
    runs
}

fn leave<'t, T: Eq + Hash>(inside: &mut HashMap<&'t T, u32>, thing: &'t T) {
    if let Some(count) = inside.get_mut(thing) {
        *count -= 1;
        if *count == 0 {
            inside.remove(thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_IN_TEN: Window = Window { count: 3, days: 10 };

    fn runs_of(items: &[(i64, char)]) -> Vec<RangeInclusive<usize>> {
        let items: Vec<(i64, char)> = items.iter().map(|(day, thing)| (day * DAY, *thing)).collect();
        runs(&items, THREE_IN_TEN)
    }

    #[test]
    fn the_windows_last_day_is_inside_and_a_millisecond_more_is_not() {
        let span = 10 * DAY;
        assert_eq!(runs(&[(0, 'a'), (1, 'b'), (span, 'c')], THREE_IN_TEN), [0..=2]);
        assert!(runs(&[(0, 'a'), (1, 'b'), (span + 1, 'c')], THREE_IN_TEN).is_empty());
        assert!(runs(&[(0, 'a'), (1, 'b')], THREE_IN_TEN).is_empty());
    }

    #[test]
    fn only_different_things_count_but_all_belong_to_the_run() {
        assert!(runs_of(&[(0, 'a'), (1, 'a'), (2, 'b'), (3, 'b')]).is_empty());
        assert_eq!(runs_of(&[(0, 'a'), (1, 'a'), (2, 'b'), (3, 'c')]), [0..=3]);
        // The first visit lies before the window in which three met.
        assert_eq!(runs_of(&[(0, 'a'), (5, 'a'), (9, 'b'), (12, 'c')]), [1..=3]);
    }

    #[test]
    fn windows_join_while_they_share_an_item() {
        assert_eq!(runs_of(&[(0, 'a'), (5, 'b'), (10, 'c'), (15, 'd'), (20, 'e')]), [0..=4]);
        // Two threes that share only the middle item.
        assert_eq!(runs_of(&[(0, 'a'), (9, 'b'), (10, 'c'), (19, 'd'), (20, 'e')]), [0..=4]);
        assert_eq!(runs_of(&[(0, 'a'), (1, 'b'), (2, 'c'), (13, 'd'), (14, 'e'), (15, 'f')]), [0..=2, 3..=5]);
    }
}
