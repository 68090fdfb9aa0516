//! Checking a bundle: the steps of `docs/FORMATS.md` section 12, in their order, each in a module of its own.

mod chains;
mod checkpoint;
mod completeness;
mod finding;
mod known;
mod log;
mod manifest;
mod proven;
mod record;
mod registrar;
mod says;
mod shown;

use super::{About, Bundle};
use crate::checkpoint::Checkpoint;
use crate::policy::Policy;
use crate::verify::Pin;

pub use finding::{Finding, Verdict};
pub use log::{OpenLog, OpenLogError};
pub use shown::{Shown, ShownEntry, ShownPublisher, ShownStatement};

use finding::{Findings, Whom};

/// What a bundle is checked against. All of it is optional; what is missing may be found among the unknowns.
#[derive(Default)]
pub struct BundleInputs<'a> {
    /// What its holder knows of the ledger from outside.
    pub pin: Option<&'a Pin>,
    /// Which logs its holder accepts, and whose cosignatures under the checkpoint are asked for.
    pub policy: Option<&'a Policy>,
    /// A checkpoint that its holder trusts.
    pub known: Option<&'a Checkpoint>,
    /// The open log, anybody's mirror of it, from its first entry on.
    pub log: Option<&'a mut dyn OpenLog>,
}

/// What a bundle comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleVerdict {
    /// Not sound if there is a fault, else could not tell if there is an unknown, else sound.
    pub verdict: Verdict,
    /// What is wrong, in the order of the steps.
    pub faults: Vec<Finding>,
    /// What could not be told, in the order of the steps.
    pub unknowns: Vec<Finding>,
    /// What a reader should be told besides. Where there are faults, it is only what the bundle says.
    pub shown: Shown,
}

/// Checks a bundle against what its holder has.
///
/// The log, if it is given, is read once and in order; of it no more is held than the names of the subjects' links and one hash for
/// each level of the tree.
pub fn verify_bundle(bytes: &[u8], inputs: BundleInputs<'_>) -> BundleVerdict {
    let mut findings = Findings::default();
    let mut shown = Shown::default();
    // `None` says that a fault ended the check early; what was found until then is the verdict.
    let _: Option<()> = check(bytes, inputs, &mut findings, &mut shown);
    let (faults, unknowns) = findings.into_parts();
    let verdict = match (faults.is_empty(), unknowns.is_empty()) {
        (false, _) => Verdict::NotSound,
        (true, false) => Verdict::CouldNotTell,
        (true, true) => Verdict::Sound,
    };
    BundleVerdict { verdict, faults, unknowns, shown }
}

fn check(bytes: &[u8], inputs: BundleInputs<'_>, findings: &mut Findings, shown: &mut Shown) -> Option<()> {
    let BundleInputs { pin, policy, known, log } = inputs;
    let bundle = match Bundle::parse(bytes) {
        Ok(bundle) => bundle,
        Err(error) => {
            findings.fault(error.code(), error.place(), Whom::Form(&error));
            return None;
        }
    };
    shown.take_manifest(&bundle.manifest);
    let signed = checkpoint::read(&bundle.checkpoint, findings)?;
    let head = signed.checkpoint();
    shown.take_checkpoint(head);
    shown.signed_by = checkpoint::check_pin(&signed, pin, findings);
    shown.witnesses = checkpoint::check_policy(&signed, policy, findings);

    let chain = registrar::check(&bundle.registrar, head, pin, findings)?;
    if pin.is_none() {
        shown.signed_by = checkpoint::check_named_keys(&signed, &chain, findings);
    }
    let tip = record::check_tip(&bundle.tip, head, &chain, findings);
    let subjects = match &bundle.manifest.about {
        About::Child { subjects } => subjects.as_slice(),
        _ => &[],
    };
    let records = record::check_all(&bundle.records, head, &chain, subjects, findings);
    shown.take_records(&bundle.records, &records, &chain);
    chains::check_publishers(&records, chain.genesis(), findings);
    chains::check_entries(&chain, &records, tip.as_ref(), findings);
    let openings = manifest::check(&bundle, &records, &chain, findings);
    completeness::check(subjects, openings, &records, findings);

    let mut walk = log::Walk::new(head, known, &chain, openings);
    let seen = log.map(|log| walk.run(log));
    known::check(&bundle.consistency, head, known, &walk, findings);
    let is_about_child = matches!(bundle.manifest.about, About::Child { .. });
    log::report(seen, &walk, is_about_child, findings);
    Some(())
}
