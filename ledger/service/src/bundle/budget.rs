//! How long a bundle's text will be, so that one that would be too long is noticed before it is put together.

use gt_core::bundle::{BundleRecord, MAX_BUNDLE_BYTES, StatedRecord, SubjectLinks};

/// What is left of the limit. Lengths are counted so that the text is never longer, and hardly shorter.
pub(super) struct Budget {
    left: usize,
}

/// The bundle's limit would be exceeded.
pub(super) struct Exceeded;

/// The characters of a hash.
const HASH_TEXT: usize = 43;

/// The names and brackets of the format's own members.
const FRAME: usize = 512;
/// Those of a record, and its index in the manifest.
const RECORD: usize = 80 + NUMBER;
/// Those of a digest that is left out.
const LEFT_OUT: usize = 64 + HASH_TEXT;
/// Those of an opening, with its name and blinding.
const OPENING: usize = 64 + 22 + HASH_TEXT + 2 * NUMBER;
/// A number and the comma after it.
const NUMBER: usize = 17;

impl Budget {
    pub(super) const fn new() -> Self {
        Self { left: MAX_BUNDLE_BYTES - FRAME }
    }

    /// Takes texts that stand in the bundle.
    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) -> Result<(), Exceeded> {
        self.take(texts.into_iter().map(|text| text_len(text)).sum())
    }

    pub(super) fn links(&mut self, links: &SubjectLinks) -> Result<(), Exceeded> {
        // The subject stands in the manifest too.
        self.take(RECORD + 2 * text_len(links.subject.as_str()) + OPENING * links.links.len())
    }

    pub(super) fn record(&mut self, record: &BundleRecord) -> Result<(), Exceeded> {
        match record {
            BundleRecord::Stated(record) => self.stated(record),
            BundleRecord::Absent { proof, .. } => self.take(RECORD + text_len(proof)),
        }
    }

    pub(super) fn stated(&mut self, record: &StatedRecord) -> Result<(), Exceeded> {
        let texts: usize = record.disclosures.iter().map(|text| text_len(text)).sum();
        let own = RECORD + text_len(&record.proof) + text_len(&record.statement);
        self.take(own + texts + LEFT_OUT * record.left_out.len())
    }

    fn take(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.left = self.left.checked_sub(bytes).ok_or(Exceeded)?;
        Ok(())
    }

    #[cfg(test)]
    pub(super) const fn used(&self) -> usize {
        MAX_BUNDLE_BYTES - self.left
    }
}

/// The length of a text as a JSON string, with its quotes and the comma after it. Notes, proofs and statements hold no characters
/// that need longer escapes than two bytes.
fn text_len(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'\n' | b'"' | b'\\')).count();
    text.len() + escaped + 3
}
