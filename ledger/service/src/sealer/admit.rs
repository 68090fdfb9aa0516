use gt_core::LeafIndex;
use gt_core::chain::Place;
use gt_core::key::Thumbprint;
use gt_core::registry::{Registry, RegistryError};
use gt_core::statement::{Payload, Statement};
use gt_core::time::Timestamp;

use super::Checked;
use crate::refusal::{ChainHead, Refusal};
use crate::state::State;

/// How far ahead of the ledger's clock `iat` may be, in seconds (DESIGN section 2).
pub(crate) const MAX_AHEAD: i64 = 300;

/// What is to be done with a statement.
pub(super) enum Admission {
    /// It is the next of its publisher's chain.
    Next,
    /// That `seq` is sealed at this index: a duplicate, if it is the same statement.
    Taken(LeafIndex),
}

/// Finds the key with which the statement must verify, and verifies it.
pub(crate) fn check_signer<V>(registry: &Registry, statement: &Statement<V>) -> Result<Thumbprint, Refusal> {
    let key = registry.signer(statement)?;
    statement.verify(key)?;
    Ok(key.thumbprint())
}

/// Decides on a statement, in its turn. Pure but for the state that it is given.
pub(super) fn admit(state: &mut State, checked: &Checked, now: Timestamp) -> Result<Admission, Refusal> {
    let statement = &checked.ticket.prepared.statement;
    let payload = statement.payload();
    // A duplicate is answered however late it comes: even after its key was rotated or its publisher revoked.
    if state.chains.contains_key(&payload.publisher)
        && let Place::Taken(index) = place(state, payload)?
    {
        return Ok(Admission::Taken(index));
    }
    check_signer_now(&state.registry, checked)?;
    let origin = &state.registry.ledger_keys().origin;
    if payload.aud != *origin {
        return Err(Refusal::WrongAudience { origin: origin.clone() });
    }
    let chain = state.chain(&payload.publisher);
    let head = ChainHead { next_seq: chain.next_seq(), head: chain.head() };
    match place(state, payload)? {
        Place::Taken(index) => return Ok(Admission::Taken(index)),
        // `place` has looked where it is kept.
        Place::TakenEarlier => return Err(Refusal::Unreadable),
        Place::Gap => return Err(Refusal::ChainGap(head)),
        Place::OtherPredecessor => return Err(Refusal::ChainPrev(head)),
        Place::Next => {}
    }
    let seconds = payload.iat.saturating_sub(now.as_seconds());
    if seconds > MAX_AHEAD {
        return Err(Refusal::FromTheFuture { seconds });
    }
    let of_registrar = payload.publisher == state.registry.registrar_id();
    if payload.event_type.is_ledgers_own() && !of_registrar && !checked.ticket.prepared.of_erasure {
        return Err(Refusal::NotRegistrar);
    }
    if of_registrar {
        if !payload.event_type.is_ledgers_own() {
            return Err(RegistryError::UnknownType.into());
        }
        state.apply_registrar(state.predecessor.next_index, payload)?;
    }
    Ok(Admission::Next)
}

/// Where the statement belongs in its publisher's chain. What cannot be found out is no refusal for good.
fn place(state: &mut State, payload: &Payload) -> Result<Place, Refusal> {
    state.place(&payload.publisher, payload.seq, &payload.prev).map_err(|error| {
        tracing::error!(%error, "it is not known where a statement was sealed");
        Refusal::Unreadable
    })
}

/// The signature was checked against the registry as it stood; a statement of the registrar may have changed it since.
fn check_signer_now(registry: &Registry, checked: &Checked) -> Result<(), Refusal> {
    let statement = &checked.ticket.prepared.statement;
    let key = registry.signer(statement)?.thumbprint();
    match &checked.signer {
        Ok(verified) if *verified == key => Ok(()),
        _ => check_signer(registry, statement).map(|_| ()),
    }
}
