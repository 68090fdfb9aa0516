//! A compact binary form of what a view keeps of an event: its members in the clear and its times, and nothing else.
//!
//! It is for stores that are made anew when this crate changes: a code is its position in its list, so a form that one
//! version wrote means nothing to another. What it leaves out is text, names, references and pseudonyms, so that no
//! store can come to hold them through it.

use crate::reading::NonEmpty;
use crate::time::Time;
use crate::words::{AgencyCode, AlertId, Label, Pseudonym, Text};

/// A value that has a compact form.
pub(crate) trait Packed: Sized {
    fn pack(&self, into: &mut Vec<u8>);

    /// Takes the value from the front; `None` if it is none.
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// Whether a disclosable member's value is packed: times and counts, which views need, and never what could name somebody.
pub(crate) const fn is_kept_by_views(member: &str) -> bool {
    ends_with(member.as_bytes(), b"times") || ends_with(member.as_bytes(), b"extent")
}

const fn ends_with(text: &[u8], end: &[u8]) -> bool {
    if text.len() < end.len() {
        return false;
    }
    let mut at = 0;
    while at < end.len() {
        if text[text.len() - end.len() + at] != end[at] {
            return false;
        }
        at += 1;
    }
    true
}

pub(crate) fn pack_number(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.push(number.to_le_bytes()[0]);
}

pub(crate) fn unpack_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn pack_text(text: &str, into: &mut Vec<u8>) {
    pack_number(text.len() as u64, into);
    into.extend_from_slice(text.as_bytes());
}

fn unpack_text<'b>(from: &mut &'b [u8]) -> Option<&'b str> {
    let length = usize::try_from(unpack_number(from)?).ok()?;
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    std::str::from_utf8(text).ok()
}

impl Packed for bool {
    fn pack(&self, into: &mut Vec<u8>) {
        into.push(u8::from(*self));
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        match unpack_number(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Packed for Time {
    fn pack(&self, into: &mut Vec<u8>) {
        let millis = self.as_millis();
        pack_number(((millis << 1) ^ (millis >> 63)).cast_unsigned(), into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let number = unpack_number(from)?;
        Self::from_millis((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        self.is_some().pack(into);
        if let Some(value) = self {
            value.pack(into);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        pack_number(self.len() as u64, into);
        for element in self {
            element.pack(into);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        // Grown as elements come, so that a damaged length cannot ask for memory.
        (0..unpack_number(from)?).map(|_| T::unpack(from)).collect()
    }
}

impl<T: Packed> Packed for NonEmpty<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        pack_number(self.len() as u64, into);
        for element in self.iter() {
            element.pack(into);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Self::of(Vec::unpack(from)?)
    }
}

macro_rules! packed_text {
    ($($Type:ident by $parse:expr;)+) => {$(
        impl Packed for $Type {
            fn pack(&self, into: &mut Vec<u8>) {
                pack_text(self.as_str(), into);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                unpack_text(from).and_then($parse)
            }
        }
    )+};
}

packed_text! {
    Text by Text::parse;
    Label by Label::parse;
    AgencyCode by AgencyCode::parse;
    Pseudonym by Pseudonym::parse;
    AlertId by AlertId::parse;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_times_survive(number: u64, millis in Time::MIN.as_millis()..=Time::MAX.as_millis()) {
            let mut bytes = Vec::new();
            pack_number(number, &mut bytes);
            let time = Time::from_millis(millis).expect("in range");
            time.pack(&mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(unpack_number(&mut rest), Some(number));
            prop_assert_eq!(Time::unpack(&mut rest), Some(time));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_a_value_or_none(bytes: Vec<u8>) {
            let _ = Vec::<Option<Time>>::unpack(&mut &bytes[..]);
            let _ = Label::unpack(&mut &bytes[..]);
        }
    }

    #[test]
    fn only_times_and_counts_are_kept() {
        assert!(
            is_kept_by_views("times") && is_kept_by_views("corrected_times") && is_kept_by_views("extent")
        );
        for member in ["child", "rationale", "refs", "time", "practitioner", ""] {
            assert!(!is_kept_by_views(member), "{member}");
        }
    }
}
