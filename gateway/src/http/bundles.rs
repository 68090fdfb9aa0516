//! Evidence bundles over HTTP: `GET /v1/bundles` and, for a child by its pseudonym, `POST /v1/bundles`.

mod form;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use gt_core::agency::AgencyCode;
use gt_core::bundle::{About, Bundle, MAX_CONSISTENCY};
use gt_core::statement::{Owner, Pseudonym};
use gt_core::time::Timestamp;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::bundle::{BundleRequest, MakeBundleError, Selection, Subject, Withhold};
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::record::OwnerId;
use gt_projections::{AlertId, Page};
use serde::Deserialize;
use tokio::sync::Semaphore;

use self::form::Form;
use super::{App, Query};
use crate::access::{Accessed, Cell, Pass, Scope, outside, restricted};
use crate::problem::Problem;

/// The largest question, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Bundles are long, and are made in memory; whoever comes third waits.
static MAKING: Semaphore = Semaphore::const_new(2);

/// `GET /v1/bundles?child|entries|agency|alert&without&bare&statements&known&format`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleQuery {
    child: Option<String>,
    entries: Option<String>,
    agency: Option<String>,
    alert: Option<String>,
    without: Option<String>,
    bare: Option<bool>,
    statements: Option<bool>,
    known: Option<String>,
    format: Option<String>,
}

/// The body of `POST /v1/bundles`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleQuestion {
    child: Option<String>,
    entries: Option<String>,
    agency: Option<String>,
    alert: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    bare: bool,
    statements: Option<bool>,
    #[serde(default)]
    known: Vec<u64>,
}

/// The query of `POST /v1/bundles`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormQuery {
    format: Option<String>,
}

pub(super) async fn get(
    pass: Pass,
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<BundleQuery>,
) -> Result<(Extension<Accessed>, Response), Problem> {
    let form = Form::asked(query.format.as_deref(), &headers)?;
    if query.child.as_deref().is_some_and(|child| OwnerId::parse(child).is_none()) {
        return Err(Problem::bad_request(
            "here a child is named by the opaque reference, 22 characters of base64url; a pseudonym is personal data and has no place in a URL: POST it to /v1/bundles",
        ));
    }
    let known = query.known.as_deref().map_or_else(|| Ok(Vec::new()), sizes)?;
    let without = query.without.as_deref().unwrap_or_default();
    let question = BundleQuestion {
        child: query.child,
        entries: query.entries,
        agency: query.agency,
        alert: query.alert,
        without: without.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect(),
        bare: query.bare.unwrap_or(false),
        statements: query.statements,
        known,
    };
    answer(app, pass, question, form).await
}

pub(super) async fn post(
    pass: Pass,
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<FormQuery>,
    body: Result<Json<BundleQuestion>, JsonRejection>,
) -> Result<(Extension<Accessed>, Response), Problem> {
    let form = Form::asked(query.format.as_deref(), &headers)?;
    let Json(question) = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_long",
            format!("a question has at most {MAX_BODY_BYTES} bytes"),
        ),
        _ => Problem::bad_request(
            r#"send one of {"child":"nhs.1:…"}, {"entries":"5-9"}, {"agency":"ods:RX1"}, {"alert":"its id"} as application/json; "without" [names], "bare", "statements" and "known" [sizes] may stand beside it"#,
        ),
    })?;
    answer(app, pass, question, form).await
}

/// The body of `POST /v1/subject-access`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubjectAccessQuestion {
    child: String,
    #[serde(default)]
    bare: bool,
}

/// Everything about a child, for the person who decides what of it whoever asks may have.
pub(super) async fn post_subject_access(
    pass: Pass,
    State(app): State<App>,
    body: Result<Json<SubjectAccessQuestion>, JsonRejection>,
) -> Result<(Extension<Accessed>, Response), Problem> {
    let Json(SubjectAccessQuestion { child, bare }) = body.map_err(|_| {
        Problem::bad_request(
            r#"send {"child":"nhs.1:…"} as application/json; "bare":true beside it withholds all disclosures"#,
        )
    })?;
    let question = BundleQuestion {
        child: Some(child),
        entries: None,
        agency: None,
        alert: None,
        without: Vec::new(),
        bare,
        statements: None,
        known: Vec::new(),
    };
    answer(app, pass, question, Form::Json).await
}

async fn answer(
    app: App,
    pass: Pass,
    question: BundleQuestion,
    form: Form,
) -> Result<(Extension<Accessed>, Response), Problem> {
    let permit = MAKING.acquire().await.map_err(|error| Problem::internal(&error))?;
    let made = tokio::task::spawn_blocking(move || {
        // It goes on being made when whoever asked for it has gone.
        let _making = permit;
        let request = question.read(&app)?;
        let scope = Scope::of(&pass, &app)?;
        if pass.cell == Cell::Allow && is_about_nobody(&app, &request.selection) {
            // That the ledger knows nothing of somebody is an answer about them too.
            return Ok((
                Extension(Accessed::default()),
                problem(&MakeBundleError::UnknownChild).into_response(),
            ));
        }
        let child = may_have(&scope, &pass, &app, &request.selection)?;
        let bundle = app.ledger.bundle(&request).map_err(|error| problem(&error))?;
        may_have_all(&scope, &app, &bundle)?;
        let (entries, mut whose) = (&bundle.manifest.entries, BTreeSet::new());
        for index in entries {
            let owners = scope.owners(*index)?;
            if scope.hides_one_of(&owners)? {
                return Err(restricted().with("entry", index.0));
            }
            whose.extend(owners.first());
        }
        let child = child.map_or_else(|| scope.one_child(&whose), |child| Ok(Some(child)))?;
        let accessed = Accessed { child, records: entries.len(), approval: scope.opened_by() };
        Ok((Extension(accessed), form.write(&bundle)?))
    });
    made.await.map_err(|error| Problem::internal(&error))?
}

/// Whether it asks for a child of whom the ledger holds nothing.
fn is_about_nobody(app: &App, selection: &Selection) -> bool {
    let Selection::Child(Subject::Pseudonym(pseudonym)) = selection else { return false };
    app.ledger.owner_id(&Owner::Person(pseudonym.clone())).is_none()
}

/// The child whose bundle it is, if it is one's. Who reads about named children has theirs, and no other selection.
fn may_have(
    scope: &Scope<'_>,
    pass: &Pass,
    app: &App,
    selection: &Selection,
) -> Result<Option<OwnerId>, Problem> {
    let child = match selection {
        Selection::Child(Subject::Owner(id)) => Some(*id),
        Selection::Child(Subject::Pseudonym(pseudonym)) => {
            // Where only some children may be asked about, whether another is known is not told.
            let id = app.ledger.owner_id(&Owner::Person(pseudonym.clone()));
            Some(id.ok_or_else(|| outside(pass.cell))?)
        }
        _ if pass.cell != Cell::Allow => return Err(outside(pass.cell)),
        _ => None,
    };
    child.as_ref().map_or(Ok(()), |child| scope.child(child)).map(|()| child)
}

/// A bundle follows every identifier that was ever linked, also where the link was taken back: whoever may read about named children gets
/// none in which there is somebody else.
fn may_have_all(scope: &Scope<'_>, app: &App, bundle: &Bundle) -> Result<(), Problem> {
    let About::Child { subjects } = &bundle.manifest.about else { return Ok(()) };
    for subject in subjects {
        // It was opened just now, so it is known.
        let id = app.ledger.owner_id(&Owner::Person(subject.clone()));
        scope.child(&id.ok_or_else(|| outside(Cell::Named))?)?;
    }
    Ok(())
}

impl BundleQuestion {
    fn read(self, app: &App) -> Result<BundleRequest, Problem> {
        if self.known.len() > MAX_CONSISTENCY {
            return Err(Problem::bad_request(format!("at most {MAX_CONSISTENCY} sizes can be known")));
        }
        let selection = match (self.child, self.entries, self.agency, self.alert) {
            (Some(child), None, None, None) => Selection::Child(subject(&child)?),
            (None, Some(entries), None, None) => range(&entries)?,
            (None, None, Some(agency), None) => Selection::Agency(
                AgencyCode::parse(&agency).map_err(|error| Problem::bad_request(error.to_string()))?,
            ),
            (None, None, None, Some(alert)) => behind_alert(app, &alert)?,
            _ => return Err(Problem::bad_request("ask for exactly one of child, entries, agency and alert")),
        };
        Ok(BundleRequest {
            selection,
            withhold: Withhold {
                members: self.without,
                disclosures: self.bare,
                statements: !self.statements.unwrap_or(true),
            },
            known: self.known.into_iter().map(TreeSize).collect(),
            made_at: now(),
        })
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH)
}

fn subject(child: &str) -> Result<Subject, Problem> {
    if let Some(id) = OwnerId::parse(child) {
        return Ok(Subject::Owner(id));
    }
    let pseudonym = Pseudonym::parse(child);
    Ok(Subject::Pseudonym(pseudonym.map_err(|error| Problem::bad_request(error.to_string()))?))
}

/// `5-9`, or `5` alone.
fn range(text: &str) -> Result<Selection, Problem> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (number(first), number(last)) {
        (Some(first), Some(last)) => {
            Ok(Selection::Entries { first: LeafIndex(first), last: LeafIndex(last) })
        }
        _ => Err(Problem::bad_request("entries is the first and the last with a hyphen between, like 5-9")),
    }
}

fn sizes(text: &str) -> Result<Vec<u64>, Problem> {
    let size = |text: &str| {
        text.parse().map_err(|_| Problem::bad_request("known is a size, or several with commas between"))
    };
    text.split(',').map(size).collect()
}

fn behind_alert(app: &App, id: &str) -> Result<Selection, Problem> {
    let id = AlertId::parse(id)
        .ok_or_else(|| Problem::bad_request("an alert's id has 22 characters of base64url"))?;
    let page = Page { now: Some(now()), ..Page::default() };
    let answer = app.views.ask(|views| views.alert(&id, &page)).map_err(|error| Problem::internal(&error))?;
    let alert = answer.items.into_iter().next();
    let alert =
        alert.ok_or_else(|| Problem::not_found("there is no such alert, as far as the views have come"))?;
    Ok(Selection::Alert {
        alert: id.to_string(),
        pattern: alert.pattern.as_str().to_owned(),
        entries: alert.entries,
    })
}

fn problem(error: &MakeBundleError) -> Problem {
    use MakeBundleError as Error;
    let status = match error {
        Error::UnknownChild | Error::NoSuchEntry { .. } | Error::UnknownAgency => StatusCode::NOT_FOUND,
        Error::EmptyRange { .. } | Error::UnknownMember { .. } => StatusCode::BAD_REQUEST,
        Error::KnownAhead { .. } => StatusCode::CONFLICT,
        Error::TooManySubjects | Error::TooLarge { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        _ => return Problem::internal(error),
    };
    let problem = Problem::new(status, error.code(), error.to_string());
    match error {
        Error::TooLarge { fits, of, last_fitting, .. } => problem
            .with("fits", *fits)
            .with("of", *of)
            .with("last_fitting", last_fitting.map(|index| index.0)),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        let entries = |first, last| Selection::Entries { first: LeafIndex(first), last: LeafIndex(last) };
        assert_eq!(range("5-9"), Ok(entries(5, 9)));
        assert_eq!(range("7"), Ok(entries(7, 7)));
        for wrong in ["", "-", "5-", "-9", "+5-9", "5-9-10", "a-b", "99999999999999999999-1"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
        assert_eq!(sizes("5,9"), Ok(vec![5, 9]));
        assert!(sizes("5,").is_err());
    }
}
