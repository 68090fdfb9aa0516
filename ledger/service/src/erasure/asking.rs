use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::renewals::{NodesError, Renewals};
use super::{
    CustodyWork, EraseError, EraseRequest, Erasing, ErasureReceipt, Known, Owned, Renewing, Subject,
};
use crate::Ledger;
use crate::jetstream::NodeState;
use crate::keyring::{ConfirmError, Confirmed, RetiredKek, RotateError, retired};
use crate::record::OwnerId;
use crate::sealer::{Work, removals};

/// For how long an erasure on several nodes is tried again while others seal first, and any until the log shows what is sealed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it is waited before.
const PAUSE: Duration = Duration::from_millis(20);

/// How often an erasure is worked out anew because statements about the same person came in between.
const MOST_ATTEMPTS: usize = 8;

impl Ledger {
    /// Destroys somebody's keys, renews the key-encryption key, and seals `subject.erased`. All of it is done when this returns, or
    /// nothing; after [`EraseError::Interrupted`] the next start says which. Sealing goes on but for the moment of the destruction.
    ///
    /// Blocks; not to be called on a thread of the runtime.
    pub fn erase(&self, request: &EraseRequest) -> Result<ErasureReceipt, EraseError> {
        if let Some(renewals) = self.renewals() {
            return self.erase_on_stream(&renewals, request);
        }
        let mut known = Known::default();
        for _ in 0..MOST_ATTEMPTS {
            let erasing = self.work_out(request, &mut known)?;
            match self.ask(|reply| CustodyWork::Erase(erasing, reply)).ok_or(EraseError::Interrupted)? {
                Err(EraseError::Busy) => {}
                done => return done,
            }
        }
        Err(EraseError::Busy)
    }

    /// Whose keys an erasure would destroy now: all identifiers of whom it names, or why it would be refused. It changes nothing. Blocks.
    pub fn would_erase(&self, request: &EraseRequest) -> Result<Vec<OwnerId>, EraseError> {
        let erasing = self.work_out(request, &mut Known::default())?;
        Ok(erasing.owners.iter().map(|owner| owner.id).collect())
    }

    /// Puts another key-encryption key in force: the next one of its source, or a new one. Nothing that is encrypted changes but the
    /// shard keys' wrapping, so sealing and reading go on. Blocks.
    pub fn rotate_kek(&self) -> Result<RetiredKek, RotateError> {
        if let Some(renewals) = self.renewals() {
            return self.rotate_on_stream(&renewals);
        }
        self.ask(CustodyWork::Rotate).unwrap_or(Err(RotateError::Interrupted))
    }

    /// Notes that every copy of a retired key-encryption key is destroyed: in escrow, in backups, at other nodes. Blocks.
    pub fn confirm_destroyed(&self, what: &Confirmed) -> Result<RetiredKek, ConfirmError> {
        if let Some(nodes) = self.nodes().map_err(|error| ConfirmError::Register(error.to_string()))? {
            let listed = self.listed_keks()?;
            let meant = listed.iter().find(|one| what.is(one)).ok_or(ConfirmError::Unknown)?;
            let pending: Vec<&str> = nodes
                .iter()
                .filter(|node| meant.is_pending_at(node))
                .map(|node| node.node.as_str())
                .collect();
            if !pending.is_empty() {
                return Err(ConfirmError::NodesPending(pending.join(", ")));
            }
        }
        let done = self.ask(|reply| CustodyWork::Confirm(what.clone(), reply));
        let done = done.unwrap_or(Err(ConfirmError::Stopped))?;
        self.tell_confirmed(&self.listed_keks()?);
        Ok(done)
    }

    /// The nodes of a ledger on several, as their register has them. `None` for a ledger that is this folder alone. Blocks.
    pub fn nodes(&self) -> Result<Option<Vec<NodeState>>, NodesError> {
        let Some(renewals) = self.renewals() else { return Ok(None) };
        renewals.nodes().map(Some)
    }

    /// The key-encryption keys that were in force, oldest first.
    pub fn retired_keks(&self) -> Result<Vec<RetiredKek>, ConfirmError> {
        Ok(self.retired_keks_and_nodes()?.0)
    }

    /// The same, and on a node of several the nodes as their register has them: what was confirmed at another counts here too. Blocks.
    pub fn retired_keks_and_nodes(&self) -> Result<(Vec<RetiredKek>, Option<Vec<NodeState>>), ConfirmError> {
        let nodes = self.nodes().map_err(|error| ConfirmError::Register(error.to_string()))?;
        let mut listed = self.listed_keks()?;
        for one in listed.iter_mut().filter(|one| one.confirmed_at.is_none()) {
            let elsewhere = nodes.iter().flatten().filter_map(|node| node.confirmed.get(&one.kek));
            one.confirmed_at = elsewhere.min().cloned();
        }
        Ok((listed, nodes))
    }

    fn listed_keks(&self) -> Result<Vec<RetiredKek>, ConfirmError> {
        Ok(retired::load(self.log().root())?)
    }

    /// What is worked out anew whenever another node sealed first, until nobody does.
    fn erase_on_stream(
        &self,
        renewals: &Renewals,
        request: &EraseRequest,
    ) -> Result<ErasureReceipt, EraseError> {
        if self.only_follows() {
            return Err(EraseError::OnlyFollows);
        }
        let (began, mut kept) = (Instant::now(), None::<(Vec<Owned>, Box<Renewing>)>);
        let mut known = Known::default();
        loop {
            let erasing = self.work_out(request, &mut known)?;
            let owners = erasing.owners.clone();
            let same =
                |kept: &Vec<Owned>| kept.iter().map(|one| one.tag).eq(owners.iter().map(|one| one.tag));
            let again = kept.take().filter(|(kept, renewing)| same(kept) && self.is_of_now(renewing));
            let renewing = if let Some((_, renewing)) = again {
                renewing
            } else {
                renewals.begin(self.shared(), removals(&owners, request.scope))?
            };
            let asked = self.ask(|reply| CustodyWork::EraseOnStream(erasing, renewing, reply));
            match asked.ok_or(EraseError::Interrupted)? {
                (Err(EraseError::Busy | EraseError::Superseded), renewing) if began.elapsed() < PATIENCE => {
                    kept = Some((owners, renewing));
                    // What came first is on its way to this node.
                    std::thread::sleep(PAUSE);
                }
                (done, _) => return done,
            }
        }
    }

    /// Waits until the log shows what the index has of the person.
    fn work_out(&self, request: &EraseRequest, known: &mut Known) -> Result<Erasing, EraseError> {
        let began = Instant::now();
        loop {
            match Subject::of(self.shared(), request.clone(), known) {
                // A sealer that has stopped in between never shows it.
                Err(EraseError::Busy) if began.elapsed() < PATIENCE && !self.is_stopped() => {
                    std::thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
    }

    fn rotate_on_stream(&self, renewals: &Renewals) -> Result<RetiredKek, RotateError> {
        if self.only_follows() {
            return Err(RotateError::OnlyFollows);
        }
        let mut renewing = renewals.begin(self.shared(), Vec::new())?;
        let since = Instant::now();
        loop {
            let asked = self.ask(|reply| CustodyWork::RotateOnStream(renewing, reply));
            match asked.ok_or(RotateError::Interrupted)? {
                (Err(RotateError::Superseded), again) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(PAUSE);
                    renewing = if self.is_of_now(&again) {
                        again
                    } else {
                        renewals.begin(self.shared(), Vec::new())?
                    };
                }
                (done, _) => return done,
            }
        }
    }

    /// Whether a renewal takes the place of the keyring that there is now.
    fn is_of_now(&self, renewing: &Renewing) -> bool {
        renewing.renewal.replaces(&self.shared().keyring())
    }

    /// Asks the sealer's thread. `None` if it has stopped, or stops over the work.
    fn ask<A>(&self, work: impl FnOnce(SyncSender<A>) -> CustodyWork) -> Option<A> {
        let (reply, answer) = sync_channel(1);
        self.works()?.send(Work::Custody(work(reply))).ok()?;
        answer.recv().ok()
    }
}
