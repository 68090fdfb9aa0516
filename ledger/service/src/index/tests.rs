use std::sync::Arc;

use gt_core::chain::Chain;
use gt_core::link::{Link, LinkKey};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};
use proptest::prelude::*;

use super::*;
use crate::disk::Disk;
use crate::keyring::KeyEncryptionKey;

const OWNERS: u8 = 5;

fn tag(owner: u8) -> OwnerTag {
    [owner; 32]
}

fn key_of(owner: u8) -> LinkKey {
    LinkKey::from_bytes([owner; 32])
}

/// A log: of each entry its owners, each once.
fn logs() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let owners = prop::collection::btree_set(0..OWNERS, 0..4);
    prop::collection::vec(owners.prop_map(|owners| owners.into_iter().collect()), 1..900)
}

/// The entries of a log, and whose their links are.
fn entries(log: &[Vec<u8>]) -> Vec<(Entry, Vec<LinkOwner>)> {
    let mut counts = [0_u64; OWNERS as usize];
    let mut entry = |(index, owners): (u64, &Vec<u8>)| {
        let mut links: Vec<(Link, u8)> = owners
            .iter()
            .map(|owner| {
                let n = counts[usize::from(*owner)];
                counts[usize::from(*owner)] += 1;
                (key_of(*owner).link(n), *owner)
            })
            .collect();
        links.sort_by_key(|(link, _)| link.to_string());
        let owned = links.iter().map(|(link, owner)| (link.name, tag(*owner), LeafIndex(index))).collect();
        let entry = Entry {
            index: LeafIndex(index),
            prev: Hash::ZERO,
            received_at: Timestamp::from_millis(0).expect("a time"),
            registry: 0,
            links: links.into_iter().map(|(link, _)| link).collect(),
            statement: Hash::ZERO,
        };
        (entry, owned)
    };
    (0..).zip(log).map(&mut entry).collect()
}

fn assert_says(index: &Index, log: &[(Entry, Vec<LinkOwner>)], without: Option<u8>) {
    for (entry, owned) in log {
        let kept = owned.iter().filter(|(_, owner, _)| without.map(tag) != Some(*owner));
        let expected: HashMap<LinkName, OwnerTag> = kept.map(|(name, owner, _)| (*name, *owner)).collect();
        assert_eq!(index.links_of(entry).expect("reads"), expected);
    }
    for owner in 0..OWNERS {
        let of_owner = log.iter().flat_map(|(_, owned)| owned).filter(|(_, of, _)| *of == tag(owner));
        let expected: Vec<LeafIndex> = of_owner.map(|(.., index)| *index).collect();
        let expected = if without == Some(owner) { Vec::new() } else { expected };
        assert_eq!(index.count_of(&tag(owner)), expected.len() as u64);
        assert_eq!(index.entries_of(&tag(owner)).expect("reads"), expected);
        let known = index.tag_of_id(&key_of(owner).name(0));
        assert_eq!(known, (!expected.is_empty()).then(|| tag(owner)));
    }
}

/// Writes what is complete, as a snapshot would, and returns what it would say.
fn write(index: &Index, size: u64, folder: &std::path::Path, key: &Arc<StateKey>) -> Vec<u8> {
    let (generation, file) = ([7; 8], file_of([7; 8]));
    let end = std::fs::metadata(folder.join(&file)).map_or(0, |there| there.len());
    let planned = index.plan(TreeSize(size), &HashMap::new(), end);
    let mut disk = Disk::new(folder, None);
    let bytes = planned.iter().flat_map(|block| seal(key, generation, &block.name, &block.plain));
    disk.append(&file, &bytes.collect::<Vec<u8>>()).expect("written");
    let mut out = Vec::new();
    let (owners, rest) = index.encode(&planned);
    owners.encode(&mut out);
    out.extend(rest);
    let opened = BlockFile::open(folder, generation, Arc::clone(key)).expect("opens");
    index.written(opened, planned.iter().map(|block| (block.name, block.stored)));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_in_blocks_and_what_is_in_memory_says_the_same(log in logs(), cuts in prop::collection::vec(0_usize..900, 0..4)) {
        let (folder, key) = (tempfile::tempdir().expect("a folder"), KeyEncryptionKey::generate());
        let key = Arc::new(StateKey::of(&key));
        let (log, index) = (entries(&log), Index::default());
        let mut snapshot = None;
        for (at, (entry, owned)) in log.iter().enumerate() {
            if cuts.contains(&at) {
                snapshot = Some((write(&index, entry.index.0, folder.path(), &key), at));
            }
            index.add(owned);
        }
        assert_says(&index, &log, None);
        if let Some((bytes, at)) = snapshot {
            let mut reader = Reader(&bytes);
            let read = Index::decode(&mut reader).expect("it was encoded");
            prop_assert!(reader.is_done());
            read.attach(BlockFile::open(folder.path(), [7; 8], Arc::clone(&key)).expect("opens"));
            assert_says(&read, &log[..at], None);
            for (_, owned) in &log[at..] {
                read.add(owned);
            }
            assert_says(&read, &log, None);
            let cut = &bytes[..bytes.len() - 1];
            prop_assert!(Index::decode(&mut Reader(cut)).is_none_or(|_| cut.is_empty()));
        }
        index.forget(&tag(1), Some(tag(99)));
        index.forget(&tag(99), Some(tag(1)));
        assert_says(&index, &log, None);
        index.forget(&tag(1), None);
        assert_says(&index, &log, Some(1));
        index.each_block(|_, plain| {
            let links = decode_links(&plain).expect("a block of links");
            assert!(links.iter().all(|link| index.read().owners.tag(link.owner).is_some()));
            Ok(())
        }).expect("reads");
    }

    #[test]
    fn arbitrary_bytes_are_no_index(bytes: Vec<u8>) {
        let _ = Index::decode(&mut Reader(&bytes));
    }
}

#[test]
fn a_chain_is_found_in_its_blocks() {
    let (folder, key) = (tempfile::tempdir().expect("a folder"), KeyEncryptionKey::generate());
    let (key, publisher) = (Arc::new(StateKey::of(&key)), Hash::of(b"publisher"));
    let mut chain = Chain::new(Hash::ZERO);
    for seq in 0..600 {
        chain.push(LeafIndex(3 * seq), Hash::ZERO);
    }
    let (index, chains) = (Index::default(), HashMap::from([(publisher, chain)]));
    let planned = index.plan(TreeSize(0), &chains, 0);
    assert_eq!(planned.len(), 2, "the rest stays in memory");
    let (generation, file) = ([1; 8], file_of([1; 8]));
    let bytes = planned.iter().flat_map(|block| seal(&key, generation, &block.name, &block.plain));
    Disk::new(folder.path(), None).append(&file, &bytes.collect::<Vec<u8>>()).expect("written");
    let opened = BlockFile::open(folder.path(), generation, key).expect("opens");
    index.written(opened, planned.iter().map(|block| (block.name, block.stored)));
    assert_eq!(index.written_of(&publisher), 512);
    for seq in [0, 255, 256, 511] {
        assert_eq!(index.entry_of(&publisher, seq).expect("reads"), LeafIndex(3 * seq));
    }
    assert!(index.plan(TreeSize(0), &chains, 0).is_empty(), "no block is written twice");
    assert!(index.entry_of(&publisher, 512).is_err() && index.is_damaged());
}
