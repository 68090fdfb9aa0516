use async_nats::{Message, StatusCode};
use bytes::Bytes;
use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;
use gt_core::statement::PublisherId;
use gt_ledger::jetstream::intake_subject;
use serde::Deserialize;

use super::exchange::{Exchange, IntakeError};
use crate::client::{Answer, ChainEnd, ClientError, Head, LedgerDescription, Problem, answer_of};
use crate::outbox::Pin;

/// The header of a reply that says, as an HTTP status, what became of a statement.
pub const STATUS_HEADER: &str = "Gt-Status";
/// The longest reply that is read, in bytes.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// One agency's side of the intake.
#[derive(Debug)]
pub(crate) struct Intake {
    exchange: Exchange,
    agency: AgencyCode,
}

impl Intake {
    pub(crate) const fn new(exchange: Exchange, agency: AgencyCode) -> Self {
        Self { exchange, agency }
    }

    /// Where this publisher's chain ends, and which ledger says so.
    pub(crate) async fn chain_end(&self, publisher: &PublisherId) -> Result<ChainEnd, ClientError> {
        let mut reply = None;
        let subject = intake_subject(&self.agency, publisher);
        let take = |_, message: &Message| {
            reply = Some(read(message));
            true
        };
        let ended = self.exchange.run(&subject, &[Bytes::new()], take).await;
        let (status, payload) = match reply {
            Some(reply) => reply?,
            None => return Err(ended.err().unwrap_or(IntakeError::Silent).into()),
        };
        if matches!(status, 200..300) {
            return parse_chain_end(&payload, publisher)
                .ok_or(ClientError::Malformed { expected: "answer about the end of a publisher's chain" });
        }
        Err(match problem(&payload) {
            Some(problem) => ClientError::Problem { status, problem, retry_after: None },
            None => ClientError::Status { status, retry_after: None },
        })
    }

    /// Sends statements in order, and returns as many answers. It does not wait for answers after one that is no receipt:
    /// what they say follows from that one.
    pub(crate) async fn submit<S: AsRef<str>>(
        &self,
        publisher: &PublisherId,
        statements: &[S],
    ) -> Result<Vec<Answer>, ClientError> {
        let mut answers = Answers::new(statements.len());
        let limit = self.exchange.max_payload().await?;
        let mut payloads = Vec::with_capacity(statements.len());
        for (at, statement) in statements.iter().map(AsRef::as_ref).enumerate() {
            if statement.len() > limit {
                answers.put(at, Ok(Answer::Unanswered(Some(too_long(statement.len(), limit)))));
                break;
            }
            payloads.push(Bytes::copy_from_slice(statement.as_bytes()));
        }
        let subject = intake_subject(&self.agency, publisher);
        let ended = if payloads.is_empty() {
            Ok(())
        } else {
            let take = |at, message: &Message| {
                answers.put(at, read(message).and_then(|(status, payload)| read_answer(status, payload)));
                answers.are_settled()
            };
            self.exchange.run(&subject, &payloads, take).await
        };
        answers.finish(ended.err())
    }
}

/// The answers to a batch, as they come in.
struct Answers(Vec<Option<Result<Answer, ClientError>>>);

impl Answers {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    /// The first answer to a statement counts. What is not read as one ends the batch there.
    fn put(&mut self, at: usize, answer: Result<Answer, ClientError>) {
        if let Some(slot) = self.0.get_mut(at) {
            slot.get_or_insert(answer);
        }
    }

    /// Whether nothing that may still come would matter: all are receipts, or the first that is none is there.
    fn are_settled(&self) -> bool {
        let first = self.0.iter().find(|slot| !matches!(slot, Some(Ok(Answer::Sealed { .. }))));
        first.is_none_or(Option::is_some)
    }

    /// The answers up to the first that is missing or unreadable, and none for the rest. If that is the first of all, its
    /// error says more than a list without answers.
    fn finish(self, error: Option<IntakeError>) -> Result<Vec<Answer>, ClientError> {
        let count = self.0.len();
        let mut answers = Vec::with_capacity(count);
        for slot in self.0 {
            match slot {
                Some(Ok(answer)) => {
                    let sealed = matches!(answer, Answer::Sealed { .. });
                    answers.push(answer);
                    if !sealed {
                        break;
                    }
                }
                Some(Err(error)) if answers.is_empty() => return Err(error),
                None if answers.is_empty() => return Err(error.unwrap_or(IntakeError::Silent).into()),
                _ => break,
            }
        }
        answers.resize(count, Answer::Unanswered(None));
        Ok(answers)
    }
}

/// Whether this is the server's word that nobody is subscribed, rather than a ledger's answer.
pub(super) fn is_no_responder(message: &Message) -> bool {
    message.status == Some(StatusCode::NO_RESPONDERS) && message.payload.is_empty()
}

fn read(message: &Message) -> Result<(u16, Bytes), ClientError> {
    if message.payload.len() > MAX_REPLY_BYTES {
        return Err(ClientError::Malformed { expected: "answer of at most 65536 bytes" });
    }
    let header = message.headers.as_ref().and_then(|headers| headers.get(STATUS_HEADER));
    let status = header.and_then(|value| value.as_str().trim().parse().ok());
    status
        .map(|status| (status, message.payload.clone()))
        .ok_or(ClientError::Malformed { expected: "answer of a ledger, with a Gt-Status" })
}

fn read_answer(status: u16, payload: Bytes) -> Result<Answer, ClientError> {
    let malformed = ClientError::Malformed { expected: "receipt or problem" };
    if matches!(status, 200 | 201) {
        let receipt = String::from_utf8(payload.into()).map_err(|_| malformed)?;
        return Ok(Answer::Sealed { receipt });
    }
    problem(&payload).and_then(|problem| answer_of(status, problem)).ok_or(malformed)
}

fn problem(payload: &[u8]) -> Option<Problem> {
    serde_json::from_slice(payload).ok().and_then(Problem::from_json)
}

fn parse_chain_end(payload: &[u8], publisher: &PublisherId) -> Option<ChainEnd> {
    #[derive(Deserialize)]
    struct Text {
        size: u64,
        publisher: String,
        agency: String,
        next_seq: u64,
        head: String,
    }
    let text: Text = serde_json::from_slice(payload).ok()?;
    if text.publisher != publisher.to_string() {
        return None;
    }
    Some(ChainEnd {
        ledger: LedgerDescription { pin: Pin::parse(payload).ok()?, size: text.size },
        agency: AgencyCode::parse(&text.agency).ok()?,
        head: Head { next_seq: text.next_seq, head: Hash::parse(&text.head).ok()? },
    })
}

fn too_long(length: usize, limit: usize) -> Problem {
    let detail = format!(
        "the statement has {length} bytes, and the NATS server's max_payload is {limit}, which its operator must raise"
    );
    Problem::new(503, "nats_max_payload", "The NATS server takes no message of this length", &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Answer {
        Answer::Refused(Problem::new(422, code, "Refused", "refused"))
    }

    fn sealed(text: &str) -> Answer {
        Answer::Sealed { receipt: text.to_owned() }
    }

    fn answers(given: [Option<Answer>; 3]) -> Answers {
        let mut answers = Answers::new(3);
        for (at, answer) in given.into_iter().enumerate() {
            if let Some(answer) = answer {
                answers.put(at, Ok(answer));
            }
        }
        answers
    }

    #[test]
    fn a_batch_is_settled_by_receipts_for_all_or_the_first_answer_that_is_none() {
        let receipt = || Some(sealed("r"));
        let gap = || Some(refused("chain_gap"));
        assert!(answers([receipt(), receipt(), receipt()]).are_settled());
        assert!(answers([receipt(), gap(), None]).are_settled());
        assert!(answers([Some(Answer::Unanswered(None)), None, None]).are_settled());
        for open in [[None, None, None], [receipt(), None, gap()], [None, receipt(), receipt()]] {
            assert!(!answers(open).are_settled());
        }
        assert!(Answers::new(0).are_settled());
    }

    #[test]
    fn answers_end_where_the_first_is_missing_and_the_first_of_all_is_an_error() {
        let unanswered = || Answer::Unanswered(None);
        let list = answers([Some(sealed("a")), None, Some(sealed("c"))]).finish(Some(IntakeError::Silent));
        assert_eq!(list.unwrap(), [sealed("a"), unanswered(), unanswered()]);
        let list = answers([Some(sealed("a")), Some(refused("bad_value")), Some(refused("chain_gap"))]);
        assert_eq!(list.finish(None).unwrap(), [sealed("a"), refused("bad_value"), unanswered()]);
        let none = answers([None, Some(refused("chain_gap")), None]).finish(Some(IntakeError::NoResponder));
        assert!(matches!(none, Err(ClientError::Nats(IntakeError::NoResponder))));
        let mut unreadable = answers([Some(sealed("a")), None, None]);
        unreadable.put(1, Err(ClientError::Malformed { expected: "receipt" }));
        assert_eq!(unreadable.finish(None).unwrap(), [sealed("a"), unanswered(), unanswered()]);
        let mut unreadable = Answers::new(1);
        unreadable.put(0, Err(ClientError::Malformed { expected: "receipt" }));
        unreadable.put(0, Ok(sealed("too late")));
        assert!(matches!(unreadable.finish(None), Err(ClientError::Malformed { .. })));
    }

    #[test]
    fn only_definite_replies_are_definite() {
        let problem = |code| Bytes::from(Problem::new(0, code, "x", "x").to_json().to_string());
        assert_eq!(read_answer(201, Bytes::from("text")).unwrap(), sealed("text"));
        assert_eq!(read_answer(200, Bytes::from("text")).unwrap(), sealed("text"));
        for (status, definite) in
            [(403, true), (409, true), (422, true), (429, false), (503, false), (408, false)]
        {
            let answer = read_answer(status, problem("code")).unwrap();
            assert_eq!(matches!(answer, Answer::Refused(_)), definite, "{status}");
            assert_eq!(matches!(answer, Answer::Unanswered(Some(_))), !definite, "{status}");
        }
        for (status, payload) in [
            (302, problem("code")),
            (204, Bytes::new()),
            (422, Bytes::from("{}")),
            (201, Bytes::from(vec![0xff])),
        ] {
            assert!(read_answer(status, payload).is_err(), "{status}");
        }
    }
}
