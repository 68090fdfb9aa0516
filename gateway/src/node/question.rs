//! Where a publisher's chain ends: what an empty request asks.

use axum::http::StatusCode;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use gt_ledger::Ledger;
use serde_json::{Value, json};

use crate::problem::Problem;

/// What a subject below `gt.intake` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) agency: AgencyCode,
    pub(super) publisher: PublisherId,
}

impl Sender {
    /// Reads `gt.intake.<agency>.<publisher>`.
    pub(super) fn of_subject(subject: &str) -> Option<Self> {
        let (agency, publisher) = subject.strip_prefix("gt.intake.")?.split_once('.')?;
        Some(Self { agency: AgencyCode::parse(agency).ok()?, publisher: Hash::parse(publisher).ok()? })
    }
}

/// The ledger's description with the head of this publisher's chain.
pub(super) fn answer(ledger: &Ledger, sender: &Sender) -> Result<Value, Problem> {
    let registry = ledger.registry();
    if !is_known(&registry, sender) {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_publisher",
            "no publisher with this id is registered for this agency; `goldenthread register` does it",
        ));
    }
    let (keys, head) = (registry.ledger_keys(), ledger.head(&sender.publisher));
    Ok(json!({
        "origin": keys.origin,
        "genesis": registry.genesis().to_string(),
        "verifier_keys": keys.verifier_keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "registrar": registry.registrar_id().to_string(),
        "size": ledger.log().size().0,
        "publisher": sender.publisher.to_string(),
        "agency": sender.agency.as_str(),
        "next_seq": head.next_seq,
        "head": head.head.to_string(),
    }))
}

fn is_known(registry: &Registry, sender: &Sender) -> bool {
    if sender.publisher == registry.registrar_id() {
        return sender.agency == AgencyCode::registrar();
    }
    registry.publisher(&sender.publisher).is_some_and(|publisher| publisher.agency == sender.agency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_an_agency_and_a_publisher() {
        let id = Hash::of(b"publisher").to_string();
        let sender = Sender::of_subject(&format!("gt.intake.gss:E06000005.{id}")).expect("sound");
        assert_eq!((sender.agency.as_str(), sender.publisher.to_string()), ("gss:E06000005", id.clone()));
        for bad in ["", "gt.intake", "gt.intake.gss:E06000005", "gt.intake.council.x"] {
            assert_eq!(Sender::of_subject(bad), None, "{bad}");
        }
        assert_eq!(Sender::of_subject(&format!("gt.intake.gss:E06000005.{id}.x")), None);
    }
}
