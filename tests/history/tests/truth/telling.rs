//! A history as the patterns read it: by child, whatever the pseudonym, and by event time.

use std::collections::BTreeMap;

use gt_history::History;
use gt_schemas::Time;
use serde_json::Value;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A pattern, and the positions of the entries that it names.
pub(crate) type Alert = (&'static str, Vec<usize>);

pub(crate) struct Told<'h> {
    pub(crate) position: usize,
    pub(crate) agency: &'h str,
    pub(crate) event_type: &'static str,
    pub(crate) data: &'h Value,
    /// One of the child's pseudonyms, the same for all of them; empty where there is no child.
    pub(crate) child: &'h str,
    pub(crate) at: i64,
}

/// All events, by event time.
pub(crate) struct Telling<'h> {
    pub(crate) all: Vec<Told<'h>>,
}

impl<'h> Telling<'h> {
    pub(crate) fn of(history: &'h History) -> Self {
        let mut joined: BTreeMap<&str, &str> = BTreeMap::new();
        for event in history.events.iter().filter(|event| event.event_type == "identifier.linked") {
            let name = |at: usize| text(&event.data["identifiers"][at]["pseudonym"]);
            // A child has two pseudonyms at most, so no chains have to be followed.
            assert!(joined.insert(name(1), name(0)).is_none_or(|before| before == name(0)));
        }
        let told = history.events.iter().enumerate().map(|(position, event)| {
            let name = match event.event_type {
                "identifier.linked" => text(&event.data["identifiers"][0]["pseudonym"]),
                _ => event.data["child"]["pseudonym"].as_str().unwrap_or(""),
            };
            Told {
                position,
                agency: &event.agency,
                event_type: event.event_type,
                data: &event.data,
                child: joined.get(name).unwrap_or(&name),
                at: time(&event.data["times"]["occurred_at"]).unwrap(),
            }
        });
        let mut all: Vec<Told<'h>> = told.collect();
        all.sort_by_key(|told| (told.at, told.position));
        Self { all }
    }

    pub(crate) fn of_types<'t>(&'t self, types: &'t [&str]) -> impl Iterator<Item = &'t Told<'h>> {
        self.all.iter().filter(|told| types.contains(&told.event_type))
    }

    pub(crate) fn by_child<'t>(&'t self, types: &'t [&str]) -> BTreeMap<&'h str, Vec<&'t Told<'h>>> {
        let mut children: BTreeMap<&str, Vec<&Told<'h>>> = BTreeMap::new();
        for told in self.of_types(types) {
            children.entry(told.child).or_default().push(told);
        }
        children
    }

    /// Decisions that share something.
    pub(crate) fn shares<'t>(&'t self) -> impl Iterator<Item = &'t Told<'h>> {
        self.of_types(&["decision.recorded"]).filter(|told| told.data["decision"] != "Withhold")
    }
}

impl Told<'_> {
    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        time(&self.data["times"][name])
    }

    pub(crate) fn relies_on(&self, kind: &str, codes: &[&str]) -> bool {
        let list = self.data["lawful_basis"].as_array().map_or(&[][..], Vec::as_slice);
        list.iter().any(|basis| {
            let code = basis["code"].as_str().or(basis["paragraph"].as_str()).unwrap_or("");
            basis["kind"] == kind && (codes.is_empty() || codes.contains(&code))
        })
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn time(value: &Value) -> Option<i64> {
    Some(value.as_str()?.parse::<Time>().unwrap().as_millis())
}

/// The runs of a list that rises in time: windows that hold enough, joined where they share an element. A window begins with an
/// element and goes on for as long as `inside` says of its first and another.
pub(crate) fn runs<T>(
    list: &[T],
    inside: impl Fn(&T, &T) -> bool,
    is_enough: impl Fn(&[T]) -> bool,
) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for first in 0..list.len() {
        let end = first + list[first..].iter().take_while(|other| inside(&list[first], other)).count();
        if !is_enough(&list[first..end]) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if first < run.end => run.end = run.end.max(end),
            _ => runs.push(first..end),
        }
    }
    runs
}

pub(crate) fn sorted(positions: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut positions: Vec<usize> = positions.into_iter().collect();
    positions.sort_unstable();
    positions
}
