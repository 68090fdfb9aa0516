//! What the views keep of an event.

mod reading;
mod row;

use gt_core::Hash;
use gt_core::base64url;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::Event;

pub(crate) use reading::{ReadRecord, Reading};
pub use reading::{Readings, is_read};

use crate::history::Mark;

/// Gives places and other contexts their opaque ids.
///
/// The ids are HMACs under the ledger's index key, which this crate must not know. The same reference MUST always get
/// the same id, or a rebuild would come out differently.
pub trait ContextNaming {
    /// The opaque id of the context with this pseudonym.
    fn context_id(&self, reference: &str) -> ContextId;
}

/// The first 16 bytes of a statement's hash: enough to find it again, and public, for it stands in the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StatementRef(pub(crate) [u8; 16]);

/// An event as the views keep it: typed codes and times, and opaque ids for whatever could name somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewEvent {
    pub(crate) index: u64,
    pub(crate) received_at: i64,
    pub(crate) agency: String,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) statement: StatementRef,
    pub(crate) child: Option<OwnerId>,
    /// `context.*`: the context.
    pub(crate) context: Option<ContextId>,
    /// `person.*`: the person of concern. A decision: the persons of concern among `others`.
    pub(crate) persons: Vec<OwnerId>,
    /// `identifier.*`: both sides.
    pub(crate) identified: Vec<OwnerId>,
    pub(crate) refs: Refs,
    /// Members in the clear and times; everything else is left out.
    pub(crate) event: Event,
    /// The first later statement of the same agency that replaced it.
    pub(crate) superseded: Option<Mark>,
}

/// What an event refers to, as far as the views use it. An agency's own reference is no statement's hash, and is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refs {
    pub(crate) supersedes: Option<StatementRef>,
    pub(crate) request: Option<StatementRef>,
    pub(crate) decision: Option<StatementRef>,
    pub(crate) episode: Option<StatementRef>,
    pub(crate) referral: Option<StatementRef>,
    /// The information sharing agreement, by the reference that was written.
    pub(crate) agreement: Option<ContextId>,
    /// `agreement.registered`: the agreement by its statement's hash, for those who refer to it so.
    pub(crate) agreement_by_hash: Option<ContextId>,
    /// `alert.*`: the alert.
    pub(crate) alert: Option<[u8; 16]>,
}

impl ViewEvent {
    /// When it happened; none where the times are kept at home or can no longer be read.
    pub(crate) fn occurred_at(&self) -> Option<i64> {
        self.event.occurred_at().map(gt_schemas::Time::as_millis)
    }

    /// Where it stands in lists by time: when it happened, or when it was received if nobody can say.
    pub(crate) fn listed_at(&self) -> i64 {
        self.occurred_at().unwrap_or(self.received_at)
    }

    /// The agency whose statement it is: a publisher may speak for another.
    pub(crate) fn speaker(&self) -> &str {
        self.on_behalf_of.as_deref().unwrap_or(&self.agency)
    }

    /// Whether it says who looked at records, or who was allowed to. No pattern looks at these, and no agency has met a child by them.
    pub(crate) const fn is_access(&self) -> bool {
        matches!(self.event, Event::RecordAccessed(_) | Event::AccessApproved(_))
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { index: self.index, received_at: self.received_at }
    }

    /// The statement that this one replaces as a whole, unless it [goes on](Self::goes_on_from) from there. A correction names the
    /// decision that it corrects, and replaces nothing: corrections append.
    pub(crate) fn replaces(&self) -> Option<StatementRef> {
        if matches!(self.event, Event::DecisionCorrected(_)) { None } else { self.refs.supersedes }
    }

    /// Whether it says what became of the other one since, which was true until then: a review does not take the registration of an
    /// agreement back, nor a withdrawal the consent on which something was shared before. Nor does a review, whatever it came to, undo
    /// the decision that it looked at: corrections append, and another decision is recorded on its own (DOMAIN section 4).
    pub(crate) const fn goes_on_from(&self, other: &Self) -> bool {
        matches!(
            (&self.event, &other.event),
            (Event::AgreementReviewed(_) | Event::AgreementEnded(_), Event::AgreementRegistered(_))
                | (Event::AgreementEnded(_), Event::AgreementReviewed(_))
                | (Event::DecisionReviewed(_), Event::DecisionRecorded(_) | Event::DecisionCorrected(_))
                | (Event::ConsentWithdrawn(_), Event::ConsentGiven(_))
                | (Event::RecordReleased(_), Event::RecordRestricted(_))
                | (Event::HoldLifted(_), Event::HoldPlaced(_))
        )
    }
}

impl StatementRef {
    pub(crate) fn of(hash: &Hash) -> Self {
        let (start, _) = hash.as_bytes().split_first_chunk().expect("a hash has more than 16 bytes");
        Self(*start)
    }

    /// The statement of this hash; none if the text is an agency's own reference.
    fn parse(text: &str) -> Option<Self> {
        base64url::decode_array::<32>(text).ok().map(|hash| Self::of(&Hash::from_bytes(hash)))
    }
}
