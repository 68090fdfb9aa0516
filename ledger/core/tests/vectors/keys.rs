//! Public keys as JWKs, and their thumbprints.

use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::{PrivateKey, PublicKey};
use serde_json::Value as Json;

use crate::document::{self, NewCase, object, strict};

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let jwk = strict(&case["jwk"]);
    match PublicKey::from_jwk(jwk.as_object().expect("a JWK is an object")) {
        Ok(key) => document::accepted([("thumbprint", Value::String(key.thumbprint().to_string()))]),
        Err(error) => document::refused(error.code()),
    }
}

fn jwk(x: &[u8]) -> Value {
    object([
        ("kty", Value::from("OKP")),
        ("crv", Value::from("Ed25519")),
        ("x", Value::String(base64url::encode(x))),
    ])
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

const SMALL: &str = "DESIGN 2: every verifier refuses keys of small order";
const CANONICAL: &str = "FORMATS 3: a public key is canonically encoded";
const MEMBERS: &str = "FORMATS 6: a JWK has exactly kty OKP, crv Ed25519 and x";

/// The points of small order in their canonical encodings.
const SMALL_ORDER: [(&str, &str); 8] = [
    ("the neutral point, of order 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("the point of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("the first point of order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("the second point of order 4", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("the first point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("the second point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("the third point of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("the fourth point of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
];

/// Encodings that RFC 8032 section 5.1.3 does not decode, or that are not what their point encodes to.
const NOT_CANONICAL: [(&str, &str); 6] = [
    ("y = p, for 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 1, for 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 3, for 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = 2^255 − 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (
        "the neutral point with the sign of x set",
        "0100000000000000000000000000000000000000000000000000000000000080",
    ),
    ("a y that is of no point", "0200000000000000000000000000000000000000000000000000000000000000"),
];

pub(crate) fn document() -> Value {
    let sound = PrivateKey::from_seed(&[10; 32]).public();
    let published = object([
        ("kty", Value::from("OKP")),
        ("crv", Value::from("Ed25519")),
        ("x", Value::from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
    ]);
    let thumbprint = "RFC 7638 and RFC 8037: the thumbprint of an OKP key";
    let mut cases = vec![
        NewCase::accepted("the key of RFC 8037 appendix A", thumbprint).with("jwk", published),
        NewCase::accepted("a key of these vectors", thumbprint).with("jwk", sound.to_jwk()),
    ];
    for (name, hex) in SMALL_ORDER {
        cases.push(NewCase::refused(name, SMALL, "weak_key").with("jwk", jwk(&unhex(hex))));
    }
    for (name, hex) in NOT_CANONICAL {
        cases.push(NewCase::refused(name, CANONICAL, "bad_key").with("jwk", jwk(&unhex(hex))));
    }
    let with = |name: &str, value: &str| {
        let mut members = sound.to_jwk().as_object().expect("an object").clone();
        members.insert(name, Value::from(value));
        Value::Object(members)
    };
    let without = |name: &str| {
        let jwk = sound.to_jwk();
        let members = jwk.as_object().expect("an object").iter().filter(|(member, _)| *member != name);
        object(members.map(|(name, value)| (name, value.clone())))
    };
    let spare = with("x", &spare_bits(&base64url::encode(sound.as_bytes())));
    for (name, jwk) in [
        ("a key use", with("use", "sig")),
        ("a private key", with("d", &base64url::encode(&[10; 32]))),
        ("another curve", with("crv", "X25519")),
        ("another kind", with("kty", "EC")),
        ("no x", without("x")),
        ("no kind", without("kty")),
        ("31 bytes", jwk(&sound.as_bytes()[..31])),
        ("33 bytes", jwk(&[sound.as_bytes().as_slice(), &[0]].concat())),
        ("padding", with("x", &format!("{}=", base64url::encode(sound.as_bytes())))),
        ("spare bits", spare),
    ] {
        cases.push(NewCase::refused(name, MEMBERS, "bad_key").with("jwk", jwk));
    }
    document::document(
        "Public keys (FORMATS 3 and 6): may this JWK be enrolled or verify anything?",
        Vec::new(),
        cases,
        outcome,
    )
}

/// The same bytes in base64url whose two last bits, which encode nothing, are not zero.
pub(crate) fn spare_bits(base64url: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = base64url.split_at(base64url.len() - 1);
    let value = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0]).expect("base64url");
    format!("{head}{}", char::from(ALPHABET[value | 1]))
}
