//! Receipts, against what is pinned and the statement that was signed.

use base64ct::{Base64, Encoding};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::note::{NoteSigner, VerifierKey};
use gt_core::policy::Policy;
use gt_core::prove::{self, MemoryTiles};
use gt_core::receipt::Receipt;
use gt_core::verify::{Pin, verify_receipt};
use gt_core::{Hash, LeafIndex, TreeSize};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, integer, text};
use crate::entries::{log, utf8};
use crate::ledger::{ORIGIN, genesis, note_signer};
use crate::receipt_heads;

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let hash = |value: &Json| Hash::parse(value.as_str().expect("text")).expect("a hash");
    let pin = pin(case);
    let receipt = match Receipt::parse(&bytes(case, "receipt")) {
        Ok(receipt) => receipt,
        Err(error) => return document::refused(error.code()),
    };
    let policy = case.get("policy").map(|_| Policy::parse(&bytes(case, "policy")).expect("a policy"));
    let cosigned = match policy.as_ref().map(|policy| policy.check(&receipt.checkpoint)).transpose() {
        Ok(cosigned) => cosigned.map(|witnesses| ("cosigned", receipt_heads::names(&witnesses))),
        Err(fault) => return document::refused(fault.code()),
    };
    match verify_receipt(&receipt, case.get("statement").map(hash), &pin) {
        Ok(verdict) => {
            let facts = [
                ("index", integer(verdict.entry.index.0)),
                ("leaf_hash", Value::String(verdict.leaf_hash.to_string())),
                ("size", integer(verdict.checkpoint.size().0)),
                ("root", Value::String(verdict.checkpoint.root().to_string())),
                ("statement_compared", Value::Bool(verdict.statement_compared)),
            ];
            document::accepted(facts.into_iter().chain(cosigned))
        }
        Err(fault) => document::refused(fault.code()),
    }
}

/// What a case pins.
pub(crate) fn pin(case: &Json) -> Pin {
    let pinned = &case["pinned"];
    let vkeys = document::list(pinned, "verifier_keys").iter();
    Pin {
        origin: text(pinned, "origin").to_owned(),
        verifier_keys: vkeys
            .map(|key| VerifierKey::parse(key.as_str().expect("text")).expect("a vkey"))
            .collect(),
        genesis: pinned.get("genesis").map(|hash| Hash::parse(hash.as_str().expect("text")).expect("a hash")),
    }
}

pub(crate) const SIZE: u64 = 11;

pub(crate) fn head(origin: &str, size: u64, signers: &[&NoteSigner]) -> SignedCheckpoint {
    let tiles = tiles(size);
    let root = prove::root(&tiles, TreeSize(size)).expect("in memory");
    let checkpoint = Checkpoint::new(origin, TreeSize(size), root).expect("sound");
    SignedCheckpoint::sign(checkpoint, signers).expect("sound")
}

fn tiles(size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for entry in log(size) {
        tiles.push(entry.leaf_hash());
    }
    tiles
}

pub(crate) fn receipt(index: u64) -> Receipt {
    let position = usize::try_from(index).expect("small");
    Receipt {
        extra: Some(log(SIZE)[position].to_bytes()),
        index: LeafIndex(index),
        path: prove::inclusion(&tiles(SIZE), LeafIndex(index), TreeSize(SIZE)).expect("in memory").path,
        checkpoint: head(ORIGIN, SIZE, &[&note_signer(50)]),
    }
}

fn statement(index: u64) -> Hash {
    log(SIZE)[usize::try_from(index).expect("small")].statement
}

/// A case against the usual pin, with the statement of entry 5.
pub(crate) fn put(case: NewCase, receipt: &str) -> NewCase {
    pinned(
        case.with("receipt", receipt).with("statement", statement(5).to_string()),
        ORIGIN,
        &[50],
        Some(genesis()),
    )
}

pub(crate) fn pinned(case: NewCase, origin: &str, seeds: &[u8], genesis: Option<Hash>) -> NewCase {
    let keys =
        seeds.iter().map(|seed| Value::String(note_signer(*seed).verifier_key().to_string())).collect();
    let mut pin = vec![("origin", Value::from(origin)), ("verifier_keys", Value::Array(keys))];
    pin.extend(genesis.map(|hash| ("genesis", Value::String(hash.to_string()))));
    case.with("pinned", document::object(pin))
}

pub(crate) fn document() -> Value {
    document::document(
        "Receipts (FORMATS 5): does `receipt` show that `statement` is sealed in the log that is pinned? Without `statement` \
         it shows that something is sealed. Where there is a `policy` (FORMATS 11), the receipt's checkpoint is held against it too, and \
         `cosigned` are its names of the witnesses that signed.",
        Vec::new(),
        [sound(), compared(), quantum(), malformed(), entries(), receipt_heads::cases()].concat(),
        outcome,
    )
}

const HOLDS: &str = "FORMATS 5: when a receipt verifies";

fn sound() -> Vec<NewCase> {
    let text = receipt(5).to_string();
    let mut cosigned = receipt(5);
    cosigned.checkpoint = head(ORIGIN, SIZE, &[&note_signer(50), &note_signer(51)]);
    let without = NewCase::accepted("no statement at hand", HOLDS).with("receipt", text.as_str());
    let zero = NewCase::accepted("entry 0", HOLDS)
        .with("receipt", receipt(0).to_string())
        .with("statement", statement(0).to_string());
    let last = NewCase::accepted("the last entry", HOLDS)
        .with("receipt", receipt(10).to_string())
        .with("statement", statement(10).to_string());
    vec![
        put(NewCase::accepted("entry 5 of 11", HOLDS), &text),
        put(
            NewCase::accepted("a second signature, of a key that is not pinned", HOLDS),
            &cosigned.to_string(),
        ),
        pinned(without, ORIGIN, &[50], Some(genesis())),
        pinned(zero, ORIGIN, &[50], Some(genesis())),
        pinned(last, ORIGIN, &[50, 52], None),
    ]
}

const PINNED: &str = "FORMATS 5: a valid signature of a pinned key under the pinned origin";
const STATEMENT: &str =
    "FORMATS 5: the entry's statement is the hash of the statement that its holder signed";
const GENESIS: &str = "DESIGN 4: verifiers pin origin, verifier key and genesis hash from outside";

fn compared() -> Vec<NewCase> {
    let text = receipt(5).to_string();
    let case = |name: &str, rule: &str, code: &'static str, text: &str| {
        NewCase::refused(name, rule, code).with("receipt", text).with("statement", statement(5).to_string())
    };
    let first = NewCase::refused("another entry 0, seen at entry 0", GENESIS, "other_genesis")
        .with("receipt", receipt(0).to_string());
    let second = NewCase::refused("another entry 0, seen at entry 1", GENESIS, "other_genesis")
        .with("receipt", receipt(1).to_string());
    let elsewhere =
        Receipt { checkpoint: head("ledger.example/second", SIZE, &[&note_signer(50)]), ..receipt(5) };
    let signature = text.trim_end().rsplit(' ').next().expect("a signature line");
    let mut raw = Base64::decode_vec(signature).expect("base64");
    raw[20] ^= 1;
    let flipped = text.replace(signature, &Base64::encode_string(&raw));
    let grown = text.replacen(&format!("{ORIGIN}\n{SIZE}\n"), &format!("{ORIGIN}\n12\n"), 1);
    let other = Hash::of(b"another statement");
    let second_statement = NewCase::refused("another statement", STATEMENT, "other_statement")
        .with("receipt", text.as_str())
        .with("statement", other.to_string());
    vec![
        pinned(second_statement, ORIGIN, &[50], Some(genesis())),
        pinned(first, ORIGIN, &[50], Some(other)),
        pinned(second, ORIGIN, &[50], Some(other)),
        pinned(
            case("another origin is pinned", PINNED, "other_origin", &text),
            "ledger.example/other",
            &[50],
            None,
        ),
        put(
            NewCase::refused("the checkpoint of another log by the same key", PINNED, "other_origin"),
            &elsewhere.to_string(),
        ),
        pinned(
            case("another key of the same name is pinned", PINNED, "checkpoint_not_signed", &text),
            ORIGIN,
            &[51],
            None,
        ),
        pinned(case("no key is pinned", PINNED, "checkpoint_not_signed", &text), ORIGIN, &[], None),
        put(
            NewCase::refused("one bit of the signature is flipped", PINNED, "checkpoint_bad_signature"),
            &flipped,
        ),
        put(NewCase::refused("another size than was signed", PINNED, "checkpoint_bad_signature"), &grown),
    ]
}

const BOTH: &str = "FORMATS 10: of each type among the pinned keys, one has signed";

/// The ledger's ML-DSA-44 key of the cases.
pub(crate) fn quantum_signer(seed: u8) -> NoteSigner {
    NoteSigner::ml_dsa(ORIGIN, &[seed; 32]).expect("a good name")
}

/// Checkpoints with the second algorithm, and what a forger of one of the two would like to leave out.
fn quantum() -> Vec<NewCase> {
    let (classic, quantum, other) = (note_signer(50), quantum_signer(60), quantum_signer(61));
    let signed = |signers: &[&NoteSigner]| {
        Receipt { checkpoint: head(ORIGIN, SIZE, signers), ..receipt(5) }.to_string()
    };
    let both = signed(&[&classic, &quantum]);
    let broken = signed(&[&note_signer(51), &quantum]);
    let line = both.lines().last().expect("a signature");
    let (name, encoded) = line.rsplit_once(' ').expect("a signature");
    let changed = |at: usize| {
        let mut raw = Base64::decode_vec(encoded).expect("base64");
        raw[at] ^= 1;
        both.replace(line, &format!("{name} {}", Base64::encode_string(&raw)))
    };
    let with = |case: NewCase, receipt: &str, keys: &[&NoteSigner]| {
        let keys = keys.iter().map(|key| Value::String(key.verifier_key().to_string())).collect();
        let pin = vec![("origin", Value::from(ORIGIN)), ("verifier_keys", Value::Array(keys))];
        case.with("receipt", receipt)
            .with("statement", statement(5).to_string())
            .with("pinned", document::object(pin))
    };
    let accepted = |name: &str| NewCase::accepted(name, BOTH);
    let refused = |name: &str, code: &'static str| NewCase::refused(name, BOTH, code);
    vec![
        with(accepted("both keys signed, and both are pinned"), &both, &[&classic, &quantum]),
        with(accepted("both keys signed, and Ed25519 alone is pinned"), &both, &[&classic]),
        with(accepted("both keys signed, and ML-DSA-44 alone is pinned"), &both, &[&quantum]),
        with(accepted("one of two pinned keys of a type is enough"), &both, &[&classic, &other, &quantum]),
        with(
            refused("the ML-DSA-44 signature is left out", "checkpoint_downgraded"),
            &signed(&[&classic]),
            &[&classic, &quantum],
        ),
        with(
            refused("the Ed25519 signature is left out", "checkpoint_downgraded"),
            &signed(&[&quantum]),
            &[&classic, &quantum],
        ),
        with(
            refused("the Ed25519 signature is another key's", "checkpoint_downgraded"),
            &broken,
            &[&classic, &quantum],
        ),
        with(
            refused("a bit of the ML-DSA-44 signature's challenge", "checkpoint_bad_signature"),
            &changed(20),
            &[&classic, &quantum],
        ),
        with(
            refused("a bit of the ML-DSA-44 signature's hints", "checkpoint_bad_signature"),
            &changed(2_430),
            &[&classic, &quantum],
        ),
        with(
            refused("another time than was signed", "checkpoint_bad_signature"),
            &changed(11),
            &[&classic, &quantum],
        ),
    ]
}

const FORM: &str = "FORMATS 5: a C2SP tlog-proof";
const CHECKPOINT: &str = "DESIGN 3: C2SP signed-note and tlog-checkpoint, without extension lines";

fn malformed() -> Vec<NewCase> {
    let text = receipt(5).to_string();
    let hash = text.lines().nth(3).expect("a path");
    let root = text.lines().rev().nth(2).expect("a checkpoint");
    let changes: [(&str, &str, &'static str, String); 15] = [
        ("nothing", FORM, "receipt_header", String::new()),
        ("another version", FORM, "receipt_header", text.replace("@v1", "@v2")),
        ("carriage returns", FORM, "receipt_header", text.replace('\n', "\r\n")),
        ("extra is no base64", FORM, "receipt_extra", text.replacen("extra e", "extra =e", 1)),
        (
            "extra in base64url without padding",
            FORM,
            "receipt_extra",
            text.replacen("=\nindex", "\nindex", 1),
        ),
        ("no index", FORM, "receipt_index", text.replacen("index 5\n", "", 1)),
        ("an index with a leading zero", FORM, "receipt_index", text.replacen("index 5", "index 05", 1)),
        ("a hash of the path is cut short", FORM, "receipt_path", text.replacen(hash, &hash[4..], 1)),
        ("64 hashes", FORM, "receipt_path", text.replacen(hash, &[hash; 64].join("\n"), 1)),
        (
            "cut off within the path",
            FORM,
            "receipt_no_separator",
            text[..text.find(hash).expect("a path") + 45].into(),
        ),
        (
            "no checkpoint",
            FORM,
            "note_malformed",
            text[..text.find(&format!("\n\n{ORIGIN}")).expect("a separator") + 2].into(),
        ),
        ("a hyphen for the em dash", CHECKPOINT, "note_malformed", text.replacen('—', "-", 1)),
        ("no newline at the end", CHECKPOINT, "note_malformed", text.trim_end().into()),
        (
            "an extension line",
            CHECKPOINT,
            "checkpoint_malformed",
            text.replacen(&format!("{root}\n"), &format!("{root}\nmore\n"), 1),
        ),
        (
            "a size with a leading zero",
            CHECKPOINT,
            "checkpoint_malformed",
            text.replacen("\n11\n", "\n011\n", 1),
        ),
    ];
    let mut cases: Vec<NewCase> = changes
        .iter()
        .map(|(name, rule, code, changed)| {
            assert_ne!(changed, &text, "{name}");
            put(NewCase::refused(name, rule, code), changed)
        })
        .collect();
    let bytes = [text.as_bytes(), b"\xff"].concat();
    let case = NewCase::refused("bytes that are no UTF-8", FORM, "receipt_not_utf8");
    let case = case.with("receipt_base64url", gt_core::base64url::encode(&bytes));
    cases.push(pinned(case, ORIGIN, &[50], None));
    cases
}

const ENTRY: &str = "FORMATS 5: the entry parses strictly, and index is the entry's";
const PROOF: &str = "FORMATS 5: the inclusion proof leads from the leaf hash of the entry bytes to the root";

fn entries() -> Vec<NewCase> {
    let good = receipt(5);
    let spaced = utf8(&log(SIZE)[5]).replacen(",\"prev\"", ", \"prev\"", 1);
    let mut swapped = good.path.clone();
    swapped.swap(0, 1);
    let early = head(ORIGIN, 5, &[&note_signer(50)]);
    let with =
        |extra: Option<&[u8]>| Receipt { extra: extra.map(<[u8]>::to_vec), ..good.clone() }.to_string();
    let refused = |name: &str, rule: &str, code: &'static str, text: &str| {
        put(NewCase::refused(name, rule, code), text)
    };
    let mut forged = log(SIZE)[5].clone();
    forged.received_at = log(SIZE)[4].received_at;
    let moved = Receipt { index: LeafIndex(4), ..good.clone() };
    vec![
        refused("no entry", ENTRY, "entry_absent", &with(None)),
        refused("an empty entry", ENTRY, "json_syntax", &with(Some(b""))),
        refused("an entry in another spelling", ENTRY, "entry_not_canonical", &with(Some(spaced.as_bytes()))),
        refused("an entry without members", ENTRY, "entry_member", &with(Some(b"{}"))),
        refused("another index than the entry's", ENTRY, "index_differs", &moved.to_string()),
        refused("a forged entry", PROOF, "not_included", &with(Some(&forged.to_bytes()))),
        refused(
            "the path in another order",
            PROOF,
            "not_included",
            &Receipt { path: swapped, ..good.clone() }.to_string(),
        ),
        refused(
            "a hash too few",
            PROOF,
            "inclusion_path_length",
            &Receipt { path: good.path[1..].to_vec(), ..good.clone() }.to_string(),
        ),
        refused(
            "a checkpoint from before the entry",
            PROOF,
            "index_outside_tree",
            &Receipt { checkpoint: early, ..good.clone() }.to_string(),
        ),
    ]
}
