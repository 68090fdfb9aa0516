//! The registry of event types, and the ways in which an event is read.

use std::collections::BTreeMap;
use std::fmt;

use schemars::Schema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::definition::{self, Definition, Opened, Rules};
use crate::error::{Fault, SchemaError};
use crate::json_schema::{self, Shape};
use crate::member::Member;
use crate::people::Child;
use crate::time::Time;
use crate::{ContextLinked, DecisionRecorded, MissingEnded, MissingStarted};

/// Writes [`EventType`] and [`Event`] and leads each operation to the type's own definition.
///
/// A new type is one module with `event!` and `impl Rules`, and one line in the list below.
macro_rules! registry {
    ($($Event:ident = $name:literal, version $version:literal;)+) => {
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

            /// Its version: the one that is known. A statement of another version is refused.
            pub const fn version(self) -> u16 {
                match self { $(Self::$Event => $version,)+ }
            }

            fn members(self) -> &'static [Member] {
                match self { $(Self::$Event => <$Event as Definition>::MEMBERS,)+ }
            }

            fn read_draft(self, data: &Value) -> Result<Event, SchemaError> {
                match self { $(Self::$Event => definition::draft(data).map(Box::new).map(Event::$Event),)+ }
            }

            fn read_complete(self, opened: Opened<'_>, kept: &[String]) -> Result<Event, SchemaError> {
                match self {
                    $(Self::$Event => definition::opened(opened, kept).map(Box::new).map(Event::$Event),)+
                }
            }

            fn read_partial(self, opened: Opened<'_>) -> Result<Event, SchemaError> {
                match self {
                    $(Self::$Event => $Event::from_opened(opened).map(Box::new).map(Event::$Event),)+
                }
            }

            pub(crate) fn schema(self, shape: Shape) -> Schema {
                match self { $(Self::$Event => json_schema::of::<$Event>(self, shape),)+ }
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
    DecisionRecorded = "decision.recorded", version 1;
    MissingStarted = "missing.started", version 1;
    MissingEnded = "missing.ended", version 1;
    ContextLinked = "context.linked", version 1;
}

/// Checks a draft's `data` in full: the plain members as an agency's system writes them, before they are signed.
///
/// Refused are unknown types, versions and members, members that are missing, values of the wrong form, and members
/// that contradict each other. Members that `kept` names are checked like the others, for a draft has them all.
pub fn validate_draft(event_type: &str, version: u16, data: &Value) -> Result<Event, SchemaError> {
    EventType::of(event_type, version)?.read_draft(data)
}

/// Checks signed data in full, as the sealer does before it seals: `clear` has the members in the clear without `kept`,
/// `disclosed` the values of every disclosure that came, and `kept` the names of the members that were kept at home.
///
/// It refuses what [`validate_draft`] refuses, as far as the values are here: a kept member counts as present, and
/// nothing is asked of its value. Disclosures of kept members are refused.
pub fn validate_opened(
    event_type: &str,
    version: u16,
    clear: &Map<String, Value>,
    disclosed: &BTreeMap<String, Vec<Value>>,
    kept: &[String],
) -> Result<Event, SchemaError> {
    EventType::of(event_type, version)?.read_complete(Opened { clear, disclosed }, kept)
}

/// Reads signed data of which any disclosure may be absent: kept at home, erased, or not for this reader.
///
/// What is there must have its form. What is required is not asked for, except members in the clear, which cannot be
/// absent. The event's `kept` is empty.
pub fn read_opened(
    event_type: &str,
    version: u16,
    clear: &Map<String, Value>,
    disclosed: &BTreeMap<String, Vec<Value>>,
) -> Result<Event, SchemaError> {
    EventType::of(event_type, version)?.read_partial(Opened { clear, disclosed })
}

/// The members that events of this type have, those in the clear first.
pub fn members(event_type: EventType) -> &'static [Member] {
    event_type.members()
}

impl EventType {
    /// The type of this name and version.
    pub fn of(name: &str, version: u16) -> Result<Self, SchemaError> {
        let event_type = Self::parse(name).ok_or_else(|| Fault::UnknownType.here())?;
        let known = event_type.version();
        if version == known { Ok(event_type) } else { Err(Fault::UnknownVersion { known }.here()) }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name)
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
