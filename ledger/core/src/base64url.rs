//! Base64url without padding, in its one accepted spelling: no padding, no spare bits, no white space.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine as _};
use base64ct::{Base64UrlUnpadded, Encoding};

/// Why a text is not strict base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not base64url without padding and with zero spare bits")]
pub struct Base64UrlError;

/// Encodes bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes base64url, refusing padding, other alphabets and spare bits that are not zero.
///
/// By tables, and so not in constant time: what is long is what was signed, and that is no secret to whoever verifies it.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64UrlError)
}

/// The same as [`decode`], adding to these bytes.
pub(crate) fn decode_into(text: &str, bytes: &mut Vec<u8>) -> Result<(), Base64UrlError> {
    URL_SAFE_NO_PAD.decode_vec(text, bytes).map_err(|_| Base64UrlError)
}

/// How many bytes a text of this length stands for at most.
pub(crate) const fn most_bytes(len: usize) -> usize {
    len / 4 * 3 + 3
}

/// How many bytes base64url stands for, refusing what [`decode`] refuses.
pub(crate) fn decoded_len(text: &str) -> Result<usize, Base64UrlError> {
    // What is as short as a salt needs no memory of its own.
    let mut bytes = [0; 48];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(length) => Ok(length),
        Err(DecodeSliceError::OutputSliceTooSmall) => decode(text).map(|bytes| bytes.len()),
        Err(DecodeSliceError::DecodeError(_)) => Err(Base64UrlError),
    }
}

/// Decodes base64url of exactly `N` bytes, by tables, as [`decode`] does: hashes, links and signatures are no secrets.
pub fn decode_public<const N: usize>(text: &str) -> Result<[u8; N], Base64UrlError> {
    let mut bytes = [0; N];
    // A longer text would not fit, and a shorter one leaves bytes over.
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(Base64UrlError),
    }
}

/// Decodes base64url of exactly `N` bytes, in constant time: keys come this way.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64UrlError> {
    let mut bytes = [0; N];
    let decoded = Base64UrlUnpadded::decode(text, &mut bytes).map_err(|_| Base64UrlError)?;
    if decoded.len() == N { Ok(bytes) } else { Err(Base64UrlError) }
}

/// 32 bytes as base64url without padding, which is ASCII.
pub(crate) fn text_of_32(bytes: &[u8; 32]) -> [u8; 43] {
    let mut text = [0; 43];
    Base64UrlUnpadded::encode(bytes, &mut text).expect("32 bytes come to 43 characters");
    text
}

/// Adds what [`text_of_32`] made to a text.
pub(crate) fn push_text(ascii: &[u8; 43], text: &mut String) {
    text.push_str(core::str::from_utf8(ascii).expect("base64url is ASCII"));
}

/// Writes 32 bytes as base64url without padding.
pub(crate) fn write_32(bytes: &[u8; 32], f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    f.write_str(core::str::from_utf8(&text_of_32(bytes)).expect("base64url is ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spare_bits_padding_and_other_alphabets_are_refused() {
        assert_eq!(decode("AA"), Ok(vec![0]));
        for text in ["AB", "AA==", "A", "A+", "A/", "AA\n", " AA", "AAA=", "é"] {
            assert_eq!(decode(text), Err(Base64UrlError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trips_and_has_one_spelling(bytes: Vec<u8>, text in "[A-Za-z0-9_-]{0,40}") {
            let as_array = decode_array::<8>(&encode(&bytes));
            prop_assert_eq!(as_array, bytes.as_slice().try_into().map_err(|_| Base64UrlError));
            prop_assert_eq!(decode_public(&encode(&bytes)), as_array);
            prop_assert_eq!(decoded_len(&encode(&bytes)), Ok(bytes.len()));
            prop_assert_eq!(decoded_len(&text).ok(), decode(&text).ok().map(|bytes| bytes.len()));
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
            if let Ok(decoded) = decode(&text) {
                prop_assert_eq!(encode(&decoded), text);
            }
        }

        #[test]
        fn both_decoders_agree(text in "[A-Za-z0-9_=+/ -]{0,12}") {
            let constant_time = Base64UrlUnpadded::decode_vec(&text).map_err(|_| Base64UrlError);
            prop_assert_eq!(decode(&text), constant_time);
        }

        #[test]
        fn both_decoders_of_arrays_agree(
            text in prop_oneof!["[A-Za-z0-9_-]{43}", "[A-Za-z0-9_=+/ -]{40,46}", "[A-Za-z0-9_-]{85}[AQgw]"],
        ) {
            prop_assert_eq!(decode_public::<32>(&text), decode_array::<32>(&text));
            prop_assert_eq!(decode_public::<64>(&text), decode_array::<64>(&text));
            prop_assert_eq!(decode_public::<31>(&text), decode_array::<31>(&text));
        }
    }
}
