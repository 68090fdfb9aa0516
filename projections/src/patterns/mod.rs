//! Patterns: rules across records that ask a person to look (DOMAIN section 5). Nothing is decided by them.
//!
//! A pattern is a pure function of what stood in a subject's history at a given point of the log; it has no clock.
//! Each says in its module what its alerts' ids are anchored to.

mod repeat_missing;
mod run;
mod shared_location;

use serde::{Deserialize, Serialize};

use crate::history::{History, Horizon, Subject};

/// A pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// One child goes missing again and again.
    RepeatMissing,
    /// Several children are linked to one place or other context.
    SharedLocation,
}

/// How many, within how many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// From this number on the pattern fires. At least 1.
    pub count: u32,
    /// Within this many times 24 hours; a window of exactly that length still counts.
    pub days: u32,
}

/// The patterns' thresholds. They are part of the rules in force, so views made with others are built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// `repeat-missing`: episodes of one child.
    pub repeat_missing: Threshold,
    /// `shared-location`: different children at one place or other context.
    pub shared_location: Threshold,
}

impl Default for Thresholds {
    /// DOMAIN section 5: 3 starts in 90 days, 3 children in 60 days.
    fn default() -> Self {
        Self {
            repeat_missing: Threshold { count: 3, days: 90 },
            shared_location: Threshold { count: 3, days: 60 },
        }
    }
}

impl Pattern {
    /// Every pattern.
    pub const ALL: [Self; 2] = [Self::RepeatMissing, Self::SharedLocation];

    /// The name, as in alerts and subjects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RepeatMissing => "repeat-missing",
            Self::SharedLocation => "shared-location",
        }
    }

    /// The pattern of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pattern| pattern.as_str() == name)
    }

    /// The version of the rule. Another version gives other ids.
    pub const fn version(self) -> u16 {
        match self {
            Self::RepeatMissing | Self::SharedLocation => 1,
        }
    }

    /// The threshold of this pattern.
    pub const fn threshold(self, thresholds: &Thresholds) -> Threshold {
        match self {
            Self::RepeatMissing => thresholds.repeat_missing,
            Self::SharedLocation => thresholds.shared_location,
        }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that a pattern finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) pattern: Pattern,
    /// What the alert's id is made of, besides the pattern and its version.
    pub(crate) anchor: [u8; 24],
    /// The event times of the first and the last event.
    pub(crate) window: (i64, i64),
    /// The entries behind it, sorted.
    pub(crate) entries: Vec<u64>,
    pub(crate) sentence: String,
}

/// What the patterns find in a subject's history, as it stood then.
pub(crate) fn evaluate(
    subject: &Subject,
    history: &History,
    horizon: Horizon,
    thresholds: &Thresholds,
) -> Vec<Finding> {
    match subject {
        Subject::Child(child) => repeat_missing::find(child, history, horizon, thresholds.repeat_missing),
        Subject::Context(context) => {
            shared_location::find(context, history, horizon, thresholds.shared_location)
        }
    }
}

/// A subject's id and an event time.
fn anchor(subject: &[u8; 16], time: i64) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(subject);
    bytes[16..].copy_from_slice(&time.to_be_bytes());
    bytes
}

const MILLISECONDS_A_DAY: i64 = 86_400_000;

/// How many days, each begun one counted, lie between two times: for sentences, not for rules.
fn days_between((from, to): (i64, i64)) -> String {
    let begun = i64::from((to - from) % MILLISECONDS_A_DAY != 0);
    days(((to - from) / MILLISECONDS_A_DAY + begun).max(1))
}

/// A number of days, in words for a sentence.
fn days(number: i64) -> String {
    if number == 1 { "1 day".to_owned() } else { format!("{number} days") }
}
