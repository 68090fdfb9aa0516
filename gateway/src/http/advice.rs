use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use gt_core::agency::AgencyCode;
use gt_schemas::{Catalogue, Expected, Fault, SchemaError, Time};
use serde_json::Value;

use super::{App, strict};
use crate::draft::to_serde;
use crate::problem::Problem;

/// The largest question, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

/// What a question is, for whoever sends another thing.
const FORM: &str = r#"{"agency":"gias:999001","data":{…}}: data is a decision's data, of which any member may be missing; agency may be left out"#;

/// `POST /v1/advice`. Nothing of the question is kept, logged or repeated.
pub(super) async fn advise(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body = strict::body(&headers, body, "question", MAX_BODY_BYTES)?;
    let configured = app.ledger.configured();
    let entry = configured.index.map(|index| index.0);
    advice_on(&body, &configured.configuration.legal, entry).map(Json)
}

/// The advice on a question, under these legal bases and the entry that sealed them.
pub(crate) fn advice_on(
    question: &[u8],
    legal: &Catalogue,
    configuration_entry: Option<u64>,
) -> Result<Value, Problem> {
    let read = strict::value(question, "question")?;
    let members = read.as_object().ok_or_else(|| no_question("", "is no object"))?;
    if members.iter().any(|(name, _)| !["agency", "data"].contains(&name)) {
        return Err(no_question("/*", "is no member of a question"));
    }
    let agency = match members.get("agency") {
        None => None,
        Some(agency) => {
            let parsed = agency.as_str().and_then(|text| AgencyCode::parse(text).ok());
            Some(parsed.ok_or_else(|| {
                let expected = "an agency's code, like gias:999001";
                refused(
                    "bad_value",
                    "/agency",
                    "/agency: has a wrong value".to_owned(),
                    Some(expected.to_owned()),
                )
            })?)
        }
    };
    let data = members.get("data").ok_or_else(|| no_question("/data", "is missing"))?;
    let agency = agency.as_ref().map(AgencyCode::as_str);
    let advice =
        gt_schemas::advise(&to_serde(data), agency, legal).map_err(|error| schema_problem(&error))?;
    let mut answer = serde_json::to_value(advice).map_err(|error| Problem::internal(&error))?;
    answer["configuration"] = configuration_entry.into();
    Ok(answer)
}

/// Something that is not put as a question is.
fn no_question(path: &str, fault: &str) -> Problem {
    let place = if path.is_empty() { "the question" } else { path };
    Problem::bad_request(format!("{place} {fault}; expected {FORM}"))
        .with("path", path)
        .with("expected", FORM)
}

fn schema_problem(error: &SchemaError) -> Problem {
    let path = format!("/data{}", error.path);
    refused(error.code(), &path, format!("{path}: {}", error.fault), expected(&error.fault))
}

fn refused(code: &'static str, path: &str, detail: String, expected: Option<String>) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with("path", path);
    match expected {
        Some(expected) => problem.with("expected", expected),
        None => problem,
    }
}

/// What may stand there.
fn expected(fault: &Fault) -> Option<String> {
    Some(match fault {
        Fault::BadValue { expected: Expected::OneOf(codes) } => codes.join(", "),
        Fault::BadValue { expected } => expected.to_string(),
        Fault::UnknownMember { expected } if !expected.is_empty() => expected.join(", "),
        Fault::MissingMember { rule } => format!("required {rule}"),
        Fault::Contradiction { expected } => (*expected).to_owned(),
        Fault::TextTooLong { max } => format!("at most {max} characters"),
        Fault::BlankText => "a text".to_owned(),
        Fault::BadTime => Time::FORM.to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(question: &str) -> Result<Value, Value> {
        advice_on(question.as_bytes(), &Catalogue::standard(), Some(2)).map_err(|problem| problem.to_json())
    }

    #[test]
    fn an_empty_question_is_told_what_is_missing_and_to_seek_advice() {
        let answer = ask(r#"{"data":{}}"#).expect("answered");
        assert_eq!(answer["flow"]["outcome"], "SeekAdvice");
        assert_eq!(answer["configuration"], 2);
        assert!(answer["missing"].as_array().expect("a list").iter().any(|one| one["path"] == "/rationale"));
        assert_eq!(answer["golden_rules"].as_array().map(Vec::len), Some(7));
    }

    /// DOMAIN section 3: at section 17 or above such concerns must go on.
    #[test]
    fn withholding_from_a_child_in_need_escalates_with_its_finding() {
        let question = json!({"agency": "gias:999001", "data": {
            "decision": "Withhold", "harm_level": "ChildInNeed", "purpose": "AssessNeed",
            "withhold": {"ground": "DataProtection"},
            "consent": {"status": "NotSought", "why_not": "NotReasonable"},
            "items": [{"category": "Health", "nature": "Fact", "accuracy": "Verified", "class": "Special", "identifies": true,
                       "disposition": "Withheld"}],
        }});
        let answer = ask(&question.to_string()).expect("answered");
        assert_eq!(
            (&answer["flow"]["outcome"], &answer["flow"]["escalate"]),
            (&json!("DoNotShare"), &json!(true))
        );
        let found: Vec<&Value> =
            answer["findings"].as_array().expect("a list").iter().map(|one| &one["code"]).collect();
        assert_eq!(found, ["W5"]);
        assert!(
            answer["findings"][0]["sentence"].as_str().is_some_and(|sentence| sentence.contains("Neither"))
        );
    }

    #[test]
    fn what_is_no_question_is_told_where_and_what_was_expected_and_never_a_value() {
        for (question, status, code, path, expected) in [
            ("[]", 400, "bad_request", Some(""), "\"data\""),
            ("{}", 400, "bad_request", Some("/data"), "\"data\""),
            (r#"{"data":{},"Jo Bloggs":1}"#, 400, "bad_request", Some("/*"), "\"data\""),
            (r#"{"data":{},"data":{}}"#, 400, "not_json", None, ""),
            (r#"{"data":{},"agency":"Jo Bloggs"}"#, 422, "bad_value", Some("/agency"), "gias:999001"),
            (
                r#"{"data":{"harm_level":"Jo Bloggs"}}"#,
                422,
                "bad_value",
                Some("/data/harm_level"),
                "SignificantHarm",
            ),
            (
                r#"{"data":{"times":{"occurred_at":"Jo Bloggs"}}}"#,
                422,
                "bad_time",
                Some("/data/times/occurred_at"),
                "YYYY",
            ),
            (r#"{"data":{"Jo Bloggs":1}}"#, 422, "unknown_member", Some("/data/*"), "harm_level"),
        ] {
            let problem = ask(question).expect_err("refused");
            assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{problem}");
            assert_eq!(problem.get("path").and_then(Value::as_str), path, "{problem}");
            assert!(problem["expected"].as_str().unwrap_or_default().contains(expected), "{problem}");
            assert!(!problem.to_string().contains("Bloggs"), "{problem}");
        }
    }
}
