//! How the data of the demonstration names people, places and times, and what agencies' systems make of it.
//!
//! | written | becomes |
//! |---|---|
//! | `nhs=Ava` | the pseudonym of Ava's NHS number, from the 999 range, which is nobody's |
//! | `uprn=Old bus station`, `staff=social worker` | the pseudonym of that place or professional |
//! | `T-75 21:30` | 21:30 UTC, 75 days before the day of the demonstration |
//!
//! Pseudonyms are HMAC-SHA-256 under the partnership's key, as agencies make them at their edge (DESIGN section 6).

use gt_core::base64url;
use gt_core::hash::Hash;
use gt_schemas::Time;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// A partnership keeps its key to itself. This one is printed here, so nothing real may be named under it.
const PARTNERSHIP_KEY: &[u8] = b"golden thread's demonstration key";
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
            Some(("nhs", name)) => Some(pseudonym("nhs", &nhs_number(name))),
            Some((scheme @ ("uprn" | "staff"), name)) => Some(pseudonym(scheme, name)),
            _ => self.moment(text),
        }
    }

    fn moment(self, text: &str) -> Option<String> {
        let (days, clock) = text.strip_prefix('T')?.split_once(' ')?;
        let (hours, minutes) = clock.split_once(':')?;
        let day: i64 = days.parse().ok()?;
        let minute = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
        Some(time_text(self.midnight + day * DAY + minute * MINUTE))
    }
}

/// A moment in milliseconds since the Unix epoch, as events write it.
pub(super) fn time_text(millis: i64) -> String {
    Time::from_millis(millis).expect("the demonstration's days lie within a year of today").to_string()
}

fn pseudonym(scheme: &str, value: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(PARTNERSHIP_KEY).expect("HMAC takes keys of any length");
    for part in [scheme.as_bytes(), b"\0", value.as_bytes()] {
        mac.update(part);
    }
    format!("{scheme}.1:{}", base64url::encode(&mac.finalize().into_bytes()))
}

/// A well-formed NHS number of the 999 range for a made-up name: always the same one.
fn nhs_number(name: &str) -> String {
    let numbers = (0_u32..).map(|attempt| {
        let hash = Hash::of_parts(&[&attempt.to_be_bytes(), name.as_bytes()]);
        let six = hash.as_bytes()[..4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("999{:06}", six % 1_000_000)
    });
    let mut whole = numbers.filter_map(|nine| Some(format!("{nine}{}", check_digit(&nine)?)));
    whole.next().expect("ten in eleven numbers have a check digit")
}

/// The tenth digit of an NHS number (modulus 11, weights 10 to 2); none where it would be ten.
fn check_digit(nine: &str) -> Option<u32> {
    let sum: u32 =
        nine.chars().zip((2..=10).rev()).filter_map(|(c, weight)| Some(c.to_digit(10)? * weight)).sum();
    match 11 - sum % 11 {
        10 => None,
        11 => Some(0),
        digit => Some(digit),
    }
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
    fn the_same_name_is_the_same_person_and_another_name_is_not() {
        let notation = Notation::new(0);
        let read = |text: &str| notation.resolve(json!(text));
        assert_eq!(read("nhs=Ava"), read("nhs=Ava"));
        assert_ne!(read("nhs=Ava"), read("nhs=Bo"));
        assert_ne!(read("uprn=Ava"), read("staff=Ava"));
        assert!(read("nhs=Ava").as_str().unwrap().starts_with("nhs.1:"));
    }

    #[test]
    fn check_digits_are_those_of_the_nhs() {
        // The worked example of the NHS Data Dictionary: 943 476 591, check digit 9.
        assert_eq!(check_digit("943476591"), Some(9));
        assert_eq!(check_digit("999000001"), Some(8));
        assert!(nhs_number("Ava").starts_with("999") && nhs_number("Ava").len() == 10);
    }
}
