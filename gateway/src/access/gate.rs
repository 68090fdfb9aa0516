//! The gate before every route.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gt_schemas::AccessPurpose;

use super::pass::{Accessed, Pass, SealedBefore};
use super::policy::{Cell, Entry, Rule};
use super::reader::{Reader, role_name};
use crate::http::{App, Known};
use crate::problem::Problem;

/// What the request is for.
pub(crate) const PURPOSE: HeaderName = HeaderName::from_static("gt-purpose");

/// Where agencies' systems send statements.
const PUBLISHING: &str = "/v1/statements";

/// An answer about people says nothing of what was read.
#[derive(Debug, thiserror::Error)]
#[error("an answer about people does not say what was read, and is held back")]
struct Unaccounted;

/// Lets in who may come, and lets out only what is accounted for. A route without a rule is closed.
pub(crate) async fn gate(
    State((app, rule)): State<(App, Option<&'static Rule>)>,
    mut request: Request,
    next: Next,
) -> Response {
    if rule.is_some_and(|rule| rule.path == PUBLISHING)
        && app.limits.lacks_certificate(request.extensions().get())
    {
        let detail = "publishing here takes a certificate of the agencies' authority";
        return Problem::new(StatusCode::FORBIDDEN, "certificate_needed", detail).into_response();
    }
    let pass = match admit(&app, rule, request.headers()).await {
        Ok(Some(pass)) => pass,
        Ok(None) => return next.run(request).await,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(pass.clone());
    let mut answer = next.run(request).await;
    if pass.reading.is_some() {
        match answer.extensions_mut().remove::<Accessed>() {
            Some(accessed) => {
                if let Err(problem) = app.access.recorder.read(&pass, &accessed).await {
                    return problem.into_response();
                }
            }
            None if answer.extensions_mut().remove::<SealedBefore>().is_some() => {}
            None if answer.status().is_success() => return Problem::internal(&Unaccounted).into_response(),
            None => {}
        }
    }
    answer.extensions_mut().insert(Known);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn admit(app: &App, rule: Option<&'static Rule>, headers: &HeaderMap) -> Result<Option<Pass>, Problem> {
    let rule = rule.ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "no_rule",
            "the policy has no rule for this path, so it is closed",
        )
    })?;
    match rule.entry {
        Entry::Open => return Ok(None),
        Entry::MoreWithToken if !headers.contains_key(header::AUTHORIZATION) => return Ok(None),
        Entry::MoreWithToken | Entry::Token => {}
    }
    let reader = app.access.reader(headers).await?;
    app.limits.read(&reader.token)?;
    let cell = rule.cell(reader.role);
    if cell == Cell::Deny {
        return Err(denied(&reader, rule));
    }
    let reading = match rule.reads {
        Some(kind) => Some((kind, purpose(headers, &reader)?)),
        None => None,
    };
    Ok(Some(Pass { reader: Arc::new(reader), cell, reading }))
}

fn denied(reader: &Reader, rule: &Rule) -> Problem {
    let needs: Vec<&str> = rule.allowed().collect();
    let detail = format!(
        "the role {} may not ask for this; it takes one of these roles: {}",
        role_name(reader.role),
        needs.join(", ")
    );
    Problem::new(StatusCode::FORBIDDEN, "role_not_allowed", detail)
        .with("role", role_name(reader.role))
        .with("needs", needs)
}

/// What the read is for: the header's one code, or the one purpose for which the token was issued.
fn purpose(headers: &HeaderMap, reader: &Reader) -> Result<AccessPurpose, Problem> {
    let known = || AccessPurpose::CODES.join(", ");
    let mut said = headers.get_all(PURPOSE).iter();
    let purpose = match (said.next(), said.next(), &reader.purposes[..]) {
        (None, _, [only]) => *only,
        (None, ..) => {
            let detail =
                format!("this is about people: say what for, as the header `Gt-Purpose`, one of {}", known());
            return Err(Problem::new(StatusCode::BAD_REQUEST, "purpose_missing", detail));
        }
        (Some(code), None, _) => code.to_str().ok().and_then(AccessPurpose::parse).ok_or_else(|| {
            let detail = format!("`Gt-Purpose` is one of {}", known());
            Problem::new(StatusCode::BAD_REQUEST, "purpose_unknown", detail)
        })?,
        (Some(_), Some(_), _) => {
            let detail = "`Gt-Purpose` is there more than once";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "purpose_unknown", detail));
        }
    };
    if reader.purposes.is_empty() || reader.purposes.contains(&purpose) {
        return Ok(purpose);
    }
    let allowed: Vec<&str> = reader.purposes.iter().map(|purpose| purpose.as_str()).collect();
    let detail = format!("the token was issued for another purpose: {}", allowed.join(", "));
    Err(Problem::new(StatusCode::FORBIDDEN, "purpose_not_allowed", detail).with("needs", allowed))
}
