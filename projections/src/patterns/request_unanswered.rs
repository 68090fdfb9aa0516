//! `request-unanswered`: a request for information is past its due time and nobody answered it (DOMAIN section 5, pattern
//! 8).
//!
//! Due is what the request says, else 4, 24 or 72 elapsed hours after it came by its rating Red, Amber or Green
//! (thresholds). An answer is `request.answered`, `request.refused`, or a decision that names the request. It belongs to the
//! request whose statement it names by hash, or to the one that has replaced that since; without such a reference, an
//! agency's answer belongs to its earliest request about the child that has none. An answer in time that is reported late
//! retracts the alert; one that came after the due time was late, and the alert stays.
//!
//! **The id is anchored to** the request.

use std::collections::BTreeSet;

use gt_schemas::{Configuration, Event};

use super::sentence::lasting;
use super::{ChildScene, Finding, Pattern, at_statement};
use crate::event::{StatementRef, ViewEvent};

/// A request, its clock, and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'e> {
    pub(crate) received: i64,
    pub(crate) due: i64,
    pub(crate) event: &'e ViewEvent,
    pub(crate) answer: Option<(i64, &'e ViewEvent)>,
}

pub(super) fn find(scene: &ChildScene<'_>, rules: &Configuration) -> Vec<Finding> {
    let open = |request: &Request<'_>| request.answer.is_none_or(|(time, _)| time > request.due);
    let finding = |request: Request<'_>| Finding {
        pattern: Pattern::RequestUnanswered,
        anchor: at_statement(request.event.statement),
        about: scene.about(),
        due: Some(request.due + 1),
        window: (request.received, request.due),
        entries: vec![request.event.index],
        sentence: format!(
            "{} did not answer a request about a child when it was due, {} after it came.",
            request.event.speaker(),
            lasting(request.due - request.received)
        ),
    };
    requests(scene, rules).into_iter().filter(open).map(finding).collect()
}

/// The requests about a child, by when they came.
pub(crate) fn requests<'e>(scene: &ChildScene<'e>, rules: &Configuration) -> Vec<Request<'e>> {
    let mut requests: Vec<Request<'e>> =
        scene.events.iter().filter_map(|(time, event)| Request::of(*time, event, rules)).collect();
    if requests.is_empty() {
        return requests;
    }
    let mut used = BTreeSet::new();
    // What is named comes first, so that it is not taken for something else.
    for request in &mut requests {
        let names = names(request.event, scene);
        let answers = scene.events.iter().filter_map(|(time, event)| answer_to(*time, event, &names, scene));
        request.answer = answers.min_by_key(|(time, event)| (*time, event.statement));
        used.extend(request.answer.map(|(_, event)| event.index));
    }
    for (time, event) in &scene.events {
        let unnamed = is_answer(event) && event.refs.request.is_none() && !used.contains(&event.index);
        let request = requests.iter_mut().find(|request| {
            unnamed
                && request.answer.is_none()
                && request.received <= *time
                && request.event.speaker() == event.speaker()
        });
        if let Some(request) = request {
            request.answer = Some((*time, event));
        }
    }
    requests
}

/// The statements by which the request is named: its own, and those that it replaced, one after the other.
fn names(request: &ViewEvent, scene: &ChildScene<'_>) -> Vec<StatementRef> {
    let mut names = vec![request.statement];
    let mut replaces = request.refs.supersedes;
    while let Some(statement) = replaces.filter(|statement| !names.contains(statement)) {
        // Nobody replaces what another agency said.
        let earlier = scene
            .replaced_requests
            .iter()
            .find(|one| one.statement == statement && one.speaker() == request.speaker());
        let Some(earlier) = earlier else { break };
        names.push(statement);
        replaces = earlier.refs.supersedes;
    }
    names
}

/// The time at which this event answers the request by one of its names, if it does.
fn answer_to<'e>(
    time: i64,
    event: &'e ViewEvent,
    names: &[StatementRef],
    scene: &ChildScene<'e>,
) -> Option<(i64, &'e ViewEvent)> {
    if !names.contains(&event.refs.request?) {
        return None;
    }
    if is_answer(event) {
        return Some((time, event));
    }
    let decided = scene.decisions().iter().find(|one| one.event.index == event.index)?;
    Some((decided.shared_at().or(decided.decided_at())?, event))
}

fn is_answer(event: &ViewEvent) -> bool {
    matches!(event.event, Event::RequestAnswered(_) | Event::RequestRefused(_))
}

impl<'e> Request<'e> {
    fn of(received: i64, event: &'e ViewEvent, rules: &Configuration) -> Option<Self> {
        if !matches!(event.event, Event::RequestReceived(_)) {
            return None;
        }
        let due = event.event.due_at(rules)?.as_millis();
        Some(Self { received, due, event, answer: None })
    }
}
