//! What a request over NATS is answered with.

use bytes::Bytes;
use gt_ledger::jetstream::Outgoing;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use serde_json::Value;

use crate::nats::STATUS_HEADER;
use crate::problem::Problem;

const CONTENT_TYPE: &str = "Content-Type";

/// A reply's subject. Only what a client or the server itself made as an inbox is one: a request must not have the ledger publish
/// anywhere else in its name.
pub(super) fn inbox(subject: Option<&str>) -> Option<&str> {
    subject.filter(|subject| !subject.starts_with("gt.") && !subject.starts_with('$') && !subject.is_empty())
}

/// The receipt or the problem.
pub(super) fn of_answer(to: &str, answer: &Result<Sealed, Refusal>) -> Outgoing {
    match answer {
        Ok(sealed) => {
            let status = if sealed.duplicate { 200 } else { 201 };
            reply(to, status, "text/plain; charset=utf-8", sealed.receipt.to_string())
        }
        Err(refusal) => of_problem(to, &Problem::from(refusal)),
    }
}

/// A problem document.
pub(super) fn of_problem(to: &str, problem: &Problem) -> Outgoing {
    reply(to, problem.status().as_u16(), "application/problem+json", problem.to_json().to_string())
}

/// Any other JSON.
pub(super) fn of_json(to: &str, value: &Value) -> Outgoing {
    reply(to, 200, "application/json", value.to_string())
}

fn reply(to: &str, status: u16, kind: &str, body: String) -> Outgoing {
    Outgoing {
        subject: to.to_owned(),
        headers: vec![(STATUS_HEADER, status.to_string()), (CONTENT_TYPE, kind.to_owned())],
        payload: Bytes::from(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_go_to_inboxes_only() {
        for good in ["_INBOX.abc.1", "_R_.xyz", "my.own.inbox"] {
            assert_eq!(inbox(Some(good)), Some(good));
        }
        for bad in
            ["gt.ledger.decision.recorded", "gt.intake.a.b", "$JS.API.STREAM.DELETE.LEDGER", "$KV.a.b", ""]
        {
            assert_eq!(inbox(Some(bad)), None, "{bad}");
        }
        assert_eq!(inbox(None), None);
    }
}
