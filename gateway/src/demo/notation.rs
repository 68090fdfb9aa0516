//! How the data of the demonstration names people, places and times, and what agencies' systems make of it.
//!
//! | written | becomes |
//! |---|---|
//! | `nhs=Ava` | the pseudonym of Ava's NHS number, from the 999 range, which is nobody's |
//! | `uprn=Old bus station`, `staff=social worker` | the pseudonym of that place, by a number made up for it, or professional |
//! | `T-75 21:30` | 21:30 UTC, 75 days before the day of the demonstration |
//! | `Fri-5 19:30` | 19:30 UTC on the last Friday that is 5 days ago or longer |
//! | `Fri-5+3 19:30` | three days after that |
//! | `@2` | the hash of the statement that came of the case's second draft (set in when the draft is published) |
//!
//! Pseudonyms are HMAC-SHA-256 under the partnership's key, as agencies make them at their edge (DESIGN section 6).

use std::num::NonZeroU16;

use gt_core::hash::Hash;
use gt_schemas::{Identifier, NhsNumber, PartnershipKey, Scheme, Time};
use serde_json::Value;
use zeroize::Zeroizing;

/// A partnership keeps its key to itself. This one is printed here, so nothing real may be named under it.
const PARTNERSHIP_KEY: &[u8; 32] = b"golden thread, demonstration key";
/// Milliseconds in a day.
pub(super) const DAY: i64 = 86_400_000;
/// Milliseconds in a minute.
pub(super) const MINUTE: i64 = 60_000;

/// Reads the demonstration's notation as of a certain day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notation {
    midnight: i64,
}

impl Notation {
    /// For the day in which this moment lies, in milliseconds since the Unix epoch.
    pub(super) const fn new(now: i64) -> Self {
        Self { midnight: now - now.rem_euclid(DAY) }
    }

    /// The day's first moment, in milliseconds since the Unix epoch.
    pub(super) const fn midnight(self) -> i64 {
        self.midnight
    }

    /// The value with all of the notation in it replaced.
    pub(super) fn resolve(self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.read(&text).unwrap_or(text)),
            Value::Array(elements) => elements.into_iter().map(|element| self.resolve(element)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, self.resolve(value))).collect()
            }
            other => other,
        }
    }

    fn read(self, text: &str) -> Option<String> {
        match text.split_once('=') {
            Some(("nhs", name)) => Some(pseudonym(Scheme::Nhs, &nhs_number(name))),
            Some(("uprn", name)) => Some(pseudonym(Scheme::Uprn, &uprn(name))),
            Some(("staff", name)) => Some(pseudonym(Scheme::Staff, name)),
            _ => self.moment(text),
        }
    }

    fn moment(self, text: &str) -> Option<String> {
        let (day, clock) = text.split_once(' ')?;
        let (hours, minutes) = clock.split_once(':')?;
        let day: i64 = match (day.strip_prefix('T'), day.strip_prefix("Fri")) {
            (Some(days), _) => days.parse().ok()?,
            (_, Some(days)) => self.friday(days)?,
            _ => return None,
        };
        let minute = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
        Some(time_text(self.midnight + day * DAY + minute * MINUTE))
    }

    /// `-5` or `-5+3`: in days from today.
    fn friday(self, days: &str) -> Option<i64> {
        let (back, after) = days.split_once('+').unwrap_or((days, "0"));
        let (back, after): (i64, i64) = (back.parse().ok()?, after.parse().ok()?);
        // The epoch began on a Thursday.
        let since_friday = (self.midnight / DAY + back - 1).rem_euclid(7);
        Some(back - since_friday + after)
    }
}

/// The number in a reference to a draft, `@2`.
pub(super) fn reference(text: &str) -> Option<usize> {
    let number = text.strip_prefix('@')?.parse().ok()?;
    (number > 0).then_some(number)
}

/// A moment in milliseconds since the Unix epoch, as events write it.
pub(super) fn time_text(millis: i64) -> String {
    Time::from_millis(millis).expect("the demonstration's days lie within a year of today").to_string()
}

fn pseudonym(scheme: Scheme, text: &str) -> String {
    let key = PartnershipKey::new(NonZeroU16::MIN, Zeroizing::new(*PARTNERSHIP_KEY));
    let identifier = Identifier::of(scheme, text).expect("the demonstration's identifiers are well-formed");
    key.pseudonym(&identifier).as_str().to_owned()
}

/// A well-formed NHS number of the 999 range for a made-up name: always the same one.
fn nhs_number(name: &str) -> String {
    let nine = (0_u32..).map(|attempt| format!("999{:06}", number(attempt, name) % 1_000_000));
    let mut whole = nine.filter_map(|nine| {
        let mut with_check_digit = (0..10).map(|digit| format!("{nine}{digit}"));
        with_check_digit.find(|text| NhsNumber::parse(text).is_ok())
    });
    whole.next().expect("ten in eleven numbers have a check digit")
}

/// A property's number for a made-up place: always the same one. Numbers as high as these are not allocated.
fn uprn(name: &str) -> String {
    format!("999{:09}", number(0, name) % 1_000_000_000)
}

fn number(attempt: u32, name: &str) -> u32 {
    let hash = Hash::of_parts(&[&attempt.to_be_bytes(), name.as_bytes()]);
    hash.as_bytes()[..4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_count_from_the_days_midnight() {
        // 2026-02-05T00:00:00.5Z, from the times' own vectors, and some hours later.
        let notation = Notation::new(1_770_249_600_500 + 9 * 60 * MINUTE);
        let read = |text: &str| notation.resolve(json!({"a": [text]}))["a"][0].clone();
        assert_eq!(read("T-1 21:30"), "2026-02-04T21:30:00Z");
        assert_eq!(read("T+24 09:00"), "2026-03-01T09:00:00Z");
        assert_eq!(read("Tuesday 09:00"), "Tuesday 09:00");
        assert_eq!(read("a=b"), "a=b");
    }

    #[test]
    fn a_friday_is_the_last_one_at_least_so_long_ago() {
        // 2026-02-05 was a Thursday.
        for (later, expected) in
            [(0, "2026-01-30"), (1, "2026-01-30"), (4, "2026-01-30"), (6, "2026-02-06"), (7, "2026-02-06")]
        {
            let notation = Notation::new(1_770_249_600_500 + later * DAY);
            let read = |text: &str| notation.resolve(json!(text));
            assert_eq!(read("Fri-5 19:30"), format!("{expected}T19:30:00Z"), "{later} days later");
        }
        let notation = Notation::new(1_770_249_600_500);
        assert_eq!(notation.resolve(json!("Fri-5+4 11:00")), "2026-02-03T11:00:00Z");
        assert_eq!(notation.resolve(json!("Friday 11:00")), "Friday 11:00");
    }

    #[test]
    fn a_reference_is_a_number_from_1() {
        assert_eq!(reference("@12"), Some(12));
        for text in ["@0", "@", "12", "@me", "a@1"] {
            assert_eq!(reference(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_name_is_the_same_person_and_another_name_is_not() {
        let notation = Notation::new(0);
        let read = |text: &str| notation.resolve(json!(text));
        assert_eq!(read("nhs=Ava"), read("nhs=Ava"));
        assert_ne!(read("nhs=Ava"), read("nhs=Bo"));
        assert_ne!(read("uprn=Ava"), read("staff=Ava"));
        assert!(read("nhs=Ava").as_str().unwrap().starts_with("nhs.1:"));
    }

    #[test]
    fn made_up_numbers_are_well_formed_and_of_the_range_for_nobody() {
        for name in ["Ava", "Bo", "Cal", "Dee", "Eli", "Fay"] {
            let number = nhs_number(name);
            assert!(number.starts_with("999") && NhsNumber::parse(&number).is_ok(), "{name}");
        }
    }
}
