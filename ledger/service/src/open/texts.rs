//! Opening what is encrypted in the vault, as far as the keys go.

use std::collections::{BTreeMap, HashMap};

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::link::LinkName;
use gt_core::statement::{Data, Disclosure, Jws, MAX_OWNERS, Statement, StatementError};

use super::OpenLedgerError;
use crate::keyring::{AgencyKeys, Keyring, OwnerKeys, OwnerTag};
use crate::record::{OpenElement, OpenStatement, OwnerId, Record, SignedRecord};
use crate::vault::{self, DisclosureBlob, StatementBlob, VaultKey, VaultRecord, VaultSalt};

/// `H.P.S` and the disclosures of one entry, decrypted.
pub(crate) struct Texts {
    pub(crate) jws: Jws,
    pub(crate) disclosures: Vec<(OwnerId, String)>,
    pub(crate) primary: Option<OwnerId>,
}

impl Texts {
    pub(crate) fn to_compact(&self) -> String {
        let mut text = format!("{}~", self.jws.text());
        for (_, disclosure) in &self.disclosures {
            text.push_str(disclosure);
            text.push('~');
        }
        text
    }
}

/// Decrypts what can be decrypted of a vault record. `None` if the record key is gone.
pub(crate) fn texts(
    entry: &Entry,
    vault: &[u8],
    genesis: &Hash,
    keyring: &Keyring,
    links: &HashMap<LinkName, OwnerTag>,
) -> Result<Option<Texts>, OpenLedgerError> {
    let leaf_hash = entry.leaf_hash();
    let record = VaultRecord::lent(vault, &leaf_hash)
        .map_err(|source| OpenLedgerError::Vault { index: entry.index, source })?;
    decrypt(entry, &record, genesis, keyring, links)
}

pub(crate) fn decrypt<B: AsRef<[u8]>>(
    entry: &Entry,
    record: &VaultRecord<B>,
    genesis: &Hash,
    keyring: &Keyring,
    links: &HashMap<LinkName, OwnerTag>,
) -> Result<Option<Texts>, OpenLedgerError> {
    let keys_of = |name: &LinkName| links.get(name).and_then(|tag| keyring.owner(tag));
    let salt = VaultSalt::of(genesis);
    let Some(jws) = decrypt_statement(entry, record, &salt, keys_of)? else { return Ok(None) };
    let mut owners = Owners::of(record, keys_of);
    let mut disclosures = Vec::with_capacity(record.disclosures.len());
    for blob in &record.disclosures {
        if let Some((owner, key)) = owners.opener(&blob.owner, &salt) {
            disclosures.push((owner, open_text(entry, blob, key)?));
        }
    }
    Ok(Some(Texts { jws, disclosures, primary: owners.primary(record) }))
}

/// Decrypts the statement of a vault record, and holds it against its entry. `None` if the record key is gone.
pub(crate) fn decrypt_statement<'k, B: AsRef<[u8]>>(
    entry: &Entry,
    record: &VaultRecord<B>,
    salt: &VaultSalt,
    keys_of: impl FnOnce(&LinkName) -> Option<OwnerKeys<'k>>,
) -> Result<Option<Jws>, OpenLedgerError> {
    let altered = || altered(entry);
    let text = match &record.statement {
        StatementBlob::Open(bytes) => bytes.as_ref().to_vec(),
        StatementBlob::Sealed { owner, agency, bytes } => {
            let Some(keys) = keys_of(owner).and_then(|held| held.agency(agency)) else { return Ok(None) };
            let place = vault::place(&entry.statement, None);
            let mut opened = salt.key(&keys.record).open(&place, bytes.as_ref()).map_err(|_| altered())?;
            // Taken out uncopied, and so not wiped: an `H.P.S` has digests in place of what is said about people.
            std::mem::take(&mut *opened)
        }
    };
    let jws = Jws::from(String::from_utf8(text).map_err(|_| altered())?);
    if jws.hash() == entry.statement { Ok(Some(jws)) } else { Err(altered()) }
}

fn altered(entry: &Entry) -> OpenLedgerError {
    OpenLedgerError::Statement { index: entry.index, source: None }
}

/// Reads an entry's statement as far as the keys go, with the values of those disclosed members that are wanted. Of the others it says
/// whose they are, and does not decrypt them.
pub(crate) fn record(
    entry: Entry,
    vault: &[u8],
    genesis: &Hash,
    keyring: &Keyring,
    links: &HashMap<LinkName, OwnerTag>,
    wanted: impl Fn(&str) -> bool,
) -> Result<SignedRecord, OpenLedgerError> {
    let index = entry.index;
    let leaf_hash = entry.leaf_hash();
    let raw =
        VaultRecord::lent(vault, &leaf_hash).map_err(|source| OpenLedgerError::Vault { index, source })?;
    let keys_of = |name: &LinkName| links.get(name).and_then(|tag| keyring.owner(tag));
    let salt = VaultSalt::of(genesis);
    let statement = decrypt_statement(&entry, &raw, &salt, keys_of)?
        .map(|jws| open_statement(&entry, &raw, jws, &salt, keys_of, wanted))
        .transpose()?;
    Ok(Record { entry, publisher: raw.publisher, seq: raw.seq, event_type: raw.event_type, statement })
}

fn open_statement<'k>(
    entry: &Entry,
    record: &VaultRecord<&[u8]>,
    jws: Jws,
    salt: &VaultSalt,
    keys_of: impl Fn(&LinkName) -> Option<OwnerKeys<'k>>,
    wanted: impl Fn(&str) -> bool,
) -> Result<OpenStatement<Data, Option<Disclosure>>, OpenLedgerError> {
    let fault = |source| OpenLedgerError::Statement { index: entry.index, source: Some(source) };
    let payload = Statement::from_jws(jws, []).map_err(fault)?.into_payload();
    let mut owners = Owners::of(record, keys_of);
    let (mut found, mut texts) = (Vec::with_capacity(record.disclosures.len()), Vec::new());
    for blob in &record.disclosures {
        let Some(owner) = owners.owner(&blob.owner) else { continue };
        let place = payload.data.find(&blob.digest);
        let (member, element) = place.ok_or_else(|| fault(StatementError::DisclosureUnreferenced))?;
        let name = payload.data.members()[member].name();
        let opener = if wanted(name) { owners.opener(&blob.owner, salt) } else { None };
        let text = opener.map(|(_, key)| open_text(entry, blob, key)).transpose()?;
        found.push((name, element, owner, text.is_some()));
        texts.extend(text);
    }
    let read = Disclosure::read_all(texts.iter().map(|text| &**text), &payload.data);
    let mut read = read
        .map_err(|error| match error {
            // Not the publisher's doing, who disclosed it once.
            StatementError::DisclosureRepeated { .. } => altered(entry),
            error => fault(error),
        })?
        .into_iter();
    let mut disclosed: BTreeMap<String, Vec<OpenElement<_>>> = BTreeMap::new();
    for (name, element, owner, is_wanted) in found {
        let value = is_wanted.then(|| read.next()).flatten();
        disclosed.entry(name.to_owned()).or_default().push(OpenElement { owner, element, value });
    }
    for elements in disclosed.values_mut() {
        elements.sort_by_key(|element| element.element);
        if elements.windows(2).any(|pair| pair[0].element == pair[1].element) {
            return Err(altered(entry));
        }
    }
    Ok(OpenStatement {
        iss: payload.iss,
        on_behalf_of: payload.on_behalf_of,
        iat: payload.iat,
        version: payload.version,
        disclosed,
        kept: payload.data.kept().to_vec(),
        clear: payload.data,
        primary: owners.primary(record),
    })
}

/// Whose the texts of a record are, and what opens them: worked out once for each owner.
struct Owners<'r, 'k, F> {
    keys_of: F,
    /// The agency that the record's keys are for.
    agency: Option<&'r AgencyCode>,
    known: Vec<(LinkName, Option<KnownOwner<'k>>)>,
}

struct KnownOwner<'k> {
    id: OwnerId,
    /// `None` if they have ended.
    keys: Option<&'k AgencyKeys>,
    /// Made of `keys` when something is opened.
    key: Option<VaultKey>,
}

impl<'r, 'k, F: Fn(&LinkName) -> Option<OwnerKeys<'k>>> Owners<'r, 'k, F> {
    fn of<B>(record: &'r VaultRecord<B>, keys_of: F) -> Self {
        let agency = match &record.statement {
            StatementBlob::Open(_) => None,
            StatementBlob::Sealed { agency, .. } => Some(agency),
        };
        Self { keys_of, agency, known: Vec::new() }
    }

    fn known(&mut self, name: &LinkName) -> Option<&mut KnownOwner<'k>> {
        let place = self.known.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            if self.known.len() == MAX_OWNERS {
                // No statement has so many.
                self.known.clear();
            }
            let owner = (self.keys_of)(name).map(|held| KnownOwner {
                id: OwnerId::from_bytes(held.link.name(0)),
                keys: self.agency.and_then(|agency| held.agency(agency)).filter(|_| !held.is_ended()),
                key: None,
            });
            self.known.push((*name, owner));
            self.known.len() - 1
        });
        self.known[place].1.as_mut()
    }

    /// Whose a disclosure is; `None` if the keys that open it have ended.
    fn owner(&mut self, name: &LinkName) -> Option<OwnerId> {
        self.known(name).filter(|known| known.keys.is_some()).map(|known| known.id)
    }

    /// The same, with what opens it.
    fn opener(&mut self, name: &LinkName, salt: &VaultSalt) -> Option<(OwnerId, &VaultKey)> {
        let known = self.known(name)?;
        let keys = known.keys?;
        Some((known.id, known.key.get_or_insert_with(|| salt.key(&keys.data))))
    }

    /// The owner of the record's statement, while its keys live.
    fn primary<B>(&mut self, record: &VaultRecord<B>) -> Option<OwnerId> {
        match &record.statement {
            StatementBlob::Open(_) => None,
            StatementBlob::Sealed { owner, .. } => self.known(owner).map(|known| known.id),
        }
    }
}

/// Decrypts a disclosure, and holds it against its digest.
fn open_text<B: AsRef<[u8]>>(
    entry: &Entry,
    blob: &DisclosureBlob<B>,
    key: &VaultKey,
) -> Result<String, OpenLedgerError> {
    let altered = || altered(entry);
    let place = vault::place(&entry.statement, Some(&blob.digest));
    let opened = key.open(&place, blob.bytes.as_ref()).map_err(|_| altered())?;
    if Hash::of(&opened) != blob.digest {
        return Err(altered());
    }
    core::str::from_utf8(&opened).map(ToOwned::to_owned).map_err(|_| altered())
}
