use std::collections::{HashMap, HashSet};

use gt_core::Hash;
use gt_core::link::LinkName;
use gt_core::registry::Registry;
use gt_core::statement::{Jws, Statement, StatementError};
use gt_core::verify::{AuthorshipBatch, AuthorshipFault, verify_authorship};

use super::Depth;
use super::erasures::{self, Gone};
use super::records::Turn;
use super::report::Fault;
use super::vault_file::place_of;
use crate::configured;
use crate::keyring::{Keyring, OwnerTag};
use crate::open;
use crate::sealer::admit::MAX_AHEAD;
use crate::vault::{StatementBlob, VaultSalt};

/// What reading the statements of a bundle needs.
pub(super) struct Context<'a> {
    pub(super) keyring: Option<&'a Keyring>,
    pub(super) genesis: Hash,
    /// Whose the links of the bundle's entries are, where disclosures are opened.
    pub(super) links: HashMap<LinkName, OwnerTag>,
    pub(super) depth: Depth,
}

/// What a statement turned out to be.
pub(super) struct Outcome {
    pub(super) faults: Vec<Fault>,
    pub(super) reading: Reading,
    /// It was read, and its signature holds under the registry.
    pub(super) proven: bool,
    /// It was read, and its signature is one of a batch; and before which fault what that tells belongs.
    unproven: Option<(Jws, usize)>,
    pub(super) disclosures_read: u64,
    pub(super) disclosures_unreadable: u64,
    /// Whose keys are missing, where something could not be read.
    pub(super) gone: Gone,
    /// The child that it is about, if that is known.
    pub(super) child: Option<OwnerTag>,
}

/// How far a statement could be read.
pub(super) enum Reading {
    /// It was, and this is its place in its publisher's chain.
    Read { seq: u64, prev: Hash },
    /// It is not what was sealed.
    Damaged,
    /// The record key of its primary owner is gone.
    KeysGone,
    /// There is no keyring to read it with.
    NotTried,
}

/// A statement in the clear, if it is the one that was sealed.
pub(super) fn open_statement(turn: &Turn<'_>) -> Result<Statement, (&'static str, String)> {
    let altered = || ("statement_altered", "the statement is not the one that was sealed".to_owned());
    let StatementBlob::Open(jws) = &turn.record.statement else {
        return Err((
            "not_open",
            "a statement of the ledger's own, which has no owner, is encrypted".to_owned(),
        ));
    };
    let jws = Jws::new(core::str::from_utf8(jws).map_err(|_| altered())?);
    if jws.hash() != turn.entry.statement {
        return Err(altered());
    }
    Statement::from_jws(jws, []).map_err(|error| unsound(&error))
}

/// Reads statements as far as the keys go, and holds them against everything that their entries and the registry say, their signatures
/// excepted, which the batch takes. `None` where there is no turn.
pub(super) fn read(
    turns: &[Option<Turn<'_>>],
    context: &Context<'_>,
    batch: &mut AuthorshipBatch,
) -> Vec<Option<Outcome>> {
    turns.iter().map(|turn| turn.as_ref().map(|turn| read_one(turn, context, batch))).collect()
}

impl Outcome {
    /// Takes what its batch came to. One that does not hold says nothing of each signature in it.
    pub(super) fn prove(&mut self, position: u64, registry: Option<&Registry>, batch_holds: bool) {
        let Some(((jws, at), registry)) = self.unproven.take().zip(registry) else { return };
        self.proved(position, at, if batch_holds { Ok(()) } else { authorship(jws, registry) });
    }

    fn proved(&mut self, position: u64, at: usize, verdict: Result<(), AuthorshipFault>) {
        match verdict {
            Ok(()) => self.proven = true,
            Err(error) => {
                self.faults.insert(at, Fault::new(place_of(position), error.code(), error.to_string()));
            }
        }
    }
}

fn authorship(jws: Jws, registry: &Registry) -> Result<(), AuthorshipFault> {
    verify_authorship(&Statement::from_jws(jws, [])?, registry)
}

fn read_one(turn: &Turn<'_>, context: &Context<'_>, batch: &mut AuthorshipBatch) -> Outcome {
    let mut check = Check { turn, context, batch, outcome: Outcome::new() };
    check.places();
    match &turn.record.statement {
        StatementBlob::Open(_) => match open_statement(turn) {
            Ok(statement) => check.signed(statement),
            Err((code, what)) => check.damaged(code, what),
        },
        StatementBlob::Sealed { .. } => check.sealed(),
    }
    let unreadable =
        check.outcome.disclosures_unreadable > 0 || matches!(check.outcome.reading, Reading::KeysGone);
    if let Some(keyring) = context.keyring.filter(|_| unreadable) {
        check.outcome.gone = erasures::gone(turn, keyring);
    }
    check.outcome
}

pub(super) fn unsound(error: &StatementError) -> (&'static str, String) {
    (error.code(), format!("the statement is not sound: {error}"))
}

/// The reading of one statement.
pub(super) struct Check<'c> {
    pub(super) turn: &'c Turn<'c>,
    pub(super) context: &'c Context<'c>,
    pub(super) outcome: Outcome,
    batch: &'c mut AuthorshipBatch,
}

impl Outcome {
    fn new() -> Self {
        Self {
            faults: Vec::new(),
            reading: Reading::NotTried,
            proven: false,
            unproven: None,
            disclosures_read: 0,
            disclosures_unreadable: 0,
            gone: Gone::default(),
            child: None,
        }
    }
}

impl Check<'_> {
    pub(super) fn fault(&mut self, code: &'static str, what: impl Into<String>) {
        self.outcome.faults.push(Fault::new(place_of(self.turn.leaf.position), code, what));
    }

    fn damaged(&mut self, code: &'static str, what: String) {
        self.outcome.reading = Reading::Damaged;
        self.fault(code, what);
    }

    /// What the record must be whatever it hides: the ledger's own types are in the clear and have no owners, every other
    /// statement is encrypted, and each blob names one of the entry's links.
    fn places(&mut self) {
        let (entry, record) = (self.turn.entry, self.turn.record);
        let own = record.event_type.is_ledgers_own();
        let primary = match &record.statement {
            StatementBlob::Open(_) => {
                if !own || !entry.links.is_empty() || !record.disclosures.is_empty() {
                    self.fault("in_the_clear", "a statement that has owners is not encrypted");
                }
                None
            }
            StatementBlob::Sealed { owner, .. } => {
                if own {
                    self.fault(
                        "not_open",
                        "a statement of the ledger's own, which has no owner, is encrypted",
                    );
                }
                Some(owner)
            }
        };
        let owners = record.disclosures.iter().map(|blob| &blob.owner).chain(primary);
        if owners.into_iter().any(|owner| !entry.links.iter().any(|link| link.name == *owner)) {
            self.fault("owner_not_linked", "it names an owner that its entry has no link of");
        }
        if self.context.depth == Depth::Everything {
            self.commitments();
        }
    }

    /// Each link is the one that is due, and commits to the owner's next one.
    fn commitments(&mut self) {
        let Some(keyring) = self.context.keyring else { return };
        for owned in self.turn.owned {
            let due = keyring.owner(&owned.tag).map(|keys| keys.link.link(owned.n));
            if !due.is_some_and(|due| self.turn.entry.links.contains(&due)) {
                self.fault("link_commitment", "one of its links does not lead to its owner's next");
            }
            if let Some(number) = owned.due {
                let what = format!(
                    "one of its links is number {} of an owner's record, and number {number} was due",
                    owned.n
                );
                self.fault("link_out_of_order", what);
            }
        }
    }

    fn sealed(&mut self) {
        let Some(keyring) = self.context.keyring else { return };
        match self.context.depth {
            Depth::Signed => self.sealed_statement(keyring),
            Depth::Everything => self.sealed_whole(keyring),
        }
    }

    fn sealed_statement(&mut self, keyring: &Keyring) {
        let turn = self.turn;
        let keys_of = |name: &LinkName| {
            let owned = turn.owned.iter().find(|owned| owned.name == *name)?;
            keyring.owner(&owned.tag)
        };
        let salt = VaultSalt::of(&self.context.genesis);
        let opened = open::decrypt_statement(turn.entry, turn.record, &salt, keys_of);
        match opened {
            Ok(Some(jws)) => match Statement::from_jws(jws, []) {
                Ok(statement) => self.signed(statement),
                Err(error) => {
                    let (code, what) = unsound(&error);
                    self.damaged(code, what);
                }
            },
            Ok(None) => self.outcome.reading = Reading::KeysGone,
            Err(error) => self.damaged("statement_altered", error.to_string()),
        }
    }

    fn sealed_whole(&mut self, keyring: &Keyring) {
        let (entry, record) = (self.turn.entry, self.turn.record);
        let texts = match open::decrypt(entry, record, &self.context.genesis, keyring, &self.context.links) {
            Ok(Some(texts)) => texts,
            Ok(None) => {
                self.outcome.reading = Reading::KeysGone;
                self.outcome.disclosures_unreadable = record.disclosures.len() as u64;
                return;
            }
            Err(error) => return self.damaged("statement_altered", error.to_string()),
        };
        let disclosures = texts.disclosures.iter().map(|(_, text)| text.as_str());
        let statement = match Statement::from_jws(texts.jws, disclosures) {
            Ok(statement) => statement,
            Err(error) => {
                let (code, what) = unsound(&error);
                return self.damaged(code, what);
            }
        };
        self.outcome.disclosures_read = statement.disclosures().len() as u64;
        self.outcome.disclosures_unreadable =
            (record.disclosures.len() - statement.disclosures().len()) as u64;
        let at = self.said(&statement);
        self.disclosed(&statement, keyring);
        self.authored(statement, at);
    }

    fn signed(&mut self, statement: Statement) {
        let at = self.said(&statement);
        self.authored(statement, at);
    }

    /// Whether the statement speaks for its agency, where that can be known. What its signature tells belongs before fault `at`.
    fn authored(&mut self, statement: Statement, at: usize) {
        let Some(registry) = self.turn.registry else { return };
        match self.batch.add(&statement, registry) {
            Some(verdict) => self.outcome.proved(self.turn.leaf.position, at, verdict),
            None => self.outcome.unproven = Some((statement.into_jws(), at)),
        }
    }

    /// When it was signed, and what the record says of it in the clear. Returns where what its signature tells belongs.
    fn said(&mut self, statement: &Statement) -> usize {
        let at = self.outcome.faults.len();
        let (payload, record) = (statement.payload(), self.turn.record);
        self.outcome.reading = Reading::Read { seq: payload.seq, prev: payload.prev };
        let agency = match &record.statement {
            StatementBlob::Open(_) => None,
            StatementBlob::Sealed { agency, .. } => Some(agency),
        };
        let same = (record.publisher, record.seq, &record.event_type)
            == (payload.publisher, payload.seq, &payload.event_type);
        if !same || agency.is_some_and(|agency| *agency != payload.iss) {
            self.fault("record_differs", "publisher, seq, type or agency are not the statement's");
        }
        if let Some(Err(error)) = configured::read(payload) {
            self.fault("configuration", format!("the configuration does not read: {error}"));
        }
        if payload.iat.saturating_sub(self.turn.entry.received_at.as_seconds()) > MAX_AHEAD {
            self.fault("from_the_future", "it was signed more than 300 s after it was received");
        }
        at
    }

    /// The disclosures are those that the statement has digests of, and the links are its owners'.
    fn disclosed(&mut self, statement: &Statement, keyring: &Keyring) {
        let data = &statement.payload().data;
        let record = self.turn.record;
        let mut digests = HashSet::new();
        for blob in &record.disclosures {
            if data.find(&blob.digest).is_none() {
                self.fault(
                    "disclosure_unreferenced",
                    "it has a disclosure that the statement has no digest of",
                );
            }
            if !digests.insert(blob.digest) {
                self.fault("disclosure_repeated", "it has a disclosure twice");
            }
        }
        let mut absent = 0;
        for member in data.members() {
            let there = member.digests().iter().filter(|digest| digests.contains(digest)).count();
            if data.is_kept(member.name()) {
                if there > 0 {
                    self.fault("kept_but_sealed", "it has a disclosure that the publisher keeps at home");
                }
            } else {
                absent += member.digests().len() - there;
            }
        }
        // A sealer takes a statement with every one of them, and an erasure ends keys: what they opened stays in the vault.
        if absent > 0 {
            self.fault("disclosure_missing", "a disclosure is missing, and its publisher does not keep it");
        }
        if absent > 0 || self.outcome.disclosures_unreadable > 0 {
            self.owners_as_named(statement, keyring);
        } else {
            self.owners_exactly(statement, keyring);
        }
    }
}
