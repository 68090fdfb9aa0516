//! Moments in milliseconds since 1970-01-01T00:00:00Z, and the calendar by which England's deadlines run.

use jiff::SignedDuration;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

fn civil(at: i64) -> DateTime {
    EPOCH + SignedDuration::from_millis(at)
}

fn millis(moment: DateTime) -> i64 {
    let since = moment.duration_since(EPOCH);
    since.as_secs() * 1_000 + i64::from(since.subsec_millis())
}

/// A moment as events write it (FORMATS section 2).
pub(crate) fn text(at: i64) -> String {
    let moment = civil(at);
    let seconds = moment.strftime("%Y-%m-%dT%H:%M:%S");
    match at.rem_euclid(1_000) {
        0 => format!("{seconds}Z"),
        fraction => format!("{seconds}.{fraction:03}Z"),
    }
}

/// The same day of the month and time of day, so many civil months later (or earlier).
pub(crate) fn months_later(at: i64, months: i32) -> i64 {
    millis(civil(at) + months.months())
}

pub(crate) fn is_weekend(at: i64) -> bool {
    is_rest(civil(at).date())
}

fn is_rest(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// How far London's clocks are ahead of UTC: an hour from 01:00 UTC on March's last Sunday to 01:00 UTC on October's.
fn ahead_in_london(at: i64) -> i64 {
    let year = civil(at).year();
    let turn = |month: i8| {
        let last = Date::constant(year, month, 31);
        let back = i64::from(last.weekday().to_sunday_zero_offset());
        millis(last.to_datetime(jiff::civil::Time::midnight())) - back * DAY + HOUR
    };
    if (turn(3)..turn(10)).contains(&at) { HOUR } else { 0 }
}

/// The last minute before the end of the `count`th working day after a moment, by London's date. Bank holidays are not
/// known here: who asks keeps to [`is_plain_month`].
pub(crate) fn end_of_working_day(at: i64, count: u32) -> i64 {
    let mut date = civil(at + ahead_in_london(at)).date();
    let mut left = count;
    while left > 0 {
        date = date.tomorrow().expect("histories end long before the year 9999");
        left -= u32::from(!is_rest(date));
    }
    let next = date.tomorrow().expect("histories end long before the year 9999");
    let midnight = millis(next.to_datetime(jiff::civil::Time::midnight()));
    midnight - ahead_in_london(midnight) - MINUTE
}

/// Whether neither this month nor the first days of the next had a bank holiday in England in any recent year.
pub(crate) fn is_plain_month(at: i64) -> bool {
    matches!(civil(at).month(), 2 | 7 | 10 | 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> i64 {
        millis(Date::constant(year, month, day).at(hour, minute, 0, 0))
    }

    #[test]
    fn moments_are_written_as_events_write_them() {
        assert_eq!(text(1_770_249_600_500), "2026-02-05T00:00:00.500Z");
        assert_eq!(text(at(2024, 2, 29, 23, 59)), "2024-02-29T23:59:00Z");
    }

    #[test]
    fn a_working_day_ends_at_midnight_in_london() {
        // A Friday in July: the working day after it is Monday, and London is an hour ahead.
        assert_eq!(end_of_working_day(at(2025, 7, 4, 12, 0), 1), at(2025, 7, 7, 22, 59));
        // Half past eleven in the evening, UTC, is Saturday in London already.
        assert_eq!(end_of_working_day(at(2025, 7, 4, 23, 30), 1), at(2025, 7, 7, 22, 59));
        assert_eq!(end_of_working_day(at(2025, 2, 3, 12, 0), 5), at(2025, 2, 10, 23, 59));
    }

    #[test]
    fn months_are_civil_ones() {
        assert_eq!(months_later(at(2024, 2, 29, 8, 0), 12), at(2025, 2, 28, 8, 0));
    }
}
