use super::*;
use crate::checkpoint::SignedCheckpoint;
use crate::note::{NoteSigner, VerifyNoteError};
use crate::prove::{self, MemoryTiles};
use crate::tree::leaf_hash;
use proptest::prelude::*;

const ORIGIN: &str = "log.example/thread";

/// A log that can tell a second history: from `fork` on its leaves are others.
struct Log {
    signer: NoteSigner,
    tiles: MemoryTiles,
}

impl Log {
    fn new(size: u64, fork: u64) -> Self {
        let mut tiles = MemoryTiles::new();
        for index in 0..size {
            let told = if index < fork { "leaf" } else { "other leaf" };
            tiles.push(leaf_hash(format!("{told} {index}").as_bytes()));
        }
        Self { signer: NoteSigner::new(ORIGIN, &[7; 32]).expect("a good name"), tiles }
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = prove::root(&self.tiles, TreeSize(size)).expect("in memory");
        Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound")
    }

    /// The request that this log makes of a witness that has seen `old` entries.
    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let proof =
            prove::consistency(&self.tiles, TreeSize(old.min(size)), TreeSize(size)).expect("in memory");
        let checkpoint = SignedCheckpoint::sign(self.checkpoint(size), &[&self.signer]).expect("sound");
        AddCheckpoint { old: TreeSize(old), proof: proof.path, checkpoint }
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.signer.verifier_key().clone()]
    }
}

#[test]
fn what_extends_the_latest_checkpoint_is_signed() {
    let log = Log::new(10, 10);
    for (seen, size) in
        [(None, 0), (None, 7), (Some(0), 0), (Some(0), 7), (Some(7), 7), (Some(7), 10), (Some(8), 10)]
    {
        let latest = seen.map(|size| log.checkpoint(size));
        let request = log.request(seen.unwrap_or(0), size);
        assert_eq!(decide(latest.as_ref(), &request, &log.keys()), Ok(()), "{seen:?} {size}");
    }
}

#[test]
fn every_other_request_is_refused_with_the_specifications_status() {
    let (log, other, keys) = (Log::new(10, 10), Log::new(10, 4), Log::new(0, 0).keys());
    let refuse = |seen: Option<u64>, request: &AddCheckpoint| {
        let seen = seen.map(|size| log.checkpoint(size));
        let refusal = decide(seen.as_ref(), request, &keys).expect_err("to be refused");
        (refusal.status(), refusal.code())
    };
    let request = |old, size| log.request(old, size);
    assert_eq!(refuse(None, &request(8, 7)), (400, "old_above_size"));
    assert_eq!(refuse(Some(8), &request(8, 7)), (400, "old_above_size"), "before the conflict is looked at");
    assert_eq!(refuse(Some(8), &request(7, 10)), (409, "conflict"));
    assert_eq!(refuse(None, &request(7, 10)), (409, "conflict"));
    assert_eq!(refuse(Some(8), &request(0, 10)), (409, "conflict"));
    assert_eq!(decide(None, &request(7, 10), &keys), Err(Refusal::Conflict { size: TreeSize(0) }));

    let with_proof = |mut request: AddCheckpoint, proof| {
        request.proof = proof;
        request
    };
    assert_eq!(refuse(None, &with_proof(request(0, 7), vec![Hash::ZERO])), (422, "proof_from_nothing"));
    assert_eq!(refuse(None, &with_proof(request(0, 0), vec![Hash::ZERO])), (422, "proof_from_nothing"));
    assert_eq!(refuse(Some(7), &with_proof(request(7, 7), vec![Hash::ZERO])), (422, "inconsistent"));
    assert_eq!(refuse(Some(7), &with_proof(request(7, 10), vec![])), (422, "inconsistent"));
    assert_eq!(refuse(Some(7), &other.request(7, 7)), (422, "other_root"));
    assert_eq!(refuse(Some(7), &other.request(7, 10)), (422, "inconsistent"));

    assert_eq!(decide(None, &request(0, 7), &[]), Err(Refusal::UnknownOrigin));
    let stranger = NoteSigner::new(ORIGIN, &[9; 32]).expect("a good name");
    let refused = decide(None, &request(0, 7), std::slice::from_ref(stranger.verifier_key()));
    let not_signed = Refusal::NotSigned(VerifyCheckpointError::Note(VerifyNoteError::NoTrustedSignature));
    assert_eq!((refused, not_signed.status(), Refusal::UnknownOrigin.status()), (Err(not_signed), 403, 404));
    let broken = request(0, 7).checkpoint.to_string().replace("\n7\n", "\n8\n");
    let checkpoint = SignedCheckpoint::parse(broken.as_bytes()).expect("well-formed");
    assert_eq!(refuse(None, &AddCheckpoint { checkpoint, ..request(0, 7) }), (403, "not_signed"));
}

#[test]
fn a_fork_is_told_from_a_proof_that_does_not_hold() {
    let (log, other) = (Log::new(12, 12), Log::new(12, 4));
    let seen = log.checkpoint(7);
    assert_eq!(shown_fork(&seen, &other.request(7, 7)), Some(ShownFork::SameSize));
    assert_eq!(shown_fork(&seen, &other.request(3, 7)), Some(ShownFork::SameSize), "whatever the old size");
    let other_root = other.checkpoint(7).root();
    assert_eq!(shown_fork(&seen, &other.request(7, 12)), Some(ShownFork::OtherHistory { other_root }));
    for innocent in [log.request(7, 12), log.request(7, 7), log.request(3, 12), other.request(3, 12)] {
        assert_eq!(shown_fork(&seen, &innocent), None);
    }
    let mut wrong = log.request(7, 12);
    wrong.proof[0] = Hash::ZERO;
    assert_eq!(shown_fork(&seen, &wrong), None, "anybody can send a wrong proof");
    assert_eq!(shown_fork(&log.checkpoint(8), &other.request(8, 12)), None, "the proof has no old root");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked, in whatever order, of two histories of one log: what is signed is one history, and never shrinks.
    #[test]
    fn a_witness_signs_one_history_that_only_grows(
        fork in 0_u64..40,
        asked in prop::collection::vec((any::<bool>(), 0_u64..40, 0_u64..40, any::<bool>()), 1..40),
    ) {
        let (honest, forked) = (Log::new(40, 40), Log::new(40, fork));
        let keys = honest.keys();
        let mut seen: Option<Checkpoint> = None;
        let mut histories = [true, true];
        for (other, old, size, knows) in asked {
            let log = if other { &forked } else { &honest };
            let latest = seen.as_ref().map_or(0, |seen| seen.size().0);
            let request = log.request(if knows { latest } else { old }, size);
            let signs = decide(seen.as_ref(), &request, &keys);
            let extends = seen.as_ref().is_none_or(|seen| *seen == log.checkpoint(seen.size().0));
            prop_assert_eq!(signs.is_ok(), request.old.0 == latest && latest <= size && (extends || latest == 0), "{:?}", signs);
            if signs.is_ok() {
                prop_assert!(size >= latest);
                let signed = log.checkpoint(size);
                for (one, log) in histories.iter_mut().zip([&honest, &forked]) {
                    *one &= signed == log.checkpoint(size);
                }
                seen = Some(signed);
            } else if let Some(seen) = &seen
                && shown_fork(seen, &request).is_some()
            {
                prop_assert!(!extends);
            }
        }
        prop_assert!(histories[0] || histories[1]);
    }
}
