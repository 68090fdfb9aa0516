use super::Problem;
use crate::client::Answer;

/// What [`super::Outbox::record`] made of a batch's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// How many statements are sealed, and recorded as such.
    pub sealed: usize,
    /// What the first answer says that is no receipt. What follows it follows from it.
    pub rest: Option<Verdict>,
}

/// What an answer that is no receipt means for the outbox.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Send the same bytes again.
    Later(Option<Problem>),
    /// The ledger takes nothing from this publisher at present. The statement is not to blame: send the same bytes again
    /// once the publisher is registered, or the clock set.
    NotAdmitted(Problem),
    /// Earlier statements are missing in the ledger: compare heads, then send again from there.
    OutOfOrder(Problem),
    /// The ledger has another statement at this place, or before it.
    Forked(Problem),
    /// The statement itself is refused.
    Refused(Problem),
}

/// Refusals of the publisher, of how it reaches the ledger, or of this machine's clock, which pass. To record them as the statement's own would let one
/// mistake of a registrar refuse a whole queue, and what the clock refuses now may be sealed a minute later.
const NOT_THE_STATEMENT: [&str; 9] = [
    "unknown_publisher",
    "publisher_revoked",
    "key_not_in_force",
    "wrong_agency",
    "subject_mismatch",
    "wrong_audience",
    "wrong_key",
    "bad_signature",
    "from_the_future",
];

/// The receipt, or what else the answer means.
pub(super) fn of(answer: &Answer) -> Result<&str, Verdict> {
    match answer {
        Answer::Sealed { receipt } => Ok(receipt),
        Answer::Unanswered(problem) => Err(Verdict::Later(problem.clone())),
        Answer::Refused(problem) => Err(of_problem(problem.clone())),
    }
}

fn of_problem(problem: Problem) -> Verdict {
    match problem.code() {
        "chain_gap" => Verdict::OutOfOrder(problem),
        "chain_fork" | "chain_prev" => Verdict::Forked(problem),
        code if NOT_THE_STATEMENT.contains(&code) => Verdict::NotAdmitted(problem),
        _ => Verdict::Refused(problem),
    }
}
