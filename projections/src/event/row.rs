//! An event as a row's value. The index stands in the key.

use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::Event;

use super::{Refs, StatementRef, ViewEvent};
use crate::bytes::{Reader, Writer};
use crate::history::Mark;

/// What a row is written into, in bytes, so that it need not grow.
const MOST_ARE_SHORTER: usize = 256;

impl ViewEvent {
    pub(crate) fn to_row(&self) -> Vec<u8> {
        let owners = |writer: Writer, owners: &[OwnerId]| {
            writer.list(owners.iter(), |writer, owner| writer.id(owner.as_bytes()))
        };
        let context = |writer: Writer, id: ContextId| writer.id(id.as_bytes());
        let statement = |writer: Writer, statement: StatementRef| writer.id(&statement.0);
        let mut writer = Writer::over(Vec::with_capacity(MOST_ARE_SHORTER))
            .signed(self.received_at)
            .text(&self.agency)
            .optional(self.on_behalf_of.as_deref(), Writer::text)
            .id(&self.statement.0)
            .optional(self.child, |writer, child| writer.id(child.as_bytes()))
            .optional(self.context, context);
        writer = owners(writer, &self.persons);
        writer = owners(writer, &self.identified);
        let refs = &self.refs;
        for reference in [refs.supersedes, refs.request, refs.decision, refs.episode, refs.referral] {
            writer = writer.optional(reference, statement);
        }
        writer
            .optional(refs.agreement, context)
            .optional(refs.agreement_by_hash, context)
            .optional(refs.alert, |writer, alert| writer.id(&alert))
            .bytes(&self.event.pack())
            .optional(self.superseded, Mark::write)
            .finish()
    }

    pub(crate) fn from_row(index: u64, row: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(row);
        let owner = |reader: &mut Reader<'_>| reader.id().map(OwnerId::from_bytes);
        let context = |reader: &mut Reader<'_>| reader.id().map(ContextId::from_bytes);
        let statement = |reader: &mut Reader<'_>| reader.id().map(StatementRef);
        let event = Self {
            index,
            received_at: reader.signed()?,
            agency: reader.text()?.to_owned(),
            on_behalf_of: reader.optional(|reader| reader.text().map(str::to_owned))?,
            statement: statement(&mut reader)?,
            child: reader.optional(owner)?,
            context: reader.optional(context)?,
            persons: reader.list(owner)?,
            identified: reader.list(owner)?,
            refs: Refs {
                supersedes: reader.optional(statement)?,
                request: reader.optional(statement)?,
                decision: reader.optional(statement)?,
                episode: reader.optional(statement)?,
                referral: reader.optional(statement)?,
                agreement: reader.optional(context)?,
                agreement_by_hash: reader.optional(context)?,
                alert: reader.optional(Reader::id)?,
            },
            event: Event::unpack(reader.bytes()?)?,
            superseded: reader.optional(Mark::read)?,
        };
        reader.finish(event)
    }
}
