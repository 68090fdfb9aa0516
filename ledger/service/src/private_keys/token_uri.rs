//! Where a token has a key: a PKCS #11 URI (RFC 7512).
//!
//! `pkcs11:token=LABEL;object=LABEL?module-path=LIBRARY&pin-source=FILE`. What this reading does not know it refuses, and a PIN in the URI
//! above all, for arguments can be seen by everybody on the machine.

use std::path::{Path, PathBuf};

/// Which object of which token, and the library that speaks to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TokenUri {
    pub(super) token: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) kind: Option<Kind>,
    pub(super) module: PathBuf,
    pub(super) pin_source: Option<PathBuf>,
}

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A private key, which signs on the token.
    Private,
    /// Data, which holds a JWK and is read from the token.
    Data,
}

/// Why a PKCS #11 URI is refused. Nothing of it is shown but the names of attributes that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenUriError {
    /// It does not begin with the scheme.
    #[error(
        "a key on a token is named by a PKCS #11 URI: pkcs11:token=…;object=…?module-path=…&pin-source=…"
    )]
    NotOne,
    /// An attribute is not `name=value`, or badly percent-encoded.
    #[error("the PKCS #11 URI has an attribute that is not name=value, percent-encoded UTF-8")]
    Attribute,
    /// An attribute that is not known.
    #[error(
        "the PKCS #11 URI has an attribute other than token, serial, manufacturer, model, object, id and type, and after the question mark module-path and pin-source"
    )]
    Unknown,
    /// An attribute stands twice.
    #[error("the PKCS #11 URI has an attribute twice")]
    Twice,
    /// The PIN stands in the URI.
    #[error(
        "the PKCS #11 URI holds the PIN (pin-value), where everybody on this machine can see it: put the PIN into a file that only you can read, say pin-source=FILE, and change the PIN"
    )]
    PinValue,
    /// There is no library.
    #[error("the PKCS #11 URI needs ?module-path=/…, the whole path of the token's library")]
    NoModule,
    /// The PIN's source is no file.
    #[error("the PKCS #11 URI's pin-source must be a whole path, or file: and one")]
    PinSource,
    /// A type that cannot be used.
    #[error("the PKCS #11 URI's type must be private (the token signs) or data (it holds a JWK)")]
    Type,
}

const SCHEME: &str = "pkcs11:";

/// Whether a key is named by a PKCS #11 URI instead of a file.
pub fn is_token_uri(key: &Path) -> bool {
    key.to_str().is_some_and(|text| text.starts_with(SCHEME))
}

impl TokenUri {
    pub(super) fn parse(text: &str) -> Result<Self, TokenUriError> {
        let rest = text.strip_prefix(SCHEME).ok_or(TokenUriError::NotOne)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        let mut module = None;
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = split(attribute)?;
            match name {
                "token" => set(&mut uri.token, text_of(value)?)?,
                "serial" => set(&mut uri.serial, text_of(value)?)?,
                "manufacturer" => set(&mut uri.manufacturer, text_of(value)?)?,
                "model" => set(&mut uri.model, text_of(value)?)?,
                "object" => set(&mut uri.object, text_of(value)?)?,
                "id" => set(&mut uri.id, decoded(value)?)?,
                "type" => set(&mut uri.kind, kind(value)?)?,
                _ => return Err(unknown(name)),
            }
        }
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = split(attribute)?;
            match name {
                "module-path" => set(&mut module, PathBuf::from(text_of(value)?))?,
                "pin-source" => set(&mut uri.pin_source, pin_source(&text_of(value)?)?)?,
                _ => return Err(unknown(name)),
            }
        }
        uri.module = module.filter(|module| module.is_absolute()).ok_or(TokenUriError::NoModule)?;
        Ok(uri)
    }
}

fn split(attribute: &str) -> Result<(&str, &str), TokenUriError> {
    attribute.split_once('=').ok_or(TokenUriError::Attribute)
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<(), TokenUriError> {
    if place.replace(value).is_some() { Err(TokenUriError::Twice) } else { Ok(()) }
}

fn unknown(name: &str) -> TokenUriError {
    if name == "pin-value" { TokenUriError::PinValue } else { TokenUriError::Unknown }
}

fn kind(value: &str) -> Result<Kind, TokenUriError> {
    match value {
        "private" => Ok(Kind::Private),
        "data" => Ok(Kind::Data),
        _ => Err(TokenUriError::Type),
    }
}

fn pin_source(value: &str) -> Result<PathBuf, TokenUriError> {
    let path = value.strip_prefix("file:").map_or(value, |path| path.strip_prefix("//").unwrap_or(path));
    if path.starts_with('/') { Ok(PathBuf::from(path)) } else { Err(TokenUriError::PinSource) }
}

fn text_of(value: &str) -> Result<String, TokenUriError> {
    String::from_utf8(decoded(value)?).map_err(|_| TokenUriError::Attribute)
}

fn decoded(value: &str) -> Result<Vec<u8>, TokenUriError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = rest.next().and_then(|byte| char::from(byte).to_digit(16));
            digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(TokenUriError::Attribute)
        };
        bytes.push(digit()? * 16 + digit()?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_percent_decoded() {
        let text = "pkcs11:token=Larkfield%20Trust;object=signing;id=%01%ff;type=private\
                    ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin";
        let expected = TokenUri {
            token: Some("Larkfield Trust".to_owned()),
            object: Some("signing".to_owned()),
            id: Some(vec![1, 255]),
            kind: Some(Kind::Private),
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            pin_source: Some("/run/pin".into()),
            ..TokenUri::default()
        };
        assert_eq!(TokenUri::parse(text), Ok(expected));
        for source in ["/run/pin", "file:/run/pin", "file:///run/pin"] {
            let uri = TokenUri::parse(&format!("pkcs11:?module-path=/m&pin-source={source}"));
            assert_eq!(uri.expect("sound").pin_source, Some("/run/pin".into()));
        }
        assert!(is_token_uri(Path::new(text)) && !is_token_uri(Path::new("/keys/pkcs11:")));
    }

    #[test]
    fn what_is_not_known_is_refused_and_a_pin_above_all() {
        for (text, expected) in [
            ("key.jwk", TokenUriError::NotOne),
            ("pkcs11:token=a", TokenUriError::NoModule),
            ("pkcs11:token=a?module-path=lib.so", TokenUriError::NoModule),
            ("pkcs11:token=a?module-path=/m&pin-value=1234", TokenUriError::PinValue),
            ("pkcs11:token=a;pin-value=1234?module-path=/m", TokenUriError::PinValue),
            ("pkcs11:token=a?module-path=/m&module-name=m", TokenUriError::Unknown),
            ("pkcs11:slot-id=1?module-path=/m", TokenUriError::Unknown),
            ("pkcs11:token=a;token=b?module-path=/m", TokenUriError::Twice),
            ("pkcs11:token?module-path=/m", TokenUriError::Attribute),
            ("pkcs11:token=%4?module-path=/m", TokenUriError::Attribute),
            ("pkcs11:token=%zz?module-path=/m", TokenUriError::Attribute),
            ("pkcs11:token=%ff?module-path=/m", TokenUriError::Attribute),
            ("pkcs11:type=cert?module-path=/m", TokenUriError::Type),
            ("pkcs11:?module-path=/m&pin-source=|command", TokenUriError::PinSource),
        ] {
            assert_eq!(TokenUri::parse(text), Err(expected), "{text}");
            assert!(!expected.to_string().contains("1234"));
        }
    }
}
