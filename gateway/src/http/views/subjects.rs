use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use gt_core::statement::{Owner, Pseudonym};
use serde::Deserialize;
use serde_json::json;

use super::App;
use crate::access::policy::Cell;
use crate::access::{Accessed, Pass, Scope, outside};
use crate::problem::Problem;

/// `POST /v1/subjects` `{"pseudonym":…}`, `{"context":…}` or `{"agreement":…}`: the opaque reference under which views know
/// somebody, some place or some agreement. A POST, since a pseudonym is personal data and has no place in a URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubjectQuestion {
    pseudonym: Option<String>,
    context: Option<String>,
    agreement: Option<String>,
}

pub(super) async fn subject(
    pass: Pass,
    State(app): State<App>,
    body: Result<Json<SubjectQuestion>, JsonRejection>,
) -> Result<Response, Problem> {
    let expected = r#"send {"pseudonym":"nhs.1:…"}, {"context":"uprn.1:…"} or {"agreement":"its reference"} as application/json"#;
    let Ok(Json(question)) = body else { return Err(Problem::bad_request(expected)) };
    let reference = match (question.pseudonym, question.context, question.agreement) {
        (Some(pseudonym), None, None) => {
            let pseudonym =
                Pseudonym::parse(&pseudonym).map_err(|error| Problem::bad_request(error.to_string()))?;
            return person(pass, app, pseudonym).await;
        }
        // Places and agreements are everybody's, so no agency has them for its own.
        _ if pass.cell != Cell::Allow => return Err(outside(pass.cell)),
        (None, Some(context), None) => app.ledger.context_id(&context).to_string(),
        // As the views name agreements.
        (None, None, Some(agreement)) => app.ledger.context_id(&format!("agreement {agreement}")).to_string(),
        _ => return Err(Problem::bad_request(expected)),
    };
    Ok((Extension(Accessed { records: 1, ..Accessed::default() }), Json(json!({"ref": reference})))
        .into_response())
}

/// Who asks learns whether the ledger holds anything about this person: that there is nothing is an answer about a person too.
async fn person(pass: Pass, app: App, pseudonym: Pseudonym) -> Result<Response, Problem> {
    let asking = move || {
        let Some(id) = app.ledger.owner_id(&Owner::Person(pseudonym)) else {
            // Where only some children may be asked about, whether another is known is not told.
            return if pass.cell == Cell::Allow { Ok(None) } else { Err(outside(pass.cell)) };
        };
        let scope = Scope::of(&pass, &app)?;
        scope.child(&id)?;
        Ok(Some((id, scope.opened_by())))
    };
    let found = tokio::task::spawn_blocking(asking).await.map_err(|error| Problem::internal(&error))??;
    Ok(if let Some((id, approval)) = found {
        let accessed = Accessed { child: Some(id), records: 1, approval };
        (Extension(accessed), Json(json!({"ref": id.to_string()}))).into_response()
    } else {
        let problem = Problem::not_found("the ledger holds nothing about this person");
        (Extension(Accessed::default()), problem).into_response()
    })
}
