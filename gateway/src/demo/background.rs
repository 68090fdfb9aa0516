//! The everyday: some thousand records about some hundred fictional children over ten months, drawn with a fixed seed.
//!
//! None of it may raise an alert and no rule of practice may find anything in it, however the agencies' statements interleave
//! within a round. No child has three starts within 90 days, and no place three children within 60 (a day is kept to spare);
//! absences end within a day and interviews follow within three; what is known is shared in time, and so on. What holds of all of
//! it holds of any part of it that has the beginning: there each agency shares something with each other one.

mod draw;
mod everyday;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::notation::{DAY, MINUTE, Notation, time_text};
use super::partnership::{AGENCIES, EVERYDAY, position};
use draw::Draw;

/// Decisions without child and times.
const DECISIONS: &str = include_str!("../../demo/decisions.json");
const CHILDREN: u64 = 400;
const PLACES: u64 = 150;
/// How many days the background goes back.
const DAYS: u64 = 300;
/// An absence begins at least so many days ago, so that it has ended and the interview was held by now.
const OVER_BY_NOW: u64 = 5;
const HOUR: i64 = 60 * MINUTE;
const SEED: u64 = 0x476f_6c64_656e;

/// An event to be: the agency's position, the event type, and the data.
pub(super) type Event = (usize, &'static str, Value);

/// So many events, in the demonstration's notation; at least one of each agency that has an everyday.
pub(super) fn events(notation: Notation, count: usize) -> Vec<Event> {
    let mut scene = Scene::new(notation);
    scene.beginning();
    while scene.events.len() < count {
        let left = count - scene.events.len();
        match scene.draw.below(100) {
            0..14 if left >= 6 => scene.absence(),
            14..36 => scene.link(),
            36..56 if left >= 2 => scene.everyday(),
            _ => scene.decision(),
        }
    }
    scene.events
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionText {
    agency: String,
    data: Value,
}

struct Scene {
    draw: Draw,
    midnight: i64,
    decisions: Vec<(usize, Value)>,
    /// The starts of each child's absences.
    starts: Vec<Vec<i64>>,
    /// Each place's visits: when, and which child.
    visits: Vec<Vec<(i64, u64)>>,
    /// Which agencies were asked about which children.
    asked: BTreeSet<(&'static str, u64)>,
    /// Which children have moved.
    moved: BTreeSet<u64>,
    events: Vec<Event>,
}

impl Scene {
    fn new(notation: Notation) -> Self {
        let texts: Vec<DecisionText> =
            serde_json::from_str(DECISIONS).expect("the decisions are in order: a test reads them");
        Self {
            draw: Draw::new(SEED),
            midnight: notation.midnight(),
            decisions: texts.into_iter().map(|text| (agency(&text.agency), text.data)).collect(),
            starts: vec![Vec::new(); list_length(CHILDREN)],
            visits: vec![Vec::new(); list_length(PLACES)],
            asked: BTreeSet::new(),
            moved: BTreeSet::new(),
            events: Vec::new(),
        }
    }

    /// A moment on one of the days from `DAYS` ago to `last` ago, to the minute.
    fn moment(&mut self, last: u64) -> i64 {
        let (oldest, newest) = (DAYS.cast_signed() * DAY, last.cast_signed() * DAY);
        let into = self.draw.millis(oldest - newest);
        self.midnight - oldest + into - into % MINUTE
    }

    /// Each agency shares with all the others, before anything else: so that agencies that meet on children have shared.
    fn beginning(&mut self) {
        let began = self.midnight - (DAYS.cast_signed() + 1) * DAY;
        for (at, agency) in AGENCIES.iter().enumerate().take(EVERYDAY) {
            let shares = |(by, data): &&(usize, Value)| *by == at && data["decision"] != "Withhold";
            let text =
                self.decisions.iter().find(shares).expect("each agency of the everyday shares something");
            let mut data = text.1.clone();
            let others = AGENCIES.iter().take(EVERYDAY).filter(|other| other.code != agency.code);
            let recipient = |other: &super::Agency| json!({"agency": other.code, "internal": false, "has_safeguarding_role": true, "identity_verified": true});
            data["recipients"] = others.map(recipient).collect();
            self.decide(at, data, 0, began + 10 * HOUR, 2 * HOUR);
        }
    }

    fn decision(&mut self) {
        let (agency, data) = self.draw.one_of(&self.decisions).clone();
        let grave = matches!(data["harm_level"].as_str(), Some("SignificantHarm" | "Immediate"));
        // Nearly all are quick; one in twenty takes days, where that is not too long.
        let wait = if !grave && self.draw.below(20) == 0 { 60 * HOUR } else { 10 * HOUR };
        let (number, aware) = (self.draw.below(CHILDREN), self.moment(4));
        // Things are withheld about children of even numbers only: no harm comes to them.
        let child = if data["decision"] == "Withhold" { number / 2 * 2 } else { number };
        let wait = self.draw.millis(wait) / MINUTE * MINUTE;
        self.decide(agency, data, child, aware, wait);
    }

    fn decide(&mut self, agency: usize, mut data: Value, child: u64, aware: i64, wait: i64) {
        let decided = aware + 10 * MINUTE + wait;
        let mut times = json!({"occurred_at": time_text(decided), "aware_at": time_text(aware)});
        if data["decision"] != "Withhold" {
            times["shared_at"] = time_text(decided + 15 * MINUTE).into();
        }
        data["times"] = times;
        data["child"] = person(child);
        data["refs"] = json!({"case": self.case_reference()});
        self.events.push((agency, "decision.recorded", data));
    }

    /// An absence with its end and its interview, in one of four from a placement and reported by the council as well.
    fn absence(&mut self) {
        let (number, start) = (self.draw.below(CHILDREN), self.moment(OVER_BY_NOW));
        let starts = &mut self.starts[list_length(number)];
        if crowded(starts, start) {
            return self.decision();
        }
        starts.push(start);
        let end = start + 3 * HOUR + self.draw.millis(20 * HOUR) / MINUTE * MINUTE;
        let placed = self.draw.below(4) == 0;
        let (kind, risk) = if self.draw.below(5) == 0 {
            ("AwayWithoutAuthorisation", "NoApparentRisk")
        } else {
            ("Missing", *self.draw.one_of(&["Low", "Medium", "Medium", "High"]))
        };
        let mut report = |key: &str, start: i64, end: i64, refs: Value| {
            let from = if placed { "Placement" } else { "Home" };
            let times = json!({"occurred_at": time_text(start), "reported_at": time_text(start + 2 * HOUR)});
            let data = json!({"kind": kind, "from": from, "risk": risk, "child": person(number), "times": times, "refs": refs});
            self.events.push((agency(key), "missing.started", data));
            let times = json!({"occurred_at": time_text(end)});
            let data = json!({"harm": "NotSuspected", "child": person(number), "times": times, "refs": refs});
            self.events.push((agency(key), "missing.ended", data));
        };
        let reference = self.draw.below(90_000) + 10_000;
        report("police", start, end, json!({"police_ref": format!("WM-{reference}")}));
        if placed {
            // Within the police's absence, so it is the same one.
            report(
                "council",
                start + 40 * MINUTE,
                end + 30 * MINUTE,
                json!({"case": format!("CLA-{reference}")}),
            );
        }
        self.interview(number, end);
    }

    /// A return home interview, offered and then held or declined in time.
    fn interview(&mut self, number: u64, returned: i64) {
        let (offered, due) = (returned + 2 * HOUR, returned + 72 * HOUR);
        let times = json!({"occurred_at": time_text(offered), "due_at": time_text(due)});
        let data = json!({"independent": true, "child": person(number), "times": times});
        self.events.push((agency("council"), "rhi.offered", data));
        let at = offered + 4 * HOUR + self.draw.millis(60 * HOUR) / MINUTE * MINUTE;
        let mut data =
            json!({"independent": true, "child": person(number), "times": {"occurred_at": time_text(at)}});
        if self.draw.below(4) == 0 {
            return self.events.push((agency("council"), "rhi.declined", data));
        }
        data["harm_disclosed"] = false.into();
        self.events.push((agency("council"), "rhi.held", data));
    }

    fn link(&mut self) {
        const REPORTERS: [(&str, &str, &str); 5] = [
            ("harbour", "School", "Fact"),
            ("orlan", "Peer", "ThirdPartyReport"),
            ("charity", "Child", "Allegation"),
            ("police", "Police", "Fact"),
            ("council", "SocialCare", "ThirdPartyReport"),
        ];
        let (place, child, at) = (self.draw.below(PLACES), self.draw.below(CHILDREN), self.moment(1));
        let visits = &mut self.visits[list_length(place)];
        if meets_too_many(visits, (at, child)) {
            return self.decision();
        }
        visits.push((at, child));
        let (key, source, nature) = *self.draw.one_of(&REPORTERS);
        let agency = agency(key);
        let risk = *self.draw.one_of(&["CCE", "CSE", "Violence", "Other"]);
        let data = json!({
            "kind": "Place",
            "risk": risk,
            "source": source,
            "nature": nature,
            "child": person(child),
            "context": {"ref": format!("uprn=place {place}")},
            "times": {"occurred_at": time_text(at)},
            "refs": {"case": self.case_reference()},
        });
        self.events.push((agency, "context.linked", data));
    }

    fn case_reference(&mut self) -> String {
        format!("SG-{:05}", self.draw.below(100_000))
    }
}

fn person(number: u64) -> Value {
    json!({"pseudonym": format!("nhs=child {number}"), "role": "Child"})
}

fn agency(key: &str) -> usize {
    position(key).expect("an agency of the partnership")
}

fn code(key: &str) -> &'static str {
    AGENCIES[agency(key)].code
}

fn list_length(number: u64) -> usize {
    usize::try_from(number).expect("some hundreds")
}

/// Whether a further start would make three within 91 days, or come close to another absence.
fn crowded(starts: &[i64], start: i64) -> bool {
    let mut all: Vec<i64> = starts.iter().copied().chain([start]).collect();
    all.sort_unstable();
    all.windows(3).any(|three| three[2] - three[0] <= 91 * DAY)
        || all.windows(2).any(|two| two[1] - two[0] < 3 * DAY)
}

/// Whether a further visit would make three children within 61 days.
fn meets_too_many(visits: &[(i64, u64)], visit: (i64, u64)) -> bool {
    let all: Vec<(i64, u64)> = visits.iter().copied().chain([visit]).collect();
    all.iter().any(|(first, _)| {
        let window = all.iter().filter(|(at, _)| (*first..=first + 61 * DAY).contains(at));
        window.map(|(_, child)| child).collect::<BTreeSet<_>>().len() > 2
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of_type(event_type: &str) -> Vec<(i64, Event)> {
        let events = events(Notation::new(1_770_249_600_500), 3000).into_iter();
        let matching = events.filter(|(_, name, _)| *name == event_type);
        let timed = matching.map(|event| {
            let at: gt_schemas::Time = event.2["times"]["occurred_at"].as_str().unwrap().parse().unwrap();
            (at.as_millis(), event)
        });
        let mut all: Vec<(i64, Event)> = timed.collect();
        all.sort_by_key(|(at, _)| *at);
        all
    }

    #[test]
    fn nobody_has_three_starts_in_ninety_days() {
        let police = position("police").unwrap();
        let mut starts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (at, (agency, _, data)) in of_type("missing.started") {
            // What the council reports is the same absence again.
            if agency == police {
                starts.entry(data["child"]["pseudonym"].to_string()).or_default().push(at);
            }
        }
        assert!(starts.values().map(Vec::len).sum::<usize>() > 200);
        assert!(starts.values().any(|starts| starts.len() > 1), "near the limit, not far from it");
        assert!(
            starts.values().flat_map(|starts| starts.windows(3)).all(|three| three[2] - three[0] > 90 * DAY)
        );
    }

    #[test]
    fn no_place_has_three_children_in_sixty_days() {
        let mut visits: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for (at, (_, _, data)) in of_type("context.linked") {
            let child = data["child"]["pseudonym"].to_string();
            visits.entry(data["context"]["ref"].to_string()).or_default().push((at, child));
        }
        assert!(visits.values().map(Vec::len).sum::<usize>() > 300);
        for visits in visits.values() {
            for (first, _) in visits {
                let window = visits.iter().filter(|(at, _)| first <= at && at - first <= 60 * DAY);
                assert!(window.map(|(_, child)| child).collect::<BTreeSet<_>>().len() <= 2);
            }
        }
    }
}
