//! The files of this folder, as they are written.

use gt_core::base64url;
use gt_core::bundle::Bundle;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::note::NoteSigner;
use gt_core::tree::EMPTY_ROOT;
use gt_core::{Hash, TreeSize};
use serde_json::Value as Json;

use super::forged;
use super::story::{self, GROWN, SIZE};
use super::tamperings;
use super::world::{NOTE, Sealed, World, ml_dsa_signer, witnesses};
use crate::document::{self, object};
use crate::ledger::{ORIGIN, REGISTRAR, STRANGER, note_signer};

/// What cases are made from: the ledgers, and the base bundles by name.
pub(crate) struct Material {
    pub(crate) told: World,
    pub(crate) forked: World,
    bases: Vec<(&'static str, Bundle)>,
}

impl Material {
    fn new() -> Self {
        let (told, forked) = (story::told(), story::forked());
        let bases = bases_of(&told, &forked);
        Self { told, forked, bases }
    }

    /// A base bundle as JSON.
    pub(crate) fn json(&self, name: &str) -> Json {
        let (_, bundle) = self.bases.iter().find(|(known, _)| *known == name).expect("a base bundle");
        document::read(&bundle.to_string())
    }

    /// A value within a base bundle.
    pub(crate) fn at(&self, name: &str, pointer: &str) -> Json {
        self.json(name).pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")).clone()
    }

    /// A text within a base bundle.
    pub(crate) fn text(&self, name: &str, pointer: &str) -> String {
        self.at(name, pointer).as_str().expect("a text").to_owned()
    }
}

/// The base bundles: first the sound ones, then two that pass off somebody else's record as a child's, then those of forged ledgers.
pub(crate) fn bases() -> Vec<(&'static str, Bundle)> {
    Material::new().bases
}

fn bases_of(told: &World, forked: &World) -> Vec<(&'static str, Bundle)> {
    let (links, repeated) = (forged::links(), forged::repeated_link());
    vec![
        ("child", story::child(told)),
        ("entries", story::entries(told)),
        ("agency", story::of_agency(told)),
        ("alert", story::alert(told)),
        ("recovered", forged::recovered()),
        ("passed-off", story::passed_off(told)),
        ("officers", story::officers(told)),
        ("forked", story::forked_entries(forked)),
        ("forged-signers", forged::signers()),
        ("forged-uncounted", forged::uncounted()),
        ("forged-chains", forged::chains()),
        ("forged-entries", forged::entries()),
        ("forged-links", forged::not_linked(&links)),
        ("forged-link-repeated", forged::of_repeated_link(&repeated)),
        ("forged-weak-key", forged::weak_key()),
        ("forged-not-endorsed", forged::not_endorsed()),
        ("forged-bad-proof", forged::bad_proof()),
        ("forged-not-its-key", forged::not_its_key()),
        ("forged-key-twice", forged::key_twice()),
        ("forged-type", forged::unknown_type()),
        ("forged-old-registrar", forged::old_registrar()),
        ("forged-recovery-key", forged::recovery_registers()),
        ("forged-registrar-seq", forged::registrar_skips()),
        ("forged-registrar-prev", forged::registrar_forgets()),
        ("forged-registrar-audience", forged::registrar_elsewhere()),
        ("forged-registrar-publisher", forged::not_the_registrar()),
        ("other-genesis", forged::other_genesis()),
        ("forged-registrar-count", forged::registrar_miscounts()),
        ("forged-creator", forged::created_by_another(STRANGER)),
        ("forged-creator-signature", forged::created_by_another(REGISTRAR)),
    ]
}

/// The file of cases.
pub(crate) fn tamperings() -> Value {
    let material = Material::new();
    let cases = tamperings::cases(&material).iter().map(tamperings::Case::to_value).collect();
    object([
        (
            "about",
            Value::from(
                "Bundles (FORMATS 12): what a verifier finds after `patch` or `text_replace` was done to the bundle `base`, with the \
                 inputs that the case names.",
            ),
        ),
        ("inputs", inputs(&material)),
        ("cases", Value::Array(cases)),
    ])
}

fn inputs(material: &Material) -> Value {
    object([
        ("pin", pins(material)),
        ("known", known(material)),
        ("policy", policies()),
        ("log", logs(material)),
    ])
}

fn pins(material: &Material) -> Value {
    let genesis = material.told.genesis();
    let pin = |origin: &str, signers: &[&NoteSigner], genesis: Option<Hash>| {
        let keys = signers.iter().map(|signer| signer.verifier_key().to_string().into());
        let mut members =
            vec![("origin", Value::from(origin)), ("verifier_keys", Value::Array(keys.collect()))];
        members.extend(genesis.map(|genesis| ("genesis", Value::String(genesis.to_string()))));
        object(members)
    };
    let (ed25519, ml_dsa) = (note_signer(NOTE), ml_dsa_signer());
    let other = NoteSigner::new("ledger.example/second", &[NOTE; 32]).expect("a sound name");
    object([
        ("ledger", pin(ORIGIN, &[&ed25519, &ml_dsa], Some(genesis))),
        ("ed25519_only", pin(ORIGIN, &[&ed25519], Some(genesis))),
        ("other_keys", pin(ORIGIN, &[&note_signer(51)], Some(genesis))),
        ("other_origin", pin("ledger.example/second", &[&other], Some(genesis))),
        ("other_genesis", pin(ORIGIN, &[&ed25519, &ml_dsa], Some(Hash::of(b"another ledger")))),
        ("no_genesis", pin(ORIGIN, &[&ed25519, &ml_dsa], None)),
    ])
}

fn known(material: &Material) -> Value {
    let of = |world: &World, size| Value::String(world.signed(size).to_string());
    let sign = |origin: &str, size, root| {
        let signer = NoteSigner::new(origin, &[NOTE; 32]).expect("a sound name");
        let checkpoint = Checkpoint::new(origin, TreeSize(size), root).expect("sound");
        Value::String(SignedCheckpoint::sign(checkpoint, &[&signer]).expect("sound").to_string())
    };
    object([
        ("empty", sign(ORIGIN, 0, EMPTY_ROOT)),
        ("size_7", of(&material.told, 7)),
        ("size_16", of(&material.told, 16)),
        ("size_18", of(&material.told, 18)),
        ("size_25", of(&material.told, SIZE)),
        ("size_30", of(&material.told, GROWN)),
        ("forked_16", of(&material.forked, 16)),
        ("forked_25", of(&material.forked, SIZE)),
        ("forked_30", of(&material.forked, GROWN)),
        ("other_ledger", sign("ledger.example/second", 16, Hash::of(b"another root"))),
    ])
}

fn policies() -> Value {
    let [north, south] = witnesses().map(|witness| witness.verifier_key().to_string());
    let west = NoteSigner::cosigner("witness.example/west", &[63; 32]).expect("a sound name");
    let west = west.verifier_key();
    let log = note_signer(NOTE).verifier_key().to_string();
    let other = NoteSigner::new("ledger.example/second", &[NOTE; 32]).expect("a sound name");
    let other = other.verifier_key();
    let three = format!("witness north {north}\nwitness south {south}\nwitness west {west}\n");
    object([
        ("both", Value::String(format!("log {log}\n{three}group two 2 north south\nquorum two\n"))),
        ("two_of_three", Value::String(format!("{three}group two 2 north south west\nquorum two\n"))),
        ("all_three", Value::String(format!("{three}group all all north south west\nquorum all\n"))),
        ("none", Value::String(format!("{three}quorum none\n"))),
        ("other_log", Value::String(format!("log {other}\nquorum none\n"))),
    ])
}

fn logs(material: &Material) -> Value {
    let log = |entries: &[Sealed]| {
        let entries = entries.iter().map(|sealed| Value::String(base64url::encode(&sealed.bytes)));
        Value::Array(entries.collect())
    };
    let open = &material.told.sealed[..super::world::at(SIZE)];
    // One entry is another than was sealed, so that this is noticed there and not first at the end.
    let changed = |find: &str, with: &str| {
        let mut entries = open.to_vec();
        let text = String::from_utf8(entries[9].bytes.clone()).expect("UTF-8");
        assert_eq!(text.matches(find).count(), 1, "{find} in {text}");
        entries[9].bytes = text.replacen(find, with, 1).into_bytes();
        log(&entries)
    };
    let mut last_exchanged = open.to_vec();
    last_exchanged[super::world::at(SIZE - 1)].bytes = {
        let entry = gt_core::entry::Entry::parse(&open[super::world::at(SIZE - 1)].bytes).expect("sound");
        gt_core::entry::Entry { statement: Hash::of(b"another statement"), ..entry }.to_bytes()
    };
    let prev = gt_core::entry::Entry::parse(&open[9].bytes).expect("sound").prev.to_string();
    object([
        ("open", log(open)),
        ("grown", log(&material.told.sealed)),
        ("short", log(&open[..20])),
        ("forked", log(&material.forked.sealed)),
        ("unreadable", changed("\"links\"", "\"Links\"")),
        ("other_index", changed("\"index\":9,", "\"index\":10,")),
        ("other_prev", changed(&prev, &Hash::of(b"another").to_string())),
        ("earlier", changed("T08:09:00.250Z", "T08:01:00.250Z")),
        ("other_count", changed("\"registry\":6", "\"registry\":5")),
        ("last_exchanged", log(&last_exchanged)),
        ("forged_links", log(&forged::links().sealed)),
        ("forged_link_repeated", log(&forged::repeated_link().sealed)),
    ])
}
