//! Statements refused for their signature alone, among them some that laxer verifiers accept.

use ed25519_dalek::{SigningKey, Verifier, VerifyingKey};
use gt_core::base64url;
use sha2::{Digest, Sha512};

use crate::document::NewCase;
use crate::ledger::{COUNCIL_KEY, STRANGER, TRUST_KEY, Writing, compact, header, public};

const SIGNED: &str = "FORMATS 3: the signature is Ed25519 over the ASCII H.P";
const KID: &str = "DESIGN 2: kid is the thumbprint of the signing key";
const STRICT: &str = "DESIGN 2: verify_strict; every verifier refuses small-order keys and R";

const NEUTRAL: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

/// A point of order 8.
const ORDER_8: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, //
    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];

/// L, the order of the base point, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, //
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(crate) fn cases() -> Vec<NewCase> {
    let signed = signed_part();
    let sound = public(COUNCIL_KEY).to_jwk();
    let mut flipped = signature(&signed);
    flipped[0] ^= 1;
    let mut flipped_s = signature(&signed);
    flipped_s[40] ^= 1;
    let later = Writing { seq: 1, ..Writing::of_council("{}") }.payload();
    let later = format!(
        "{}.{}",
        base64url::encode(header(COUNCIL_KEY).as_bytes()),
        base64url::encode(later.as_bytes())
    );
    let bad = |name: &str, rule: &str, signature: [u8; 64]| {
        NewCase::refused(name, rule, "bad_signature").with("statement", joined(&signed, signature))
    };
    let impostor = compact(
        header(COUNCIL_KEY).as_bytes(),
        Writing::of_council("{}").payload().as_bytes(),
        STRANGER,
        &[],
    );
    vec![
        bad("one bit of R is flipped", SIGNED, flipped),
        bad("one bit of S is flipped", SIGNED, flipped_s),
        bad("zeros", SIGNED, [0; 64]),
        bad("the signature of another statement", SIGNED, signature(&later)),
        NewCase::refused("another key signed, under this key's kid", SIGNED, "bad_signature")
            .with("statement", impostor),
        NewCase::refused("one bit of the payload was changed after signing", SIGNED, "bad_signature")
            .with("statement", joined(&signed.replacen("InNlcSI6MC", "InNlcSI6MS", 1), signature(&signed))),
        bad("S is not reduced", "RFC 8032 section 5.1.7: S is less than L", unreduced(&signed)),
        bad("R is the neutral point; laxer verifiers accept", STRICT, with_neutral_r(&signed)),
        bad(
            "R holds a point of order 8; verifiers with the cofactor accept",
            STRICT,
            with_torsion_in_r(&signed),
        ),
        NewCase::refused("the key is the neutral point", STRICT, "weak_key")
            .with("key", weak_jwk())
            .with("statement", joined(&signed, with_neutral_r(&signed))),
        NewCase::refused("the key is not the one that kid names", KID, "wrong_key")
            .with("key", public(TRUST_KEY).to_jwk())
            .with("statement", joined(&signed, signature(&signed))),
        NewCase::refused("a key given beside the statement, and a flipped bit", SIGNED, "bad_signature")
            .with("key", sound)
            .with("statement", joined(&signed, flipped)),
    ]
}

/// `H.P` of a sound statement of the council. Its payload is padded so that `"seq":0` begins a group of base64url.
fn signed_part() -> String {
    let payload = Writing::of_council("{}").payload();
    let padded = (0..3)
        .map(|spaces| payload.replacen(r#","seq""#, &format!(r#",{}"seq""#, " ".repeat(spaces)), 1))
        .find(|payload| payload.find(r#""seq""#).is_some_and(|at| at.is_multiple_of(3)))
        .expect("one of three lengths fits");
    let part = |text: &str| base64url::encode(text.as_bytes());
    let signed = format!("{}.{}", part(&header(COUNCIL_KEY)), part(&padded));
    assert!(signed.contains("InNlcSI6MC"), "the group that the flipped bit is in");
    signed
}

fn joined(signed: &str, signature: [u8; 64]) -> String {
    format!("{signed}.{}~", base64url::encode(&signature))
}

fn signature(signed: &str) -> [u8; 64] {
    crate::ledger::key(COUNCIL_KEY).sign(signed.as_bytes())
}

fn council() -> SigningKey {
    SigningKey::from_bytes(&[COUNCIL_KEY; 32])
}

pub(crate) fn weak_jwk() -> gt_core::json::Value {
    let mut jwk = public(COUNCIL_KEY).to_jwk().as_object().expect("an object").clone();
    jwk.insert("x", base64url::encode(&NEUTRAL).into());
    gt_core::json::Value::Object(jwk)
}

/// S + L, which signs the same to whoever does not compare S with L.
fn unreduced(signed: &str) -> [u8; 64] {
    let mut signature = signature(signed);
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0, "S + L fits into 32 bytes");
    signature
}

/// H(R ‖ A ‖ M)·a modulo L, in the arithmetic of a itself.
fn times_challenge<S>(secret: S, r: &[u8; 32], signed: &str) -> S
where
    S: From<u64> + Copy + std::ops::Mul<Output = S> + std::ops::Add<Output = S>,
{
    let hash = Sha512::new().chain_update(r).chain_update(council().verifying_key().as_bytes());
    let digest = hash.chain_update(signed.as_bytes()).finalize();
    let radix = S::from(256_u64);
    secret * digest.iter().rev().fold(S::from(0_u64), |sum, byte| sum * radix + S::from(u64::from(*byte)))
}

fn accepted_without_strictness(signed: &str, signature: &[u8; 64]) -> bool {
    council()
        .verifying_key()
        .verify(signed.as_bytes(), &ed25519_dalek::Signature::from_bytes(signature))
        .is_ok()
}

/// R is the neutral point and S = H(R ‖ A ‖ M)·a: the equation of RFC 8032 holds, and no nonce was needed.
pub(crate) fn with_neutral_r(signed: &str) -> [u8; 64] {
    let signature = halves(NEUTRAL, times_challenge(council().to_scalar(), &NEUTRAL, signed).to_bytes());
    assert!(accepted_without_strictness(signed, &signature), "or the case shows nothing");
    signature
}

/// R = r·B + T with T of order 8, and S as for R: the equation holds once it is multiplied by the cofactor, and not before.
fn with_torsion_in_r(signed: &str) -> [u8; 64] {
    let nonce = SigningKey::from_bytes(&[77; 32]);
    let torsion = VerifyingKey::from_bytes(&ORDER_8).expect("a point").to_edwards();
    assert_eq!(torsion.mul_by_cofactor().compress().to_bytes(), NEUTRAL);
    let r = (nonce.verifying_key().to_edwards() + torsion).compress().to_bytes();
    let s = nonce.to_scalar() + times_challenge(council().to_scalar(), &r, signed);
    let signature = halves(r, s.to_bytes());
    assert!(!accepted_without_strictness(signed, &signature));
    signature
}

fn halves(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    signature
}
