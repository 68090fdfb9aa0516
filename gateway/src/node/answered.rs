//! What a sealer tells the other nodes of requests that it has answered without sealing them: nothing else shows that to a node that
//! holds them too.

use bytes::Bytes;
use gt_core::Hash;
use gt_ledger::jetstream::{ANSWERED_SUBJECT, Outgoing};

/// So many names are far shorter than the longest message.
const TOGETHER: usize = 1000;

/// The messages that name these requests.
pub(super) fn messages(names: &[Hash]) -> impl Iterator<Item = Outgoing> {
    names.chunks(TOGETHER).map(|some| {
        let lines: Vec<String> = some.iter().map(Hash::to_string).collect();
        Outgoing::new(ANSWERED_SUBJECT, Bytes::from(lines.join("\n")))
    })
}

/// The names that such a message has; what is none is passed over.
pub(super) fn names(payload: &[u8]) -> impl Iterator<Item = Hash> {
    let lines = str::from_utf8(payload).unwrap_or_default().lines();
    lines.filter_map(|line| Hash::parse(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_were_written() {
        let written: Vec<Hash> = (0..2500_u32).map(|n| Hash::of(&n.to_be_bytes())).collect();
        let sent: Vec<Outgoing> = messages(&written).collect();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|message| message.payload.len() < 64 << 10));
        let read: Vec<Hash> = sent.iter().flat_map(|message| names(&message.payload)).collect();
        assert!(read == written);
        assert_eq!(messages(&[]).count(), 0);
        assert_eq!(names(b"\xff").count() + names(b"short\n\n").count(), 0);
    }
}
