use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use gt_core::statement::{Owner, Pseudonym};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use crate::problem::Problem;
use crate::token::Reader;

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
    _reader: Reader,
    State(app): State<App>,
    body: Result<Json<SubjectQuestion>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let expected = r#"send {"pseudonym":"nhs.1:…"}, {"context":"uprn.1:…"} or {"agreement":"its reference"} as application/json"#;
    let Ok(Json(question)) = body else { return Err(Problem::bad_request(expected)) };
    let reference = match (question.pseudonym, question.context, question.agreement) {
        (Some(pseudonym), None, None) => {
            let pseudonym =
                Pseudonym::parse(&pseudonym).map_err(|error| Problem::bad_request(error.to_string()))?;
            let id = app.ledger.owner_id(&Owner::Person(pseudonym));
            id.ok_or_else(|| Problem::not_found("the ledger holds nothing about this person"))?.to_string()
        }
        (None, Some(context), None) => app.ledger.context_id(&context).to_string(),
        // As the views name agreements.
        (None, None, Some(agreement)) => app.ledger.context_id(&format!("agreement {agreement}")).to_string(),
        _ => return Err(Problem::bad_request(expected)),
    };
    Ok(Json(json!({"ref": reference})))
}
