//! What each stage of sealing costs: alone on one thread, and in the sealer's own threads during the rounds.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::key::PublicKey;
use gt_core::prove::Prover;
use gt_core::receipt::Receipt;
use gt_core::statement::{Owner, Statement, StatementError};
use gt_core::time::Timestamp;
use gt_core::{LeafIndex, tree};
use gt_ledger::Ledger;
use gt_ledger::disk::Disk;
use gt_ledger::keyring::{KeyEncryptionKey, Keyring};
use gt_ledger::prepare::Prepared;
use gt_ledger::sealer::{Enciphered, OwnerPlace, SealerTimes, encipher};
use gt_ledger::vault::VaultSalt;

use super::BenchError;
use super::throughput::{Rates, as_f64};
use super::workload::Partnership;

/// How often each stage is measured; the median counts.
const REPEATS: usize = 7;
/// How many statements are done between two looks at the clock.
const PORTION: usize = 50;

/// Costs of the stages.
#[derive(Debug, Clone)]
pub struct Stages {
    /// Each stage alone on one thread, in the order of sealing: its name and its microseconds a statement.
    pub alone: Vec<(&'static str, f64)>,
    /// Where the sealer's two threads spent their time in the rounds.
    pub sealer: SealerTimes,
}

/// Measures each stage with this sample of statements, on this thread.
pub fn measure(
    partnership: &Partnership,
    ledger: &Ledger,
    sample: &[(Vec<u8>, PublicKey)],
    sealer: SealerTimes,
) -> Result<Stages, BenchError> {
    let parse = |some: &[(Vec<u8>, PublicKey)]| -> Result<Vec<Statement>, StatementError> {
        some.iter().map(|(bytes, _)| Statement::parse(bytes)).collect()
    };
    let prepare =
        |statements: Vec<Statement>| statements.into_iter().map(Prepared::of).collect::<Result<Vec<_>, _>>();
    let verify = |statements: &[Statement], some: &[(Vec<u8>, PublicKey)]| {
        statements.iter().zip(some).try_for_each(|(statement, (_, key))| statement.verify(key))
    };
    let parsed = parse(sample)?;
    verify(&parsed, sample)?;
    let prepared = prepare(parsed.clone())?;
    let (salt, owners) = (VaultSalt::of(&partnership.genesis()), owners(&prepared, partnership.root())?);
    let encipher = |some: Portion| -> Vec<Enciphered> {
        let given = prepared[some.clone()].iter().zip(&owners[some]);
        given.map(|(one, owners)| encipher(one, owners, &salt)).collect()
    };
    let enciphered = encipher(0..sample.len());
    let all = sample.len();
    let alone = vec![
        ("parse", cost(all, |some| some, |some| parse(&sample[some]))),
        ("ownership and schema", cost(all, |some| parsed[some].to_vec(), prepare)),
        ("signature", cost(all, |some| some, |some: Portion| verify(&parsed[some.clone()], &sample[some]))),
        ("links and encryption", cost(all, |some| some, encipher)),
        (
            "entry and hashes",
            cost(
                all,
                |some| (some.clone(), enciphered[some].to_vec()),
                |(some, enciphered)| frame(&prepared[some], enciphered),
            ),
        ),
        ("receipt", cost(all, |some| some, |some: Portion| receipts(ledger, some.len()))),
    ];
    if receipts(ledger, sample.len()).is_none() {
        return Err(BenchError::Stage("receipt"));
    }
    Ok(Stages { alone, sealer })
}

type Portion = std::ops::Range<usize>;

/// The median time of a stage, in microseconds a statement. Making its input and dropping its results are not counted. It is done in small
/// portions, so that memory comes and goes as it does in the sealer.
fn cost<I, O>(statements: usize, mut input: impl FnMut(Portion) -> I, mut stage: impl FnMut(I) -> O) -> f64 {
    let times = (0..REPEATS).map(|_| {
        let portions = (0..statements).step_by(PORTION).map(|first| first..(first + PORTION).min(statements));
        let took: Duration = portions
            .map(|some| {
                let given = input(some);
                let started = Instant::now();
                let result = black_box(stage(black_box(given)));
                let took = started.elapsed();
                drop(result);
                took
            })
            .sum();
        took.as_secs_f64() * 1e6 / as_f64(statements.max(1))
    });
    Rates::of(times.collect()).median
}

/// Keys and counts for everybody in the sample, as the sealer finds them, with a keyring below this folder.
fn owners(prepared: &[Prepared], root: &Path) -> Result<Vec<Vec<OwnerPlace>>, BenchError> {
    let folder = root.join("stages");
    std::fs::create_dir(&folder)?;
    let mut disk = Disk::new(&folder, None);
    let kek = KeyEncryptionKey::generate();
    let mut keyring = Keyring::create(&mut disk, &kek).map_err(std::io::Error::other)?;
    let mut new = Vec::new();
    let mut place = |owner: &Owner, agency: &AgencyCode| {
        let tag = keyring.ensure(owner, agency, &mut new);
        let held = keyring.owner(&tag)?;
        let (link, keys) = (held.link.clone(), held.agency(agency)?.clone());
        Some(OwnerPlace { owner: owner.clone(), tag, n: 7, link, keys })
    };
    let mut of_statement = |one: &Prepared| {
        let agency = &one.statement().payload().iss;
        one.owners().iter().map(|owner| place(owner, agency)).collect::<Option<_>>()
    };
    prepared.iter().map(&mut of_statement).collect::<Option<_>>().ok_or(BenchError::Stage("keys"))
}

/// Makes the entries, their leaf hashes and the framed vault records.
fn frame(prepared: &[Prepared], enciphered: Vec<Enciphered>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut prev = gt_core::Hash::ZERO;
    let entries = (0..).map(LeafIndex).zip(prepared.iter().zip(enciphered));
    let framed = entries.map(|(index, (one, Enciphered { links, record }))| {
        let entry = Entry {
            index,
            prev,
            received_at: Timestamp::EPOCH,
            registry: 50,
            links,
            statement: one.statement().hash(),
        };
        let bytes = entry.to_bytes();
        prev = tree::leaf_hash(&bytes);
        (bytes, record.finish(&prev))
    });
    framed.collect()
}

/// Proves the log's last entries, with their receipts as text.
fn receipts(ledger: &Ledger, count: usize) -> Option<Vec<String>> {
    let size = ledger.log().size();
    let first = size.0.saturating_sub(count as u64);
    let checkpoint = &ledger.published().checkpoint;
    let (extra, mut prover) = (vec![0; 500], Prover::new(ledger.log(), size));
    (first..size.0)
        .map(|index| {
            let proof = prover.inclusion(LeafIndex(index)).ok()?;
            let (index, checkpoint) = (LeafIndex(index), checkpoint.clone());
            Some(Receipt { extra: Some(extra.clone()), index, path: proof.path, checkpoint }.to_string())
        })
        .collect()
}

impl Stages {
    /// What a statement costs on one thread, without waiting for the disk: the sum of the stages, in microseconds.
    pub fn total(&self) -> f64 {
        self.alone.iter().map(|(_, micros)| micros).sum()
    }
}

/// Where the sealer's threads spent their time: name, and wall time a batch.
pub fn a_batch(sealer: &SealerTimes) -> Vec<(&'static str, Duration)> {
    let batches = u32::try_from(sealer.batches.max(1)).unwrap_or(u32::MAX);
    sealer.stages().map(|(name, spent)| (name, spent / batches)).collect()
}
