//! Requests of a witness, and a witness's answers (C2SP tlog-witness).

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::note::{NoteSignature, NoteSigner, VerifierKey};
use gt_core::prove::{self, MemoryTiles};
use gt_core::tree::leaf_hash;
use gt_core::witness::{AddCheckpoint, ShownFork, decide, read_cosignatures, shown_fork, signature_lines};
use gt_core::{Hash, TreeSize};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, integer, list, number, object, text};
use crate::ledger::{ORIGIN, note_signer};

const TIME: u64 = 1_790_000_000;
const RULES: &str = "FORMATS 11, C2SP tlog-witness: add-checkpoint";
const ANSWERS: &str = "FORMATS 11, C2SP tlog-witness: the answer to add-checkpoint";

fn keys(case: &Json) -> Vec<VerifierKey> {
    let key = |text: &Json| VerifierKey::parse(text.as_str().expect("text")).expect("a verifier key");
    list(case, "keys").iter().map(key).collect()
}

fn seen(case: &Json) -> Option<Checkpoint> {
    let seen = case.get("seen").filter(|seen| !seen.is_null())?;
    let root = Hash::parse(text(seen, "root")).expect("a hash");
    Some(Checkpoint::new(ORIGIN, TreeSize(number(seen, "size")), root).expect("sound"))
}

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let request = match AddCheckpoint::parse(&bytes(case, "request")) {
        Ok(request) => request,
        Err(error) => return document::refused(error.code()),
    };
    let seen = seen(case);
    match decide(seen.as_ref(), &request, &keys(case)) {
        Ok(()) => {
            let size = request.checkpoint.checkpoint().size().0;
            document::accepted([("size", integer(size))])
        }
        Err(refusal) => {
            let fork = seen.and_then(|seen| shown_fork(&seen, &request));
            let (shows, other_root) = match fork {
                None => (None, None),
                Some(ShownFork::SameSize) => (Some("same_size"), None),
                Some(ShownFork::OtherHistory { other_root }) => {
                    (Some("other_history"), Some(other_root.to_string()))
                }
            };
            let said = |name: &str| case.get(name).and_then(Json::as_str).map(ToOwned::to_owned);
            assert_eq!((said("shows").as_deref(), said("other_root")), (shows, other_root), "{case}");
            document::refused(refusal.code())
        }
    }
}

/// The tree over the texts `leaf 0`, `leaf 1` …; from `fork` on, over `other leaf 5` ….
fn tiles(size: u64, fork: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for index in 0..size {
        let told = if index < fork { "leaf" } else { "other leaf" };
        tiles.push(leaf_hash(format!("{told} {index}").as_bytes()));
    }
    tiles
}

fn root(tiles: &MemoryTiles, size: u64) -> Hash {
    prove::root(tiles, TreeSize(size)).expect("in memory")
}

fn signed(tiles: &MemoryTiles, size: u64) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(size), root(tiles, size)).expect("sound");
    let quantum = NoteSigner::ml_dsa(ORIGIN, &[51; 32]).expect("a good name");
    SignedCheckpoint::sign(checkpoint, &[&note_signer(50), &quantum]).expect("sound")
}

fn request(tiles: &MemoryTiles, old: u64, size: u64) -> AddCheckpoint {
    let proof = prove::consistency(tiles, TreeSize(old.min(size)), TreeSize(size)).expect("in memory").path;
    AddCheckpoint { old: TreeSize(old), proof, checkpoint: signed(tiles, size) }
}

fn log_keys() -> Value {
    let quantum = NoteSigner::ml_dsa(ORIGIN, &[51; 32]).expect("a good name");
    let keys = [note_signer(50).verifier_key().to_string(), quantum.verifier_key().to_string()];
    Value::Array(keys.map(Value::String).to_vec())
}

fn put(case: NewCase, tiles: &MemoryTiles, seen: Option<u64>, request: &str) -> NewCase {
    let seen = seen.map_or(Value::Null, |size| {
        object([("size", integer(size)), ("root", Value::String(root(tiles, size).to_string()))])
    });
    case.with("keys", log_keys()).with("seen", seen).with("request", request)
}

pub(crate) fn document() -> Value {
    document::document(
        "Requests of a witness (C2SP tlog-witness, FORMATS 11).",
        Vec::new(),
        [signs(), refuses(), malformed()].concat(),
        outcome,
    )
}

fn signs() -> Vec<NewCase> {
    let tiles = tiles(300, 300);
    let cases =
        [(None, 0), (None, 7), (Some(0), 3), (Some(3), 7), (Some(4), 7), (Some(7), 7), (Some(255), 300)];
    let case = |(seen, size): (Option<u64>, u64)| {
        let name = match seen {
            None => format!("the first checkpoint, of size {size}"),
            Some(seen) => format!("size {size} after size {seen}"),
        };
        let request = request(&tiles, seen.unwrap_or(0), size).to_string();
        put(NewCase::accepted(&name, RULES), &tiles, seen, &request)
    };
    cases.map(case).to_vec()
}

fn refuses() -> Vec<NewCase> {
    let (honest, forked) = (tiles(12, 12), tiles(12, 5));
    let refused = |name: &str, code: &'static str, seen: Option<u64>, request: &AddCheckpoint| {
        put(NewCase::refused(name, RULES, code), &honest, seen, &request.to_string())
    };
    let with = |proof: Vec<Hash>, request: AddCheckpoint| AddCheckpoint { proof, ..request };
    let stranger = NoteSigner::new(ORIGIN, &[99; 32]).expect("a good name");
    let only = |signers: &[&NoteSigner]| {
        let checkpoint = signed(&honest, 7).checkpoint().clone();
        let checkpoint = SignedCheckpoint::sign(checkpoint, signers).expect("sound");
        AddCheckpoint { old: TreeSize(0), proof: Vec::new(), checkpoint }
    };
    let moved = request(&honest, 0, 7).to_string().replacen("\n7\n", "\n8\n", 1);
    let unknown = NewCase::refused("a log that the witness does not know", RULES, "unknown_origin")
        .with("keys", Value::Array(Vec::new()))
        .with("seen", Value::Null)
        .with("request", request(&honest, 0, 7).to_string());
    let wrong = vec![Hash::ZERO; 4];
    vec![
        unknown,
        refused("signed by a stranger under the log's name", "not_signed", None, &only(&[&stranger])),
        refused(
            "without the signature of one of the pinned types",
            "not_signed",
            None,
            &only(&[&note_signer(50)]),
        ),
        put(NewCase::refused("signatures of another checkpoint", RULES, "not_signed"), &honest, None, &moved),
        refused("an old size above the checkpoint's", "old_above_size", Some(9), &request(&honest, 9, 7)),
        refused("an old size that is too small", "conflict", Some(7), &request(&honest, 3, 12)),
        refused("an old size where nothing was signed", "conflict", None, &request(&honest, 3, 12)),
        refused("old size 0 where something was signed", "conflict", Some(7), &request(&honest, 0, 12)),
        refused("a smaller checkpoint with an honest old size", "conflict", Some(9), &request(&honest, 5, 7)),
        refused(
            "a proof from size 0",
            "proof_from_nothing",
            None,
            &with(vec![Hash::ZERO], request(&honest, 0, 7)),
        ),
        refused(
            "a proof between equal sizes",
            "inconsistent",
            Some(7),
            &with(vec![Hash::ZERO], request(&honest, 7, 7)),
        ),
        refused("no proof", "inconsistent", Some(7), &with(Vec::new(), request(&honest, 7, 12))),
        refused("hashes of nothing", "inconsistent", Some(7), &with(wrong, request(&honest, 7, 12))),
        refused("another history from a power of two", "inconsistent", Some(8), &request(&forked, 8, 12)),
        refused("another root of the same size", "other_root", Some(7), &request(&forked, 7, 7))
            .with("shows", "same_size"),
        refused(
            "another root of the same size, with a smaller old size",
            "conflict",
            Some(7),
            &request(&forked, 3, 7),
        )
        .with("shows", "same_size"),
        refused("another history that has grown", "inconsistent", Some(7), &request(&forked, 7, 12))
            .with("shows", "other_history")
            .with("other_root", root(&forked, 7).to_string()),
    ]
}

fn malformed() -> Vec<NewCase> {
    let tiles = tiles(12, 12);
    let good = request(&tiles, 7, 12).to_string();
    let hash = good.lines().nth(1).expect("a hash").to_owned();
    let many = format!("{hash}\n").repeat(64);
    let note = signed(&tiles, 12).to_string();
    let signatures = note.split_once("\n\n").expect("signatures").1;
    let empty = format!("old 0\n\n{ORIGIN}\n0\n{hash}\n\n{signatures}");
    let refused = |name: &str, code: &'static str, request: String| {
        put(NewCase::refused(name, RULES, code), &tiles, Some(7), &request)
    };
    vec![
        refused("an old size with a leading zero", "old_size", good.replacen("old 7", "old 07", 1)),
        refused("an old size with a sign", "old_size", good.replacen("old 7", "old +7", 1)),
        refused("no old size", "old_size", note.clone()),
        refused(
            "an old size of more than 64 bits",
            "old_size",
            good.replacen("old 7", "old 18446744073709551616", 1),
        ),
        refused("carriage returns", "old_size", good.replace('\n', "\r\n")),
        refused(
            "a hash of 31 bytes",
            "proof_hash",
            good.replacen(&hash, &format!("{}==", "A".repeat(42)), 1),
        ),
        refused(
            "a hash in base64url",
            "proof_hash",
            good.replacen(&hash, &format!("{}_=", "-".repeat(42)), 1),
        ),
        refused("64 hashes", "proof_too_long", format!("old 7\n{many}\n{note}")),
        refused("no empty line before the checkpoint", "proof_hash", good.replacen("\n\n", "\n", 1)),
        refused("nothing after the proof", "no_separator", format!("old 7\n{hash}\n")),
        refused("no checkpoint", "note_malformed", "old 7\n\n".to_owned()),
        refused("an extension line", "checkpoint_malformed", good.replacen("=\n\n—", "=\nextension\n\n—", 1)),
        refused("an empty tree with another root", "empty_tree_root", empty),
        refused("65,537 bytes", "request_too_long", format!("old 7\n{}", "a".repeat(65_531))),
    ]
}

fn witness(kind: &str) -> NoteSigner {
    let (make, seed): (fn(&str, &[u8; 32]) -> _, u8) = match kind {
        "ed25519" => (NoteSigner::cosigner, 81),
        _ => (NoteSigner::ml_dsa, 82),
    };
    make("witness.example/w1", &[seed; 32]).expect("a good name")
}

pub(crate) fn answers_outcome(_: &Json, case: &Json) -> Value {
    let checkpoint = SignedCheckpoint::parse(text(case, "checkpoint").as_bytes()).expect("well-formed");
    match read_cosignatures(&bytes(case, "answer"), &checkpoint, &keys(case)) {
        Ok(signatures) => {
            let taken = signatures.iter().map(|one| {
                object([
                    ("name", Value::from(one.name())),
                    ("key_id", Value::String(format!("{:08x}", one.key_id()))),
                    ("time", integer(one.cosigned_at().expect("it has a time"))),
                ])
            });
            document::accepted([("cosignatures", Value::Array(taken.collect()))])
        }
        Err(error) => document::refused(error.code()),
    }
}

pub(crate) fn answers_document() -> Value {
    let tiles = tiles(12, 12);
    let (checkpoint, other) = (signed(&tiles, 7), signed(&tiles, 12));
    let both = [witness("ed25519"), witness("ml-dsa")];
    let sign = |checkpoint: &SignedCheckpoint, signer: &NoteSigner, time: u64| {
        checkpoint.note().cosign(signer, time).expect("a checkpoint")
    };
    let all: Vec<NoteSignature> = both.iter().map(|one| sign(&checkpoint, one, TIME)).collect();
    let put = |case: NewCase, keys: &[&NoteSigner], answer: String| {
        let keys = keys.iter().map(|one| Value::String(one.verifier_key().to_string())).collect();
        case.with("checkpoint", checkpoint.to_string())
            .with("keys", Value::Array(keys))
            .with("answer", answer)
    };
    let [classic, quantum] = &both;
    let log = note_signer(50);
    let altered = |at: usize| {
        let mut bytes = all[1].signature().to_vec();
        bytes[at] ^= 1;
        NoteSignature::new(all[1].name(), all[1].key_id(), bytes).expect("a name")
    };
    let accepted = |name: &str| NewCase::accepted(name, ANSWERS);
    let refused = |name: &str, code: &'static str| NewCase::refused(name, ANSWERS, code);
    let lines = signature_lines;
    let cases = vec![
        put(accepted("both keys"), &[classic, quantum], lines(&all)),
        put(accepted("Ed25519"), &[classic], lines(&all[..1])),
        put(accepted("ML-DSA-44"), &[quantum], lines(&all[1..])),
        put(accepted("the signature of an unknown key is left out"), &[quantum], lines(&all)),
        put(accepted("one of two keys has signed"), &[classic, quantum], lines(&all[..1])),
        put(refused("no key that is known", "not_cosigned"), &[&log], lines(&all)),
        put(
            refused("another checkpoint's", "cosignature_bad"),
            &[classic],
            lines(&[sign(&other, classic, TIME)]),
        ),
        put(
            refused("another checkpoint's, ML-DSA-44", "cosignature_bad"),
            &[quantum],
            lines(&[sign(&other, quantum, TIME)]),
        ),
        put(refused("another time", "cosignature_bad"), &[quantum], lines(&[altered(7)])),
        put(refused("another signature", "cosignature_bad"), &[quantum], lines(&[altered(100)])),
        put(
            refused("a signature without its time", "cosignature_without_time"),
            &[quantum],
            lines(&[sign(&checkpoint, quantum, 0)]),
        ),
        put(
            refused("one that is good and one that is not", "cosignature_bad"),
            &[classic, quantum],
            lines(&[all[0].clone(), altered(100)]),
        ),
        put(refused("nothing", "note_malformed"), &[classic], String::new()),
        put(
            refused("no newline at the end", "note_malformed"),
            &[classic],
            lines(&all).trim_end().to_owned(),
        ),
        put(refused("an empty line", "note_malformed"), &[classic], format!("\n{}", lines(&all))),
        put(
            refused("a text before the signatures", "note_malformed"),
            &[classic],
            format!("text\n\n{}", lines(&all)),
        ),
        put(refused("65,537 bytes", "answer_too_long"), &[classic], "a".repeat(65_537)),
    ];
    document::document(
        "A witness's answers: are they its signatures of `checkpoint` (C2SP tlog-witness, tlog-cosignature)?",
        Vec::new(),
        cases,
        answers_outcome,
    )
}
