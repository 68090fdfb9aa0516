//! `context.linked`, `context.unlinked`: a child is linked to a place or another context that children share, or no
//! longer so (DOMAIN section 4).

use crate::decision_recorded::Nature;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, record};
use crate::people::{Child, ContextRef};
use crate::time::Time;
use crate::words::{Label, Text};

codes! {
    /// What kind of context it is.
    pub enum ContextKind {
        /// A place.
        Place,
        /// An account or a space online.
        OnlineAccount,
        /// A group of people.
        Group,
        /// A vehicle.
        Vehicle,
        /// An event.
        Event,
    }
}

codes! {
    /// The risk that the context is linked to.
    pub enum ContextRisk {
        /// Child sexual exploitation.
        CSE,
        /// Child criminal exploitation.
        CCE,
        /// Violence.
        Violence,
        /// Another.
        Other,
    }
}

codes! {
    /// From whom the agency knows it.
    pub enum Source {
        /// The child.
        Child,
        /// The family or a carer.
        Family,
        /// Another child.
        Peer,
        /// A school or college.
        School,
        /// A health service.
        Health,
        /// Social care.
        SocialCare,
        /// The police.
        Police,
        /// Youth justice.
        YouthJustice,
        /// A housing provider.
        Housing,
        /// A charity or community group.
        VoluntarySector,
        /// A member of the public.
        Public,
        /// Another source.
        Other,
    }
}

record! {
    /// The link's times.
    pub struct ContextTimes {
        /// When the child was there, or when the link was noticed.
        pub occurred_at: Time,
        /// When it was reported.
        pub reported_at: Option<Time>,
    }
}

record! {
    /// What the link belongs to.
    pub struct ContextRefs {
        /// The agency's case.
        pub case: Option<Label>,
        /// The meeting at which it was made.
        pub meeting: Option<Label>,
        /// The earlier statement that this one replaces.
        pub supersedes: Option<Label>,
        /// Statements that belong together.
        pub joined: Option<Vec<Label>>,
    }
}

event! {
    /// A child is linked to a place or another context that children share.
    pub struct ContextLinked {
        clear {
            /// What kind of context it is.
            kind: ContextKind, required = Always;
            /// The risk.
            risk: ContextRisk, required = Always;
            /// From whom the agency knows it.
            source: Source, required = Always;
            /// Fact or something else.
            nature: Nature, required = Always;
        }
        disclosed {
            /// The child.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// The context.
            context: Option<ContextRef>, owner = Child, keepable = true, required = Always;
            /// When the child was there.
            times: Option<ContextTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<ContextRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ContextLinked {}

event! {
    /// A child's link to a context is taken back: it has ended, or was never so.
    pub struct ContextUnlinked {
        clear {
            /// What kind of context it is.
            kind: ContextKind, required = Always;
        }
        disclosed {
            /// The child.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// The context.
            context: Option<ContextRef>, owner = Child, keepable = true, required = Always;
            /// Since when the link is no more.
            times: Option<ContextTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to; `supersedes` names a link that was never so, and none that has ended.
            refs: Option<ContextRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ContextUnlinked {}
