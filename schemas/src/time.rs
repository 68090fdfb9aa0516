//! Times as FORMATS section 2 has them: strict RFC 3339 in UTC, to the millisecond.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::reading::Read;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, in the years 0001–9999. Leap seconds have no such number and are
/// refused.
///
/// `Display` writes `2026-01-05T09:00:00Z`, with three decimals where there are milliseconds. When something happened
/// to a child is personal data, so `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// The text is not a time of FORMATS section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form {}", Time::FORM)]
pub struct NotATime;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const MILLISECONDS_A_DAY: i64 = 86_400_000;

/// Everything that a regular expression can say of a time: all but the length of the month.
const PATTERN: &str = "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,3})?Z$";

impl Time {
    /// The form of a time, in words.
    pub const FORM: &'static str = "YYYY-MM-DDThh:mm:ss[.d{1,3}]Z";

    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000);

    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time that is this many milliseconds after 1970-01-01T00:00:00Z; none outside [`Time::MIN`]…[`Time::MAX`].
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if Self::MIN.0 <= millis && millis <= Self::MAX.0 { Some(Self(millis)) } else { None }
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        parse(text.as_bytes()).ok_or(NotATime)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = EPOCH + SignedDuration::from_millis(self.0);
        let (date, time) = (moment.date(), moment.time());
        write!(f, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day())?;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match time.millisecond() {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time(…)")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Read for Time {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| Fault::BadTime.here())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "RFC 3339 in UTC, upper-case T and Z, at most three decimals, no leap second.",
            "type": "string",
            "format": "date-time",
            "pattern": PATTERN,
        })
    }
}

fn parse(text: &[u8]) -> Option<Time> {
    let (seconds, fraction) = (text.get(..19)?, text.get(19..)?);
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| seconds[at] != byte) {
        return None;
    }
    let field = |from: usize, to: usize| number(&seconds[from..to]);
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    if year == 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let decimals = match fraction {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=3).contains(&digits.len()) => {
            i64::from(number(digits)?) * [100, 10, 1][digits.len() - 1]
        }
        _ => return None,
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let days = date.duration_since(EPOCH.date()).as_secs() / 86_400;
    let of_day = (i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * 1_000;
    Some(Time(days * MILLISECONDS_A_DAY + of_day + decimals))
}

/// Up to four decimal digits.
fn number(digits: &[u8]) -> Option<i16> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i16::from(byte - b'0'));
    digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-02-05T00:00:00.5Z", 1_770_249_600_500),
            ("1969-12-31T23:59:59.999Z", -1),
            ("0001-01-01T00:00:00Z", Time::MIN.0),
            ("9999-12-31T23:59:59.999Z", Time::MAX.0),
        ] {
            assert_eq!(text.parse(), Ok(Time(millis)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2026-01-05",
            "2026-01-05T09:00Z",
            "2026-01-05t09:00:00Z",
            "2026-01-05T09:00:00z",
            "2026-01-05 09:00:00Z",
            "2026-01-05T09:00:00",
            "2026-01-05T09:00:00+00:00",
            "2026-01-05T09:00:00.Z",
            "2026-01-05T09:00:00.1234Z",
            "2026-01-05T09:00:00,5Z",
            "2026-01-05T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-05T09:00:00Z ",
            "２026-01-05T09:00:0Z",
        ] {
            assert_eq!(text.parse::<Time>(), Err(NotATime), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_survives_its_text(millis in Time::MIN.0..=Time::MAX.0) {
            let time = Time::from_millis(millis).expect("in range");
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), like in "[0-9T:.Z-]{18,26}") {
            for text in [text, like] {
                if let Ok(time) = text.parse::<Time>() {
                    prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
                }
            }
        }
    }
}
