//! The notation of an event type. Every one has a disclosable member `times` whose `occurred_at` is its own time.

/// An event type's `data`: its members in the clear, then its disclosable ones. See `missing_ended.rs` for a short one.
macro_rules! event {
    ($(#[doc = $doc:literal])+ pub struct $Event:ident {
        clear {
            $($(#[doc = $says:literal])+ $clear:ident: $Clear:ty, required = $when:expr;)+
        }
        disclosed {
            $($(#[doc = $tells:literal])+ $member:ident: $Type:ty,
                owner = $Owner:ident, keepable = $keepable:literal, required = $rule:expr;)+
        }
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub struct $Event {
            $(
                $(#[doc = $says])+
                #[serde(skip_serializing_if = "crate::reading::Read::is_absent")]
                pub $clear: $Clear,
            )+
            $(
                $(#[doc = $tells])+
                #[serde(skip_serializing_if = "crate::reading::Disclosable::is_none")]
                pub $member: $Type,
            )+
            /// The disclosable members that the publisher keeps at home.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub kept: Vec<&'static str>,
        }

        impl crate::definition::Definition for $Event {
            const DESCRIPTION: &'static str = concat!($($doc),+);

            const MEMBERS: &'static [crate::Member] = &[
                $(crate::Member {
                    name: stringify!($clear),
                    place: crate::Place::Clear,
                    requirement: $when,
                    description: concat!($($says),+).trim_ascii(),
                },)+
                $(crate::Member {
                    name: stringify!($member),
                    place: crate::Place::Disclosed {
                        owner: crate::Owner::$Owner,
                        many: <$Type as crate::reading::Disclosable>::MANY,
                        keepable: $keepable,
                    },
                    requirement: $rule,
                    description: concat!($($tells),+).trim_ascii(),
                },)+
            ];

            const NAMES: &'static [&'static str] = &[
                $(stringify!($clear),)+ $(stringify!($member),)+ crate::reading::KEPT,
            ];

            fn from_draft(
                data: crate::json::JsonObject<'_>,
            ) -> Result<Self, crate::SchemaError> {
                let mut members = crate::reading::Members::in_map(data, Self::NAMES);
                let event = Self {
                    $($clear: members.take(stringify!($clear))?,)+
                    $($member: members.take_disclosable(stringify!($member))?,)+
                    kept: members.take_kept(Self::MEMBERS)?,
                };
                members.finish()?;
                Ok(event)
            }

            fn from_opened(
                opened: &crate::SignedData<'_>,
            ) -> Result<Self, crate::SchemaError> {
                let mut members = crate::reading::Members::in_map(opened.clear(), Self::NAMES);
                let event = Self {
                    $($clear: members.take(stringify!($clear))?,)+
                    $($member: opened.take(stringify!($member))?,)+
                    kept: Vec::new(),
                };
                members.finish_with(crate::definition::refuse_in_clear::<Self>)?;
                opened.refuse_others::<Self>()?;
                Ok(event)
            }

            fn is_open(&self, member: &str) -> bool {
                match member {
                    $(stringify!($member) => !crate::reading::Disclosable::is_none(&self.$member),)+
                    _ => true,
                }
            }

            fn child(&self) -> Option<&crate::Child> {
                crate::notation::child_of!(self: $($member)+)
            }

            fn occurred_at(&self) -> Option<crate::Time> {
                self.times.as_ref().map(|times| times.occurred_at)
            }

            fn kept(&self) -> &[&'static str] {
                &self.kept
            }

            fn kept_mut(&mut self) -> &mut Vec<&'static str> {
                &mut self.kept
            }

            fn pack(&self, into: &mut Vec<u8>) {
                $(crate::packed::Packed::pack(&self.$clear, into);)*
                $(if const { crate::packed::is_kept_by_views(stringify!($member)) } {
                    crate::packed::Packed::pack(&self.$member, into);
                })*
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(Self {
                    $($clear: crate::packed::Packed::unpack(from)?,)*
                    $($member: if const { crate::packed::is_kept_by_views(stringify!($member)) } {
                        crate::packed::Packed::unpack(from)?
                    } else {
                        crate::reading::Disclosable::none()
                    },)*
                    kept: Vec::new(),
                })
            }

            fn value_schemas(generator: &mut schemars::SchemaGenerator) -> Vec<schemars::Schema> {
                vec![
                    $(<$Clear as crate::reading::Read>::schema(generator),)+
                    $(<$Type as crate::reading::Disclosable>::element_schema(generator),)+
                ]
            }
        }
    };
}

/// The member `child`, if the type has one.
macro_rules! child_of {
    ($event:ident: child $($others:ident)*) => {
        $event.child.as_ref()
    };
    ($event:ident: $other:ident $($others:ident)*) => {
        crate::notation::child_of!($event: $($others)*)
    };
    ($event:ident:) => {
        None
    };
}

/// Several event types that have the same members.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ pub struct $Event:ident;)+ each $members:tt) => {
        $(
            crate::notation::event! {
                $(#[doc = $doc])+
                pub struct $Event $members
            }
        )+
    };
}

pub(crate) use {child_of, event, events};
