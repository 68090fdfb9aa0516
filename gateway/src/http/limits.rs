//! How much each may ask, how long a request may take, and what every answer tells a browser.

use std::collections::HashMap;
use std::hash::Hash as Key;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gt_core::statement::PublisherId;
use http_body_util::BodyExt as _;

use super::front::Peer;
use super::room::{Known, Seat};
use crate::problem::Problem;

/// How long a request may take from its head to its answer's. Bodies are read within it; what is streamed then may go on.
const LONGEST: Duration = Duration::from_mins(1);
/// A burst may have as many as so many seconds give.
const BURST_SECONDS: f64 = 10.0;
/// The most whose buckets are kept. One that is full again needs none.
const MOST_BUCKETS: usize = 20_000;
/// For how long browsers are to ask over TLS alone: two years.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// How much each may ask, a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests with one token.
    pub reads: u32,
    /// Statements of one publisher from one address.
    pub statements: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { reads: 100, statements: 5_000 }
    }
}

/// Token buckets, and what else holds of all requests.
pub(crate) struct Limits {
    reads: Buckets<String>,
    statements: Buckets<(Option<IpAddr>, PublisherId)>,
    pub(super) tls: bool,
    certified_only: bool,
}

impl Limits {
    pub(super) fn new(rates: Rates, tls: bool, certified_only: bool) -> Self {
        let (reads, statements) = (Buckets::new(rates.reads), Buckets::new(rates.statements));
        Self { reads, statements, tls, certified_only }
    }

    /// Counts a request with this token.
    pub(crate) fn read(&self, token: &str) -> Result<(), Problem> {
        self.reads.take(token.to_owned(), 1.0, Instant::now()).map_err(|wait| too_many("token", wait))
    }

    /// Counts statements. Who sends them is not yet proven, so the address counts too: nobody uses up what is another's.
    pub(super) fn publish(
        &self,
        peer: Option<Peer>,
        publishers: impl IntoIterator<Item = PublisherId>,
    ) -> Result<(), Problem> {
        let mut counts: HashMap<PublisherId, f64> = HashMap::new();
        for publisher in publishers {
            *counts.entry(publisher).or_default() += 1.0;
        }
        let (address, now) = (peer.map(|peer| peer.address.ip()), Instant::now());
        for (publisher, count) in counts {
            self.statements
                .take((address, publisher), count, now)
                .map_err(|wait| too_many("publisher", wait))?;
        }
        Ok(())
    }

    /// Whether publishing takes a certificate, and the peer has shown none.
    pub(crate) fn lacks_certificate(&self, peer: Option<&Peer>) -> bool {
        self.certified_only && !peer.is_some_and(|peer| peer.certified)
    }
}

fn too_many(of: &str, wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    let detail = format!("too much in too short a time from one {of}; ask again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).with("retry_after", seconds)
}

/// A bucket for each: it fills by so much a second, and whoever finds too little in it waits.
struct Buckets<K> {
    rate: f64,
    levels: Mutex<HashMap<K, Level>>,
}

#[derive(Clone, Copy)]
struct Level {
    left: f64,
    at: Instant,
}

impl<K: Key + Eq> Buckets<K> {
    fn new(rate: u32) -> Self {
        Self { rate: f64::from(rate.max(1)), levels: Mutex::default() }
    }

    /// Takes so much, or says how long it takes until there is enough. More than a whole bucket is taken from a full one.
    fn take(&self, of: K, count: f64, now: Instant) -> Result<(), Duration> {
        let full = self.rate * BURST_SECONDS;
        let filled = |level: &Level| {
            let since = now.saturating_duration_since(level.at).as_secs_f64();
            self.rate.mul_add(since, level.left).min(full)
        };
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MOST_BUCKETS && !levels.contains_key(&of) {
            levels.retain(|_, level| filled(level) < full);
        }
        let left = levels.get(&of).map_or(full, filled);
        let needed = count.min(full);
        if left < needed {
            return Err(Duration::from_secs_f64((needed - left) / self.rate));
        }
        levels.insert(of, Level { left: left - count, at: now });
        Ok(())
    }
}

/// What holds of every answer.
#[derive(Clone, Copy)]
pub(super) struct Secured {
    pub(super) tls: bool,
}

/// Ends what takes too long, and has every answer say how a browser is to treat it.
pub(super) async fn secure(
    State(secured): State<Secured>,
    seat: Option<Extension<Arc<Seat>>>,
    request: Request,
    next: Next,
) -> Response {
    let request = match &seat {
        None => request,
        Some(Extension(seat)) => counted(request, Arc::clone(seat)),
    };
    let answered = tokio::time::timeout(LONGEST, next.run(request)).await;
    let mut answer = answered.unwrap_or_else(|_| {
        let detail = "the request did not arrive whole in a minute, or could not be answered in that time";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail).into_response()
    });
    let known = answer.extensions_mut().remove::<Known>().is_some();
    if let Some(Extension(seat)) = seat {
        seat.answered(known);
    }
    let headers = answer.headers_mut();
    let mut say = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    say(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    say(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    say(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // A page that has scripts of its own says more.
    say(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    say(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if secured.tls {
        say(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    answer
}

/// The request, with each part of its body counted as it comes.
fn counted(request: Request, seat: Arc<Seat>) -> Request {
    request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            seat.hold(frame.data_ref().map_or(0, bytes::Bytes::len));
            frame
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate_to_each() {
        let (buckets, start) = (Buckets::new(2), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        assert!((0..20).all(|_| buckets.take("a", 1.0, start).is_ok()));
        assert_eq!(buckets.take("a", 1.0, start), Err(Duration::from_millis(500)));
        assert!(buckets.take("b", 20.0, start).is_ok(), "another has its own");
        assert!(buckets.take("a", 1.0, after(500)).is_ok());
        assert!(buckets.take("a", 1.0, after(500)).is_err());
        // A thousand at once are taken by whoever has been quiet, and paid for afterwards.
        assert!(buckets.take("c", 1000.0, start).is_ok());
        assert!(buckets.take("c", 1.0, after(60_000)).is_err());
        // A clock that goes back gives nothing.
        assert!(buckets.take("a", 1.0, start).is_err());
    }

    #[test]
    fn those_who_have_been_quiet_make_room_for_others() {
        let (buckets, start) = (Buckets::new(1), Instant::now());
        for number in 0..MOST_BUCKETS {
            assert!(buckets.take(number, 1.0, start).is_ok());
        }
        assert!(buckets.take(MOST_BUCKETS, 1.0, start + Duration::from_secs(2)).is_ok());
        assert_eq!(buckets.levels.lock().expect("unpoisoned").len(), 1);
    }
}
