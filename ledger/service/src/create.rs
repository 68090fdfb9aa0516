//! Making a ledger: its keys, its data folder, entry 0, the ledger's own service publisher, and the standard configuration.

mod folders;

use std::io;
use std::path::{Path, PathBuf};

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::checkpoint::{Checkpoint, CheckpointError};
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::key::{PrivateKey, Signer};
use gt_core::note::SignNoteError;
use gt_core::registry::{is_origin, proof_message};
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, SignError, Statement, sign};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, tree};
use gt_schemas::Configuration;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::configured;
use crate::disk::{Disk, sync_name};
use crate::keyring::{KeyEncryptionKey, Keyring, KeyringError, kek_to_jwk};
use crate::layout;
use crate::ledger::Ledger;
use crate::log::{RecoverError, SealedEntry, recover};
use crate::open::{OpenLedgerError, lock};
use crate::private_keys::KeyAccess;
use crate::refusal::{ChainHead, Refusal};
use crate::secrets::{self, CheckpointKeys, PinFile, Secrets, SecretsError, file, write_secret};
use crate::vault::{StatementBlob, VaultRecord};
use folders::{make_empty, need_apart};

/// A new ledger.
pub struct Created {
    /// What others pin.
    pub pin: PinFile,
    /// Where its keys are.
    pub secrets: PathBuf,
}

/// Why a ledger cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The origin cannot be one.
    #[error(
        "{0:?} cannot be a ledger's origin: a name like ledger.example.org/first, without spaces or plus signs, at most 200 bytes"
    )]
    Origin(String),
    /// There is something in the folder.
    #[error("{} is there already and not empty; a new ledger takes a new folder{}", .folder.display(), if *.half_made {
        ". If it was `init` that was interrupted, and nothing was ever served from here, remove its two folders and run it again"
    } else {
        ""
    })]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Whether a ledger lacks there what it has once it is made.
        half_made: bool,
    },
    /// The keys would be where the data is.
    #[error(
        "the keys would be in {} and the data in {}: neither folder may be or hold the other, or whoever copies the one has both. Name a folder elsewhere with --secrets", .secrets.display(), .data.display()
    )]
    Together {
        /// The data folder.
        data: PathBuf,
        /// The secrets folder.
        secrets: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secrets cannot be written.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The keyring cannot be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The log cannot be started.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The first statement cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The first checkpoint cannot be made.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The first checkpoint cannot be signed.
    #[error(transparent)]
    Note(#[from] SignNoteError),
    /// The new ledger does not open.
    #[error(transparent)]
    Open(#[from] Box<OpenLedgerError>),
    /// The new ledger refuses its own first statements.
    #[error("the new ledger refuses its own first statements: {0}")]
    Refused(#[from] Box<Refusal>),
}

/// What a registrar's statement about a new publisher says.
pub struct NewPublisher<'a> {
    /// The agency for which it speaks.
    pub agency: &'a AgencyCode,
    /// The system's name, for people.
    pub name: &'a str,
    /// What kind of system or agency it is, a word.
    pub kind: &'a str,
    /// Its public key as a JWK.
    pub key: Value,
    /// Its id.
    pub publisher: PublisherId,
    /// The key's own signature, base64url.
    pub proof: String,
    /// A valid key of the agency and its signature, base64url.
    pub endorsement: Option<(Hash, String)>,
    /// Enrolled without an endorsement, which raises an alert.
    pub recovery: bool,
}

/// Makes a ledger in a new folder, with its keys in a folder beside it.
pub fn create(data: &Path, secrets_folder: &Path, origin: &str) -> Result<Created, CreateError> {
    create_at(data, secrets_folder, origin, Box::new(SystemClock::default()))
}

/// The same, by another clock: for a history that is told as of another time.
pub fn create_at(
    data: &Path,
    secrets_folder: &Path,
    origin: &str,
    clock: Box<dyn Clock>,
) -> Result<Created, CreateError> {
    create_with(data, secrets_folder, origin, clock, &KeyAccess::default())
}

/// The same, with private keys that may be encrypted.
pub fn create_with(
    data: &Path,
    secrets_folder: &Path,
    origin: &str,
    clock: Box<dyn Clock>,
    keys: &KeyAccess,
) -> Result<Created, CreateError> {
    if !is_origin(origin) {
        return Err(CreateError::Origin(origin.to_owned()));
    }
    need_apart(data, secrets_folder)?;
    make_empty(data, secrets_folder)?;
    let kek = KeyEncryptionKey::generate();
    write_secret(&secrets_folder.join(file::KEK), &kek_text(&kek, keys)?)?;
    let made = Keys::generate(secrets_folder, keys)?;
    let secrets = Secrets::new(kek, CheckpointKeys::generate(secrets_folder, keys)?, origin)?;
    let genesis = seal_genesis(data, &secrets, &made, clock.wall_millis())?;
    let pin = PinFile {
        origin: origin.to_owned(),
        genesis: genesis.to_string(),
        verifier_keys: secrets.pin().1.iter().map(ToString::to_string).collect(),
    };
    enrol_and_configure(data, &secrets, &made, genesis, clock)?;
    let durable =
        |name: &Path| sync_name(name).map_err(|source| CreateError::Io { file: name.to_owned(), source });
    // Without its secrets a ledger is lost, so their names must be durable before anything is entrusted to it.
    for name in [data, secrets_folder, &secrets_folder.join(file::KEK)] {
        durable(name)?;
    }
    // Last: without a pin nothing opens the folder. So what an interrupted start has left never passes for a ledger: one without its
    // service publisher could record nothing about people, ever, once an agency is registered.
    let (pin_file, text) = (secrets_folder.join(file::PIN), serde_json::to_string_pretty(&pin));
    write_secret(&pin_file, &text.expect("three strings serialise"))?;
    durable(&pin_file)?;
    Ok(Created { pin, secrets: secrets_folder.to_owned() })
}

struct Keys {
    registrar: PrivateKey,
    recovery: PrivateKey,
    service: PrivateKey,
}

impl Keys {
    fn generate(folder: &Path, keys: &KeyAccess) -> Result<Self, SecretsError> {
        let key = |name| secrets::make_key(&folder.join(name), keys);
        Ok(Self {
            registrar: key(file::REGISTRAR)?,
            recovery: key(file::RECOVERY)?,
            service: key(file::SERVICE)?,
        })
    }
}

/// What is to stand in the file of the key-encryption key.
fn kek_text(kek: &KeyEncryptionKey, keys: &KeyAccess) -> Result<Zeroizing<String>, SecretsError> {
    let plain = Zeroizing::new(base64url::encode(kek.as_bytes()));
    if !keys.encrypts() {
        return Ok(plain);
    }
    let jwk = kek_to_jwk(plain.as_bytes()).expect("it was made just now");
    Ok(keys.to_be_written(str::from_utf8(&jwk).expect("JSON is text"))?)
}

/// Seals entry 0 through the same writer as every other entry.
fn seal_genesis(data: &Path, secrets: &Secrets, keys: &Keys, now: i64) -> Result<Hash, CreateError> {
    let mut disk = Disk::new(data, None);
    let _lock = lock(data).map_err(Box::new)?;
    Keyring::create(&mut disk, secrets.kek())?;
    let (origin, verifier_keys) = secrets.pin();
    let members = vec![
        ("origin", Value::from(origin)),
        (
            "verifier_keys",
            Value::Array(verifier_keys.iter().map(|key| Value::String(key.to_string())).collect()),
        ),
        ("registrar", keys.registrar.public().to_jwk()),
        ("recovery", keys.recovery.public().to_jwk()),
    ];
    let created = registrars_statement(
        &keys.registrar,
        keys.registrar.public().thumbprint(),
        origin,
        "ledger.created",
        0,
        Hash::ZERO,
        now / 1000,
        members,
    )?;
    let entry = Entry {
        index: LeafIndex(0),
        prev: Hash::ZERO,
        received_at: Timestamp::from_millis(now).unwrap_or(Timestamp::EPOCH),
        registry: 0,
        links: Vec::new(),
        statement: created.hash(),
    };
    let bytes = entry.to_bytes();
    let genesis = tree::leaf_hash(&bytes);
    let record = VaultRecord {
        publisher: created.payload().publisher,
        seq: 0,
        event_type: created.payload().event_type.clone(),
        statement: StatementBlob::Open(created.jws().as_bytes().to_vec()),
        disclosures: Vec::new(),
    };
    let io = |source| CreateError::Io { file: layout::open_entries(0), source };
    let mut writer = recover(disk, None)?.writer;
    writer
        .append(&[SealedEntry { vault: record.encode(&genesis), bytes, leaf_hash: genesis }])
        .map_err(io)?;
    writer.make_durable().map_err(io)?;
    let checkpoint = Checkpoint::new(origin, writer.size(), writer.root())?;
    writer.publish(&secrets.log_signer()?.sign(checkpoint)?).map_err(io)?;
    Ok(genesis)
}

/// Seals entries 1 and 2: the service publisher, and the standard configuration, so that it can be shown from the first
/// event on which rules were in force.
fn enrol_and_configure(
    data: &Path,
    secrets: &Secrets,
    keys: &Keys,
    genesis: Hash,
    clock: Box<dyn Clock>,
) -> Result<(), CreateError> {
    let seconds = clock.wall_millis() / 1000;
    let ledger = Ledger::open(data, secrets, clock, None).map_err(Box::new)?;
    let (id, origin) = (keys.registrar.public().thumbprint(), secrets.pin().0);
    let seal = |statement: &Statement| {
        ledger.seal_blocking(statement.to_compact().as_bytes()).map(drop).map_err(Box::new)
    };
    let head = ledger.head(&id);
    seal(&enrolment(keys, genesis, origin, head, seconds)?)?;
    let head = ledger.head(&id);
    let standard = Configuration::standard();
    seal(&configuration(&keys.registrar, id, origin, head.next_seq, head.head, seconds, &standard)?)?;
    ledger.close();
    Ok(())
}

/// The registration of the ledger's own service publisher.
fn enrolment(
    keys: &Keys,
    genesis: Hash,
    origin: &str,
    head: ChainHead,
    seconds: i64,
) -> Result<Statement, SignError> {
    let agency = AgencyCode::service();
    let public = keys.service.public();
    let proof = keys.service.sign(&proof_message(&genesis, &public.thumbprint(), &agency));
    let new = NewPublisher {
        agency: &agency,
        name: "The ledger itself",
        kind: "ledger",
        key: public.to_jwk(),
        publisher: public.thumbprint(),
        proof: base64url::encode(&proof),
        endorsement: None,
        recovery: false,
    };
    let id = keys.registrar.public().thumbprint();
    registration(&keys.registrar, id, origin, head.next_seq, head.head, seconds, &new)
}

/// Signs `publisher.registered` with the registrar's key, as the next statement of its chain.
pub fn registration(
    registrar: &dyn Signer,
    registrar_id: PublisherId,
    origin: &str,
    seq: u64,
    prev: Hash,
    iat: i64,
    new: &NewPublisher<'_>,
) -> Result<Statement, SignError> {
    let mut members = vec![
        ("publisher", Value::String(new.publisher.to_string())),
        ("agency", Value::from(new.agency.as_str())),
        ("name", Value::from(new.name)),
        ("kind", Value::from(new.kind)),
        ("key", new.key.clone()),
        ("proof", Value::from(new.proof.as_str())),
    ];
    if let Some((kid, signature)) = &new.endorsement {
        let endorsement = [
            ("kid".to_owned(), Value::String(kid.to_string())),
            ("signature".to_owned(), Value::from(signature.as_str())),
        ];
        members.push(("endorsement", Value::Object(endorsement.into_iter().collect())));
    }
    if new.recovery {
        members.push(("recovery", Value::Bool(true)));
    }
    registrars_statement(registrar, registrar_id, origin, "publisher.registered", seq, prev, iat, members)
}

/// Signs `ledger.configured` with the registrar's key, as the next statement of its chain. It is refused where the
/// statement would be longer than a statement may be.
pub fn configuration(
    registrar: &dyn Signer,
    registrar_id: PublisherId,
    origin: &str,
    seq: u64,
    prev: Hash,
    iat: i64,
    configuration: &Configuration,
) -> Result<Statement, SignError> {
    let members = configured::to_members(configuration);
    let members = members.iter().map(|(name, value)| (name, value.clone())).collect();
    registrars_statement(registrar, registrar_id, origin, Configuration::TYPE, seq, prev, iat, members)
}

#[allow(clippy::too_many_arguments)] // They are the statement's members.
fn registrars_statement(
    key: &dyn Signer,
    publisher: PublisherId,
    origin: &str,
    event_type: &str,
    seq: u64,
    prev: Hash,
    iat: i64,
    members: Vec<(&str, Value)>,
) -> Result<Statement, SignError> {
    let draft = Draft {
        iss: AgencyCode::registrar(),
        aud: origin.to_owned(),
        iat,
        publisher,
        on_behalf_of: None,
        seq,
        prev,
        event_type: EventType::parse(event_type).expect("a type of the ledger's own"),
        version: 1,
        members: members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), DraftMember::Clear(value)))
            .collect(),
        kept: Vec::new(),
    };
    sign(&draft, key, || [0; 16]).map(|signed| signed.statement)
}
