use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_core::bundle::{
    BundleInputs, BundleVerdict, Finding, OpenLog, Shown, ShownEntry, ShownPublisher, Verdict, verify_bundle,
};
use gt_core::checkpoint::Checkpoint;
use gt_core::policy::Policy;
use gt_core::verify::Pin;
use serde_json::{Value, json};

use super::super::Outcome;
use super::super::output::Output;
use super::open_log::Entries;
use super::{sentences, status};

/// What a bundle is checked against.
pub(super) struct Against<'a> {
    pub(super) pin: Option<&'a Pin>,
    pub(super) policy: Option<&'a Policy>,
    pub(super) known: Option<&'a Checkpoint>,
    pub(super) log: Option<&'a str>,
}

/// Checks a bundle.
pub(super) fn check(file: &Path, bytes: &[u8], against: &Against<'_>, output: &Output) -> Outcome {
    let mut log = against.log.map(Entries::open).transpose()?;
    let verdict = verify_bundle(
        bytes,
        BundleInputs {
            pin: against.pin,
            policy: against.policy,
            known: against.known,
            log: log.as_mut().map(|log| log as &mut dyn OpenLog),
        },
    );
    output.say(&to_json(&verdict), || sentences::of(file, &verdict, against.pin, log.as_ref()));
    Ok(status(verdict.verdict))
}

fn to_json(verdict: &BundleVerdict) -> Value {
    let findings = |findings: &[Finding]| -> Vec<Value> {
        let each = findings.iter();
        each.map(|finding| json!({"code": finding.code, "place": finding.place, "says": finding.says}))
            .collect()
    };
    json!({
        "verdict": verdict.verdict.as_str(),
        "faults": findings(&verdict.faults),
        "unknowns": findings(&verdict.unknowns),
        "shown": shown(&verdict.shown, verdict.verdict),
    })
}

fn shown(shown: &Shown, verdict: Verdict) -> Value {
    let signed_by: Vec<Value> = shown
        .signed_by
        .iter()
        .map(|key| json!({"key": key.to_string(), "type": key.signature_type().to_string()}))
        .collect();
    json!({
        "believed": verdict == Verdict::Sound,
        "about": shown.about.as_ref().map(sentences::about),
        "made_at": shown.made_at.map(|time| time.to_string()),
        "origin": shown.origin,
        "size": shown.size.map(|size| size.0),
        "root": shown.root.map(|root| root.to_string()),
        "signed_by": signed_by,
        "witnesses": shown.witnesses,
        "registrar_statements": shown.registrar_statements,
        "entries": shown.entries.iter().map(entry).collect::<Vec<_>>(),
        "publishers": shown.publishers.iter().map(publisher).collect::<Vec<_>>(),
    })
}

fn entry(entry: &ShownEntry) -> Value {
    let (index, received_at) = (entry.index.0, entry.received_at.to_string());
    match &entry.content {
        Err(why) => {
            json!({"record": entry.record, "index": index, "received_at": received_at, "absent": why.as_str()})
        }
        Ok(statement) => json!({
            "record": entry.record,
            "index": index,
            "received_at": received_at,
            "agency": statement.agency.as_str(),
            "on_behalf_of": statement.on_behalf_of.as_ref().map(AgencyCode::as_str),
            "publisher": statement.publisher.to_string(),
            "type": statement.event_type.as_str(),
            "version": statement.version,
            "disclosed": statement.disclosed,
            "kept": statement.kept,
            "withheld": statement.withheld,
            "ended": statement.ended,
            "suspect": statement.suspect,
        }),
    }
}

fn publisher(publisher: &ShownPublisher) -> Value {
    let revoked = publisher.revoked.map(|(index, suspect_from)| {
        json!({"index": index.0, "suspect_from": suspect_from.map(|time| time.to_string())})
    });
    json!({
        "id": publisher.id.to_string(),
        "agency": publisher.agency.as_str(),
        "name": publisher.name,
        "revoked": revoked,
        "recovered": publisher.recovered.iter().map(|index| index.0).collect::<Vec<_>>(),
    })
}
