//! The journal: an append-only file of lines, each `<checksum> <JSON array of records>`.
//!
//! A line is one append and one `fdatasync`, so after a crash at most the last line is torn; opening cuts it off. The
//! checksum is SHA-256 over the checksum before and the line's records, so a line that was changed, dropped or moved
//! behind its successors' backs is found as well. Nothing is ever changed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use gt_core::hash::Hash;

use super::record::Record;

/// The longest line that is written or read, in bytes: 64 statements of the greatest size, several times over.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// A checksum's text and the space behind it.
const PREFIX_BYTES: usize = 44;

/// Where a line stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u64,
    len: u64,
}

/// Why the journal cannot be read or written. None of them holds anything of what the journal says.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("another process uses this outbox, and so this key; one key has one outbox and one process")]
    InUse,
    /// A line that is not the last one is damaged.
    #[error(
        "line {line} of the outbox journal is damaged; restore the outbox from no backup, but ask for help"
    )]
    Damaged {
        /// Which line, from 1.
        line: u64,
    },
    /// The journal was begun, and has not even its first line.
    #[error(
        "{} is empty or cut off in its first line, though this outbox was in use: put the newest copy of the outbox back; if \
         there is none, move the folder away, and the ledger will tell whether this key can still go on", .journal.display()
    )]
    Lost {
        /// The journal's file.
        journal: PathBuf,
    },
    /// A line is too long to be written.
    #[error("too much at once for one line of the journal")]
    TooLong,
    /// The file system refused.
    #[error("the outbox journal cannot be read or written")]
    Io(#[from] io::Error),
    /// An earlier write failed, so what the disk holds is not known.
    #[error("an earlier write to the outbox journal failed; free the disk and start again")]
    Broken,
}

pub(super) struct Journal {
    file: File,
    end: u64,
    checksum: Hash,
    broken: bool,
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Closing the file would do, but for a child process: between its making and its own program it shares the lock.
        let _ = self.file.unlock();
    }
}

impl Journal {
    /// Opens or creates the journal under an exclusive lock, and hands every line's records to `replay`, in order. If it
    /// `is_begun`, one without a sound line is refused, and left as it is.
    pub(super) fn open(
        path: &Path,
        is_begun: bool,
        mut replay: impl FnMut(Span, Vec<Record>),
    ) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        // Not for appending alone, since the last line is written again in its place.
        options.read(true).write(true).create(true).truncate(false);
        set_private(&mut options);
        let file = options.open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse,
            TryLockError::Error(error) => JournalError::Io(error),
        })?;
        let mut journal = Self { file, end: 0, checksum: Hash::of(b"gt/outbox/1"), broken: false };
        let last = journal.replay_all(&mut replay)?;
        if is_begun && journal.end == 0 {
            return Err(JournalError::Lost { journal: path.to_owned() });
        }
        // Whatever stands behind the last sound line was never synced, so nothing of it was sent.
        journal.file.set_len(journal.end)?;
        journal.write_again(last)?;
        journal.file.sync_all()?;
        Ok(journal)
    }

    /// Returns where the last sound line stands.
    fn replay_all(&mut self, replay: &mut impl FnMut(Span, Vec<Record>)) -> Result<Span, JournalError> {
        let mut last = Span { start: 0, len: 0 };
        let mut reader = BufReader::with_capacity(1 << 16, self.file.try_clone()?);
        reader.seek(SeekFrom::Start(0))?;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let len = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? as u64;
            if len == 0 {
                break;
            }
            let Some((checksum, records)) = read_line(&line, &self.checksum) else {
                let is_last = reader.fill_buf()?.is_empty();
                return if is_last { Ok(last) } else { Err(JournalError::Damaged { line: number }) };
            };
            last = Span { start: self.end, len };
            replay(last, records);
            self.end += len;
            self.checksum = checksum;
        }
        Ok(last)
    }

    /// Writes a line once more, in its place. If its own sync failed, it may be in memory alone, and another sync would say nothing of that:
    /// the failure was told once. Lines before the last were followed by others, and so their syncs had not failed.
    fn write_again(&mut self, line: Span) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(line.start))?;
        (&self.file).take(line.len).read_to_end(&mut bytes)?;
        self.file.seek(SeekFrom::Start(line.start))?;
        self.file.write_all(&bytes)?;
        Ok(())
    }

    /// Appends the records as one line and waits until they are durable.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<Span, JournalError> {
        if self.broken {
            return Err(JournalError::Broken);
        }
        let json = serde_json::to_vec(records).expect("records have string keys only");
        let checksum = Hash::of_parts(&[self.checksum.as_bytes(), &json]);
        let line = [checksum.to_string().as_bytes(), b" ", &json, b"\n"].concat();
        let len = line.len() as u64;
        if len > MAX_LINE_BYTES {
            return Err(JournalError::TooLong);
        }
        // After a failed write or sync the kernel may show bytes that the disk does not have: only a restart tells.
        self.broken = true;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.broken = false;
        let span = Span { start: self.end, len };
        self.end += len;
        self.checksum = checksum;
        Ok(span)
    }

    /// Reads the records of a line again.
    pub(super) fn read(&mut self, span: Span) -> Result<Vec<Record>, JournalError> {
        let mut line = Vec::new();
        self.file.seek(SeekFrom::Start(span.start))?;
        (&self.file).take(span.len).read_to_end(&mut line)?;
        let json = line.get(PREFIX_BYTES..).unwrap_or_default();
        serde_json::from_slice(json).map_err(|error| JournalError::Io(error.into()))
    }
}

fn read_line(line: &[u8], before: &Hash) -> Option<(Hash, Vec<Record>)> {
    let line = line.strip_suffix(b"\n")?;
    let (prefix, json) = line.split_at_checked(PREFIX_BYTES)?;
    let stated = Hash::parse(str::from_utf8(prefix).ok()?.strip_suffix(' ')?).ok()?;
    let checksum = Hash::of_parts(&[before.as_bytes(), json]);
    if stated != checksum {
        return None;
    }
    Some((checksum, serde_json::from_slice(json).ok()?))
}

#[cfg(unix)]
fn set_private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn set_private(_: &mut OpenOptions) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn refused(order: u64) -> Record {
        Record::Refused { order, problem: format!("{{\"order\":{order}}}") }
    }

    fn replayed(path: &Path) -> Result<(Journal, Vec<u64>), JournalError> {
        let mut orders = Vec::new();
        let journal = Journal::open(path, false, |_, records| {
            orders.extend(records.iter().map(|record| match record {
                Record::Refused { order, .. } => *order,
                _ => panic!("only refusals were written"),
            }));
        })?;
        Ok((journal, orders))
    }

    #[test]
    fn every_torn_tail_is_cut_and_writing_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = replayed(&path).unwrap();
        journal.append(&[refused(0), refused(1)]).unwrap();
        let last = journal.append(&[refused(2), refused(3)]).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let start = usize::try_from(last.start).unwrap();
        for cut in start..whole.len() {
            for tail in [&b""[..], &[0; 20]] {
                fs::write(&path, [&whole[..cut], tail].concat()).unwrap();
                let (mut journal, orders) = replayed(&path).unwrap();
                assert_eq!(orders, [0, 1], "cut at {cut}");
                journal.append(&[refused(9)]).unwrap();
                drop(journal);
                assert_eq!(replayed(&path).unwrap().1, [0, 1, 9], "cut at {cut}");
            }
        }
    }

    /// The last line is written again meanwhile: in its place, and over nothing else.
    #[test]
    fn opening_changes_no_byte_of_sound_lines_and_writing_goes_on_behind_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = replayed(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"", "an empty one stays empty");
        let first = journal.append(&[refused(0)]).unwrap();
        for order in 1..4 {
            drop(journal);
            let whole = fs::read(&path).unwrap();
            let (again, orders) = replayed(&path).unwrap();
            journal = again;
            assert_eq!(orders, (0..order).collect::<Vec<_>>());
            assert_eq!(fs::read(&path).unwrap(), whole);
            // Where in the file was read last does not matter.
            assert_eq!(journal.read(first).unwrap().len(), 1);
            journal.append(&[refused(order)]).unwrap();
            assert!(fs::read(&path).unwrap().starts_with(&whole));
        }
        drop(journal);
        assert_eq!(replayed(&path).unwrap().1, [0, 1, 2, 3]);
    }

    #[test]
    fn damage_before_the_end_is_no_torn_tail() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = replayed(&path).unwrap();
        let first = journal.append(&[refused(0)]).unwrap();
        journal.append(&[refused(1)]).unwrap();
        journal.append(&[refused(2)]).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let second = usize::try_from(first.len).unwrap();
        for at in [0, 50, second + 3, second + 60] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(replayed(&path), Err(JournalError::Damaged { .. })), "byte {at}");
        }
        fs::write(&path, &whole[second..]).unwrap();
        assert!(matches!(replayed(&path), Err(JournalError::Damaged { line: 1 })), "a line was dropped");
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (journal, _) = replayed(&path).unwrap();
        assert!(matches!(replayed(&path), Err(JournalError::InUse)));
        drop(journal);
        assert!(replayed(&path).is_ok());
    }
}
