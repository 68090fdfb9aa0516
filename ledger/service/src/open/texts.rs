//! Opening what is encrypted in the vault, as far as the keys go.

use std::collections::{BTreeMap, HashMap};

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::link::LinkName;
use gt_core::statement::{Data, Disclosure, Jws, Statement, StatementError};
use gt_core::tree;

use super::OpenLedgerError;
use crate::keyring::{AgencyKeys, Keyring, OwnerKeys, OwnerTag};
use crate::record::{OpenElement, OpenStatement, OwnerId, Record, SignedRecord};
use crate::vault::{self, DisclosureBlob, StatementBlob, VaultRecord};

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
    let leaf_hash = tree::leaf_hash(&entry.to_bytes());
    let (record, _) = VaultRecord::decode(vault, &leaf_hash)
        .map_err(|source| OpenLedgerError::Vault { index: entry.index, source })?;
    decrypt(entry, &record, genesis, keyring, links)
}

pub(crate) fn decrypt(
    entry: &Entry,
    record: &VaultRecord,
    genesis: &Hash,
    keyring: &Keyring,
    links: &HashMap<LinkName, OwnerTag>,
) -> Result<Option<Texts>, OpenLedgerError> {
    let keys_of = |name: &LinkName| links.get(name).and_then(|tag| keyring.owner(tag));
    let Some(jws) = decrypt_statement(entry, record, genesis, keys_of)? else { return Ok(None) };
    let (agency, primary) = agency_and_primary(record, keys_of);
    let mut disclosures = Vec::with_capacity(record.disclosures.len());
    for blob in &record.disclosures {
        if let Some((owner, keys)) = keys_to(blob, agency, keys_of) {
            disclosures.push((owner, open_text(entry, blob, keys, genesis)?));
        }
    }
    Ok(Some(Texts { jws, disclosures, primary }))
}

/// Decrypts the statement of a vault record, and holds it against its entry. `None` if the record key is gone.
pub(crate) fn decrypt_statement<'k>(
    entry: &Entry,
    record: &VaultRecord,
    genesis: &Hash,
    keys_of: impl FnOnce(&LinkName) -> Option<OwnerKeys<'k>>,
) -> Result<Option<Jws>, OpenLedgerError> {
    let altered = || altered(entry);
    let text = match &record.statement {
        StatementBlob::Open(bytes) => bytes.clone(),
        StatementBlob::Sealed { owner, agency, bytes } => {
            let Some(keys) = keys_of(owner).and_then(|held| held.agency(agency)) else { return Ok(None) };
            let place = vault::place(&entry.statement, None);
            let mut opened = vault::open(&keys.record, genesis, &place, bytes).map_err(|_| altered())?;
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
    let leaf_hash = tree::leaf_hash(&entry.to_bytes());
    let (raw, _) =
        VaultRecord::decode(vault, &leaf_hash).map_err(|source| OpenLedgerError::Vault { index, source })?;
    let keys_of = |name: &LinkName| links.get(name).and_then(|tag| keyring.owner(tag));
    let statement = decrypt_statement(&entry, &raw, genesis, keys_of)?
        .map(|jws| open_statement(&entry, &raw, jws, genesis, keys_of, wanted))
        .transpose()?;
    Ok(Record { entry, publisher: raw.publisher, seq: raw.seq, event_type: raw.event_type, statement })
}

fn open_statement<'k>(
    entry: &Entry,
    record: &VaultRecord,
    jws: Jws,
    genesis: &Hash,
    keys_of: impl Fn(&LinkName) -> Option<OwnerKeys<'k>>,
    wanted: impl Fn(&str) -> bool,
) -> Result<OpenStatement<Data, Option<Disclosure>>, OpenLedgerError> {
    let fault = |source| OpenLedgerError::Statement { index: entry.index, source: Some(source) };
    let payload = Statement::from_jws(jws, []).map_err(fault)?.into_payload();
    let (agency, primary) = agency_and_primary(record, &keys_of);
    let (mut found, mut texts) = (Vec::new(), Vec::new());
    for blob in &record.disclosures {
        let Some((owner, keys)) = keys_to(blob, agency, &keys_of) else { continue };
        let place = payload.data.find(&blob.digest);
        let (member, element) = place.ok_or_else(|| fault(StatementError::DisclosureUnreferenced))?;
        let name = payload.data.members()[member].name();
        let text = wanted(name).then(|| open_text(entry, blob, keys, genesis)).transpose()?;
        found.push((name, element, owner, text.is_some()));
        texts.extend(text);
    }
    let read = Disclosure::read_all(texts.iter().map(|text| &**text), &payload.data);
    let mut read = read.map_err(fault)?.into_iter();
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
        primary,
    })
}

/// The agency that a record's keys are for, and the owner of its statement while its keys live.
fn agency_and_primary<'r, 'k>(
    record: &'r VaultRecord,
    keys_of: impl Fn(&LinkName) -> Option<OwnerKeys<'k>>,
) -> (Option<&'r AgencyCode>, Option<OwnerId>) {
    match &record.statement {
        StatementBlob::Open(_) => (None, None),
        StatementBlob::Sealed { owner, agency, .. } => {
            (Some(agency), keys_of(owner).map(|held| OwnerId::from_bytes(held.link.name(0))))
        }
    }
}

/// Whose a disclosure is, and the keys that open it; `None` if they have ended.
fn keys_to<'k>(
    blob: &DisclosureBlob,
    agency: Option<&AgencyCode>,
    keys_of: impl Fn(&LinkName) -> Option<OwnerKeys<'k>>,
) -> Option<(OwnerId, &'k AgencyKeys)> {
    let held = keys_of(&blob.owner)?;
    let keys = held.agency(agency?)?;
    (!held.is_ended()).then(|| (OwnerId::from_bytes(held.link.name(0)), keys))
}

/// Decrypts a disclosure, and holds it against its digest.
fn open_text(
    entry: &Entry,
    blob: &DisclosureBlob,
    keys: &AgencyKeys,
    genesis: &Hash,
) -> Result<String, OpenLedgerError> {
    let altered = || altered(entry);
    let place = vault::place(&entry.statement, Some(&blob.digest));
    let opened = vault::open(&keys.data, genesis, &place, &blob.bytes).map_err(|_| altered())?;
    if Hash::of(&opened) != blob.digest {
        return Err(altered());
    }
    core::str::from_utf8(&opened).map(ToOwned::to_owned).map_err(|_| altered())
}
