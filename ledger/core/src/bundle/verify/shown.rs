//! What a reader should be told besides the verdict.

use std::collections::BTreeMap;

use super::super::{About, BundleRecord, Manifest, Why};
use super::record::{Checked, Content};
use super::registrar::RegistrarChain;
use crate::agency::AgencyCode;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::position::{LeafIndex, TreeSize};
use crate::registry::Publisher;
use crate::statement::{EventType, PublisherId};
use crate::time::Timestamp;

/// What a bundle shows. Where a fault ended the check early, less of it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What it is about.
    pub about: Option<About>,
    /// When it was made, as its maker says.
    pub made_at: Option<Timestamp>,
    /// The origin of its checkpoint.
    pub origin: Option<String>,
    /// How many entries the checkpoint covers.
    pub size: Option<TreeSize>,
    /// The checkpoint's root.
    pub root: Option<Hash>,
    /// The ledger's keys that signed the checkpoint: those of the pin, or without one those that the ledger itself names.
    pub signed_by: Vec<VerifierKey>,
    /// The witnesses of the policy that cosigned the checkpoint, as the policy names them.
    pub witnesses: Vec<String>,
    /// How many statements of the registrar are here.
    pub registrar_statements: u64,
    /// The records without a fault, by rising index.
    pub entries: Vec<ShownEntry>,
    /// The publishers of these records, and those of the same agencies that were enrolled by recovery, by their ids, as the registry
    /// has them in the end.
    pub publishers: Vec<ShownPublisher>,
}

/// A record without a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEntry {
    /// Its place among the bundle's records.
    pub record: usize,
    /// Its index in the log.
    pub index: LeafIndex,
    /// When the ledger sealed it.
    pub received_at: Timestamp,
    /// What it says, or why that is not here.
    pub content: Result<ShownStatement, Why>,
}

/// What a statement says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownStatement {
    /// The agency that speaks.
    pub agency: AgencyCode,
    /// The agency in whose name it speaks, if not its own.
    pub on_behalf_of: Option<AgencyCode>,
    /// The publisher that signed.
    pub publisher: PublisherId,
    /// The event's type.
    pub event_type: EventType,
    /// The version of its schema.
    pub version: u16,
    /// How many disclosures are here.
    pub disclosed: usize,
    /// How many are kept at home by the publisher.
    pub kept: usize,
    /// How many are withheld from this copy, as its maker says.
    pub withheld: usize,
    /// How many have ended, their keys being gone, as its maker says.
    pub ended: usize,
    /// Whether it was received from the time on from which its publisher's key, revoked later, is in doubt.
    pub suspect: bool,
}

/// A publisher of the records or of an agency that speaks in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPublisher {
    /// Its id.
    pub id: PublisherId,
    /// The agency for which it speaks.
    pub agency: AgencyCode,
    /// The system's name.
    pub name: String,
    /// The entry that revoked it, and the time from which on its statements are in doubt, if one was given.
    pub revoked: Option<(LeafIndex, Option<Timestamp>)>,
    /// The entries that enrolled a key of it with nobody's endorsement but the registrar's word.
    pub recovered: Vec<LeafIndex>,
}

impl Shown {
    pub(super) fn take_manifest(&mut self, manifest: &Manifest) {
        self.about = Some(manifest.about.clone());
        self.made_at = Some(manifest.made_at);
    }

    pub(super) fn take_checkpoint(&mut self, head: &Checkpoint) {
        self.origin = Some(head.origin().to_owned());
        self.size = Some(head.size());
        self.root = Some(head.root());
    }

    pub(super) fn take_records(
        &mut self,
        records: &[BundleRecord],
        checked: &[Checked],
        chain: &RegistrarChain,
    ) {
        self.registrar_statements = chain.len();
        let mut publishers: BTreeMap<PublisherId, &Publisher> = BTreeMap::new();
        for record in checked {
            let publisher = record.said().and_then(|said| chain.registry().publisher(&said.publisher));
            if let (Some(said), Some(publisher)) = (record.said(), publisher) {
                publishers.insert(said.publisher, publisher);
            }
            let Some(content) = content(&records[record.position], record, publisher) else { continue };
            self.entries.push(ShownEntry {
                record: record.position,
                index: record.index(),
                received_at: record.proven.entry.received_at,
                content,
            });
        }
        // A key that came in by the registrar's word alone is told of wherever its agency speaks here.
        let speaks = |agency: &AgencyCode| publishers.values().any(|publisher| publisher.agency == *agency);
        let recovered: Vec<_> = chain
            .registry()
            .publishers()
            .filter(|(_, publisher)| !publisher.recovered.is_empty() && speaks(&publisher.agency))
            .collect();
        publishers.extend(recovered.into_iter().map(|(id, publisher)| (*id, publisher)));
        self.publishers = publishers
            .into_iter()
            .map(|(id, publisher)| ShownPublisher {
                id,
                agency: publisher.agency.clone(),
                name: publisher.name.clone(),
                revoked: publisher.revoked,
                recovered: publisher.recovered.clone(),
            })
            .collect();
    }
}

/// `None` for a record with a fault.
fn content(
    record: &BundleRecord,
    checked: &Checked,
    publisher: Option<&Publisher>,
) -> Option<Result<ShownStatement, Why>> {
    let (said, record) = match (&checked.content, record) {
        (Content::Stated(said), BundleRecord::Stated(record)) => (said, record),
        (Content::Absent, BundleRecord::Absent { why, .. }) => return Some(Err(*why)),
        _ => return None,
    };
    let left_out = |why| record.left_out.iter().filter(|left_out| left_out.why == why).count();
    let in_doubt_from = publisher.and_then(|publisher| publisher.revoked?.1);
    Some(Ok(ShownStatement {
        agency: said.iss.clone(),
        on_behalf_of: said.on_behalf_of.clone(),
        publisher: said.publisher,
        event_type: said.event_type.clone(),
        version: said.version,
        disclosed: said.disclosed,
        kept: said.kept,
        withheld: left_out(Why::Withheld),
        ended: left_out(Why::Ended),
        suspect: in_doubt_from.is_some_and(|from| checked.proven.entry.received_at >= from),
    }))
}
