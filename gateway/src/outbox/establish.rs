use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gt_core::agency::AgencyCode;
use gt_core::key::Signer;
use gt_core::statement::PublisherId;

use gt_ledger::private_keys::{KeyAccess, is_token_uri};

use super::{Courier, EstablishError, Identity, Pin, UnclaimedOutbox};
use crate::client::{ClientError, LedgerClient};
use crate::keyfile;
use crate::nats::{NatsArgs, NatsOptions, Patience, is_nats};

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
    /// the ledger for that, and only for what the options leave open; but if the ledger can be asked, it must be the pinned
    /// one before the outbox is bound to it.
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
        let other = |stored: &&Identity| publisher(options, key.as_ref()) != stored.publisher;
        if let Some(stored) = unclaimed.identity().filter(other) {
            return Err(EstablishError::OtherPublisher { stored: stored.publisher });
        }
        let (identity, client) = match (unclaimed.identity(), pin) {
            (Some(stored), Some(pin)) if !pin.is_same_ledger(&stored.pin) => {
                gone_over(&unclaimed, stored, options, pin, key.as_ref(), address)?
            }
            (Some(stored), pin) => {
                let identity = stored_identity(stored.clone(), options, pin)?;
                let client = address.client(&identity.publisher, Some(&identity.agency))?;
                (identity, client)
            }
            // A ledger that is away is compared with the pin before the first statement is signed.
            (None, pin) => new_identity(options, pin, key.as_ref(), address, |_| Ok(()))?,
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

/// The identity of an outbox whose ledger the pin, if there is one, names as well.
fn stored_identity(
    stored: Identity,
    options: &Connection,
    pin: Option<Pin>,
) -> Result<Identity, EstablishError> {
    if options.agency.as_ref().is_some_and(|agency| *agency != stored.agency) {
        return Err(EstablishError::OtherAgency { stored: stored.agency });
    }
    Ok(Identity { pin: pin.unwrap_or(stored.pin), ..stored })
}

/// The new identity of an outbox that was bound to another ledger than the pin's. It is let go only if it has signed nothing,
/// and only to a ledger that has been asked: drafts that wait in it are signed for that one.
fn gone_over(
    unclaimed: &UnclaimedOutbox,
    stored: &Identity,
    options: &Connection,
    pin: Pin,
    key: &dyn Signer,
    address: Address,
) -> Result<(Identity, LedgerClient), EstablishError> {
    let folder = unclaimed.folder().to_owned();
    let (stored, pinned) = stored.pin.told_apart(&pin);
    if unclaimed.has_signed() {
        return Err(EstablishError::OtherLedger { folder, stored, pinned });
    }
    tracing::warn!(
        queued = unclaimed.queued(),
        "this outbox of {stored} has signed nothing, and may go over to {pinned}"
    );
    let away = |source| Err(EstablishError::NotGoneOver { folder, stored, pinned, source: Box::new(source) });
    new_identity(options, Some(pin), key, address, away)
}

/// What an outbox is bound to that is bound to nothing. `away` says whether that can be if there is a pin and the ledger, which
/// should be that of the pin, cannot be asked.
fn new_identity(
    options: &Connection,
    pin: Option<Pin>,
    key: &dyn Signer,
    address: Address,
    away: impl FnOnce(ClientError) -> Result<(), EstablishError>,
) -> Result<(Identity, LedgerClient), EstablishError> {
    let publisher = publisher(options, key);
    let named = match (&options.agency, &address) {
        (Some(agency), _) => Some(agency.clone()),
        (None, Address::Nats(_)) => proven_agency(&options.key, key, pin.as_ref()),
        (None, Address::Http(_)) => None,
    };
    let client = address.client(&publisher, named.as_ref())?;
    let ask = |wanted, option| {
        let address = client.address();
        move |source: ClientError| {
            if source.is_unknown_publisher() {
                EstablishError::NotRegistered { address, publisher }
            } else {
                EstablishError::Ask { wanted, option, source }
            }
        }
    };
    let pin = match (pin, client.describe()) {
        (None, found) => first_use(found.map_err(ask("its origin and keys", "--pin FILE"))?.pin),
        (Some(pin), Ok(found)) if !found.pin.is_same_ledger(&pin) => {
            let (found, pinned) = found.pin.told_apart(&pin);
            return Err(EstablishError::PinOfAnother { address: client.address(), found, pinned });
        }
        (Some(pin), Ok(_)) => pin,
        (Some(pin), Err(error)) => away(error).map(|()| pin)?,
    };
    let agency = match named {
        Some(agency) => agency,
        None => client.agency(&publisher).map_err(ask("the agency of this key", "--agency CODE"))?,
    };
    Ok((Identity { publisher, agency, pin }, client))
}

fn first_use(pin: Pin) -> Pin {
    tracing::warn!(
        origin = %pin.origin, genesis = %pin.genesis,
        "no pin was given: this ledger is trusted on first use, and no other one from now on"
    );
    pin
}

/// The agency for which `keygen --agency` proved this key, if the public key file is still where it was written. A wrong one
/// does no harm: the ledger takes statements from the agency alone for which it has the key.
fn proven_agency(file: &Path, key: &dyn Signer, pin: Option<&Pin>) -> Option<AgencyCode> {
    let public = keyfile::read_public(&file.with_extension("public.jwk")).ok()?;
    let proof = public.proof.filter(|_| public.key == key.public_key())?;
    pin.is_none_or(|pin| pin.genesis == proof.genesis).then_some(proof.agency)
}
