//! Codes, names and times in words.

use gt_core::time::Timestamp;
use gt_schemas::Time;
use jiff::tz::TimeZone;

/// A code as words: `ChildInNeed` is "child in need", `CSE` stays. Agencies' codes and everything else stay too.
pub(super) fn plain(code: &str) -> String {
    let is_words = code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && code.bytes().any(|byte| byte.is_ascii_lowercase());
    if !is_words {
        return code.to_owned();
    }
    let mut words = String::with_capacity(code.len() + 8);
    for (at, character) in code.char_indices() {
        if at > 0 && character.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

/// A member's name as words: `risk_of_not_sharing` is "risk of not sharing".
pub(super) fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut characters = words.chars();
    characters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + characters.as_str())
        .unwrap_or(words)
}

/// A list in a sentence: "a, b and c".
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match items.pop() {
        None => "nobody".to_owned(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}

/// A moment: "2 March 2026, 12:00:00 UTC".
pub(super) fn moment(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M:%S UTC").to_string(),
        Err(_) => format!("{millis} ms after 1970 began"),
    }
}

pub(super) fn received(at: Timestamp) -> String {
    moment(at.as_millis())
}

/// A time as a schema has it.
pub(super) fn time(at: Time) -> String {
    moment(at.as_millis())
}

/// A number of things.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_words_and_what_is_no_code_stays() {
        for (code, words) in [
            ("SignificantHarm", "significant harm"),
            ("CSE", "CSE"),
            ("Share", "share"),
            ("gss:E06000999", "gss:E06000999"),
            ("", ""),
        ] {
            assert_eq!(plain(code), words);
        }
        assert_eq!(label("risk_of_not_sharing"), "Risk of not sharing");
        assert_eq!(list(["a", "b", "c"].map(String::from)), "a, b and c");
        assert_eq!(moment(0), "1 January 1970, 00:00:00 UTC");
    }
}
