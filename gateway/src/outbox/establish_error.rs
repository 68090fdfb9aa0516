use std::path::{Path, PathBuf};

use gt_core::agency::AgencyCode;
use gt_core::statement::PublisherId;
use gt_ledger::private_keys::is_token_uri;

use super::{OutboxError, PinError};
use crate::client::ClientError;
use crate::keyfile::KeyFileError;
use crate::nats::ConnectError;

/// Why an outbox cannot be connected with its ledger.
#[derive(Debug, thiserror::Error)]
pub enum EstablishError {
    /// The key file.
    #[error("{}: {source}", .file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// The key on a token, whose reference is not shown: it may hold what it should not, a PIN.
    #[error(transparent)]
    TokenKey(KeyFileError),
    /// The partnership's key file.
    #[error("the partnership's key in {} cannot be used", .file.display())]
    PartnershipKey {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// The pin file.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The ledger, which has to be asked once for what no option and no earlier run says.
    #[error("the ledger must be asked once for {wanted}, unless {option} says it")]
    Ask {
        /// What was asked for.
        wanted: &'static str,
        /// The option that would say it.
        option: &'static str,
        /// Why there was no answer.
        #[source]
        source: ClientError,
    },
    /// The ledger answered that it does not know the publisher.
    #[error(
        "the ledger at {address} knows no publisher {publisher}: its registrar must enrol the key first, with `goldenthread \
         register`"
    )]
    NotRegistered {
        /// The ledger's address.
        address: String,
        /// The publisher.
        publisher: PublisherId,
    },
    /// Another ledger than the pinned one is at the address. Nothing was bound to either.
    #[error(
        "the ledger at {address} is {found}, and the pin is of {pinned}: name the address of {pinned}, or the pin file of \
         {found}; nothing was queued"
    )]
    PinOfAnother {
        /// The address.
        address: String,
        /// The ledger that answers there.
        found: String,
        /// The ledger of the pin file.
        pinned: String,
    },
    /// The address.
    #[error(transparent)]
    Address(ClientError),
    /// The servers of NATS, or what is needed to connect to them.
    #[error(transparent)]
    Nats(#[from] ConnectError),
    /// Options for NATS with an address that is not.
    #[error("--nats-credentials and --nats-ca belong to an address of nats:// or tls://")]
    NotNats,
    /// Nothing says for which agency to publish over NATS.
    #[error("over NATS the agency must be named: --agency CODE")]
    AgencyNeeded,
    /// Nothing says where the outbox is.
    #[error("a key on a token has no folder beside it: say where its outbox is with --outbox FOLDER")]
    OutboxNeeded,
    /// The pin is of another ledger than the outbox, which has signed for its own.
    #[error(
        "the outbox in {} belongs to the ledger {stored}, and the pin is of {pinned}: name the pin file of {stored}, or another \
         folder for {pinned} with --outbox", .folder.display()
    )]
    OtherLedger {
        /// The outbox's folder.
        folder: PathBuf,
        /// The outbox's ledger.
        stored: String,
        /// The ledger of the pin file.
        pinned: String,
    },
    /// The pin is of another ledger than the outbox, which has signed nothing and could go over to that one.
    #[error(
        "the outbox in {} belongs to the ledger {stored}, and the pin is of {pinned}; as nothing is signed yet it can go over, \
         but only when the ledger at its address can be asked", .folder.display()
    )]
    NotGoneOver {
        /// The outbox's folder.
        folder: PathBuf,
        /// The outbox's ledger.
        stored: String,
        /// The ledger of the pin file.
        pinned: String,
        /// Why there was no answer.
        #[source]
        source: Box<ClientError>,
    },
    /// The key is of another publisher than the outbox.
    #[error("the outbox belongs to publisher {stored}; name that publisher if this is a later key of it")]
    OtherPublisher {
        /// The outbox's publisher.
        stored: PublisherId,
    },
    /// The agency is another than the outbox's.
    #[error("the outbox belongs to agency {stored}")]
    OtherAgency {
        /// The outbox's agency.
        stored: AgencyCode,
    },
}

impl EstablishError {
    pub(super) fn of_key(key: &Path, source: KeyFileError) -> Self {
        if is_token_uri(key) { Self::TokenKey(source) } else { Self::Key { file: key.to_owned(), source } }
    }
}
