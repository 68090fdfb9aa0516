//! Reading beyond the usual rights: somebody asks, another person approves, and both are sealed (DOMAIN section 8).

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{AccessPurpose, AccessRole};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Path};
use crate::access::break_glass::{Asked, MAX_HOURS, TooMany};
use crate::access::reader::role_name;
use crate::access::recorder::now;
use crate::access::{Pass, Scope};
use crate::problem::Problem;

const USUAL_HOURS: u32 = 8;
const MILLIS_PER_HOUR: i64 = 3_600_000;

/// `POST /v1/break-glass`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskBody {
    child: String,
    purpose: String,
    hours: Option<u32>,
}

/// `POST /v1/break-glass`: asks to read one child's texts for some hours, or a restricted record.
pub(super) async fn ask(
    pass: Pass,
    State(app): State<App>,
    body: Result<Json<AskBody>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let expected = format!(
        r#"send {{"child":"its reference","purpose":"{}","hours":8}} as application/json; hours, 1 to {MAX_HOURS}, may be left out"#,
        AccessPurpose::CODES.join("|")
    );
    let refused = || Problem::bad_request(expected.clone());
    let Ok(Json(body)) = body else { return Err(refused()) };
    let child = OwnerId::parse(&body.child).ok_or_else(refused)?;
    let purpose = AccessPurpose::parse(&body.purpose).ok_or_else(refused)?;
    let hours = body.hours.unwrap_or(USUAL_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(refused());
    }
    may_ask(&pass, &app, child).await?;
    let at = now();
    let asked =
        Asked { subject: pass.reader.subject.clone(), role: pass.reader.role, child, purpose, hours, at };
    let id = app.access.requests.ask(asked).map_err(|too_many| {
        let status = match too_many {
            TooMany::InAll => StatusCode::SERVICE_UNAVAILABLE,
            TooMany::Yours => StatusCode::TOO_MANY_REQUESTS,
        };
        Problem::new(status, "too_many_requests_waiting", too_many.to_string())
    })?;
    let answer = json!({"id": id, "status": "waiting", "approve": format!("/v1/break-glass/{id}/approve")});
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// An approval opens what is restricted, and texts to an analyst. It opens no other agency's records.
async fn may_ask(pass: &Pass, app: &App, child: OwnerId) -> Result<(), Problem> {
    let (pass, app) = (pass.clone(), app.clone());
    let asking = move || match Scope::of(&pass, &app)?.child(&child) {
        Err(problem) if problem.code() != "record_restricted" => Err(problem),
        _ => Ok(()),
    };
    tokio::task::spawn_blocking(asking).await.map_err(|error| Problem::internal(&error))?
}

/// `GET /v1/break-glass`: what waits for approval. A manager sees what is about the children whom the agency knows.
pub(super) async fn waiting(pass: Pass, State(app): State<App>) -> Result<Json<Value>, Problem> {
    let asking = move || {
        let scope = Scope::of(&pass, &app)?;
        let mut items = Vec::new();
        for (id, asked) in app.access.requests.all(now()) {
            if is_theirs(&scope, &asked.child)? {
                items.push(described(&id, &asked));
            }
        }
        Ok(Json(json!({"items": items})))
    };
    tokio::task::spawn_blocking(asking).await.map_err(|error| Problem::internal(&error))?
}

fn described(id: &str, asked: &Asked) -> Value {
    json!({
        "id": id,
        "reader": asked.subject,
        "role": role_name(asked.role),
        "child": asked.child.to_string(),
        "purpose": asked.purpose.as_str(),
        "hours": asked.hours,
        "asked_at": asked.at.to_string(),
    })
}

/// Whoever approves need not be named on a restricted record: that it is restricted is why somebody is asked.
fn is_theirs(scope: &Scope<'_>, child: &OwnerId) -> Result<bool, Problem> {
    match scope.child(child) {
        Ok(()) => Ok(true),
        Err(problem) if problem.code() == "record_restricted" => Ok(true),
        Err(problem) if problem.code() == "outside_scope" => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// `POST /v1/break-glass/{id}/approve`: a second person approves; it holds once it is sealed.
pub(super) async fn approve(
    pass: Pass,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let at = now();
    let nothing = || {
        Problem::not_found(
            "nothing of this id waits for approval here: it was approved, is over a day old, or was asked of another node",
        )
    };
    let asked = app.access.requests.get(&id, at).ok_or_else(nothing)?;
    if asked.subject == pass.reader.subject {
        let detail = "nobody approves what they asked for: it takes a second person";
        return Err(Problem::new(StatusCode::FORBIDDEN, "second_person_needed", detail));
    }
    let (approver, whole, child) = (pass.clone(), app.clone(), asked.child);
    let theirs = move || is_theirs(&Scope::of(&approver, &whole)?, &child);
    let theirs = tokio::task::spawn_blocking(theirs).await.map_err(|error| Problem::internal(&error))?;
    if !theirs? {
        return Err(crate::access::outside(pass.cell));
    }
    let asked = app.access.requests.take(&id, at).ok_or_else(nothing)?;
    match seal(&app, &pass, &asked, at).await {
        Ok(answer) => Ok((StatusCode::CREATED, Json(answer))),
        Err(problem) => {
            app.access.requests.put_back(&id, asked);
            Err(problem)
        }
    }
}

async fn seal(app: &App, pass: &Pass, asked: &Asked, at: Timestamp) -> Result<Value, Problem> {
    let ends = at.as_millis() + i64::from(asked.hours) * MILLIS_PER_HOUR;
    let expires_at = Timestamp::from_millis(ends).unwrap_or(at);
    let mut data = json!({
        "role": AccessRole::as_str(asked.role),
        "purpose": asked.purpose.as_str(),
        "what": "Texts",
        "reader": {"name": asked.subject},
        "approver": {"name": pass.reader.subject},
        "times": {"occurred_at": at.to_string(), "expires_at": expires_at.to_string()},
    });
    app.access.recorder.put_child(&mut data, Some(&asked.child));
    if data.get("child").is_none() {
        return Err(Problem::not_found("nothing of this child can be read any more"));
    }
    let recorded = app.access.recorder.record("access.approved", &data).await?;
    // Who asks next is let in by what the views say, so they should say it.
    app.access.recorder.until_projected(&app.views, recorded.index).await;
    Ok(json!({"entry": recorded.index, "expires_at": expires_at.to_string()}))
}
