//! Verifying a whole data folder, beside the signatures alone.
//!
//! A generated history (`tests/history`) is signed and sealed into a real data folder. Then, in turn: `verify_strict` of all its
//! signatures, on all cores, with the signed bytes in memory and nothing else to do; and `verify_statements` of the folder, from its
//! files, in a process of its own, so that the memory that it tells of is that of a verifier.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use gt_core::key::PublicKey;
use gt_core::statement::Statement;
use gt_ledger::audit::{self, Verdict};
use gt_ledger::secrets::{PinFile, Secrets, file};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::throughput::{Rates, as_f64};
use super::views::rebuilding::{DATA, SECRETS};
use super::views::{history, making};
use super::{BenchError, Within, processor, said};

/// What to measure.
#[derive(Debug, Clone)]
pub struct VerifyPlan {
    /// How many events the history has.
    pub events: u32,
    /// How often signatures and folder are verified, in turn.
    pub rounds: u32,
    /// Where the temporary data folder is made.
    pub within: Within,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct VerifyReport {
    /// How many cores this process may use.
    pub cores: usize,
    /// How many entries the log has, registrations included.
    pub entries: u64,
    /// How many agencies signed.
    pub signers: usize,
    /// The mean length of an `H.P.S`, in bytes.
    pub statement: usize,
    /// Entries a second that were signed and sealed while the history was made.
    pub sealed_per_second: f64,
    /// Signatures a second, alone.
    pub signatures: Rates,
    /// Entries a second, the folder whole.
    pub folder: Rates,
    /// Of each round, the second in terms of the first.
    pub ratio: Rates,
    /// Processor time in microseconds, of a signature alone and of an entry, where the system tells. Other processes on the machine
    /// take cores away, but no processor time.
    pub processor: Option<(f64, f64)>,
    /// The most memory that a verifier had resident, in MiB, where the system tells.
    pub resident_mib: Option<f64>,
}

/// What the second process measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified {
    /// How many entries it verified.
    pub entries: u64,
    /// How long it took, from the keyring to the verdict.
    pub seconds: f64,
    /// Its processor time, in seconds, where the system tells.
    pub processor_seconds: Option<f64>,
    /// The most memory that it had resident, in MiB, where the system tells.
    pub resident_mib: Option<f64>,
}

/// A signature and what it is over.
struct Signed {
    key: PublicKey,
    message: Box<str>,
    signature: [u8; 64],
}

/// Makes the history and measures. The temporary folder is removed at the end, also after an error, unless it is kept.
pub fn run(plan: &VerifyPlan, program: &Path) -> Result<VerifyReport, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    let folder = plan.within.make("goldenthread-bench.")?;
    let outline = gt_history::outline(&history(plan.events));
    let mut signed = Vec::new();
    let made =
        making::make(folder.path(), &outline, |key, statement| signed.push(Signed::of(key, statement)))?;
    tracing::info!(entries = made.entries, "the history is sealed; verifying it");
    let (mut signatures, mut folders) = (Vec::new(), Vec::new());
    let mut spent = (Some(Duration::ZERO), Some(0.0));
    let mut resident: Option<f64> = None;
    // The first of each finds caches cold.
    verify_alone(&signed)?;
    verify_in_a_process(folder.path(), program)?;
    for round in 1..=plan.rounds.max(1) {
        let (before, started) = (processor::of_this_process(), Instant::now());
        verify_alone(&signed)?;
        signatures.push(as_f64(signed.len()) / started.elapsed().as_secs_f64());
        let processor =
            processor::of_this_process().zip(before).map(|(after, before)| after.saturating_sub(before));
        let verified = verify_in_a_process(folder.path(), program)?;
        folders.push(as_f64(usize::try_from(verified.entries).unwrap_or(usize::MAX)) / verified.seconds);
        spent.0 = spent.0.zip(processor).map(|(sum, one)| sum + one);
        spent.1 = spent.1.zip(verified.processor_seconds).map(|(sum, one)| sum + one);
        resident = resident.into_iter().chain(verified.resident_mib).reduce(f64::max);
        let (signatures, folder) = (signatures.last().copied(), folders.last().copied());
        tracing::info!(round, ?signatures, ?folder, "a second");
    }
    let checked = f64::from(plan.rounds.max(1)) * as_f64(signed.len());
    let microseconds = |seconds: f64| seconds * 1e6 / checked;
    let bytes: usize = signed.iter().map(|signed| signed.message.len() + 1 + 86).sum();
    let ratios = folders.iter().zip(&signatures).map(|(folder, alone)| folder / alone).collect();
    Ok(VerifyReport {
        cores,
        entries: made.entries,
        signers: outline.agencies().len(),
        statement: bytes / signed.len().max(1),
        sealed_per_second: made.per_second,
        signatures: Rates::of(signatures),
        folder: Rates::of(folders),
        ratio: Rates::of(ratios),
        processor: spent.0.map(|alone| microseconds(alone.as_secs_f64())).zip(spent.1.map(microseconds)),
        resident_mib: resident,
    })
}

/// Verifies the folder that [`run`] made: what the second process does.
pub fn measure(folder: &Path) -> Result<Verified, BenchError> {
    let secrets_folder = folder.join(SECRETS);
    let pin = audit::read_pin(&PinFile::load(&secrets_folder.join(file::PIN))?);
    let secrets = Secrets::load(&secrets_folder)?;
    let (before, started) = (processor::of_this_process(), Instant::now());
    let report = audit::verify_statements(&folder.join(DATA), &secrets, pin.as_ref(), &|_, _| ());
    let seconds = started.elapsed().as_secs_f64();
    let processor =
        processor::of_this_process().zip(before).map(|(after, before)| after.saturating_sub(before));
    if report.verdict() != Verdict::Sound || report.counts.statements_read != report.counts.entries {
        return Err(BenchError::NotSound(format!("{:?}, {:?}", report.faults, report.counts)));
    }
    Ok(Verified {
        entries: report.counts.entries,
        seconds,
        processor_seconds: processor.map(|spent| spent.as_secs_f64()),
        resident_mib: processor::most_resident(),
    })
}

fn verify_in_a_process(folder: &Path, program: &Path) -> Result<Verified, BenchError> {
    let output = Command::new(program).args(["--json", "bench", "--verify-folder"]).arg(folder).output()?;
    said(&output, output.status.success())
}

/// Checks the signatures, and nothing else, with all cores.
fn verify_alone(signed: &[Signed]) -> Result<(), BenchError> {
    let sound = signed
        .par_iter()
        .all(|signed| signed.key.verify(signed.message.as_bytes(), &signed.signature).is_ok());
    if sound { Ok(()) } else { Err(BenchError::NotSound("a signature does not verify".to_owned())) }
}

impl Signed {
    fn of(key: &PublicKey, statement: &Statement) -> Self {
        let (message, signature) = statement.signed();
        Self { key: key.clone(), message: message.into(), signature: *signature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_folder_is_verified_and_an_altered_signature_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let outline = gt_history::outline(&history(1_000));
        let mut signed = Vec::new();
        let made =
            making::make(folder.path(), &outline, |key, statement| signed.push(Signed::of(key, statement)))
                .unwrap();
        let verified = measure(folder.path()).unwrap();
        assert_eq!(verified.entries, made.entries);
        assert_eq!(signed.len(), outline.len());
        verify_alone(&signed).unwrap();
        signed[7].signature[3] ^= 1;
        assert!(matches!(verify_alone(&signed), Err(BenchError::NotSound(_))));
        std::fs::remove_file(folder.path().join(DATA).join("vault/000")).unwrap();
        assert!(matches!(measure(folder.path()), Err(BenchError::NotSound(_))));
    }
}
