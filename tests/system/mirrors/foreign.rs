//! The log in the hands of code that is not ours: `signed_note` and `tlog_tiles`, ports of Go's transparency log. They fetch what any
//! client fetches and are told a vkey, and nothing of this project checks anything here.

use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::tlog::{
    Hash, check_record, check_tree, prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};
use tlog_tiles::{Checkpoint, Error, HashReader, Tile, TileHashReader, TileReader};

use super::static_files::StaticFiles;
use super::{grow, mirror};
use crate::partnership::{Client, Home};

/// C2SP's tiles are those of Go's checksum database with a height of 8, under paths that do not repeat the height.
const HEIGHT: u8 = 8;

/// Whatever serves a log.
struct Served {
    client: Client,
}

impl Served {
    fn at(url: &str) -> Self {
        Self { client: Client::new(url) }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let reply = self.client.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.body
    }

    /// The head, under the one of the ledger's keys that this code knows the algorithm of.
    fn checkpoint(&self, vkeys: &[String]) -> Checkpoint {
        head(&self.get("/checkpoint"), vkeys)
    }

    /// The entries of a bundle: each behind its length, two bytes.
    fn bundle(&self, index: u64, width: u64) -> Vec<Vec<u8>> {
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        let bytes = self.get(&format!("/tile/entries/{index:03}{partial}"));
        let (mut entries, mut rest) = (Vec::new(), &bytes[..]);
        while let [high, low, behind @ ..] = rest {
            let (entry, behind) = behind.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            entries.push(entry.to_vec());
            rest = behind;
        }
        assert!(rest.is_empty(), "nothing is left over");
        entries
    }
}

fn head(note: &[u8], vkeys: &[String]) -> Checkpoint {
    let known: Vec<Box<dyn Verifier>> = vkeys
        .iter()
        .filter_map(|vkey| StandardVerifier::new(vkey).ok())
        .map(|key| Box::new(key) as Box<dyn Verifier>)
        .collect();
    assert_eq!(known.len(), 1, "the ledger's Ed25519 key, among {vkeys:?}");
    let note = Note::from_bytes(note).expect("a signed note");
    let (verified, others) = note.verify(&VerifierList::new(known)).expect("signed by the ledger");
    assert_eq!((verified.len(), others.len()), (1, vkeys.len() - 1), "what it does not know it ignores");
    Checkpoint::from_bytes(note.text()).expect("a checkpoint")
}

impl TileReader for Served {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let path = |tile: &Tile| tile.path().replacen("tile/8/", "/tile/", 1);
        Ok(tiles.iter().map(|tile| self.get(&path(tile))).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// All that there is to check of a log.
fn check(served: &Served, vkeys: &[String], earlier: &Checkpoint) {
    let checkpoint = served.checkpoint(vkeys);
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    // The reader holds every tile against the root; what it hands out is proven.
    let tiles = TileHashReader::new(size, root, served);
    assert!(tree_hash(size, &tiles).expect("the tiles hold") == root);
    let mut entries = Vec::new();
    for index in 0..size.div_ceil(256) {
        entries.extend(served.bundle(index, (size - index * 256).min(256)));
    }
    assert_eq!(entries.len() as u64, size);
    let places: Vec<u64> = (0..size).map(|index| stored_hash_index(0, index)).collect();
    let leaves = tiles.read_hashes(&places).expect("the tiles hold");
    for (index, (entry, leaf)) in entries.iter().zip(&leaves).enumerate() {
        assert!(record_hash(entry) == *leaf, "entry {index}");
    }
    for index in [0, 1, 2, 127, 128, 255, 256, 257, size / 2, size - 1] {
        let at = usize::try_from(index).expect("small");
        let proof = prove_record(size, index, &tiles).expect("a proof");
        check_record(&proof, size, root, index, leaves[at]).expect("the entry is in the log");
        let other = leaves[(at + 1) % leaves.len()];
        assert!(check_record(&proof, size, root, index, other).is_err(), "and no other is there");
    }
    assert!(earlier.size() < size);
    let proof = prove_tree(size, earlier.size(), &tiles).expect("a proof");
    check_tree(&proof, size, root, earlier.size(), *earlier.hash()).expect("the log goes on from there");
    assert!(check_tree(&proof, size, root, earlier.size(), Hash([7; 32])).is_err(), "and from nowhere else");
}

#[test]
fn the_log_and_its_mirror_pass_implementations_that_are_not_ours() {
    let home = Home::new();
    let vkeys: Vec<String> = home.pin.verifier_keys.iter().map(ToString::to_string).collect();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    grow(&server.client(), &mut council, 100);
    let ledger = Served::at(&server.url);
    let mut earlier = ledger.checkpoint(&vkeys);
    // Up to a full tile, over it, and to several.
    for more in [256 - server.client().size(), 61, 500] {
        grow(&server.client(), &mut council, more);
        if server.client().size() > 257 {
            check(&ledger, &vkeys, &earlier);
            let out = home.at("mirror");
            mirror(&home, &server.url, &out).succeeded();
            check(&Served::at(&StaticFiles::serve(&out).url()), &vkeys, &earlier);
        }
        earlier = ledger.checkpoint(&vkeys);
    }
}
