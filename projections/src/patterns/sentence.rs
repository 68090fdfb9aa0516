//! Numbers and spans in words, for what alerts say. Rules do not use them.

use super::{DAY, HOUR};

/// How many days, each begun one counted, lie between two times.
pub(super) fn days_between((from, to): (i64, i64)) -> String {
    let begun = i64::from((to - from) % DAY != 0);
    days(((to - from) / DAY + begun).max(1))
}

pub(super) fn days(number: i64) -> String {
    counted(number, "day")
}

pub(super) fn hours(number: i64) -> String {
    counted(number, "hour")
}

pub(super) fn months(number: i64) -> String {
    counted(number, "month")
}

/// A span of time in whole hours up to two days, and in whole days above.
pub(super) fn lasting(millis: i64) -> String {
    if millis < 2 * DAY { hours((millis / HOUR).max(1)) } else { days(millis / DAY) }
}

pub(super) fn counted(number: i64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_a_person_would_say_them() {
        assert_eq!(days_between((0, 0)), "1 day");
        assert_eq!(days_between((0, 2 * DAY)), "2 days");
        assert_eq!(days_between((0, 2 * DAY + 1)), "3 days");
        assert_eq!(lasting(25 * HOUR), "25 hours");
        assert_eq!(lasting(5 * DAY + HOUR), "5 days");
        assert_eq!(lasting(1), "1 hour");
    }
}
