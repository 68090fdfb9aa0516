use rayon::prelude::*;

use super::Depth;
use super::bundle::{AT_A_TIME, Bundle, Leaf};
use super::folder::DataFolder;
use super::inventory::BEYOND;
use super::report::{Fault, Report};
use super::source::Part;
use crate::layout::{self, BUNDLE};
use crate::vault::{VaultRecord, frame_len};

/// How faults name the vault record of an entry.
pub(super) fn place_of(position: u64) -> String {
    format!("{}, record of entry {position}", layout::vault(position / BUNDLE).display())
}

/// The records of a bundle's entries, decoded as far as they are sound.
pub(super) fn read(
    folder: &DataFolder,
    bundle: &Bundle,
    depth: Depth,
    report: &mut Report,
    faults: &mut Vec<Fault>,
) -> Vec<Option<VaultRecord>> {
    let part = match folder.vault(bundle.number) {
        Ok(part) => part,
        Err(error) => {
            report.source_error(&error);
            return bundle.leaves.iter().map(|_| None).collect();
        }
    };
    let framed = frames(folder, bundle, &part, faults);
    let leaves: Vec<_> = bundle.leaves.iter().enumerate().collect();
    let decode = |(at, leaf): (usize, &Leaf)| {
        framed.get(at).map(|record| match depth {
            Depth::Everything => VaultRecord::decode(record, &leaf.hash).map(|(record, _)| record),
            Depth::Signed => VaultRecord::decode_statement(record),
        })
    };
    let decoded: Vec<_> = leaves.into_par_iter().with_min_len(AT_A_TIME).map(decode).collect();
    let mut records = Vec::with_capacity(decoded.len());
    for (leaf, decoded) in bundle.leaves.iter().zip(decoded) {
        if let Some(Err(error)) = decoded {
            faults.push(Fault::new(place_of(leaf.position), "vault_record", error.to_string()));
        }
        records.push(decoded.and_then(Result::ok));
    }
    records
}

/// The records of a bundle's entries as they are framed, as far as they are.
fn frames<'p>(
    folder: &DataFolder,
    bundle: &Bundle,
    part: &'p Part,
    faults: &mut Vec<Fault>,
) -> Vec<&'p [u8]> {
    let mut framed = Vec::with_capacity(usize::from(bundle.width));
    let mut rest = part.bytes.as_slice();
    for position in (bundle.number * BUNDLE..).take(usize::from(bundle.width)) {
        match frame_len(rest) {
            Ok(len) => {
                let (record, behind) = rest.split_at(len);
                framed.push(record);
                rest = behind;
            }
            Err(error) => {
                let what = format!("{error}; where the records after it begin cannot be told");
                faults.push(Fault::new(place_of(position), "vault_frame", what));
                return framed;
            }
        }
    }
    // What a running ledger is adding to the growing file is not looked at.
    let growing = folder.is_running() && u64::from(bundle.width) < BUNDLE;
    if !rest.is_empty() && !growing {
        faults.push(Fault::new(&part.place, "beyond_checkpoint", format!("{} bytes {BEYOND}", rest.len())));
    }
    framed
}
