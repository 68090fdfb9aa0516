//! The statements that are measured: decisions to share, about the children of a fictional partnership; where a log is to grow large, short
//! records between them.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use gt_core::agency::AgencyCode;
use gt_core::key::{PrivateKey, PublicKey};
use gt_core::{Hash, base64url};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::create::{NewPublisher, create, registration};
use gt_ledger::jetstream::intake_subject;
use gt_ledger::secrets::{PinFile, Secrets, file, read_key};
use rayon::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BenchError, Keys, Plan};
use crate::draft::{ChainPosition, CheckedDraft, DraftError, Signatory};
use crate::keyfile;

pub(super) const ORIGIN: &str = "ledger.example/bench";
const DECISION: &str = include_str!("../../../schemas/examples/decision.recorded.share.json");
const ABSENCE: &str = include_str!("../../../schemas/examples/missing.started.json");
/// A child is known to this many of the publishers.
const KNOWN_TO: u32 = 5;
/// How many practitioners each agency has.
const PRACTITIONERS: u32 = 12;

/// A ledger in a temporary folder, and those who publish to it.
pub struct Partnership {
    root: PathBuf,
    /// Removed at the end, unless another process made it.
    _folder: Option<TempDir>,
    pin: PinFile,
    genesis: Hash,
    publishers: Vec<Publisher>,
    /// What they say.
    wording: Wording,
}

/// What publishers say, and of whom.
struct Wording {
    decision: Value,
    absence: Value,
    /// Every how many-th statement is a decision; the others are short.
    decision_every: u32,
    children: u32,
    /// If each publisher is to begin with children of its own, how many.
    own: Option<u32>,
}

/// One agency's system, with the head of its chain.
pub struct Publisher {
    number: u32,
    key: PublicKey,
    signatory: Signatory,
    seq: u64,
    prev: Hash,
}

/// Mean sizes of the statements.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sizes {
    /// Bytes of `H.P.S`.
    pub statement: usize,
    /// Bytes of the disclosures, with their tildes.
    pub disclosures: usize,
    /// Disclosures a statement, times 10.
    pub disclosures_times_10: usize,
}

/// A publisher's statements, compact, in the order of its chain.
pub type Chain = Vec<Vec<u8>>;

impl Partnership {
    /// Makes the ledger and enrols the publishers.
    pub fn create(plan: &Plan) -> Result<Self, BenchError> {
        let folder = plan.within.make("goldenthread-bench.")?;
        let created = create(&folder.path().join("data"), &folder.path().join("data.secrets"), ORIGIN)?;
        let genesis = created.pin.parse().map_or(Hash::ZERO, |(_, genesis)| genesis);
        let publishers = (0..plan.publishers.get()).map(|number| Publisher::new(number, genesis)).collect();
        let (root, pin, wording) = (folder.path().to_owned(), created.pin, Wording::about(plan.children));
        let partnership = Self { root, _folder: Some(folder), pin, genesis, publishers, wording };
        partnership.enrol()?;
        Ok(partnership)
    }

    /// The partnership of a folder that another process made, at the heads of its chains.
    pub(super) fn resume(
        root: &Path,
        ledger: &Ledger,
        publishers: NonZeroU32,
        children: NonZeroU32,
    ) -> Result<Self, BenchError> {
        let pin = PinFile::load(&root.join("data.secrets").join(file::PIN))?;
        let genesis = ledger.registry().genesis();
        let publishers = (0..publishers.get()).map(|number| {
            let mut publisher = Publisher::new(number, genesis);
            let head = ledger.head(&publisher.key.thumbprint());
            (publisher.seq, publisher.prev) = (head.next_seq, head.head);
            publisher
        });
        let (root, publishers, wording) = (root.to_owned(), publishers.collect(), Wording::about(children));
        Ok(Self { root, _folder: None, pin, genesis, publishers, wording })
    }

    /// From now on each publisher goes through so many children that are its own, one after another, and begins anew after the last.
    pub fn set_share(&mut self, own: u32) {
        self.wording.own = Some(own);
    }

    /// From now on one statement in so many is a decision, and the others are records of an absence, a third as long.
    pub(super) fn set_decision_every(&mut self, statements: u32) {
        self.wording.decision_every = statements.max(1);
    }

    /// The folder of all that was made.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The folder of the ledger's keys.
    pub fn secrets_folder(&self) -> PathBuf {
        self.root.join("data.secrets")
    }

    /// What pins the ledger: its origin and keys.
    pub fn pinned(&self) -> (&str, Keys) {
        (&self.pin.origin, self.pin.parse().map(|(keys, _)| keys).unwrap_or_default())
    }

    /// The leaf hash of entry 0.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// How many publishers there are.
    pub(super) fn publishers(&self) -> u32 {
        u32::try_from(self.publishers.len()).unwrap_or(u32::MAX)
    }

    /// The publishers' keys, in the order of the chains that [`Self::sign`] returns.
    pub fn keys(&self) -> Vec<PublicKey> {
        self.publishers.iter().map(|publisher| publisher.key.clone()).collect()
    }

    /// Where each publisher sends its statements over NATS, in the same order.
    pub fn subjects(&self) -> Vec<String> {
        let subject = |publisher: &Publisher| {
            intake_subject(&publisher_agency(publisher.number), &publisher.key.thumbprint())
        };
        self.publishers.iter().map(subject).collect()
    }

    /// Opens the ledger.
    pub fn open(&self) -> Result<Ledger, BenchError> {
        let secrets = Secrets::load(&self.secrets_folder())?;
        let ledger = Ledger::open(&self.data(), &secrets, Box::new(SystemClock::default()), None);
        Ok(ledger.map_err(Box::new)?)
    }

    /// Signs each publisher's next statements, `each` of them.
    pub fn sign(&mut self, each: u32) -> Result<Vec<Chain>, BenchError> {
        let (iat, wording) = (seconds_now(), &self.wording);
        let chains: Result<Vec<Chain>, DraftError> = self
            .publishers
            .par_iter_mut()
            .map(|publisher| (0..each).map(|_| publisher.next(wording, iat)).collect())
            .collect();
        Ok(chains?)
    }

    fn enrol(&self) -> Result<(), BenchError> {
        let ledger = self.open()?;
        let registrar = read_key(&self.secrets_folder().join(file::REGISTRAR))?;
        for publisher in &self.publishers {
            let (key, agency) = (publisher_key(publisher.number), publisher_agency(publisher.number));
            enrol(&ledger, &registrar, &key, &agency, seconds_now())?;
        }
        ledger.close();
        Ok(())
    }
}

impl Publisher {
    fn new(number: u32, genesis: Hash) -> Self {
        let (key, agency) = (publisher_key(number), publisher_agency(number));
        let public = key.public();
        let signatory = Signatory::new(key, public.thumbprint(), agency, ORIGIN.to_owned());
        Self { number, key: public, signatory, seq: 0, prev: genesis }
    }

    fn next(&mut self, wording: &Wording, iat: i64) -> Result<Vec<u8>, DraftError> {
        let (event_type, data) = wording.statement(self.number, self.seq);
        let draft = json!({"id": self.seq.to_string(), "type": event_type, "data": data});
        let draft = CheckedDraft::parse(draft.to_string().as_bytes())?;
        let place = ChainPosition { seq: self.seq, prev: self.prev, iat };
        let statement = self.signatory.sign(&draft, place)?.statement;
        self.seq += 1;
        self.prev = statement.hash();
        Ok(statement.to_compact().into_bytes())
    }
}

impl Wording {
    fn about(children: NonZeroU32) -> Self {
        let example = |text| serde_json::from_str(text).expect("the schemas' own example is JSON");
        let (decision, absence) = (example(DECISION), example(ABSENCE));
        Self { decision, absence, decision_every: 1, children: children.get(), own: None }
    }

    /// The type and the data of a publisher's statement number `seq`.
    fn statement(&self, publisher: u32, seq: u64) -> (&'static str, Value) {
        let about = match self.own {
            Some(own) => u64::from(publisher * own) + seq % u64::from(own),
            None => overlapping(publisher, seq, self.children),
        };
        if seq.is_multiple_of(u64::from(self.decision_every)) {
            ("decision.recorded", decision(&self.decision, publisher, seq, about))
        } else {
            ("missing.started", absence(&self.absence, seq, about))
        }
    }
}

impl Sizes {
    /// The means over these statements.
    pub fn of<'a>(statements: impl Iterator<Item = &'a Vec<u8>>) -> Self {
        let (mut count, mut sums) = (0, (0, 0, 0));
        for bytes in statements {
            let jws = bytes.iter().position(|byte| *byte == b'~').unwrap_or(bytes.len());
            let tildes = bytes[jws..].split(|byte| *byte == b'~').count() - 1;
            count += 1;
            sums = (sums.0 + jws, sums.1 + bytes.len() - jws, sums.2 + tildes.saturating_sub(1));
        }
        let count = count.max(1);
        Self {
            statement: sums.0 / count,
            disclosures: sums.1 / count,
            disclosures_times_10: sums.2 * 10 / count,
        }
    }
}

/// Seals the registration of an agency's publisher.
pub(super) fn enrol(
    ledger: &Ledger,
    registrar: &PrivateKey,
    key: &PrivateKey,
    agency: &AgencyCode,
    iat: i64,
) -> Result<(), BenchError> {
    let (registrar_id, id) = (registrar.public().thumbprint(), key.public().thumbprint());
    let proof = keyfile::prove(key, ledger.registry().genesis(), &id, agency);
    let new = NewPublisher {
        agency,
        name: "Case system",
        kind: "council",
        key: key.public().to_jwk(),
        publisher: id,
        proof: base64url::encode(&proof.signature),
        endorsement: None,
        recovery: false,
    };
    let head = ledger.head(&registrar_id);
    let statement = registration(registrar, registrar_id, ORIGIN, head.next_seq, head.head, iat, &new)
        .map_err(DraftError::from)?;
    ledger.seal_blocking(statement.to_compact().as_bytes())?;
    Ok(())
}

fn publisher_key(number: u32) -> PrivateKey {
    PrivateKey::from_seed(Hash::of_parts(&[b"bench publisher", &number.to_be_bytes()]).as_bytes())
}

/// A code that no authority has been given.
pub(super) fn publisher_agency(number: u32) -> AgencyCode {
    AgencyCode::parse(&format!("gss:E99{number:06}")).expect("a scheme and nine letters and digits")
}

fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The pseudonym of a child.
pub(super) fn child(number: u64) -> String {
    person("nhs", "child", number)
}

fn person(scheme: &str, what: &str, number: u64) -> String {
    let hmac = Hash::of_parts(&[what.as_bytes(), &number.to_be_bytes()]);
    format!("{scheme}.1:{hmac}")
}

/// The child of a publisher's decision number `seq`. Each publisher has its share of the children, overlapping with others', and comes back to
/// each in turn.
fn overlapping(publisher: u32, seq: u64, children: u32) -> u64 {
    let share = u64::from((children * KNOWN_TO / 50).clamp(1, children));
    (u64::from(publisher) * share / u64::from(KNOWN_TO) + seq % share) % u64::from(children)
}

/// A minute of a month, another one for each of 40,320 statements.
fn minute(seq: u64) -> String {
    format!("2026-02-{:02}T{:02}:{:02}:00Z", seq / 1440 % 28 + 1, seq / 60 % 24, seq % 60)
}

/// The schemas' example of an absence, about this child, with no more than it needs.
fn absence(example: &Value, seq: u64, child: u64) -> Value {
    let member = |name: &str| example[name].clone();
    let mut data = json!({"kind": member("kind"), "from": member("from"), "risk": member("risk"), "child": member("child")});
    data["child"]["pseudonym"] = json!(self::child(child));
    data["times"] = json!({"occurred_at": minute(seq)});
    data["refs"] = json!({"police_ref": format!("MP-{seq}")});
    data
}

/// The schemas' example as this publisher's decision number `seq`: about a child and people of its own, and as short as most records
/// are, with ten disclosures or so.
fn decision(example: &Value, publisher: u32, seq: u64, child: u64) -> Value {
    let mut data = example.clone();
    let staff = |what: &str, of: u32| {
        let number = u64::from(publisher) * 1000 + seq % u64::from(of);
        person("staff", what, number)
    };
    data["child"]["pseudonym"] = json!(self::child(child));
    data["others"] = json!([{"pseudonym": person("nhs", "parent", child), "role": "Parent"}]);
    data["practitioner"]["pseudonym"] = json!(staff("practitioner", PRACTITIONERS));
    data["authoriser"]["pseudonym"] = json!(staff("authoriser", 2));
    data["recipient_names"][0] = json!({"name": "Farida Lindqvist", "role": "Social worker"});
    data["refs"] = json!({"case": format!("SG-{publisher}-{child}")});
    let occurred = minute(seq);
    data["times"] =
        json!({"occurred_at": occurred, "decided_at": occurred, "shared_at": "2026-03-01T11:05:30Z"});
    data["purpose_text"] = json!("To let the council decide today on a strategy discussion.");
    data["rationale"] = json!(format!(
        "Visit {seq}: a bruised wrist with two accounts of it, and eleven days missed since half term. Together this is \
         reasonable cause to suspect significant harm."
    ));
    data["less_intrusive_option"] = json!("An enquiry without names would not find the missing reports.");
    for list in ["items", "item_details"] {
        data[list].as_array_mut().expect("the example lists items").truncate(1);
    }
    data["lawful_basis"].as_array_mut().expect("the example lists bases").truncate(4);
    data["identity_protection"]["risk"] = Value::Bool(false);
    for member in ["advice", "advice_content", "identity_protection_steps"] {
        data.as_object_mut().expect("the example is an object").remove(member);
    }
    data
}
