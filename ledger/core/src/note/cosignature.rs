//! What cosigners sign of a checkpoint (C2SP tlog-cosignature).

use crate::checkpoint::Checkpoint;

/// C2SP's label of what an ML-DSA-44 cosignature is made over.
const SUBTREE: &[u8; 12] = b"subtree/v1\n\0";

/// C2SP's bound of a time, in seconds since the Unix epoch.
const MAX_TIME: u64 = i64::MAX as u64;

/// Splits a `timestamped_signature` into its time, in seconds, and the signature itself.
pub(super) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    (time <= MAX_TIME).then_some((time, signature))
}

/// Puts a `timestamped_signature` together.
pub(super) fn join(time: u64, signature: &[u8]) -> Vec<u8> {
    [&time.to_be_bytes()[..], signature].concat()
}

/// What an Ed25519 cosigner signs: the time and the whole text.
pub(super) fn ed25519_message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// What an ML-DSA-44 cosigner signs: its name, the time, and the head of the tree. `None` if the text is no checkpoint, or a name
/// is longer than 255 bytes.
pub(super) fn ml_dsa_message(cosigner: &str, time: u64, text: &str) -> Option<Vec<u8>> {
    let checkpoint = Checkpoint::parse(text).ok()?;
    let mut message = SUBTREE.to_vec();
    push_short(&mut message, cosigner)?;
    message.extend(time.to_be_bytes());
    push_short(&mut message, checkpoint.origin())?;
    message.extend(0_u64.to_be_bytes());
    message.extend(checkpoint.size().0.to_be_bytes());
    message.extend(checkpoint.root().as_bytes());
    Some(message)
}

/// An `opaque<1..2^8-1>` of RFC 8446, section 3.4.
fn push_short(message: &mut Vec<u8>, text: &str) -> Option<()> {
    message.push(u8::try_from(text.len()).ok().filter(|len| *len > 0)?);
    message.extend(text.as_bytes());
    Some(())
}
