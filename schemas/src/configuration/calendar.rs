//! Working days and calendar months in England, by London's civil time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::notation::codes;
use crate::reading::{Members, Read};
use crate::time::Time;

codes! {
    /// Whose bank holidays a calendar has.
    pub enum Division {
        /// England.
        England,
    }
}

/// The bank holidays of a division, substitute days included. Every other Monday to Friday is a working day.
///
/// Its methods reckon in London's civil time by the rule that has held since 1996, `GMT0BST,M3.5.0/1,M10.5.0`, and need
/// no time zone database. What would lie after [`Time::MAX`] is [`Time::MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// Whose bank holidays these are.
    pub division: Division,
    /// The days themselves.
    #[serde(serialize_with = "write_dates")]
    bank_holidays: BTreeSet<Date>,
}

static LONDON: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::posix("GMT0BST,M3.5.0/1,M10.5.0").expect("the rule is a POSIX time zone: tests reckon by it")
});

impl Calendar {
    /// The bank holidays, earliest first.
    pub fn bank_holidays(&self) -> impl Iterator<Item = Date> {
        self.bank_holidays.iter().copied()
    }

    /// Whether the calendar has the bank holidays of this year. In a year without, only weekends count as days off, and
    /// what rests on working days should say so.
    pub fn covers(&self, year: i16) -> bool {
        self.bank_holidays.iter().any(|day| day.year() == year)
    }

    /// Whether the day is a Monday to Friday and no bank holiday.
    pub fn is_working_day(&self, date: Date) -> bool {
        date.weekday().to_monday_one_offset() <= 5 && !self.bank_holidays.contains(&date)
    }

    /// The day that it is in London at this moment.
    pub fn date_of(time: Time) -> Date {
        civil(time).date()
    }

    /// The moment at which the `days`-th working day after the London date of `from` ends: the midnight after it. With 0
    /// days it is the midnight after that date itself, working day or not.
    pub fn end_of_working_day(&self, from: Time, days: u32) -> Time {
        let (mut date, mut left) = (Self::date_of(from), days);
        while left > 0 {
            let Ok(next) = date.tomorrow() else { return Time::MAX };
            date = next;
            left -= u32::from(self.is_working_day(date));
        }
        date.tomorrow().map_or(Time::MAX, |midnight| moment(midnight.at(0, 0, 0, 0)))
    }

    /// The moment that London's clocks show at the same time of day, `months` calendar months after `from`; in a shorter
    /// month on its last day. A time of day that the clocks skip is moved on by the hour that they skip; of one that
    /// they show twice it is the first.
    pub fn add_months(&self, from: Time, months: u32) -> Time {
        let span = Span::new().try_months(i64::from(months));
        let later = span.and_then(|span| civil(from).checked_add(span));
        later.map_or(Time::MAX, moment)
    }
}

/// The moment at which the day ends in London on which `years` years after the London date of `from` are full; of 29 February, in a year
/// without one, the end of the 28th.
pub(super) fn end_of_anniversary(from: Time, years: u32) -> Time {
    let span = Span::new().try_years(i64::from(years));
    let day = span.and_then(|span| Calendar::date_of(from).checked_add(span)).and_then(Date::tomorrow);
    day.map_or(Time::MAX, |midnight| moment(midnight.at(0, 0, 0, 0)))
}

/// What London's clocks show.
fn civil(time: Time) -> DateTime {
    // jiff ends some hours before `Time` does, in the year 9999.
    let timestamp = Timestamp::from_millisecond(time.as_millis()).unwrap_or(Timestamp::MAX);
    LONDON.to_datetime(timestamp)
}

/// When London's clocks show this.
fn moment(civil: DateTime) -> Time {
    let timestamp = LONDON.to_ambiguous_timestamp(civil).compatible();
    timestamp.ok().and_then(|timestamp| Time::from_millis(timestamp.as_millisecond())).unwrap_or(Time::MAX)
}

/// A day, `YYYY-MM-DD`, in the years 0001–9999.
struct Day(Date);

const DAY_PATTERN: &str = "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

fn parse_day(text: &str) -> Option<Date> {
    let digits = |at: usize, byte: u8| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    let sound = text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| digits(at, byte));
    let date: Date = if sound { text.parse().ok()? } else { return None };
    (date.year() > 0).then_some(date)
}

impl Read for Day {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let day = value.as_str().and_then(parse_day).map(Self);
        day.ok_or_else(|| Fault::expected("a day that there is, YYYY-MM-DD").here())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": DAY_PATTERN })
    }
}

impl Read for Calendar {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members = Members::of(value, &["division", "bank_holidays"])?;
        let (division, days) = (members.take("division")?, members.take::<Vec<Day>>("bank_holidays")?);
        members.finish()?;
        let mut bank_holidays = BTreeSet::new();
        for (index, Day(day)) in days.into_iter().enumerate() {
            if !bank_holidays.insert(day) {
                return Err(Fault::expected("each day once")
                    .here()
                    .within_index(index)
                    .within("bank_holidays"));
            }
        }
        Ok(Self { division, bank_holidays })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for Calendar {
    fn schema_name() -> Cow<'static, str> {
        "Calendar".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The days on which nobody is expected to work, besides Saturdays and Sundays.",
            "type": "object",
            "properties": {
                "division": Division::schema(generator),
                "bank_holidays": {
                    "description": "The bank holidays, substitute days included, in any order.",
                    "type": "array",
                    "items": Day::schema(generator),
                    "uniqueItems": true,
                },
            },
            "required": ["division", "bank_holidays"],
            "additionalProperties": false,
        })
    }
}

fn write_dates<S: Serializer>(dates: &BTreeSet<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dates.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests;
