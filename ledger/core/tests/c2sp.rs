//! Published vectors: the examples in the C2SP documents (github:C2SP/C2SP at commit 5ba5ee83), the tree of
//! certificate-transparency's reference tests, and RFC 8032's Ed25519.

use gt_core::Hash;
use gt_core::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, SignedCheckpointError};
use gt_core::key::{BadSignature, PrivateKey, PublicKey};
use gt_core::note::{Note, NoteSigner, VerifierKey, VerifierKeyError, VerifyNoteError};
use gt_core::position::{LeafIndex, TreeSize};
use gt_core::proof::{ConsistencyProof, InclusionProof};
use gt_core::prove::{self, MemoryTiles};
use gt_core::receipt::{Receipt, ReceiptError};
use gt_core::tile::{RowExtent, TileKind, TilePath, index_path, row_extent};
use gt_core::tree::{EMPTY_ROOT, Frontier, leaf_hash};

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().expect("the right length")
}

fn hash(text: &str) -> Hash {
    Hash::from_bytes(array(text))
}

// signed-note.md

const NOTE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

const SIGNED_NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

#[test]
fn the_example_key_verifies_the_example_note() {
    let key = VerifierKey::parse(NOTE_KEY).expect("the example key");
    assert_eq!((key.name(), key.id()), ("example.com/foo", 0x530d_903a));
    assert_eq!(key.to_string(), NOTE_KEY);
    let note = Note::parse(SIGNED_NOTE.as_bytes()).expect("the example note");
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), SIGNED_NOTE);
    assert_eq!(note.verify(std::slice::from_ref(&key)), Ok(vec![&key]));

    let forged = Note::parse(SIGNED_NOTE.replace("example m", "forged m").as_bytes()).expect("well-formed");
    let bad = VerifyNoteError::BadSignature { name: "example.com/foo".into(), key_id: 0x530d_903a };
    assert_eq!(forged.verify(&[key]), Err(bad));
}

#[test]
fn a_text_may_have_empty_lines() {
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let signature =
        "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=";
    let note = format!("{poem}\n— quasimodo.example/salvatore {signature}\n");
    let note = Note::parse(note.as_bytes()).expect("the first example");
    assert_eq!(note.text(), poem);
    assert_eq!(note.signatures()[0].name(), "quasimodo.example/salvatore");
    assert_eq!(note.signatures()[0].signature().len(), 64);
}

// tlog-checkpoint.md and tlog-cosignature.md

const CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

const COSIGNATURE: &str = "— witness.example.com/w1 \
    jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn the_example_checkpoints_are_read() {
    let root = hash("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    let expected = Checkpoint::new("example.com/behind-the-sofa", TreeSize(20_852_163), root).expect("sound");
    for (text, signatures) in [(CHECKPOINT.to_owned(), 1), (format!("{CHECKPOINT}{COSIGNATURE}"), 2)] {
        let signed = SignedCheckpoint::parse(text.as_bytes()).expect("an example");
        assert_eq!(signed.checkpoint(), &expected);
        assert_eq!(signed.note().signatures().len(), signatures);
        assert_eq!(signed.to_string(), text);
    }
    let extended = CHECKPOINT.replacen("q2I=\n", "q2I=\nextension\n", 1);
    let refused = SignedCheckpointError::Checkpoint(CheckpointError::ExtensionLine);
    assert_eq!(SignedCheckpoint::parse(extended.as_bytes()), Err(refused));
}

#[test]
fn the_cosignature_carries_its_time_before_its_signature() {
    let signed =
        SignedCheckpoint::parse(format!("{CHECKPOINT}{COSIGNATURE}").as_bytes()).expect("the example");
    let cosignature = &signed.note().signatures()[1];
    let (time, signature) = cosignature.signature().split_first_chunk().expect("eight bytes of time");
    // The time in the document's example of a cosigned message.
    assert_eq!((u64::from_be_bytes(*time), signature.len()), (1_679_315_147, 64));
    // The key type of a cosignature is not that of a note.
    let typed = VerifierKey::parse("witness.example.com/w1+8d66cf3f+BAAA");
    assert_eq!(typed, Err(VerifierKeyError::KeyLength { len: 2, expected: 32 }));
}

// tlog-tiles.md

#[test]
fn the_example_index_is_written_in_three_elements() {
    assert_eq!(index_path(1_234_067), "x001/x234/067");
    let cases = [
        ("tile/0/x001/x234/067", TileKind::Hashes { level: 0 }, 1_234_067, 256),
        ("tile/63/x001/x234/067.p/255", TileKind::Hashes { level: 63 }, 1_234_067, 255),
        ("tile/entries/x001/x234/067.p/1", TileKind::Entries, 1_234_067, 1),
        ("tile/entries/000", TileKind::Entries, 0, 256),
        ("tile/1/999", TileKind::Hashes { level: 1 }, 999, 256),
        ("tile/1/x001/000", TileKind::Hashes { level: 1 }, 1000, 256),
    ];
    for (text, kind, index, width) in cases {
        let path = TilePath::parse(text).expect("a path");
        assert_eq!((path.kind(), path.index(), path.width()), (kind, index, width));
        assert_eq!(path.to_path(), text);
    }
}

#[test]
fn the_example_sizes_have_their_tiles() {
    let rows = |size| [0, 1, 2, 3, 63].map(|level| row_extent(TreeSize(size), level));
    let row = |full, partial| RowExtent { full, partial };
    assert_eq!(rows(70_000), [row(273, 112), row(1, 17), row(0, 1), row(0, 0), row(0, 0)]);
    assert_eq!(rows(256), [row(1, 0), row(0, 1), row(0, 0), row(0, 0), row(0, 0)]);
}

// tlog-proof.md. Its example abridges the signatures, so the parts around them are read with a checkpoint that is whole.

const PROOF_ABOVE: &str = "c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

";

#[test]
fn the_example_proof_is_read_and_written() {
    let text = format!("{PROOF_ABOVE}{CHECKPOINT}");
    let receipt = Receipt::parse(text.as_bytes()).expect("the example");
    assert_eq!((receipt.index, receipt.path.len()), (LeafIndex(73_894), 5));
    assert!(
        receipt.extra.as_deref().is_some_and(|extra| extra.starts_with(b"age-v1.2.1-darwin-arm64.tar.gz"))
    );
    assert_eq!(receipt.to_string(), text);
    let abridged = format!(
        "{PROOF_ABOVE}example.com/fancylog\n109482\n\
        sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog hI2DJw[...]1roloI=\n"
    );
    assert!(matches!(Receipt::parse(abridged.as_bytes()), Err(ReceiptError::Checkpoint(_))));
}

// The tree of google/certificate-transparency's merkle_tree_test, also used by transparency-dev/merkle.

const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn published_tree() -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for leaf in LEAVES {
        tiles.push(leaf_hash(&unhex(leaf)));
    }
    tiles
}

#[test]
fn the_published_roots_come_out() {
    let tiles = published_tree();
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_eq!(EMPTY_ROOT, Hash::of(b""));
    for (size, (leaf, root)) in (1..).zip(LEAVES.iter().zip(ROOTS)) {
        frontier.push(leaf_hash(&unhex(leaf)));
        assert_eq!(frontier.root(), hash(root));
        assert_eq!(prove::root(&tiles, TreeSize(size)), Ok(hash(root)));
    }
}

#[test]
fn the_published_proofs_come_out() {
    const RIGHT_PAIR: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    let tiles = published_tree();

    let path = vec![
        hash("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
        hash(RIGHT_PAIR),
        hash(ROOTS[3]),
    ];
    let expected = InclusionProof { index: LeafIndex(5), size: TreeSize(8), path };
    assert_eq!(prove::inclusion(&tiles, LeafIndex(5), TreeSize(8)), Ok(expected.clone()));
    assert_eq!(expected.verify(&leaf_hash(&unhex(LEAVES[5])), &hash(ROOTS[7])), Ok(()));

    let path = vec![
        hash("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"),
        hash(RIGHT_PAIR),
        hash(ROOTS[3]),
    ];
    let expected = ConsistencyProof { from: TreeSize(6), to: TreeSize(8), path };
    assert_eq!(prove::consistency(&tiles, TreeSize(6), TreeSize(8)), Ok(expected.clone()));
    assert_eq!(expected.verify(&hash(ROOTS[5]), &hash(ROOTS[7])), Ok(()));
}

// RFC 8032 section 7.1: private key, public key, message, signature. The last message is SHA-512 of "abc".

const RFC8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn the_published_signatures_come_out() {
    for [private, public, message, signature] in RFC8032 {
        let (message, signature) = (unhex(message), array(signature));
        let private = PrivateKey::from_seed(&array(private));
        assert_eq!(private.public().as_bytes(), &array(public));
        assert_eq!(private.sign(&message), signature);
        let public = PublicKey::from_bytes(&array(public)).expect("a sound key");
        assert_eq!(public.verify(&message, &signature), Ok(()));
        for bit in 0..512 {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(public.verify(&message, &flipped), Err(BadSignature));
        }
    }
}

#[test]
fn a_note_is_signed_with_the_key_of_its_seed() {
    let [private, public, ..] = RFC8032[0];
    let signer = NoteSigner::new("log.example/thread", &array(private)).expect("a good name");
    assert_eq!(signer.verifier_key().public_key(), array::<32>(public));
    let note = Note::sign("text\n".to_owned(), &[&signer]).expect("a signable text");
    let signature: [u8; 64] = note.signatures()[0].signature().try_into().expect("64 bytes");
    let key = PublicKey::from_bytes(&array(public)).expect("a sound key");
    assert_eq!(key.verify(b"text\n", &signature), Ok(()));
}
