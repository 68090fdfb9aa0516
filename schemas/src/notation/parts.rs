//! The notation of the two objects that almost every event has: its times, and what it belongs to.

/// The times of an event: its own, and others that may be absent.
macro_rules! times {
    ($(#[doc = $doc:literal])+ pub struct $Times:ident {
        $(#[doc = $own:literal])+ occurred_at,
        $($(#[doc = $meaning:literal])+ $time:ident,)*
    }) => {
        crate::notation::record! {
            $(#[doc = $doc])+
            pub struct $Times {
                $(#[doc = $own])+
                pub occurred_at: crate::Time,
                $($(#[doc = $meaning])+ pub $time: Option<crate::Time>,)*
            }
        }
    };
}

/// What an event belongs to: references of its type's own, and those that any event may have. References are statement
/// hashes where the writer knows them, else the agency's own.
macro_rules! refs {
    ($(#[doc = $doc:literal])+ pub struct $Refs:ident {
        $($(#[doc = $meaning:literal])+ $reference:ident $(: $Type:ty)?,)*
    }) => {
        crate::notation::record! {
            $(#[doc = $doc])+
            pub struct $Refs {
                $($(#[doc = $meaning])+ pub $reference: crate::notation::refs!(@type $($Type)?),)*
                /// The agency's case.
                pub case: Option<crate::Label>,
                /// The earlier statement that this one replaces.
                pub supersedes: Option<crate::Label>,
                /// Statements that belong together, such as those about siblings.
                pub joined: Option<Vec<crate::Label>>,
            }
        }
    };
    (@type) => { Option<crate::Label> };
    (@type $Type:ty) => { $Type };
}

pub(crate) use {refs, times};
