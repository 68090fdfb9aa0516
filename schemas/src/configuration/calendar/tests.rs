use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday, date};
use serde_json::json;

use super::*;
use crate::Configuration;

fn england() -> Calendar {
    Configuration::standard().calendar
}

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

/// Easter Sunday by the Gregorian computus, the rule of the Calendar (New Style) Act 1750.
fn easter(year: i16) -> Date {
    let (golden, century) = (year % 19, year / 100);
    let sun = century - century / 4 - (8 * century + 13) / 25;
    let epact = (sun + 19 * golden + 15) % 30;
    let full_moon = epact - (epact / 28) * (1 - (29 / (epact + 1)) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + full_moon + 2 - century + century / 4) % 7;
    let after_march = full_moon - weekday;
    let month = 3 + (after_march + 40) / 44;
    let day = after_march + 28 - 31 * (month / 4);
    date(year, i8::try_from(month).expect("a month"), i8::try_from(day).expect("a day"))
}

fn by_days(from: Date, days: i64) -> Date {
    from.checked_add(Span::new().days(days)).expect("a day")
}

/// The bank holidays of a year by the Banking and Financial Dealings Act 1971 and its yearly proclamations.
fn by_rule(year: i16) -> BTreeSet<Date> {
    let easter = easter(year);
    let monday = |month, nth| date(year, month, 1).nth_weekday_of_month(nth, Weekday::Monday).expect("a day");
    let mut days = BTreeSet::from([by_days(easter, -2), by_days(easter, 1)]);
    days.extend([monday(5, 1), monday(5, -1), monday(8, -1)]);
    if year == 2023 {
        days.insert(date(2023, 5, 8));
    }
    for fixed in [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)] {
        let mut day = fixed;
        // A day that falls on a weekend has a substitute: the next weekday that is no bank holiday itself.
        while day.weekday().to_monday_one_offset() > 5 || days.contains(&day) {
            day = by_days(day, 1);
        }
        days.insert(day);
    }
    days
}

#[test]
fn the_table_has_the_bank_holidays_of_the_rules() {
    assert_eq!(
        [easter(2023), easter(2025), easter(2028)],
        [date(2023, 4, 9), date(2025, 4, 20), date(2028, 4, 16)]
    );
    let england = england();
    for year in 2023..=2028 {
        let table: BTreeSet<Date> = england.bank_holidays().filter(|day| day.year() == year).collect();
        assert_eq!(table, by_rule(year), "{year}");
        assert!(england.covers(year));
    }
    assert!(!england.covers(2022) && !england.covers(2029));
}

#[test]
fn working_days_are_mondays_to_fridays_without_bank_holidays() {
    let england = england();
    for (day, works) in [
        (date(2026, 4, 2), true),
        (date(2026, 4, 3), false),
        (date(2026, 4, 4), false),
        (date(2026, 4, 6), false),
        (date(2023, 5, 8), false),
        (date(2024, 5, 13), true),
        (date(2026, 12, 26), false),
        (date(2026, 12, 28), false),
        // Without data only weekends count.
        (date(2031, 12, 25), true),
        (date(2031, 12, 27), false),
    ] {
        assert_eq!(england.is_working_day(day), works, "{day}");
    }
}

/// Pattern 7 counts working days; the day on which something happened is not one of them, whatever the hour.
#[test]
fn a_working_day_ends_at_londons_midnight() {
    let england = england();
    for (from, days, end) in [
        // Winter: London is on UTC.
        ("2026-01-06T09:00:00Z", 1, "2026-01-08T00:00:00Z"),
        ("2026-01-06T23:59:59.999Z", 1, "2026-01-08T00:00:00Z"),
        // Summer: half past eleven at night in UTC is the next day in London.
        ("2026-07-07T22:59:59Z", 1, "2026-07-08T23:00:00Z"),
        ("2026-07-07T23:00:00Z", 1, "2026-07-09T23:00:00Z"),
        // Over a weekend, and from within one.
        ("2026-01-09T12:00:00Z", 1, "2026-01-13T00:00:00Z"),
        ("2026-01-10T12:00:00Z", 1, "2026-01-13T00:00:00Z"),
        ("2026-01-09T12:00:00Z", 5, "2026-01-17T00:00:00Z"),
        // The clocks go forward on Sunday 29 March 2026, and back on Sunday 25 October 2026.
        ("2026-03-27T12:00:00Z", 1, "2026-03-30T23:00:00Z"),
        ("2026-03-29T00:30:00Z", 0, "2026-03-29T23:00:00Z"),
        ("2026-10-23T12:00:00Z", 1, "2026-10-27T00:00:00Z"),
        ("2026-10-25T00:30:00Z", 0, "2026-10-26T00:00:00Z"),
        // Good Friday and Easter Monday 2026.
        ("2026-04-02T12:00:00Z", 1, "2026-04-07T23:00:00Z"),
        // Christmas 2026 with a substitute on Monday 28 December, then New Year's Day.
        ("2026-12-24T12:00:00Z", 1, "2026-12-30T00:00:00Z"),
        ("2026-12-24T12:00:00Z", 4, "2027-01-05T00:00:00Z"),
        // Christmas 2027: both substitutes, Monday and Tuesday.
        ("2027-12-24T12:00:00Z", 1, "2027-12-30T00:00:00Z"),
        // New Year 2028, its substitute on Monday 3 January.
        ("2027-12-31T12:00:00Z", 1, "2028-01-05T00:00:00Z"),
    ] {
        assert_eq!(england.end_of_working_day(time(from), days), time(end), "{days} from {from}");
    }
}

#[test]
fn months_keep_the_time_of_day_and_end_with_the_month() {
    let england = england();
    for (from, months, then) in [
        ("2026-01-31T09:00:00Z", 1, "2026-02-28T09:00:00Z"),
        ("2024-01-31T09:00:00Z", 1, "2024-02-29T09:00:00Z"),
        ("2024-02-29T09:00:00.25Z", 12, "2025-02-28T09:00:00.25Z"),
        ("2026-12-15T09:00:00Z", 1, "2027-01-15T09:00:00Z"),
        // Nine in the morning in London, before and after the clocks change.
        ("2026-03-15T09:00:00Z", 1, "2026-04-15T08:00:00Z"),
        ("2026-10-15T08:00:00Z", 1, "2026-11-15T09:00:00Z"),
        // 31 August at half past midnight in London is still the 30th in UTC.
        ("2026-08-30T23:30:00Z", 1, "2026-09-29T23:30:00Z"),
        // Half past one does not exist on 29 March 2026, and exists twice on 25 October 2026.
        ("2026-02-28T01:30:00Z", 13, "2027-03-28T01:30:00Z"),
        ("2025-03-29T01:30:00Z", 12, "2026-03-29T01:30:00Z"),
        ("2026-09-25T00:30:00Z", 1, "2026-10-25T00:30:00Z"),
        ("2026-01-15T09:00:00Z", 0, "2026-01-15T09:00:00Z"),
    ] {
        assert_eq!(england.add_months(time(from), months), time(then), "{months} from {from}");
    }
}

#[test]
fn the_end_of_time_is_the_end() {
    let england = england();
    assert_eq!(england.end_of_working_day(Time::MAX, 1), Time::MAX);
    assert_eq!(england.end_of_working_day(time("2026-01-01T00:00:00Z"), u32::MAX), Time::MAX);
    assert_eq!(england.add_months(Time::MAX, 1), Time::MAX);
    assert_eq!(england.add_months(time("2026-01-01T00:00:00Z"), u32::MAX), Time::MAX);
    assert!(england.end_of_working_day(Time::MIN, 1) > Time::MIN);
}

#[test]
fn a_day_is_a_day_that_there_is() {
    for text in
        ["", "2026-1-1", "2026-02-29", "20260101T0", "2026-01-01T", "0000-01-01", "+026-01-01", "２026-01-1"]
    {
        assert_eq!(parse_day(text), None, "{text}");
    }
    assert_eq!(parse_day("2024-02-29"), Some(date(2024, 2, 29)));
    let twice = json!({ "division": "England", "bank_holidays": ["2026-01-01", "2026-01-01"] });
    assert_eq!(Calendar::read_value(&twice).expect_err("a day twice").path, "/bank_holidays/1");
}
