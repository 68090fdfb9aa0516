//! The witness protocol (C2SP tlog-witness): what a log asks of a witness, and by what rules a witness answers.
//!
//! A witness signs a log's checkpoint only if it extends the one that it signed before. So a log that shows two histories needs
//! witnesses that look away, and a copy of a log that was put back is found out by whoever has seen more of it.
//!
//! [`AddCheckpoint`] is the request, [`decide`] the rules, [`shown_fork`] what a refused request proves of its log, and
//! [`read_cosignatures`] how a log reads the answer. Who keeps what was seen last, and when it is durable, is the caller's.

mod answer;
mod decision;
mod request;

pub use answer::{
    CosignaturesError, MAX_ANSWER_LEN, read_cosignatures, read_size, signature_lines, with_only,
};
pub use decision::{Refusal, ShownFork, decide, shown_fork};
pub use request::{AddCheckpoint, AddCheckpointError, MAX_PROOF_LEN, MAX_REQUEST_LEN};

use core::fmt::Write as _;

use crate::hash::Hash;

/// The media type of the answer that names the size of the latest checkpoint that a witness has signed.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// What stands for an origin in a witness's paths: SHA-256 of it in lower-case hexadecimal.
pub fn origin_hash(origin: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Hash::of(origin.as_bytes()).as_bytes() {
        // Writing to a text does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_hashed_as_it_stands() {
        // `printf abc | sha256sum`
        assert_eq!(origin_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
