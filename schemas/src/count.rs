//! How many there were of something.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::packed::{Packed, pack_number, unpack_number};
use crate::reading::Read;

/// A whole number, 0…2^31−1. A number is no code, so it never stands in the clear (FORMATS section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Count(u32);

impl Count {
    /// The largest: 2^31−1.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The count of this number, if it is none too large.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    fn of(number: u64) -> Option<Self> {
        u32::try_from(number).ok().and_then(Self::new)
    }
}

impl Read for Count {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let expected = "a whole number from 0 to 2147483647";
        value.as_u64().and_then(Self::of).ok_or_else(|| Fault::expected(expected).here())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": Self::MAX.0 })
    }
}

impl Packed for Count {
    fn pack(&self, into: &mut Vec<u8>) {
        pack_number(self.0.into(), into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        unpack_number(from).and_then(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_are_whole_and_bounded() {
        for sound in [0, 1, 0x7fff_ffff] {
            let count = Count::read_value(&json!(sound)).expect("a count");
            let mut bytes = Vec::new();
            count.pack(&mut bytes);
            assert_eq!((count.get(), Count::unpack(&mut &bytes[..])), (sound, Some(count)));
        }
        for refused in [json!(-1), json!(0x8000_0000_u32), json!(1.5), json!("1"), json!(null)] {
            assert_eq!(Count::read_value(&refused).expect_err("no count").code(), "bad_value", "{refused}");
        }
    }
}
