//! What the keyring's records say, before they are wrapped.
//!
//! 1: link key ‖ owner. 2: tag ‖ data key ‖ record key ‖ agency. Of an owner about whom what was disclosed is erased, 3: tag ‖ link key,
//! and 4: tag ‖ record key ‖ agency; the tag is then a random one, so that nobody who knows the pseudonym finds them by it.
//! 5: all of many owners ([`super::packs`]).

use gt_core::agency::AgencyCode;
use gt_core::link::LinkKey;
use gt_core::statement::Owner;
use zeroize::Zeroizing;

use super::wrap::wrap;
use super::{AgencyKeys, KeyRecord, Keyring, OwnerKeys, OwnerTag, owner_name, packs};

pub(super) enum Record<'a> {
    Owner { owner: Owner, link: &'a LinkKey },
    Agency { tag: &'a OwnerTag, agency: &'a AgencyCode, keys: &'a AgencyKeys },
    EndedOwner { tag: &'a OwnerTag, link: &'a LinkKey },
    EndedAgency { tag: &'a OwnerTag, agency: &'a AgencyCode, record: &'a [u8; 32] },
}

impl Record<'_> {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let bytes = match self {
            Self::Owner { owner, link } => {
                [&[1], link.as_bytes().as_slice(), owner.key_text().as_bytes()].concat()
            }
            Self::Agency { tag, agency, keys } => {
                [&[2], tag.as_slice(), &keys.data, &keys.record, agency.as_str().as_bytes()].concat()
            }
            Self::EndedOwner { tag, link } => [&[3], tag.as_slice(), link.as_bytes()].concat(),
            Self::EndedAgency { tag, agency, record } => {
                [&[4], tag.as_slice(), record.as_slice(), agency.as_str().as_bytes()].concat()
            }
        };
        Zeroizing::new(bytes)
    }
}

/// A record, wrapped under its shard's key and framed.
pub(super) fn framed(shard_key: &Zeroizing<[u8; 32]>, shard: u8, record: &Record<'_>) -> Vec<u8> {
    let mut framed = Vec::new();
    wrap(shard_key, &[b'k', shard], &record.encode()).frame(shard, &mut framed);
    framed
}

impl Keyring {
    /// Everything that it holds, wrapped anew: owners before their agencies' keys.
    pub fn to_records(&self) -> Vec<KeyRecord> {
        let mut records = Vec::new();
        for (tag, held) in self.owners() {
            let record = |name, record: &Record<'_>| KeyRecord { name, bytes: self.frame(tag, record) };
            records.push(record(owner_name(tag), &held.to_record(tag)));
            records.extend(held.agencies().map(|(agency, keys)| {
                record(self.agency_name(tag, agency), &held.to_agency_record(tag, agency, keys))
            }));
        }
        records
    }

    pub(super) fn owner_record(&self, tag: &OwnerTag, owner: &Owner, link: &LinkKey) -> Vec<u8> {
        self.frame(tag, &Record::Owner { owner: owner.clone(), link })
    }

    pub(super) fn agency_record(&self, tag: &OwnerTag, agency: &AgencyCode, keys: &AgencyKeys) -> Vec<u8> {
        self.frame(tag, &Record::Agency { tag, agency, keys })
    }

    fn frame(&self, tag: &OwnerTag, record: &Record<'_>) -> Vec<u8> {
        framed(&self.shard_keys[usize::from(tag[0])], tag[0], record)
    }

    /// Has what a shard's record says taken, once it is unwrapped. `None` if it is none, or of another shard, or not taken.
    pub(super) fn parse(&self, plain: &[u8], shard: u8, take: &mut impl Take) -> Option<()> {
        let of_shard = |tag: &OwnerTag| Some(*tag).filter(|tag| tag[0] == shard);
        let (kind, rest) = plain.split_first()?;
        match kind {
            1 => {
                let (link, name) = rest.split_first_chunk::<32>()?;
                let tag = of_shard(&self.tag_of_name(name))?;
                take.owner(tag, Some(core::str::from_utf8(name).ok()?), LinkKey::from_bytes(*link))?;
                Some(())
            }
            2 | 4 => {
                let (tag, mut rest) = rest.split_first_chunk::<32>()?;
                let mut data = &[0; 32];
                if *kind == 2 {
                    (data, rest) = rest.split_first_chunk::<32>()?;
                }
                let (record, code) = rest.split_first_chunk::<32>()?;
                let owner = take.held(of_shard(tag)?)?;
                let keys = AgencyKeys { data: *data, record: *record };
                take.agency(owner, core::str::from_utf8(code).ok()?, keys)
            }
            3 => {
                let (tag, rest) = rest.split_first_chunk::<32>()?;
                let link: &[u8; 32] = rest.try_into().ok()?;
                take.owner(of_shard(tag)?, None, LinkKey::from_bytes(*link))?;
                Some(())
            }
            5 => packs::parse(rest, shard, take),
            _ => None,
        }
    }
}

/// Takes what records say; a `None` refuses it. Names are lent: a start reads hundreds of thousands, and knows most of what is in them.
pub(super) trait Take {
    /// Where an owner was put.
    type Row: Copy;

    /// An owner, without a name if only its records are left.
    fn owner(&mut self, tag: OwnerTag, name: Option<&str>, link: LinkKey) -> Option<Self::Row>;

    /// Where an owner is that was taken before.
    fn held(&mut self, tag: OwnerTag) -> Option<Self::Row>;

    /// An owner's keys for an agency.
    fn agency(&mut self, owner: Self::Row, code: &str, keys: AgencyKeys) -> Option<()>;
}

/// Takes it one by one, to be put into the keyring later.
impl Take for Vec<Taken> {
    type Row = OwnerTag;

    fn owner(&mut self, tag: OwnerTag, name: Option<&str>, link: LinkKey) -> Option<OwnerTag> {
        let owner = match name {
            Some(name) => Some(Owner::from_key_text(name)?),
            None => None,
        };
        self.push(Taken::Owner { tag, owner, link });
        Some(tag)
    }

    fn held(&mut self, tag: OwnerTag) -> Option<OwnerTag> {
        Some(tag)
    }

    fn agency(&mut self, owner: OwnerTag, code: &str, keys: AgencyKeys) -> Option<()> {
        self.push(Taken::Agency { tag: owner, agency: AgencyCode::parse(code).ok()?, keys });
        Some(())
    }
}

/// What a record says.
pub(super) enum Taken {
    Owner { tag: OwnerTag, owner: Option<Owner>, link: LinkKey },
    Agency { tag: OwnerTag, agency: AgencyCode, keys: AgencyKeys },
}

impl Taken {
    pub(super) const fn tag(&self) -> &OwnerTag {
        match self {
            Self::Owner { tag, .. } | Self::Agency { tag, .. } => tag,
        }
    }
}

impl<'k> OwnerKeys<'k> {
    fn to_record(self, tag: &'k OwnerTag) -> Record<'k> {
        match self.owner() {
            Some(owner) => Record::Owner { owner, link: self.link },
            None => Record::EndedOwner { tag, link: self.link },
        }
    }

    fn to_agency_record(self, tag: &'k OwnerTag, agency: &'k AgencyCode, keys: &'k AgencyKeys) -> Record<'k> {
        if self.is_ended() {
            Record::EndedAgency { tag, agency, record: &keys.record }
        } else {
            Record::Agency { tag, agency, keys }
        }
    }
}
