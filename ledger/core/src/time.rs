//! Points in time, in the one accepted spelling (`docs/FORMATS.md` section 2).

use core::fmt;

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z, within the years 0001–9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not `YYYY-MM-DDThh:mm:ss[.d{1,3}]Z`, or names a day or second that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time as YYYY-MM-DDThh:mm:ss[.ddd]Z")]
pub struct TimeError;

impl TimeError {
    /// The stable code of this error, as problems and test vectors name it.
    pub const fn code(self) -> &'static str {
        "bad_time"
    }
}

/// Times are reckoned in civil time: jiff's own timestamps end a day before the year 9999 does.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

const MIN_MILLIS: i64 = -62_135_596_800_000;
const MAX_MILLIS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since the Unix epoch; `None` outside the years 0001–9999.
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis < MIN_MILLIS || millis > MAX_MILLIS { None } else { Some(Self(millis)) }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses the strict form: upper-case `T` and `Z`, at most three decimals, no leap second.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let (main, fraction) = match bytes {
            [main @ .., b'Z'] if main.len() == 19 => (main, &[][..]),
            [main @ .., b'Z'] if (21..=23).contains(&main.len()) && main[19] == b'.' => {
                (&main[..19], &main[20..])
            }
            _ => return Err(TimeError),
        };
        if !is_shaped(main) || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(TimeError);
        }
        let number = |range: core::ops::Range<usize>| {
            main[range].iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'))
        };
        let small = |range| i8::try_from(number(range)).map_err(|_| TimeError);
        let year = number(0..4);
        if year == 0 {
            return Err(TimeError);
        }
        let civil = DateTime::new(
            year,
            small(5..7)?,
            small(8..10)?,
            small(11..13)?,
            small(14..16)?,
            small(17..19)?,
            0,
        )
        .map_err(|_| TimeError)?;
        let millis =
            (0..3).fold(0, |sum, i| sum * 10 + fraction.get(i).map_or(0, |digit| i64::from(digit - b'0')));
        let since_epoch = civil.duration_since(EPOCH).as_millis() + i128::from(millis);
        i64::try_from(since_epoch).ok().and_then(Self::from_millis).ok_or(TimeError)
    }
}

/// Whether these 19 bytes are digits and separators, each in its place.
fn is_shaped(main: &[u8]) -> bool {
    main.iter().enumerate().all(|(position, byte)| match position {
        4 | 7 => *byte == b'-',
        10 => *byte == b'T',
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    })
}

/// Always with three decimals, as `received_at` is written.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = EPOCH.checked_add(SignedDuration::from_millis(self.0)).map_err(|_| fmt::Error)?;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            civil.millisecond()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_one_spelling_is_accepted() {
        assert_eq!(Timestamp::parse("1970-01-01T00:00:00Z").map(Timestamp::as_millis), Ok(0));
        assert_eq!(
            Timestamp::parse("2024-02-29T23:59:59.5Z").map(|t| t.to_string()),
            Ok("2024-02-29T23:59:59.500Z".into())
        );
        for text in [
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-10T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "2023-01-01t00:00:00Z",
            "2023-01-01T00:00:00z",
            "2023-01-01T00:00:00+00:00",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00.1234Z",
            "2023-01-01 00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2023-1-01T00:00:00Z",
            "2023-01-01T00:00:00",
            "",
            "2023-01-01T00:00:00.1é",
            "-023-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError), "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_millisecond_are_written_and_read() {
        for (millis, text) in
            [(MIN_MILLIS, "0001-01-01T00:00:00.000Z"), (MAX_MILLIS, "9999-12-31T23:59:59.999Z")]
        {
            assert_eq!(Timestamp::from_millis(millis).map(|time| time.to_string()), Some(text.to_owned()));
            assert_eq!(Timestamp::parse(text).map(Timestamp::as_millis), Ok(millis));
        }
        assert_eq!(
            (Timestamp::from_millis(MIN_MILLIS - 1), Timestamp::from_millis(MAX_MILLIS + 1)),
            (None, None)
        );
    }

    proptest! {
        #[test]
        fn text_round_trips(millis in MIN_MILLIS..=MAX_MILLIS) {
            let time = Timestamp::from_millis(millis).expect("in range");
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
        }

        #[test]
        fn arbitrary_text_does_not_panic(text: String) {
            let _ = Timestamp::parse(&text);
        }
    }
}
