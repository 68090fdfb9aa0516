//! The people whom an event names, each a disclosure of its own and so an owner of its own, and places.

use crate::notation::{codes, record};
use crate::words::{Label, Pseudonym};

codes! {
    /// What the child is to the event.
    pub enum ChildRole {
        /// A born child.
        Child,
        /// A child who is not born yet.
        Unborn,
    }
}

codes! {
    /// What another person is to the child.
    pub enum OtherRole {
        /// A brother or sister, of whichever degree.
        Sibling,
        /// A parent.
        Parent,
        /// A carer who is no parent.
        Carer,
        /// A person from whom harm is feared.
        PersonOfConcern,
        /// An adult who is at risk too.
        AdultAtRisk,
        /// Anybody else.
        ThirdParty,
    }
}

record! {
    /// The child whom the event is about.
    pub struct Child {
        /// The child's pseudonym.
        pub pseudonym: Pseudonym,
        /// Born or unborn.
        pub role: ChildRole,
    }
}

record! {
    /// Another person in what was, or was not, shared.
    pub struct OtherPerson {
        /// The person's pseudonym.
        pub pseudonym: Pseudonym,
        /// What the person is to the child.
        pub role: OtherRole,
    }
}

record! {
    /// A professional who decided or authorised.
    pub struct Professional {
        /// The professional's pseudonym.
        pub pseudonym: Pseudonym,
        /// The post that the professional holds.
        pub role: Label,
    }
}

record! {
    /// A person who received information, or from whom it was withheld.
    pub struct RecipientName {
        /// The person's name.
        pub name: Label,
        /// The person's post, or relation to the child.
        pub role: Label,
        /// The person's pseudonym, if there is one. Without it the disclosure belongs to the child.
        pub pseudonym: Option<Pseudonym>,
    }
}

record! {
    /// A place or another context. It is no person, so its pseudonym stands in `ref` and it owns no disclosure.
    pub struct ContextRef {
        /// The pseudonym of the place, account, group, vehicle or event.
        pub r#ref: Pseudonym,
    }
}
