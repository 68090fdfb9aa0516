//! The HTTP gateway (DESIGN section 9). Publishing needs a registered key, reading people's data a token; checkpoints, tiles and proofs are open.

mod advice;
mod answer;
mod break_glass;
mod bundles;
mod configuration;
mod decision;
mod erasures;
mod front;
mod limits;
mod log;
mod openapi;
mod patient;
mod publishers;
mod room;
mod route;
mod routes;
mod serve;
mod statements;
mod stream;
mod strict;
mod verifier;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, MatchedPath, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use gt_ledger::Ledger;
use gt_projections::Queries;
use serde_json::json;
use tower_http::trace::TraceLayer;

pub(crate) use advice::advice_on;
pub(crate) use configuration::in_force;
pub(crate) use front::Peer;
pub use front::TlsFiles;
pub(crate) use limits::Limits;
pub use limits::Rates;
pub(crate) use room::Known;
pub use serve::{Front, ServeError, Server, bind, bind_witnessed};
pub(crate) use statements::submit;
pub(crate) use verifier::page as verifier_page;
pub(crate) use views::Cursors;

use crate::access::{Access, gate, policy};
use crate::follow::Feed;
use crate::node::Forwarder;
use crate::problem::Problem;

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// The views.
    pub views: Queries,
    /// What happens, as it happens.
    pub(crate) feed: Arc<Feed>,
    /// Who may see what.
    pub(crate) access: Arc<Access>,
    /// How much each may ask.
    pub(crate) limits: Arc<Limits>,
    /// On a node of several: the way to the active sealer.
    pub(crate) forward: Option<Forwarder>,
}

/// All routes, as `routes.rs` lists them.
pub fn router(app: App) -> Router {
    let secured = limits::Secured { tls: app.limits.tls };
    routes::all()
        .into_iter()
        .fold(Router::new(), |router, route| {
            let rule = policy::rule(route.method, route.path);
            let gate = from_fn_with_state((app.clone(), rule), gate);
            router.route(route.path, route.handler.route_layer(gate))
        })
        .fallback(no_such_page)
        .method_not_allowed_fallback(no_such_method)
        // The route and not the path: a path may hold what somebody looks for, rightly or not, and so may a query.
        .layer(TraceLayer::new_for_http().on_failure(()).make_span_with(
            |request: &axum::http::Request<_>| {
                let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
                tracing::info_span!("http", method = %request.method(), route)
            },
        ))
        .layer(from_fn_with_state(secured, limits::secure))
        .with_state(app)
}

async fn no_such_page(uri: Uri) -> Problem {
    let _ = uri;
    Problem::not_found("there is nothing at this path; GET /openapi.json lists what there is")
}

async fn no_such_method(method: Method) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("this path takes no {method}"))
}

/// The process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Ready once the sealer runs and the views have caught up with the log as far as somebody who asks can tell.
async fn ready(State(app): State<App>) -> impl IntoResponse {
    let size = app.ledger.log().size().0;
    let projected = app.views.status().map_or(0, |status| status.as_of.tree_size.0);
    let waits = app.ledger.waits_for_key();
    let following = app.feed.is_open();
    // Publishers need no views; a node that only follows has nothing else to give.
    let ready = !app.ledger.is_stopped() && waits.is_none() && (following || !app.ledger.only_follows());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let waits = waits.map(|(epoch, kek)| json!({"epoch": epoch, "kek": kek}));
    let role = match (app.ledger.only_follows(), app.ledger.is_active()) {
        (true, _) => "follower",
        (false, true) => "sealer",
        (false, false) => "standby",
    };
    let body = json!({"sealing": !app.ledger.is_stopped(), "role": role, "tree_size": size, "projected": projected, "following": following, "waits_for_key": waits, "witnesses": log::witnesses(&app.ledger)});
    (status, axum::Json(body))
}

/// A query string that is refused as a problem.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0))
            .map_err(|error| Problem::bad_request(without_values(&error.body_text())))
    }
}

/// A path whose parts are refused as a problem.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        // What it says of the fault repeats what stood in the path.
        read.map(|path| Self(path.0))
            .map_err(|_| Problem::bad_request("a part of the path is not what belongs there"))
    }
}

/// What was wrong with a query, without the name of a parameter that came in: it may be a value whose name was left out.
fn without_values(text: &str) -> String {
    match text.split_once("unknown field ") {
        Some((_, after)) => {
            let known = after.split_once(", ").map_or("", |(_, known)| known);
            format!("the query has an unknown parameter; {known}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
