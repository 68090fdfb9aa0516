//! The registry of event types, and the ways in which an event is read.

use std::fmt;

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

use crate::definition::{self, Definition};
use crate::error::{Fault, SchemaError};
use crate::json::{Json, SignedData};
use crate::json_schema::{self, Shape};
use crate::member::Member;
use crate::missing_ended::v1::MissingEnded as MissingEndedV1;
use crate::people::Child;
use crate::time::Time;
use crate::{
    AccessApproved, AgreementEnded, AgreementRegistered, AgreementReviewed, AlertAssigned, AlertReviewed,
    ChildMoved, ConsentGiven, ConsentRefused, ConsentWithdrawn, ContextLinked, ContextUnlinked,
    DecisionCorrected, DecisionRecorded, DecisionReviewed, DisclosureReceived, ErasureRequested,
    HarmRecorded, HoldLifted, HoldPlaced, IdentifierLinked, IdentifierUnlinked, MeetingHeld, MissingEnded,
    MissingStarted, ObjectionReceived, PersonLinked, PersonUnlinked, PlacementStarted, RecordAccessed,
    RecordReleased, RecordRestricted, RectificationRequested, ReferralMade, ReferralOutcome, RequestAnswered,
    RequestReceived, RequestRefused, RestrictionRequested, RhiDeclined, RhiHeld, RhiOffered,
    SubjectAccessReceived,
};

/// Writes [`EventType`] and [`Event`] and leads each operation to the type's own definition.
///
/// A new type is one definition with `event!` and `impl Rules`, and one line in the list below. A line names the current
/// version, then the older ones, each with the struct that it is read as; `From` leads from that to the current one.
macro_rules! registry {
    ($($Event:ident = $name:literal, version $version:literal $(, version $old:literal as $Old:ty)*;)+) => {
        /// A type of event. The types of the ledger itself (`ledger.*`, `publisher.*`, `subject.*`) are none of these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventType {
            $(#[doc = concat!("`", $name, "`")] $Event,)+
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$Event),+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Event => $name,)+ }
            }

            /// Its current version: the one in which new events are written.
            pub const fn version(self) -> u16 {
                match self { $(Self::$Event => $version,)+ }
            }

            /// The versions that are read, the current one first.
            pub const fn versions(self) -> &'static [u16] {
                match self { $(Self::$Event => &[$version $(, $old)*],)+ }
            }

            fn members(self, version: u16) -> Result<&'static [Member], SchemaError> {
                match (self, version) {
                    $(
                        (Self::$Event, $version) => Ok(<$Event as Definition>::MEMBERS),
                        $((Self::$Event, $old) => Ok(<$Old as Definition>::MEMBERS),)*
                    )+
                    _ => Err(self.unknown_version()),
                }
            }

            fn read_draft(self, version: u16, data: Json<'_>) -> Result<Event, SchemaError> {
                match (self, version) {
                    $(
                        (Self::$Event, $version) => current(definition::draft::<$Event>(version, data), Event::$Event),
                        $((Self::$Event, $old) => current(definition::draft::<$Old>(version, data), Event::$Event),)*
                    )+
                    _ => Err(self.unknown_version()),
                }
            }

            fn read_complete(
                self,
                version: u16,
                opened: &SignedData<'_>,
                kept: &[String],
            ) -> Result<Event, SchemaError> {
                match (self, version) {
                    $(
                        (Self::$Event, $version) => current(definition::opened::<$Event>(version, opened, kept), Event::$Event),
                        $((Self::$Event, $old) => current(definition::opened::<$Old>(version, opened, kept), Event::$Event),)*
                    )+
                    _ => Err(self.unknown_version()),
                }
            }

            fn read_partial(self, version: u16, opened: &SignedData<'_>) -> Result<Event, SchemaError> {
                match (self, version) {
                    $(
                        (Self::$Event, $version) => current(<$Event>::from_opened(opened), Event::$Event),
                        $((Self::$Event, $old) => current(<$Old>::from_opened(opened), Event::$Event),)*
                    )+
                    _ => Err(self.unknown_version()),
                }
            }

            pub(crate) fn schema(self, version: u16, shape: Shape) -> Result<Schema, SchemaError> {
                match (self, version) {
                    $(
                        (Self::$Event, $version) => Ok(json_schema::of::<$Event>(self, version, shape)),
                        $((Self::$Event, $old) => Ok(json_schema::of::<$Old>(self, version, shape)),)*
                    )+
                    _ => Err(self.unknown_version()),
                }
            }
        }

        /// An event of a known type, typed. Disclosable members are `Option` or `Vec`, for they may not be here.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum Event {
            $(#[doc = concat!("`", $name, "`")] $Event(Box<$Event>),)+
        }

        impl Event {
            /// Its type.
            pub fn event_type(&self) -> EventType {
                match self { $(Self::$Event(_) => EventType::$Event,)+ }
            }

            /// The child that it is about, if that disclosure is here.
            pub fn child(&self) -> Option<&Child> {
                match self { $(Self::$Event(event) => event.child(),)+ }
            }

            /// When it happened (`times.occurred_at`), if that disclosure is here.
            pub fn occurred_at(&self) -> Option<Time> {
                match self { $(Self::$Event(event) => event.occurred_at(),)+ }
            }

            /// What views keep of it in a compact form: its type, its members in the clear, its times. Texts, names,
            /// references and pseudonyms are left out. The form is good for this version of the crate alone.
            pub fn pack(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(64);
                crate::packed::pack_number(self.event_type() as u64, &mut bytes);
                match self { $(Self::$Event(event) => event.pack(&mut bytes),)+ }
                bytes
            }

            /// Reads what [`Event::pack`] wrote; `None` if the bytes are nothing of the kind.
            pub fn unpack(mut bytes: &[u8]) -> Option<Self> {
                let position = usize::try_from(crate::packed::unpack_number(&mut bytes)?).ok()?;
                let event = match EventType::ALL.get(position)? {
                    $(EventType::$Event => Self::$Event(Box::new($Event::unpack(&mut bytes)?)),)+
                };
                bytes.is_empty().then_some(event)
            }

            /// The names of the members that the publisher keeps at home.
            pub fn kept(&self) -> &[&'static str] {
                match self { $(Self::$Event(event) => event.kept(),)+ }
            }
        }
    };
}

registry! {
    DecisionRecorded = "decision.recorded", version 2, version 1 as DecisionRecorded;
    DecisionReviewed = "decision.reviewed", version 1;
    DecisionCorrected = "decision.corrected", version 1;
    RequestReceived = "request.received", version 1;
    RequestAnswered = "request.answered", version 1;
    RequestRefused = "request.refused", version 1;
    ReferralMade = "referral.made", version 1;
    ReferralOutcome = "referral.outcome", version 1;
    MissingStarted = "missing.started", version 1;
    MissingEnded = "missing.ended", version 2, version 1 as MissingEndedV1;
    RhiOffered = "rhi.offered", version 1;
    RhiHeld = "rhi.held", version 1;
    RhiDeclined = "rhi.declined", version 1;
    ChildMoved = "child.moved", version 1;
    PlacementStarted = "placement.started", version 1;
    ContextLinked = "context.linked", version 1;
    ContextUnlinked = "context.unlinked", version 1;
    PersonLinked = "person.linked", version 1;
    PersonUnlinked = "person.unlinked", version 1;
    DisclosureReceived = "disclosure.received", version 1;
    ConsentGiven = "consent.given", version 1;
    ConsentRefused = "consent.refused", version 1;
    ConsentWithdrawn = "consent.withdrawn", version 1;
    MeetingHeld = "meeting.held", version 1;
    HarmRecorded = "harm.recorded", version 1;
    AgreementRegistered = "agreement.registered", version 1;
    AgreementReviewed = "agreement.reviewed", version 1;
    AgreementEnded = "agreement.ended", version 1;
    SubjectAccessReceived = "subject_access.received", version 1;
    RectificationRequested = "rectification.requested", version 1;
    RestrictionRequested = "restriction.requested", version 1;
    ObjectionReceived = "objection.received", version 1;
    ErasureRequested = "erasure.requested", version 1;
    RecordRestricted = "record.restricted", version 1;
    RecordReleased = "record.released", version 1;
    HoldPlaced = "hold.placed", version 1;
    HoldLifted = "hold.lifted", version 1;
    IdentifierLinked = "identifier.linked", version 1;
    IdentifierUnlinked = "identifier.unlinked", version 1;
    AlertAssigned = "alert.assigned", version 1;
    AlertReviewed = "alert.reviewed", version 1;
    RecordAccessed = "record.accessed", version 1;
    AccessApproved = "access.approved", version 1;
}

/// What was read, as the current version has it.
fn current<Read, Current: From<Read>>(
    read: Result<Read, SchemaError>,
    event: fn(Box<Current>) -> Event,
) -> Result<Event, SchemaError> {
    read.map(|read| event(Box::new(Current::from(read))))
}

/// Checks a draft's `data` in full: the plain members as an agency's system writes them, before they are signed.
///
/// An event of an older version is checked by that version's rules, and comes out as the current one has it; so do the
/// other two ways of reading.
///
/// Refused are unknown types, versions and members, members that are missing, values of the wrong form, and members
/// that contradict each other. Members that `kept` names are checked like the others, for a draft has them all.
pub fn validate_draft(event_type: &str, version: u16, data: &Value) -> Result<Event, SchemaError> {
    EventType::named(event_type)?.read_draft(version, data.into())
}

/// Checks signed data in full, as the sealer does before it seals: `data` has the members in the clear without `kept`, and the
/// values of every disclosure that came; `kept` the names of the members that were kept at home.
///
/// It refuses what [`validate_draft`] refuses, as far as the values are here: a kept member counts as present, and
/// nothing is asked of its value. Disclosures of kept members are refused.
pub fn validate_opened(
    event_type: &str,
    version: u16,
    data: &SignedData<'_>,
    kept: &[String],
) -> Result<Event, SchemaError> {
    EventType::named(event_type)?.read_complete(version, data, kept)
}

/// Reads signed data of which any disclosure may be absent: kept at home, erased, or not for this reader.
///
/// What is there must have its form. What is required is not asked for, except members in the clear, which cannot be
/// absent. The event's `kept` is empty.
pub fn read_opened(event_type: &str, version: u16, data: &SignedData<'_>) -> Result<Event, SchemaError> {
    EventType::named(event_type)?.read_partial(version, data)
}

/// The members that events of this type have in its current version, those in the clear first.
pub fn members(event_type: EventType) -> &'static [Member] {
    event_type.members(event_type.version()).expect("a type reads its current version")
}

/// The members in one of the versions that are read. An unknown version is refused.
pub fn members_at(event_type: EventType, version: u16) -> Result<&'static [Member], SchemaError> {
    event_type.members(version)
}

impl EventType {
    /// The type of this name, if this version of it is read.
    pub fn of(name: &str, version: u16) -> Result<Self, SchemaError> {
        let event_type = Self::named(name)?;
        let known = event_type.versions().contains(&version);
        if known { Ok(event_type) } else { Err(event_type.unknown_version()) }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name)
    }

    fn named(name: &str) -> Result<Self, SchemaError> {
        Self::parse(name).ok_or_else(|| Fault::UnknownType.here())
    }

    fn unknown_version(self) -> SchemaError {
        Fault::UnknownVersion { known: self.versions() }.here()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Event {
    /// The event as a draft's `data`. An event that was read in part gives the part.
    pub fn to_draft(&self) -> Value {
        serde_json::to_value(self).expect("events have no maps with keys other than strings")
    }
}
