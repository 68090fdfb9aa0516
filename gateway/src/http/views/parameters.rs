//! Reading parameters. What is wrong is said with what would be right, and never repeated.

use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OwnerId};

use crate::problem::Problem;

pub(super) fn time(text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| Timestamp::parse(text).map_err(|error| Problem::bad_request(error.to_string())))
        .transpose()
}

pub(super) fn agency(text: Option<&str>) -> Result<Option<AgencyCode>, Problem> {
    text.map(|text| AgencyCode::parse(text).map_err(|error| Problem::bad_request(error.to_string())))
        .transpose()
}

/// A child, or another person.
pub(super) fn person(reference: &str) -> Result<OwnerId, Problem> {
    OwnerId::parse(reference).ok_or_else(|| {
        Problem::bad_request("a child or a person is named by the opaque reference, 22 characters of base64url; POST /v1/subjects gives it for a pseudonym")
    })
}

pub(super) fn context(reference: &str) -> Result<ContextId, Problem> {
    ContextId::parse(reference).ok_or_else(|| {
        Problem::bad_request("a location or an agreement is named by its opaque reference, 22 characters of base64url; POST /v1/subjects gives it")
    })
}

/// One of a closed list of codes.
pub(super) fn code(name: &str, text: Option<String>, known: &[&str]) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if !known.contains(&text.as_str()) => {
            Err(Problem::bad_request(format!("{name} is one of {}", known.join(", "))))
        }
        text => Ok(text),
    }
}

/// One of a few choices by their names; what is usual if none is named.
pub(super) fn choice<T: Copy + Default>(
    name: &str,
    text: Option<&str>,
    choices: &[(&str, T)],
) -> Result<T, Problem> {
    let Some(text) = text else { return Ok(T::default()) };
    let chosen = choices.iter().find(|(known, _)| *known == text);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        Problem::bad_request(format!("{name} is one of {}", known.join(", ")))
    })
}

pub(super) fn count(name: &str, text: Option<&str>) -> Result<Option<usize>, Problem> {
    let count = |text: &str| {
        text.parse().map_err(|_| Problem::bad_request(format!("{name} is a whole number, none below 0")))
    };
    text.map(count).transpose()
}

pub(super) fn truth(name: &str, text: Option<&str>) -> Result<Option<bool>, Problem> {
    choice(name, text, &[("true", Some(true)), ("false", Some(false))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_what_there_is_and_not_repeated() {
        let said = |problem: Problem| problem.to_json()["detail"].as_str().unwrap_or_default().to_owned();
        let wrong = "Marigold".to_owned();
        let problems = [
            code("rating", Some(wrong.clone()), &["Red", "Amber"]).map(drop),
            choice::<Option<u8>>("sort", Some(&wrong), &[("last", Some(1))]).map(drop),
            count("children", Some(&wrong)).map(drop),
            truth("overdue", Some(&wrong)).map(drop),
            time(Some(&wrong)).map(drop),
            agency(Some(&wrong)).map(drop),
            person(&wrong).map(drop),
            context(&wrong).map(drop),
        ];
        for problem in problems {
            let said = said(problem.expect_err("it is wrong"));
            assert!(said.len() > 10 && !said.contains(&wrong), "{said}");
        }
        assert_eq!(code("rating", Some("Red".into()), &["Red"]), Ok(Some("Red".to_owned())));
        assert_eq!(truth("overdue", Some("false")), Ok(Some(false)));
        assert_eq!(choice::<u8>("sort", None, &[("last", 7)]), Ok(0));
    }
}
