use gt_core::Hash;
use gt_core::link::{Link, LinkKey};
use gt_core::statement::Owner;

use crate::keyring::{AgencyKeys, OwnerTag};
use crate::prepare::Prepared;
use crate::vault::{self, DisclosureBlob, StatementBlob, VaultKey, VaultRecord};

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

/// A vault record and the links of its entry; the vault record is framed once the leaf hash is known.
pub struct Enciphered {
    /// A link for each owner, in the order of the owners.
    pub links: Vec<Link>,
    /// What the vault keeps.
    pub record: VaultRecord,
}

/// Makes a statement's links and encrypts its texts. Pure, so that statements of a batch are done in parallel.
///
/// `owners` has every owner of the prepared statement.
pub fn encipher(prepared: &Prepared, owners: &[OwnerPlace], genesis: &Hash) -> Enciphered {
    let statement = &prepared.statement;
    let payload = statement.payload();
    let links: Vec<Link> = owners.iter().map(|owner| owner.link.link(owner.n)).collect();
    let data_keys: Vec<VaultKey> =
        owners.iter().map(|owner| VaultKey::new(&owner.keys.data, genesis)).collect();
    let place = |owner: &Owner| {
        let position = owners.iter().position(|place| place.owner == *owner);
        position.expect("every owner of the statement has a place")
    };
    let hash = statement.hash();
    let jws = statement.jws().as_bytes();
    let (statement_blob, disclosures) = match &prepared.ownership {
        None => (StatementBlob::Open(jws.to_vec()), Vec::new()),
        Some(ownership) => {
            let primary = place(&ownership.primary);
            let bytes = vault::seal(&owners[primary].keys.record, genesis, &vault::place(&hash, None), jws);
            let owner = links[primary].name;
            let blob = StatementBlob::Sealed { owner, agency: payload.iss.clone(), bytes };
            let disclosures =
                statement.disclosures().iter().zip(&ownership.of_disclosures).map(|(disclosure, owner)| {
                    let (position, digest) = (place(owner), disclosure.digest());
                    let at = vault::place(&hash, Some(&digest));
                    let bytes = data_keys[position].seal(&at, disclosure.text().as_bytes());
                    DisclosureBlob { owner: links[position].name, digest, bytes }
                });
            (blob, disclosures.collect())
        }
    };
    let record = VaultRecord {
        publisher: payload.publisher,
        seq: payload.seq,
        event_type: payload.event_type.clone(),
        statement: statement_blob,
        disclosures,
    };
    Enciphered { links, record }
}
