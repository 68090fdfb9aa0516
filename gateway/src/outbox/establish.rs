use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gt_core::agency::AgencyCode;
use gt_core::key::Signer;
use gt_core::statement::PublisherId;

use gt_ledger::private_keys::{KeyAccess, is_token_uri};

use super::{Courier, Identity, OutboxError, Pin, PinError, UnclaimedOutbox};
use crate::client::{ClientError, LedgerClient};
use crate::keyfile::{self, KeyFileError};
use crate::nats::{ConnectError, NatsArgs, NatsOptions, Patience, is_nats};

/// Which key writes to which ledger, and through which folder.
#[derive(Clone)]
pub struct Connection {
    /// The private key's file.
    pub key: PathBuf,
    /// How the key is had, if the file is not plain.
    pub keys: KeyAccess,
    /// The ledger's address: `http://…`, `https://…`, or NATS servers, `nats://…` or `tls://…` with commas between.
    pub to: String,
    /// Credentials and authority for NATS.
    pub nats: NatsArgs,
    /// The file of the partnership's key, for drafts with plain identifiers. Without it such drafts are refused.
    pub partnership_key: Option<PathBuf>,
    /// The outbox folder; [`default_folder`] if none is given.
    pub outbox: Option<PathBuf>,
    /// A file that pins the ledger. Without it the first description that the ledger gives is believed, and kept.
    pub pin: Option<PathBuf>,
    /// The agency to sign as. Without it the ledger's registry is asked, once; over NATS, where the agency is part of the
    /// question, the public key file beside the key may name it.
    pub agency: Option<AgencyCode>,
    /// The publisher's id, if the key is not the publisher's first.
    pub publisher: Option<PublisherId>,
}

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
    #[error(
        "the ledger must be asked once for {wanted}, which did not succeed; it can be given as an option instead"
    )]
    Ask {
        /// What was asked for.
        wanted: &'static str,
        /// Why there was no answer.
        #[source]
        source: ClientError,
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
    /// The pin is of another ledger than the outbox.
    #[error("the outbox belongs to the ledger {stored}, and the pin file names another")]
    OtherLedger {
        /// The origin of the outbox's ledger.
        stored: String,
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
    fn of_key(key: &Path, source: KeyFileError) -> Self {
        if is_token_uri(key) { Self::TokenKey(source) } else { Self::Key { file: key.to_owned(), source } }
    }
}

/// The folder beside a key file in which its outbox lies: the file's name with `.outbox` appended.
pub fn default_folder(key: &Path) -> PathBuf {
    let mut name = OsString::from(key);
    name.push(".outbox");
    name.into()
}

/// Where the ledger is.
enum Address {
    Http(LedgerClient),
    Nats(NatsOptions),
}

impl Courier {
    /// Reads the key, opens the outbox, and settles which ledger, publisher and agency it is for. Only a new outbox needs
    /// the ledger for that, and only for what the options leave open.
    pub fn establish(options: &Connection) -> Result<Self, EstablishError> {
        let key = keyfile::open_signer(&options.key, &options.keys);
        let key = key.map_err(|source| EstablishError::of_key(&options.key, source))?;
        let partnership_key = options.partnership_key.as_deref().map(|file| {
            let read = keyfile::read_partnership_key(file);
            read.map_err(|source| EstablishError::PartnershipKey { file: file.to_owned(), source })
        });
        let partnership_key = partnership_key.transpose()?;
        let address = Address::of(options)?;
        let pin = options.pin.as_deref().map(Pin::read).transpose()?;
        let folder = match &options.outbox {
            Some(folder) => folder.clone(),
            None if is_token_uri(&options.key) => return Err(EstablishError::OutboxNeeded),
            None => default_folder(&options.key),
        };
        let unclaimed = UnclaimedOutbox::open(&folder)?;
        let (identity, client) = match unclaimed.identity() {
            Some(stored) => {
                let identity = stored_identity(stored.clone(), options, pin, key.as_ref())?;
                let client = address.client(&identity.publisher, Some(&identity.agency))?;
                (identity, client)
            }
            None => new_identity(options, pin, key.as_ref(), address)?,
        };
        let outbox = unclaimed.claim(identity, key, partnership_key)?;
        Ok(Self::new(client, Arc::new(Mutex::new(outbox))))
    }
}

impl Address {
    fn of(options: &Connection) -> Result<Self, EstablishError> {
        if is_nats(&options.to) {
            let options = NatsOptions::new(&options.to, &options.nats, "goldenthread publisher")?;
            options.check()?;
            return Ok(Self::Nats(options));
        }
        if options.nats != NatsArgs::default() {
            return Err(EstablishError::NotNats);
        }
        LedgerClient::new(&options.to).map(Self::Http).map_err(EstablishError::Address)
    }

    fn client(
        self,
        publisher: &PublisherId,
        agency: Option<&AgencyCode>,
    ) -> Result<LedgerClient, EstablishError> {
        match self {
            Self::Http(client) => Ok(client),
            Self::Nats(options) => {
                let agency = agency.ok_or(EstablishError::AgencyNeeded)?.clone();
                LedgerClient::over_nats(options, agency, *publisher, Patience::default())
                    .map_err(EstablishError::Address)
            }
        }
    }
}

fn publisher(options: &Connection, key: &dyn Signer) -> PublisherId {
    options.publisher.unwrap_or_else(|| key.public_key().thumbprint())
}

fn stored_identity(
    stored: Identity,
    options: &Connection,
    pin: Option<Pin>,
    key: &dyn Signer,
) -> Result<Identity, EstablishError> {
    if publisher(options, key) != stored.publisher {
        return Err(EstablishError::OtherPublisher { stored: stored.publisher });
    }
    if options.agency.as_ref().is_some_and(|agency| *agency != stored.agency) {
        return Err(EstablishError::OtherAgency { stored: stored.agency });
    }
    match pin {
        Some(pin) if !pin.is_same_ledger(&stored.pin) => {
            Err(EstablishError::OtherLedger { stored: stored.pin.origin })
        }
        Some(pin) => Ok(Identity { pin, ..stored }),
        None => Ok(stored),
    }
}

fn new_identity(
    options: &Connection,
    pin: Option<Pin>,
    key: &dyn Signer,
    address: Address,
) -> Result<(Identity, LedgerClient), EstablishError> {
    let publisher = publisher(options, key);
    let named = match (&options.agency, &address) {
        (Some(agency), _) => Some(agency.clone()),
        (None, Address::Nats(_)) => proven_agency(&options.key, key, pin.as_ref()),
        (None, Address::Http(_)) => None,
    };
    let client = address.client(&publisher, named.as_ref())?;
    let ask = |wanted| move |source| EstablishError::Ask { wanted, source };
    let pin = if let Some(pin) = pin {
        pin
    } else {
        let pin = client.describe().map_err(ask("its origin and keys"))?.pin;
        tracing::warn!(
            origin = %pin.origin, genesis = %pin.genesis,
            "no pin was given: this ledger is trusted on first use, and no other one from now on"
        );
        pin
    };
    let agency = match named {
        Some(agency) => agency,
        None => client.agency(&publisher).map_err(ask("the agency of this key"))?,
    };
    Ok((Identity { publisher, agency, pin }, client))
}

/// The agency for which `keygen --agency` proved this key, if the public key file is still where it was written. A wrong one
/// does no harm: the ledger takes statements from the agency alone for which it has the key.
fn proven_agency(file: &Path, key: &dyn Signer, pin: Option<&Pin>) -> Option<AgencyCode> {
    let public = keyfile::read_public(&file.with_extension("public.jwk")).ok()?;
    let proof = public.proof.filter(|_| public.key == key.public_key())?;
    pin.is_none_or(|pin| pin.genesis == proof.genesis).then_some(proof.agency)
}
