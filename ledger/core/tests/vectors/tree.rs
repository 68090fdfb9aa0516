//! Inclusion and consistency in the RFC 6962 tree.

use gt_core::json::Value;
use gt_core::proof::{ConsistencyError, ConsistencyProof, InclusionProof};
use gt_core::prove::{self, MemoryTiles};
use gt_core::tree::{EMPTY_ROOT, leaf_hash};
use gt_core::verify::ReceiptFault;
use gt_core::{Hash, LeafIndex, TreeSize};
use serde_json::Value as Json;

use crate::document::{self, NewCase, integer, list, number, text};

fn hash(case: &Json, name: &str) -> Hash {
    Hash::parse(text(case, name)).expect("a hash")
}

fn path(case: &Json) -> Vec<Hash> {
    list(case, "path").iter().map(|item| Hash::parse(item.as_str().expect("text")).expect("a hash")).collect()
}

fn texts(path: &[Hash]) -> Value {
    Value::Array(path.iter().map(|hash| Value::String(hash.to_string())).collect())
}

/// The tree over the texts `leaf 0`, `leaf 1` ….
fn tiles(size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for index in 0..size {
        tiles.push(leaf(index));
    }
    tiles
}

fn leaf(index: u64) -> Hash {
    leaf_hash(format!("leaf {index}").as_bytes())
}

fn root(size: u64) -> Hash {
    prove::root(&tiles(size), TreeSize(size)).expect("in memory")
}

pub(crate) fn inclusion_outcome(_: &Json, case: &Json) -> Value {
    let (index, size) = (LeafIndex(number(case, "index")), TreeSize(number(case, "size")));
    let proof = InclusionProof { index, size, path: path(case) };
    let leaf = leaf_hash(text(case, "leaf").as_bytes());
    match proof.verify(&leaf, &hash(case, "root")) {
        Ok(()) => document::accepted([("leaf_hash", Value::String(leaf.to_string()))]),
        Err(error) => document::refused(ReceiptFault::Inclusion(error).code()),
    }
}

const TREE: &str = "DESIGN 3: RFC 6962 over SHA-256; leaf data = the entry bytes";

pub(crate) fn inclusion_document() -> Value {
    let put = |case: NewCase, leaf: &str, index: u64, size: u64, path: &[Hash], root: Hash| {
        case.with("leaf", leaf)
            .with("index", integer(index))
            .with("size", integer(size))
            .with("path", texts(path))
            .with("root", root.to_string())
    };
    let mut cases = Vec::new();
    for (index, size) in
        [(0, 1), (0, 2), (1, 2), (0, 7), (3, 7), (6, 7), (4, 8), (0, 256), (256, 257), (255, 300), (299, 300)]
    {
        let proof = prove::inclusion(&tiles(size), LeafIndex(index), TreeSize(size)).expect("in memory");
        let case = NewCase::accepted(&format!("leaf {index} of {size}"), TREE);
        cases.push(put(case, &format!("leaf {index}"), index, size, &proof.path, root(size)));
    }
    let proof = prove::inclusion(&tiles(7), LeafIndex(3), TreeSize(7)).expect("in memory").path;
    let mut swapped = proof.clone();
    swapped.swap(0, 1);
    let longer = [proof.as_slice(), &[leaf(0)]].concat();
    let refused = |name: &str, code: &'static str| NewCase::refused(name, TREE, code);
    cases.extend([
        put(refused("another leaf", "not_included"), "leaf 4", 3, 7, &proof, root(7)),
        put(refused("another index", "not_included"), "leaf 3", 2, 7, &proof, root(7)),
        put(refused("the root of another size", "not_included"), "leaf 3", 3, 7, &proof, root(8)),
        put(refused("hashes in another order", "not_included"), "leaf 3", 3, 7, &swapped, root(7)),
        put(refused("a hash too few", "inclusion_path_length"), "leaf 3", 3, 7, &proof[1..], root(7)),
        put(refused("a hash too many", "inclusion_path_length"), "leaf 3", 3, 7, &longer, root(7)),
        put(refused("an index outside the tree", "index_outside_tree"), "leaf 7", 7, 7, &proof, root(7)),
        put(refused("any index in the empty tree", "index_outside_tree"), "leaf 0", 0, 0, &[], EMPTY_ROOT),
    ]);
    document::document(
        "Inclusion proofs (RFC 6962, RFC 9162 section 2.1.3.2), with hashes in base64url.",
        Vec::new(),
        cases,
        inclusion_outcome,
    )
}

pub(crate) fn consistency_outcome(_: &Json, case: &Json) -> Value {
    let (from, to) = (TreeSize(number(case, "from")), TreeSize(number(case, "to")));
    let proof = ConsistencyProof { from, to, path: path(case) };
    match proof.verify(&hash(case, "old_root"), &hash(case, "new_root")) {
        Ok(()) => document::accepted([]),
        Err(ConsistencyError::Shrinks { .. }) => document::refused("consistency_shrinks"),
        Err(ConsistencyError::PathLength { .. }) => document::refused("consistency_path_length"),
        Err(ConsistencyError::OldRootMismatch { .. }) => document::refused("consistency_old_root"),
        Err(ConsistencyError::NewRootMismatch { .. }) => document::refused("consistency_new_root"),
    }
}

/// Pairs of sizes on both sides of complete subtrees and of a tile's width.
const SIZES: [(u64, u64); 12] = [
    (0, 0),
    (0, 5),
    (1, 1),
    (1, 2),
    (3, 7),
    (4, 7),
    (6, 7),
    (7, 7),
    (4, 8),
    (255, 256),
    (256, 300),
    (100, 300),
];

pub(crate) fn consistency_document() -> Value {
    let rule = "DESIGN 3: the log is append-only: RFC 9162 section 2.1.4.2";
    let put = |case: NewCase, from: u64, to: u64, path: &[Hash], old: Hash, new: Hash| {
        case.with("from", integer(from))
            .with("to", integer(to))
            .with("path", texts(path))
            .with("old_root", old.to_string())
            .with("new_root", new.to_string())
    };
    let prove = |from: u64, to: u64| {
        prove::consistency(&tiles(to), TreeSize(from), TreeSize(to)).expect("in memory").path
    };
    let mut cases = Vec::new();
    for (from, to) in SIZES {
        let case = NewCase::accepted(&format!("from {from} to {to}"), rule);
        cases.push(put(case, from, to, &prove(from, to), root(from), root(to)));
    }
    let path = prove(3, 7);
    let refused = |name: &str, code: &'static str| NewCase::refused(name, rule, code);
    cases.extend([
        put(refused("another old root", "consistency_old_root"), 3, 7, &path, leaf(0), root(7)),
        put(refused("another new root", "consistency_new_root"), 3, 7, &path, root(3), root(8)),
        put(refused("two roots of the same size", "consistency_new_root"), 7, 7, &[], root(7), leaf(0)),
        put(refused("an empty tree with a root", "consistency_old_root"), 0, 7, &[], leaf(0), root(7)),
        put(refused("a hash too few", "consistency_path_length"), 3, 7, &path[1..], root(3), root(7)),
        put(
            refused("a hash where none is needed", "consistency_path_length"),
            7,
            7,
            &path[..1],
            root(7),
            root(7),
        ),
        put(
            refused("a smaller tree extends a larger one", "consistency_shrinks"),
            7,
            3,
            &path,
            root(7),
            root(3),
        ),
    ]);
    document::document(
        "Consistency proofs (RFC 6962, RFC 9162 section 2.1.4.2), with hashes in base64url.",
        Vec::new(),
        cases,
        consistency_outcome,
    )
}
