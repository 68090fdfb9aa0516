//! `person.linked`, `person.unlinked`: a person from whom harm is feared, and the child to whom the person is linked
//! (DOMAIN section 4).

use crate::contexts::{ContextRisk, Source};
use crate::decision_recorded::Nature;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{event, record, refs, times};
use crate::people::Child;
use crate::words::{Label, Pseudonym, Text};

record! {
    /// A person from whom harm is feared.
    pub struct PersonOfConcern {
        /// The person's pseudonym.
        pub pseudonym: Pseudonym,
        /// What the person is to the child.
        pub relation: Option<Label>,
    }
}

times! {
    /// The link's times.
    pub struct PersonTimes {
        /// When the link was noticed, or since when it is no more.
        occurred_at,
    }
}

refs! {
    /// What the link belongs to.
    pub struct PersonRefs {}
}

event! {
    /// A person of concern is linked to a child, or is known without one.
    pub struct PersonLinked {
        clear {
            /// The risk.
            risk: ContextRisk, required = Always;
            /// From whom the agency knows it.
            source: Source, required = Always;
            /// Fact or something else.
            nature: Nature, required = Always;
        }
        disclosed {
            /// The child.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// The person.
            person: Option<PersonOfConcern>, owner = Named, keepable = false, required = Always;
            /// When the link was noticed.
            times: Option<PersonTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<PersonRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for PersonLinked {}

event! {
    /// A person of concern's link is taken back: it has ended, or was never so.
    pub struct PersonUnlinked {
        clear {
            /// Fact or something else: what kind of statement takes the link back.
            nature: Nature, required = Always;
        }
        disclosed {
            /// The child.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// The person.
            person: Option<PersonOfConcern>, owner = Named, keepable = false, required = Always;
            /// Since when the link is no more.
            times: Option<PersonTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to; `supersedes` names a link that was never so, and none that has ended.
            refs: Option<PersonRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for PersonUnlinked {}
