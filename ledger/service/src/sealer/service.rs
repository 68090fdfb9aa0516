//! Statements that the sealer itself signs, as the ledger's own service publisher.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use gt_core::agency::AgencyCode;
use gt_core::erasure::{self, Erasure};
use gt_core::key::PrivateKey;
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, Statement, sign};

use super::admit::check_signer;
use super::batch::{SealError, Sealer};
use super::intake::{Reply, Ticket};
use super::{Checked, Sealed};
use crate::erasure::{CustodyFault, EraseError, EraseRequest, Owned};
use crate::prepare::Prepared;
use crate::refusal::Refusal;

/// What becomes of a statement of the sealer's own.
pub(super) struct SealedAnswer(Receiver<Result<Sealed, Refusal>>);

impl SealedAnswer {
    /// It has been answered by now, or never will be.
    pub(super) fn get(&self) -> Result<Sealed, SealError> {
        self.0.recv().unwrap_or(Err(Refusal::Stopped)).map_err(own_refused)
    }
}

impl Sealer {
    /// The ledger's own service publisher, with its key.
    pub(super) fn service(&self) -> Result<(PublisherId, Arc<PrivateKey>), EraseError> {
        let custody = self.custody.as_ref().ok_or(EraseError::NoSource)?;
        let service = custody.service.clone();
        let service = service.and_then(|key| Some((self.service_publisher(&key)?, key)));
        service.ok_or(EraseError::NoServiceKey)
    }

    /// The ledger's own service publisher, if this key is in force for it.
    fn service_publisher(&self, key: &PrivateKey) -> Option<PublisherId> {
        let thumbprint = key.public().thumbprint();
        let of_service = |agency: &AgencyCode| *agency == AgencyCode::service();
        let mut publishers = self.state.registry.publishers();
        let (id, _) = publishers.find(|(_, publisher)| {
            of_service(&publisher.agency)
                && publisher.revoked.is_none()
                && publisher.keys.last().is_some_and(|(_, key)| key.thumbprint() == thumbprint)
        })?;
        Some(*id)
    }

    pub(super) fn sign_erasure(
        &mut self,
        publisher: PublisherId,
        key: &PrivateKey,
        request: &EraseRequest,
        owners: &[Owned],
        iat: i64,
    ) -> Result<Statement, EraseError> {
        let says = Erasure {
            owners: owners.iter().map(|owner| *owner.id.as_bytes()).collect(),
            entries: owners.iter().map(|owner| owner.entries).sum(),
            scope: request.scope,
            authority: request.authority.clone(),
            ground: request.ground,
        };
        let members = says.to_members();
        let chain = self.state.chain(&publisher);
        let (seq, prev) = (chain.next_seq(), chain.head());
        let draft = Draft {
            iss: AgencyCode::service(),
            aud: self.state.registry.ledger_keys().origin.clone(),
            iat,
            publisher,
            on_behalf_of: None,
            seq,
            prev,
            event_type: EventType::parse(erasure::TYPE).expect("a type of the ledger's own"),
            version: erasure::VERSION,
            members: members
                .iter()
                .map(|(name, value)| (name.to_owned(), DraftMember::Clear(value.clone())))
                .collect(),
            kept: Vec::new(),
        };
        Ok(sign(&draft, key, || [0; 16])?.statement)
    }

    /// A statement of the sealer's own, checked, and where what becomes of it is told.
    pub(super) fn own_ticket(&self, statement: Statement) -> (Checked, SealedAnswer) {
        let signer = check_signer(&self.state.registry, &statement);
        let (sender, answer) = sync_channel(1);
        let reply = Reply::of_sealer(Box::new(move |answer| drop(sender.send(answer))));
        let ticket = Ticket { prepared: Box::new(Prepared::of_erasure(statement)), reply };
        (Checked { ticket, signer }, SealedAnswer(answer))
    }
}

pub(super) fn own_refused(refusal: Refusal) -> SealError {
    SealError::Custody(CustodyFault::Refused(Box::new(refusal)))
}
