use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gt_core::statement::{Owner, Pseudonym};
use gt_ledger::Ledger;
use gt_projections::{
    AlertFilter, LinkedFilter, LinkedSort, MAX_LIMIT, Page, Pattern, Queries, QueryError, StatusFilter,
};
use serde_json::{Value, json};

use super::rows::About;
use super::{Answered, Asked};
use crate::bench::BenchError;
use crate::bench::views::Latencies;

/// A place with so many different children is looked at.
const CHILDREN: usize = 3;
/// How long one question is asked at most, however often it was.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks each question so often, or as often as there is time for.
pub(super) fn ask(
    queries: &Queries,
    ledger: &Ledger,
    about: &About,
    times: u32,
) -> Result<Vec<Asked>, BenchError> {
    let page = Page::default();
    let children = about.children.iter().filter_map(|name| {
        let pseudonym = Pseudonym::parse(name).ok()?;
        Some((Some(name.clone()), ledger.owner_id(&Owner::Person(pseudonym))?))
    });
    let children: Vec<_> = children.collect();
    let timeline = each("timeline", &children, times, |child| {
        let items = queries.timeline(child, None, None, &page)?.items;
        Ok(items.iter().map(|event| json!([event.index.0, event.codes])).collect())
    })?;
    let contexts: Vec<_> =
        about.contexts.iter().map(|name| (Some(name.clone()), ledger.context_id(name))).collect();
    let names: BTreeMap<String, &String> =
        about.contexts.iter().map(|name| (ledger.context_id(name).to_string(), name)).collect();
    let place = each("place", &contexts, times, |context| {
        let items = queries.context(context, None, None, &page)?.items;
        Ok(items.iter().map(|link| json!(link.index.0)).collect())
    })?;
    let linked = LinkedFilter { children: Some(CHILDREN), ..LinkedFilter::default() };
    let places = each("places", &[(None, ())], times, |()| {
        let items = queries.contexts(&linked, LinkedSort::Children, &|_| false, &page)?.items;
        let row = |row: &gt_projections::ContextRow| {
            json!([names.get(&row.context.to_string()), row.children, row.links, row.last_at.as_millis()])
        };
        Ok(items.iter().map(row).collect())
    })?;
    let mut asked = vec![timeline, place, places];
    for pattern in [Pattern::RepeatMissing, Pattern::SharedLocation] {
        asked.push(each(pattern.as_str(), &[(None, ())], times, |()| waiting(queries, pattern))?);
    }
    Ok(asked)
}

/// The entries behind each alert of this pattern that waits for somebody; all pages.
fn waiting(queries: &Queries, pattern: Pattern) -> Result<Vec<Value>, QueryError> {
    let filter =
        AlertFilter { pattern: Some(pattern), status: Some(StatusFilter::Waiting), ..AlertFilter::default() };
    let (mut page, mut alerts) = (Page { limit: MAX_LIMIT, ..Page::default() }, Vec::new());
    loop {
        let answer = queries.alerts(&filter, &page)?;
        let entries = |alert: &gt_projections::Alert| {
            json!(alert.entries.iter().map(|index| index.0).collect::<Vec<_>>())
        };
        alerts.extend(answer.items.iter().map(entries));
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(alerts),
        }
    }
}

/// Asks about each of these in turn. An answer is kept the first time.
fn each<T>(
    question: &'static str,
    about: &[(Option<String>, T)],
    times: u32,
    mut ask: impl FnMut(&T) -> Result<Vec<Value>, QueryError>,
) -> Result<Asked, BenchError> {
    let (mut took, mut answers) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for number in 0..times as usize {
        let Some((name, thing)) = about.get(number % about.len().max(1)) else { break };
        if begun.elapsed() > PATIENCE {
            break;
        }
        let started = Instant::now();
        let items = ask(thing)?;
        took.push(started.elapsed());
        if number < about.len() {
            answers.push(Answered { about: name.clone(), items });
        }
    }
    Ok(Asked { question, latency: Latencies::of(took), answers })
}
