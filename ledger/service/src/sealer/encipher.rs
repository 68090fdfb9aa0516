use gt_core::link::{Link, LinkKey};
use gt_core::statement::Owner;

use crate::keyring::{AgencyKeys, OwnerTag};
use crate::prepare::Prepared;
use crate::vault::{self, Framed, Framing, VaultKey, VaultSalt};

/// One owner of a statement, with what sealing its share needs.
pub struct OwnerPlace {
    /// Who it is.
    pub owner: Owner,
    /// The owner's name in the keyring.
    pub tag: OwnerTag,
    /// How many of the owner's entries there are before this one.
    pub n: u64,
    /// The key of the owner's links.
    pub link: LinkKey,
    /// The owner's keys for the agency that speaks.
    pub keys: AgencyKeys,
}

/// A vault record and the links of its entry; the vault record is finished once the entry's leaf hash is known.
#[derive(Debug, Clone)]
pub struct Enciphered {
    /// A link for each owner, in the order of the owners.
    pub links: Vec<Link>,
    /// What the vault keeps.
    pub record: Framed,
}

/// Makes a statement's links and encrypts its texts. Pure, so that statements of a batch are done in parallel.
///
/// `owners` has every owner of the prepared statement.
pub fn encipher(prepared: &Prepared, owners: &[OwnerPlace], salt: &VaultSalt) -> Enciphered {
    let statement = &prepared.statement;
    let payload = statement.payload();
    let links: Vec<Link> = owners.iter().map(|owner| owner.link.link(owner.n)).collect();
    let data_keys: Vec<VaultKey> = owners.iter().map(|owner| salt.key(&owner.keys.data)).collect();
    let place = |owner: &Owner| {
        let position = owners.iter().position(|place| place.owner == *owner);
        position.expect("every owner of the statement has a place")
    };
    let (hash, jws) = (statement.hash(), statement.jws().as_bytes());
    let texts = statement.disclosures().iter().map(|disclosure| disclosure.text().len());
    let texts = texts.chain([jws.len()]);
    let mut record = Framing::new(&payload.publisher, payload.seq, &payload.event_type, texts);
    let Some(ownership) = &prepared.ownership else {
        record.open_statement(jws);
        return Enciphered { links, record: record.close() };
    };
    let primary = place(&ownership.primary);
    let key = salt.key(&owners[primary].keys.record);
    record.statement(&links[primary].name, &payload.iss, &key, &vault::place(&hash, None), jws);
    for (disclosure, owner) in statement.disclosures().iter().zip(&ownership.of_disclosures) {
        let (position, digest) = (place(owner), disclosure.digest());
        let (name, at) = (&links[position].name, vault::place(&hash, Some(&digest)));
        record.disclosure(name, &digest, &data_keys[position], &at, disclosure.text().as_bytes());
    }
    Enciphered { links, record: record.close() }
}
