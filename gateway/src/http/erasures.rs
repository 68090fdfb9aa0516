//! Erasure for the data protection officer: `docs/ERASURE.md` says what it comes to.
//!
//! Who asked is sealed before anything is done, and not as a record about the child: that would end with the others.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use gt_ledger::erasure::{EraseError, EraseRequest};
use gt_ledger::keyring::ConfirmError;
use serde_json::{Value, json};

use super::{App, Path, strict};
use crate::access::{Accessed, Pass, SealedBefore};
use crate::control;
use crate::problem::{Problem, chain};

/// The largest request, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 4 * 1024;

/// What a request is, for whoever sends another thing.
const FORM: &str = r#"{"child":"nhs.1:… or the opaque id","authority":"gss:E06000999","ground":"EnteredInError","scope":"data"}; the scope is data or records"#;

const MEMBERS: [&str; 4] = ["child", "authority", "ground", "scope"];

/// `POST /v1/erasures`: destroys somebody's keys. A POST, since a pseudonym is personal data and has no place in a URL.
pub(super) async fn erase(
    pass: Pass,
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request = read(&strict::body(&headers, body, "request", MAX_BODY_BYTES)?)?;
    if let Some(agency) = pass.reader.agency.as_ref().filter(|agency| **agency != request.authority) {
        let detail = "your token is bound to an agency, and you erase on that agency's authority alone";
        return Err(
            Problem::new(StatusCode::FORBIDDEN, "other_authority", detail).with("needs", agency.as_str())
        );
    }
    record(&app, &pass).await?;
    let asked = tokio::task::spawn_blocking(move || app.ledger.erase(&request)).await;
    let done = asked.map_err(|error| Problem::internal(&error))?.map_err(|error| refused(&error))?;
    Ok((StatusCode::CREATED, Extension(SealedBefore), Json(control::receipt(&done))).into_response())
}

/// `GET /v1/erasures`: the key-encryption keys that were retired, the erasures for which, and what people must still destroy.
pub(super) async fn list(State(app): State<App>) -> Result<(Extension<Accessed>, Json<Value>), Problem> {
    let asking = move || control::retired(&app.ledger);
    let listed = tokio::task::spawn_blocking(asking).await.map_err(|error| Problem::internal(&error))?;
    let items = listed.map_err(|error| unconfirmed(&error))?;
    let records = items.as_array().map_or(0, Vec::len);
    Ok((Extension(Accessed { records, ..Accessed::default() }), Json(json!({"items": items}))))
}

/// `POST /v1/erasures/{index}/confirmations`: every copy of the key that was retired for it is destroyed.
pub(super) async fn confirm(
    pass: Pass,
    State(app): State<App>,
    Path(what): Path<String>,
) -> Result<(Extension<SealedBefore>, Json<Value>), Problem> {
    let what = control::confirmed(&what);
    record(&app, &pass).await?;
    let asked = tokio::task::spawn_blocking(move || app.ledger.confirm_destroyed(&what)).await;
    let done = asked.map_err(|error| Problem::internal(&error))?.map_err(|error| unconfirmed(&error))?;
    Ok((Extension(SealedBefore), Json(control::shown(&done))))
}

/// Seals who acts. What comes of it is in no answer before.
async fn record(app: &App, pass: &Pass) -> Result<(), Problem> {
    let accessed = Accessed { records: 1, ..Accessed::default() };
    app.access.recorder.read(pass, &accessed).await.map(drop)
}

fn read(body: &[u8]) -> Result<EraseRequest, Problem> {
    let value = strict::value(body, "request")?;
    let bad = |path: &str, fault: &str| {
        let place = if path.is_empty() { "the request" } else { path };
        Problem::bad_request(format!("{place} {fault}; expected {FORM}")).with("path", path)
    };
    let members = value.as_object().ok_or_else(|| bad("", "is no object"))?;
    if members.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
        return Err(bad("/*", "is no member of a request"));
    }
    let text = |name: &str| {
        let value = members.get(name).ok_or_else(|| bad(&format!("/{name}"), "is missing"))?;
        value.as_str().ok_or_else(|| bad(&format!("/{name}"), "is no text"))
    };
    let [child, authority, ground, scope] = MEMBERS.map(text);
    let request = control::erasure(child?, scope?, authority?, ground?);
    request.map_err(|refused| Problem::bad_request(refused.message))
}

/// Why nothing was erased, or in one case: why that cannot be told.
fn refused(error: &EraseError) -> Problem {
    use EraseError as Error;
    let (status, detail) = match error {
        Error::Unknown => (StatusCode::NOT_FOUND, error.to_string()),
        Error::AlreadyErased => (
            StatusCode::CONFLICT,
            "what was disclosed about this person is erased already; the scope records ends the records too"
                .to_owned(),
        ),
        Error::Held(_) | Error::FollowsStream | Error::OnlyFollows | Error::NotPrepared(_) => {
            (StatusCode::CONFLICT, error.to_string())
        }
        Error::UnknownAuthority(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "no publisher of this ledger speaks for that authority, so it can decide on no erasure here"
                .to_owned(),
        ),
        Error::TooManyIdentifiers => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        Error::Busy | Error::Superseded | Error::NoServiceKey | Error::NoSource | Error::Interrupted => {
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
        Error::Kek(_) | Error::Read(_) | Error::Io(_) | Error::Sign(_) => {
            tracing::error!(error = %chain(error), "nothing was erased");
            (StatusCode::INTERNAL_SERVER_ERROR, "nothing was erased; the ledger's log says why".to_owned())
        }
        _ => return Problem::internal(error),
    };
    let problem = Problem::new(status, error.code(), detail);
    let Error::Held(holds) = error else { return problem };
    let holds = holds.iter().map(|hold| json!({"entry": hold.index.0, "ended_by": hold.ended_by}));
    problem.with("held_by", holds.collect::<Vec<Value>>())
}

fn unconfirmed(error: &ConfirmError) -> Problem {
    match error {
        ConfirmError::Unknown => Problem::new(StatusCode::NOT_FOUND, "unknown_erasure", error.to_string()),
        ConfirmError::NodesPending(_) => {
            Problem::new(StatusCode::CONFLICT, "nodes_pending", error.to_string())
        }
        ConfirmError::Register(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_register", error.to_string())
        }
        ConfirmError::Stopped => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", error.to_string()),
        _ => Problem::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::LeafIndex;
    use gt_ledger::erasure::{Hold, NotPrepared};

    fn sent(request: &Value) -> Result<EraseRequest, Problem> {
        read(request.to_string().as_bytes())
    }

    #[test]
    fn a_request_is_read_strictly_and_nothing_of_it_is_repeated() {
        let whole = json!({
            "child": "A".repeat(22), "authority": "gss:E06000999", "ground": "CourtOrder", "scope": "records",
        });
        let request = sent(&whole).expect("a request");
        assert_eq!((request.ground, request.authority.as_str()), ("CourtOrder", "gss:E06000999"));
        for (member, wrong) in [
            ("child", json!("Marigold")),
            ("child", json!(7)),
            ("authority", json!("Marigold")),
            ("ground", json!("Marigold")),
            ("scope", json!("Marigold")),
            ("Marigold", json!(true)),
        ] {
            let mut changed = whole.clone();
            changed[member] = wrong;
            let problem = sent(&changed).expect_err(member);
            assert_eq!(problem.code(), "bad_request", "{member}");
            assert!(!problem.to_json().to_string().contains("Marigold"), "{problem:?}");
        }
        for member in MEMBERS {
            let mut without = whole.clone();
            without.as_object_mut().expect("an object").remove(member);
            let problem = sent(&without).expect_err(member);
            assert_eq!(problem.fact("path"), Some(&json!(format!("/{member}"))));
        }
        let twice = whole.to_string().replacen('{', r#"{"scope":"data","#, 1);
        assert_eq!(read(twice.as_bytes()).expect_err("twice").code(), "not_json");
        assert_eq!(read(b"[]").expect_err("a list").code(), "bad_request");
    }

    #[test]
    fn a_refusal_says_what_holds_it_back() {
        let held = EraseError::Held(vec![Hold { index: LeafIndex(7), ended_by: "hold.lifted" }]);
        let problem = refused(&held);
        assert_eq!((problem.status().as_u16(), problem.code()), (409, "held"));
        assert_eq!(problem.fact("held_by"), Some(&json!([{"entry": 7, "ended_by": "hold.lifted"}])));
        let lost = refused(&EraseError::Io(std::io::Error::other("the disk")));
        assert_eq!((lost.status().as_u16(), lost.code()), (500, "io"));
        assert!(!lost.detail().contains("disk"));
        assert_eq!(refused(&EraseError::Interrupted).code(), "interrupted");
        assert_eq!(unconfirmed(&ConfirmError::Unknown).status().as_u16(), 404);
        let pending = unconfirmed(&ConfirmError::NodesPending("0123456789abcdef".into()));
        assert_eq!((pending.status().as_u16(), pending.code()), (409, "nodes_pending"));
        let unprepared = NotPrepared::NoBucket { kek: "0123456789abcdef".into() };
        assert_eq!(refused(&EraseError::NotPrepared(unprepared)).code(), "not_prepared");
    }
}
