//! The ledger as a publisher sees it, over HTTP or NATS: its description, the head of a chain, and statements in, receipts out.
//!
//! Calls block, have time-outs, and read answers up to a bound. Whatever is not a definite answer about a statement is an
//! error or [`Answer::Unanswered`], after which the same bytes may be sent again: the ledger is idempotent.

mod http;
mod nats;

use std::sync::Arc;
use std::time::Duration;

use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;
use gt_core::statement::PublisherId;

use crate::nats::{IntakeError, NatsOptions, Patience};
use crate::outbox::Pin;
pub use crate::outbox::Problem;
use http::HttpLedger;
use nats::NatsLedger;

/// How long a whole call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one ledger.
#[derive(Debug, Clone)]
pub struct LedgerClient(Transport);

#[derive(Debug, Clone)]
enum Transport {
    Http {
        ledger: HttpLedger,
        /// The address as it is shown.
        url: Arc<str>,
    },
    Nats(Arc<NatsLedger>),
}

/// What the ledger says of itself (`GET /v1/ledger`, and part of [`ChainEnd`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDescription {
    /// Its origin, genesis hash and verifier keys.
    pub pin: Pin,
    /// How many entries it has.
    pub size: u64,
}

/// Where a publisher's chain ends in the ledger (`GET /v1/publishers/{id}/head`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The `seq` of the next statement.
    pub next_seq: u64,
    /// The hash of the last statement; the genesis leaf hash if there is none.
    pub head: Hash,
}

/// What the ledger says over NATS to a publisher's empty request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    /// Which ledger it is.
    pub(crate) ledger: LedgerDescription,
    /// The agency that the registry has for the publisher.
    pub(crate) agency: AgencyCode,
    /// Where its chain ends.
    pub(crate) head: Head,
}

/// What the ledger says of one statement of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is sealed. The receipt has not been verified.
    Sealed {
        /// The receipt's text.
        receipt: String,
    },
    /// The ledger will not seal it.
    Refused(Problem),
    /// The ledger did not come to it, or was too busy: send the same bytes again.
    Unanswered(Option<Problem>),
}

/// Why a call brought no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no address of a ledger.
    #[error(
        "a ledger's address is http://HOST[:PORT] or https://HOST[:PORT]; to publish or run an agent also nats:// or \
         tls://HOST[:PORT], several with commas between"
    )]
    Url,
    /// What NATS needs cannot be started.
    #[error("the thread that keeps the connection to NATS cannot be started")]
    Runtime(#[source] std::io::Error),
    /// No answer came over NATS.
    #[error(transparent)]
    Nats(#[from] IntakeError),
    /// No answer came over HTTP from this address.
    #[error("the ledger at {url} cannot be reached")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// No answer came over HTTP, and which address was asked is not known here.
    #[error("the ledger cannot be reached")]
    Transport(#[source] Box<ureq::Error>),
    /// The ledger answered with a problem about the whole request.
    #[error("the ledger answered {status}: {problem}")]
    Problem {
        /// The HTTP status.
        status: u16,
        /// The problem.
        problem: Problem,
        /// How long the ledger asks to wait.
        retry_after: Option<Duration>,
    },
    /// Something answered that is perhaps no ledger.
    #[error("the ledger's address answered {status} and no problem document; is it a ledger's?")]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not what it must be.
    #[error("the ledger's answer is no {expected}")]
    Malformed {
        /// What it must be.
        expected: &'static str,
    },
}

impl ClientError {
    /// How long the ledger asks to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a ledger answered, though not as hoped.
    pub fn ledger_answered(&self) -> bool {
        matches!(self, Self::Problem { .. } | Self::Malformed { .. })
    }

    /// Whether the ledger answered that it knows no such publisher.
    pub fn is_unknown_publisher(&self) -> bool {
        self.code() == Some("unknown_publisher")
    }

    /// The code of the ledger's problem, if it sent one.
    pub fn code(&self) -> Option<&str> {
        if let Self::Problem { problem, .. } = self { Some(problem.code()) } else { None }
    }
}

impl From<ureq::Error> for ClientError {
    fn from(error: ureq::Error) -> Self {
        Self::Transport(Box::new(error))
    }
}

impl LedgerClient {
    /// A client of the ledger at this `http://` or `https://` address. Proxies from the environment are used, but not for the
    /// loopback address.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Ok(Self(Transport::Http { ledger: HttpLedger::new(url)?, url: shown(url).into() }))
    }

    /// A client of the ledger that answers this publisher of this agency over NATS. The connection is made with the first
    /// call, and made again whenever it breaks, by a thread of its own; that files are in order is checked now. Calls block,
    /// so they must not be made from within an asynchronous runtime.
    pub fn over_nats(
        options: NatsOptions,
        agency: AgencyCode,
        publisher: PublisherId,
        patience: Patience,
    ) -> Result<Self, ClientError> {
        let ledger = NatsLedger::new(options, agency, publisher, patience)?;
        Ok(Self(Transport::Nats(Arc::new(ledger))))
    }

    /// Where the ledger is, as people are told.
    pub fn address(&self) -> String {
        match &self.0 {
            Transport::Http { url, .. } => url.to_string(),
            Transport::Nats(ledger) => ledger.address(),
        }
    }

    /// What the ledger says of itself.
    pub fn describe(&self) -> Result<LedgerDescription, ClientError> {
        match &self.0 {
            Transport::Http { ledger, url } => ledger.describe().map_err(at(url)),
            Transport::Nats(ledger) => Ok(ledger.chain_end(None)?.ledger),
        }
    }

    /// The agency that the registry has for a publisher.
    pub fn agency(&self, publisher: &PublisherId) -> Result<AgencyCode, ClientError> {
        match &self.0 {
            Transport::Http { ledger, url } => ledger.agency(publisher).map_err(at(url)),
            Transport::Nats(ledger) => Ok(ledger.chain_end(Some(publisher))?.agency),
        }
    }

    /// Where the publisher's chain ends in the ledger.
    pub fn head(&self, publisher: &PublisherId) -> Result<Head, ClientError> {
        match &self.0 {
            Transport::Http { ledger, url } => ledger.head(publisher).map_err(at(url)),
            Transport::Nats(ledger) => Ok(ledger.chain_end(Some(publisher))?.head),
        }
    }

    /// Sends statements, which must be compact SD-JWTs, in order. There are as many answers as statements.
    pub fn submit<S: AsRef<str>>(&self, statements: &[S]) -> Result<Vec<Answer>, ClientError> {
        match &self.0 {
            Transport::Http { ledger, url } => ledger.submit(statements).map_err(at(url)),
            Transport::Nats(ledger) => ledger.submit(statements),
        }
    }
}

/// An address without what may stand before its host: a password.
fn shown(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// The same error, and of which address.
fn at(url: &str) -> impl FnOnce(ClientError) -> ClientError + '_ {
    move |error| match error {
        ClientError::Transport(source) => ClientError::Unreachable { url: url.to_owned(), source },
        error => error,
    }
}

/// What a problem with this status means for the statement; `None` if no ledger gives that status to one.
pub(crate) fn answer_of(status: u16, problem: Problem) -> Option<Answer> {
    match status {
        408 | 425 | 429 | 500..=599 => Some(Answer::Unanswered(Some(problem))),
        400..=499 => Some(Answer::Refused(problem)),
        _ => None,
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests;
