use std::io::{self, BufRead as _, BufReader, Read};

use serde::de::IgnoredAny;
use serde_json::StreamDeserializer;

use crate::draft::MAX_DRAFT_BYTES;

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 16;

/// The lines of the input, each read up to a bound.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    /// The number of the last line that was read, from 1.
    pub(super) line: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, input), line: 0 }
    }

    /// Whether the input begins with a value that goes on over several lines, and if so, what is written that way. Judged by
    /// what the first read brings, so that nobody waits for more than a first line.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub(super) fn begins_over_several(&mut self) -> io::Result<Option<OverSeveral>> {
        while let Err(error) = self.reader.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        let begin = self.reader.buffer().trim_ascii_start();
        let Some(end) = begin.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let (first, rest) = begin.split_at(end);
        let second = rest.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
        // A line that is damaged may be followed by others, each of which is a value of its own.
        let goes_on = is_cut_off(first) && !second.is_empty() && !is_value(second);
        let goes_on = goes_on && (is_cut_off(begin) || begins_with_value(begin));
        let kind = if begin.starts_with(b"[") { OverSeveral::List } else { OverSeveral::Values };
        Ok(goes_on.then_some(kind))
    }

    pub(super) fn has_more_at_hand(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    /// The next line that is not blank, with its number; no text if it is too long, in which case it is skipped.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(u64, Option<Vec<u8>>)>> {
        loop {
            let mut text = Vec::new();
            let bound = MAX_DRAFT_BYTES as u64 + 1;
            if self.reader.by_ref().take(bound).read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if !text.ends_with(b"\n") && text.len() as u64 == bound {
                self.reader.skip_until(b'\n')?;
                return Ok(Some((self.line, None)));
            }
            if !text.trim_ascii().is_empty() {
                return Ok(Some((self.line, Some(text))));
            }
        }
    }
}

/// What is written over several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverSeveral {
    /// One value, or one after the other.
    Values,
    /// A list.
    List,
}

/// Whether this is the beginning of a JSON value, and not all of it.
fn is_cut_off(text: &[u8]) -> bool {
    first_value(text).is_some_and(|read| read.is_err_and(|error| error.is_eof()))
}

fn is_value(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn begins_with_value(text: &[u8]) -> bool {
    first_value(text).is_some_and(|read| read.is_ok())
}

fn first_value(text: &[u8]) -> Option<Result<IgnoredAny, serde_json::Error>> {
    StreamDeserializer::new(serde_json::de::SliceRead::new(text)).next()
}
