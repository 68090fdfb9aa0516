//! A partnership of nodes, each with secrets of its own, whose operators provide the next key-encryption key.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gt_core::base64url;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::audit::{Verdict, fsck, read_pin};
use gt_ledger::disk::Disk;
use gt_ledger::jetstream::message::{Closing, KeyEpoch};
use gt_ledger::keyring::{KeyEncryptionKey, Keyring};
use gt_ledger::secrets::{Secrets, file};

use crate::broker::raw::{RawMessage, head_after};
use crate::broker::{Broker, copy_folder, deliver, open, wait_until};
use crate::partnership::{Publisher, child};
use crate::scene::{WORDS, about, is_found_below};

/// One node's place: its folder, its own secrets, and what runs on them.
pub(crate) struct Site {
    pub(crate) data: PathBuf,
    pub(crate) secrets: PathBuf,
    pub(crate) follows: bool,
}

/// Ledgers must be closed before their connections' runtime ends, so whoever opens them holds them before this.
pub(crate) struct Epochs {
    pub(crate) council: Publisher,
    pub(crate) police: Publisher,
    pub(crate) broker: Broker,
}

impl Epochs {
    /// Children 1–6, each with a note in words by the council and a missing episode by the police.
    pub(crate) fn new() -> Self {
        let mut publishers = None;
        let broker = Broker::with_entries(|home, ledger| {
            let mut council = home.register(ledger, "gss:E06000005", 1);
            let mut police = home.register(ledger, "police:32", 2);
            for n in 1..7 {
                for statement in [note(&mut council, n), police.next(&child(n))] {
                    ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealed");
                }
            }
            publishers = Some((council, police));
        });
        let (council, police) = publishers.expect("registered");
        Self { council, police, broker }
    }

    /// The site of the folder from which the stream was filled.
    pub(crate) fn first(&self) -> Site {
        Site { data: self.broker.home.data(), secrets: self.broker.home.secrets_folder(), follows: false }
    }

    /// A new site with the secrets of another as they are now.
    pub(crate) fn site(&self, like: &Site, follows: bool) -> Site {
        let data = self.broker.new_folder();
        let secrets = data.with_extension("secrets");
        copy_folder(&like.secrets, &secrets);
        if follows {
            for key in [file::CHECKPOINT, file::CHECKPOINT_ML_DSA] {
                fs::remove_file(secrets.join(key)).expect("removed");
            }
        }
        Site { data, secrets, follows }
    }

    pub(crate) fn open(&self, site: &Site) -> Ledger {
        let options = self.broker.options(self.broker.client(), site.follows);
        open(&site.data, &site.secrets(), &options).expect("the node opens")
    }

    /// What operators do: the next key, at each of these sites, and its bucket. Returns its fingerprint.
    pub(crate) fn prepare(&self, in_force: &Site, sites: &[&Site]) -> String {
        let key = KeyEncryptionKey::generate();
        let now = in_force.secrets().kek().epoch();
        for site in sites {
            site.give(&key);
        }
        let making = self.broker.setup();
        let made = self.broker.runtime.block_on(making.prepare_keys(&now, &key.epoch())).expect("made");
        assert_eq!(made, [format!("KV_gt-keys-{}", key.epoch())]);
        self.broker.runtime.block_on(making.readable(&key.epoch())).expect("readable");
        key.epoch()
    }

    /// The council says something in words about a child.
    pub(crate) fn note(&mut self, ledger: &Ledger, n: u8) -> u64 {
        let statement = note(&mut self.council, n);
        deliver(ledger, &statement).expect("sealed").index.0
    }

    /// Somebody who can write to the stream, and has this key, begins an epoch with a keyring under it in which nobody is.
    pub(crate) fn hand_over_nobody(&self, ledger: &Ledger, key: &KeyEncryptionKey, ordinal: u64) {
        let scratch = tempfile::tempdir().expect("a folder");
        Keyring::create(&mut Disk::new(scratch.path(), None), key).expect("made");
        let shards = fs::read(scratch.path().join("keyring/shards")).expect("there");
        let epoch = KeyEpoch { ordinal, kek: key.epoch(), begins: Some(shards) };
        let head = head_after(ledger.log(), &[]);
        let closing = Closing { head, keys: 0, epoch: Some(epoch), checkpoint: None };
        self.broker.publish(&[RawMessage::of_keys("00000000000000000000000000000001").closing(&closing)]);
        wait_until("it stops", || ledger.is_stopped());
    }

    pub(crate) fn assert_sound(&self, site: &Site) {
        let pin = read_pin(&self.broker.home.pin).expect("a pin");
        let report = fsck(&site.data, Some(&site.secrets()), Some(&pin));
        assert_eq!(report.verdict(), Verdict::Sound, "{}: {:?}", site.data.display(), report.faults);
    }
}

impl Site {
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::load(&self.secrets).expect("sound secrets")
    }

    /// Puts a next key beside the one in force.
    pub(crate) fn give(&self, key: &KeyEncryptionKey) {
        let file = self.secrets.join("kek.next");
        fs::write(&file, base64url::encode(key.as_bytes())).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    }

    pub(crate) fn kek(&self) -> String {
        self.secrets().kek().epoch()
    }

    /// It has this key, and no other.
    pub(crate) fn has_only(&self, kek: &str) -> bool {
        let secrets = self.secrets();
        secrets.kek().epoch() == kek && secrets.keks().next().is_none()
    }
}

pub(crate) fn note(publisher: &mut Publisher, n: u8) -> Statement {
    about(publisher, "record.released", n, &format!(r#","x":{WORDS:?}"#))
}

/// Waits until a node has come to an epoch, and then to the end.
pub(crate) fn wait_for_key(site: &Site, ledger: &Ledger, kek: &str) {
    wait_until("the node has come to the next key", || site.has_only(kek) || ledger.is_stopped());
    assert!(!ledger.is_stopped());
}

/// Neither folder has these bytes.
pub(crate) fn is_nowhere(folders: &[&Path], needle: &[u8]) -> bool {
    !folders.iter().any(|folder| is_found_below(folder, needle))
}
