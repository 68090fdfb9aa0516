//! What a request that was let in carries, and what its answer says was read.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gt_core::Hash;
use gt_ledger::record::OwnerId;
use gt_schemas::{AccessPurpose, AccessedKind};

use super::policy::Cell;
use super::reader::Reader;
use crate::problem::Problem;

/// Proof that the gate has let the request in: who asks, how far, and what for. Only the gate makes one, so a handler that takes it cannot be
/// reached around the gate.
#[derive(Clone)]
pub(crate) struct Pass {
    pub(crate) reader: Arc<Reader>,
    pub(crate) cell: Cell,
    /// What is read, and what for; none where nothing about people is.
    pub(super) reading: Option<(AccessedKind, AccessPurpose)>,
}

/// What an answer about people gives away. The gate seals it before the answer goes out, and lets no answer go without it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accessed {
    /// The child, if it is one child's.
    pub(crate) child: Option<OwnerId>,
    /// How many records.
    pub(crate) records: usize,
    /// The approval without which it would not have been answered, by its statement's hash.
    pub(crate) approval: Option<Hash>,
}

/// Says that a handler has sealed the request itself, before it did what was asked: an act that cannot be taken back is recorded first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealedBefore;

/// There is no gate before the route.
#[derive(Debug, thiserror::Error)]
#[error("a route about people has no gate before it")]
struct NoGate;

impl<S: Send + Sync> FromRequestParts<S> for Pass {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal(&NoGate))
    }
}

/// The pass of a request that may come without a token.
pub(crate) struct MaybePass(pub(crate) Option<Pass>);

impl<S: Send + Sync> FromRequestParts<S> for MaybePass {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Pass>().cloned()))
    }
}
