//! What the disk takes of a receipt, measured with nobody who checks, signs or answers: a batch's files written and synced as the sealer
//! does it, as often a second as it did.
//!
//! Each batch is due at a fixed time from the start, as requests are, and its latency counts from there. Those that became due while the
//! disk held one up are written and synced together, as the sealer does with statements that came meanwhile. So a p99 of receipts at the
//! same rate is hardly below the one that is found here.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gt_ledger::disk::Disk;

use super::BenchError;
use super::latency::Latency;
use super::throughput::as_f64;
use super::views::rebuilding::size_of;

/// How often the sealer waited for the disk, and what it wrote each time.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Batches that were sealed.
    pub batches: u64,
    /// In how long.
    pub took: Duration,
    /// Bytes of entries, of vault records, and of the checkpoint: of one batch.
    pub written: [usize; 3],
}

impl Waits {
    /// Of so many batches, which are most of what is in this data folder.
    pub(super) fn of(data: &Path, batches: u64, took: Duration) -> Result<Self, BenchError> {
        let each = as_f64(usize::try_from(batches.max(1)).unwrap_or(usize::MAX));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some kilobytes")]
        let of_one = |folders: f64| (folders / each) as usize;
        // There is no full one yet in a small log.
        let size = |folder: &str| {
            let folder = data.join(folder);
            if folder.exists() { size_of(&folder) } else { Ok(0.0) }
        };
        let entries = of_one(size("open/entries")? + size("tile/entries")?);
        let checkpoint = std::fs::read(data.join("checkpoint"))?.len();
        Ok(Self { batches, took, written: [entries, of_one(size("vault")?), checkpoint] })
    }

    /// Has the disk do the same in this folder, which is empty.
    pub(super) fn again(&self, folder: &Path) -> io::Result<Latency> {
        let batches = u32::try_from(self.batches).map_err(io::Error::other)?;
        let (mut disk, mut latencies) = (Disk::new(folder, None), Vec::new());
        let (appended, checkpoint) = ([PathBuf::from("entries"), "vault".into()], Path::new("checkpoint"));
        let between = self.took / batches.max(1);
        let start = Instant::now();
        let due = |number: u32| start + between * number;
        let mut number = 0;
        while number < batches {
            std::thread::sleep(due(number).saturating_duration_since(Instant::now()));
            let first = number;
            while number < batches && (number == first || due(number) <= Instant::now()) {
                // Not the same bytes each time, which a disk might know.
                for (path, bytes) in appended.iter().zip(self.written) {
                    disk.append(path, &vec![number.to_le_bytes()[0]; bytes])?;
                }
                number += 1;
            }
            let of_last = vec![number.to_le_bytes()[0]; self.written[2]];
            let beside = disk.write_beside(checkpoint, &of_last)?;
            disk.sync_together(&[appended[0].clone(), appended[1].clone(), beside], &[])?;
            latencies.extend((first..number).map(|number| due(number).elapsed()));
            // What the next ones wait for.
            disk.exchange_into_place(checkpoint)?;
            disk.sync_folder(Path::new(""))?;
        }
        let a_second = u128::from(batches) * 1000 / self.took.as_millis().max(1);
        Ok(Latency::of(u32::try_from(a_second).unwrap_or(u32::MAX), latencies, start.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_writes_what_the_sealer_wrote_as_often() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        for (path, bytes) in
            [("open/entries/001", 300), ("tile/entries/000", 700), ("vault/000", 5000), ("checkpoint", 90)]
        {
            std::fs::create_dir_all(data.join(path).parent().unwrap()).unwrap();
            std::fs::write(data.join(path), vec![0; bytes]).unwrap();
        }
        let waits = Waits::of(&data, 10, Duration::from_millis(200)).unwrap();
        assert_eq!(waits.written, [100, 500, 90]);
        let alone = folder.path().join("alone");
        std::fs::create_dir(&alone).unwrap();
        let latency = waits.again(&alone).unwrap();
        assert_eq!((latency.rate, latency.requests), (50, 10));
        assert!(latency.p50 > 0.0 && latency.p50 <= latency.max, "{latency:?}");
        let size = |file: &str| std::fs::metadata(alone.join(file)).unwrap().len();
        assert_eq!([size("entries"), size("vault"), size("checkpoint")], [1000, 5000, 90]);
    }
}
