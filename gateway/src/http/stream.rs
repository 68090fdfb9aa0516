use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gt_ledger::record::OwnerId;
use gt_projections::Pattern;
use serde::Deserialize;
use serde_json::json;

use super::{App, Query};
use crate::access::{Accessed, Pass, Scope};
use crate::follow::{Heard, Listener, Place, Unheard};
use crate::problem::Problem;

/// How often a line goes out when there is nothing to tell, so that whoever is between does not think the connection dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: &str = "last-event-id";

/// `GET /v1/stream?pattern`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    pattern: Option<String>,
}

/// `GET /v1/stream`: server-sent events. Docs/API.md says what they are.
pub(super) async fn listen(
    pass: Pass,
    State(app): State<App>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pattern = query.pattern.as_deref().map(pattern).transpose()?;
    let after = match headers.get(LAST_EVENT_ID) {
        None => None,
        Some(value) => {
            let place = value.to_str().ok().and_then(Place::parse);
            Some(place.ok_or_else(|| {
                Problem::bad_request("Last-Event-ID is no id of this stream, which are like 17.2")
            })?)
        }
    };
    let listener = app.feed.listen(after).map_err(unheard)?;
    let telling = Telling { listener, pattern, last: after, ended: false, pass, app };
    let events = stream::unfold(telling, |mut telling| async move {
        let event = telling.next().await?;
        Some((Ok::<_, Infallible>(event), telling))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT).text("nothing to tell");
    // Some proxies hold answers back until they are whole.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    // Who listens is recorded when that begins; how much there will be to tell nobody knows then.
    Ok((Extension(Accessed::default()), unbuffered, Sse::new(events).keep_alive(alive)).into_response())
}

pub(super) fn pattern(name: &str) -> Result<Pattern, Problem> {
    let known = Pattern::ALL.map(Pattern::as_str).join(", ");
    Pattern::parse(name).ok_or_else(|| Problem::bad_request(format!("no such pattern; there are {known}")))
}

fn unheard(why: Unheard) -> Problem {
    match why {
        Unheard::TooMany => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            format!("{} streams are open, and no more are served", crate::follow::MOST_LISTENERS),
        ),
        Unheard::Over => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopped",
            "nothing more is told: the ledger is being stopped, or its views no longer follow the log",
        ),
    }
}

/// One reader's stream.
struct Telling {
    listener: Listener,
    pattern: Option<Pattern>,
    last: Option<Place>,
    ended: bool,
    pass: Pass,
    app: App,
}

impl Telling {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.ended {
                return None;
            }
            match self.listener.next().await? {
                Heard::Told(told) => {
                    // A place that is not asked for has been passed all the same: the next `tree` says so.
                    if told.pattern.is_some() && self.pattern.is_some() && told.pattern != self.pattern {
                        continue;
                    }
                    // Tokens end, and records are restricted, while somebody listens.
                    if !self.app.access.still_good(&self.pass.reader) {
                        return None;
                    }
                    if told.pattern.is_some() && !self.may_tell(&told.data).await {
                        continue;
                    }
                    let name = if told.pattern.is_some() { "alert" } else { "tree" };
                    let event = Event::default().event(name).data(&*told.data);
                    if !self.listener.is_new(told.place) {
                        return Some(event);
                    }
                    self.last = Some(told.place);
                    return Some(event.id(told.place.to_string()));
                }
                Heard::Forgotten { complete_after } => {
                    let asked = self.last.map(|place| place.to_string());
                    let lost = json!({"reason": "forgotten", "asked_after": asked, "complete_after": complete_after.to_string()});
                    return Some(lost_event(&lost));
                }
                Heard::TooSlow => {
                    self.ended = true;
                    let resume = self.last.map(|place| place.to_string());
                    return Some(lost_event(&json!({"reason": "too_slow", "resume_after": resume})));
                }
            }
        }
    }
}

impl Telling {
    /// Whether the alert is about nobody whose record is restricted to others. In doubt it is not told.
    async fn may_tell(&self, data: &str) -> bool {
        let change: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        let subject = &change["alert"]["subject"];
        if subject["kind"] != "child" {
            return subject["kind"].is_string();
        }
        let Some(child) = subject["id"].as_str().and_then(OwnerId::parse) else { return false };
        let (pass, app) = (self.pass.clone(), self.app.clone());
        let asked =
            tokio::task::spawn_blocking(move || Scope::of(&pass, &app)?.sees(Some(&child), |_| false));
        matches!(asked.await, Ok(Ok(true)))
    }
}

/// Without an id, so that a reader's own last one stays what it was.
fn lost_event(data: &serde_json::Value) -> Event {
    Event::default().event("lost").data(data.to_string())
}
