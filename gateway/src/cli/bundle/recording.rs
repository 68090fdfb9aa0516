//! The record of a bundle that is made out of the folder: sealed before anybody has the bundle, or there is none.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use gt_core::bundle::{About, Bundle, BundleRecord};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::layout;
use gt_ledger::secrets::{Secrets, SecretsAt, file};
use serde_json::Value;

use crate::access::recorder::{ReadingAtRest, Recorder};
use crate::cli::Failure;
use crate::cli::opening::does_not_open;
use crate::cli::serve::runtime;
use crate::cli::witness::{SERVE_IT, need_no_witness};
use crate::control::{self, Recording, Request};

/// What is to be sealed of this bundle, which is about this child alone if it is; nothing if no statement of it can be read.
pub(super) fn reading(
    bundle: &Bundle,
    only_child: Option<&str>,
    reader: Option<&str>,
    purpose: &str,
) -> Option<ReadingAtRest> {
    let is_read = bundle.records.iter().any(|record| matches!(record, BundleRecord::Stated(_)));
    let child = match &bundle.manifest.about {
        About::Child { subjects } => subjects.first().map(|subject| subject.as_str().to_owned()),
        _ => only_child.map(ToOwned::to_owned),
    };
    is_read.then(|| ReadingAtRest {
        reader: reader.map_or_else(operator, ToOwned::to_owned),
        purpose: purpose.to_owned(),
        child,
        records: bundle.records.len(),
    })
}

/// Seals it: by the ledger that runs on the folder, or by opening the folder, whose lock then keeps everybody else out. The entry.
pub(super) fn seal(data: &Path, at: &SecretsAt, reading: &ReadingAtRest) -> Result<u64, Failure> {
    let sealed = match control::ask(data, &Request::RecordReading(reading.clone()))? {
        Some(answer) => answer?,
        None => seal_here(data, at, reading)?,
    };
    let index = sealed.get("index").and_then(Value::as_u64);
    index.ok_or_else(|| {
        Failure::new("the running ledger does not say where the reading is sealed, so there is no bundle")
    })
}

fn seal_here(data: &Path, at: &SecretsAt, reading: &ReadingAtRest) -> Result<Value, Failure> {
    if data.join(layout::position()).exists() {
        return Err(Failure::new(
            "this folder follows a NATS stream, which alone seals that it is read; serve the node and ask again, or ask with --url",
        ));
    }
    let service = at.keys.read_ed25519_if_there(&at.folder.join(file::SERVICE))?.ok_or_else(|| {
        Failure::new(
            "the ledger's own key, service.jwk, is not among the secrets: that this is read cannot be sealed, so there is no bundle",
        )
    })?;
    need_no_witness(data, SERVE_IT)?;
    let secrets = Secrets::load_at(at)?;
    let ledger = Ledger::open(data, &secrets, Box::new(SystemClock::default()), None)
        .map_err(|error| does_not_open(data, &at.folder, &error))?;
    let ledger = Arc::new(ledger);
    let runtime = runtime()?;
    let recorder = {
        let _within = runtime.enter();
        Recorder::start(Arc::clone(&ledger), None, Some(service))
    };
    let sealed = Recording { recorder, runtime: runtime.handle().clone() }.seal(reading);
    ledger.close();
    Ok(sealed?)
}

/// Whoever runs the program, as the operating system knows them.
fn operator() -> String {
    let account = std::fs::metadata("/proc/self").map(|process| process.uid());
    account.map_or_else(
        |_| "the folder's operator".to_owned(),
        |uid| format!("account {uid} of the ledger's machine"),
    )
}
