//! Following the stream: one thread that reads on, puts batches together, and hands them to the writing thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use gt_core::checkpoint::SignedCheckpoint;
use tokio::runtime::Handle;

use super::assemble::{Assembled, Assembler};
use super::names::{CHECKPOINT_STREAM, CHECKPOINT_SUBJECT, Prefix};
use super::port::stream_end;
use super::read::{Stream, StreamError};
use crate::sealer::Work;

/// How long the thread waits for a checkpoint before it looks by itself whether there is more.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// After how many such waits in vain it asks the stream's leader where the stream ends, and whether it is the same stream.
const ASK_EVERY: u32 = 5;

/// What the stream has brought.
pub enum News {
    /// What reading on has brought; everything up to `through` is accounted for by it.
    Messages {
        /// Batches and what lies between them.
        assembled: Vec<Assembled>,
        /// The sequence from which was read.
        from: u64,
        /// The last sequence that was read.
        through: u64,
        /// The first sequence of which it is not known yet what it belongs to: reading starts there again after a restart.
        pending: Option<u64>,
    },
    /// What the stream's leader says of the stream, while nothing comes.
    Asked {
        /// The stream's last sequence.
        last: u64,
        /// When the stream was made.
        created: String,
        /// Up to where this node had accounted for the stream when it asked.
        accounted: u64,
    },
    /// A checkpoint was published. It is not verified.
    Checkpoint {
        /// The checkpoint.
        checkpoint: SignedCheckpoint,
        /// The stream of checkpoints has it; what is only heard may have been lost to others.
        stored: bool,
    },
    /// The thread has read to where the stream ended when it started.
    CaughtUp,
}

/// What the following thread needs.
pub(crate) struct Following {
    pub(super) stream: Stream,
    pub(super) client: Client,
    pub(super) prefix: Prefix,
    /// Up to where the writing thread has accounted for the stream by itself.
    pub(super) accounted: Arc<AtomicU64>,
    /// From where the writing thread wants to have it again; 0 for nowhere.
    pub(super) again: Arc<AtomicU64>,
    pub(super) closing: Arc<AtomicBool>,
    /// Where the stream ended at the start.
    pub(super) end: u64,
}

/// The writing thread has ended.
struct Ended;

impl Following {
    /// Reads until the node closes, or the writing thread has ended.
    pub(crate) fn run(self, runtime: &Handle, works: &SyncSender<Work>) {
        runtime.block_on(async {
            let Err(Ended) = self.follow(works).await else { return };
            tracing::debug!("nobody takes what the stream brings any more");
        });
    }

    async fn follow(&self, works: &SyncSender<Work>) -> Result<(), Ended> {
        let mut next = self.accounted.load(Ordering::Acquire) + 1;
        let mut assembler = Assembler::starting_at(next);
        let (mut checkpoints, mut caught_up, mut waits) = (None, false, 0_u32);
        while !self.closing.load(Ordering::Acquire) {
            if checkpoints.is_none() {
                checkpoints = self.subscribe().await;
                self.last_checkpoint(works).await?;
            }
            if let Err(error) = self.read_on(&mut next, &mut assembler, works).await? {
                tracing::warn!(%error, "the stream of sealed entries cannot be read; trying again");
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            if !caught_up && next > self.end {
                caught_up = true;
                send(works, News::CaughtUp)?;
            }
            let Some(subscription) = &mut checkpoints else { continue };
            match tokio::time::timeout(LOOK_EVERY, subscription.next()).await {
                Err(_) => {
                    waits = waits.wrapping_add(1);
                    if waits % ASK_EVERY == 0 {
                        // One that was published while this node's connection was broken does not come again.
                        self.last_checkpoint(works).await?;
                        self.ask(works).await?;
                    }
                }
                Ok(None) => checkpoints = None,
                Ok(Some(message)) => {
                    // What it covers first.
                    if let Err(error) = self.read_on(&mut next, &mut assembler, works).await? {
                        tracing::warn!(%error, "the stream of sealed entries cannot be read; trying again");
                    }
                    checkpoint(&message.payload, false, works)?;
                }
            }
        }
        Ok(())
    }

    async fn read_on(
        &self,
        next: &mut u64,
        assembler: &mut Assembler,
        works: &SyncSender<Work>,
    ) -> Result<Result<(), StreamError>, Ended> {
        loop {
            let accounted = self.accounted.load(Ordering::Acquire);
            if accounted >= *next && assembler.pending().is_none() {
                // This node sealed it itself. What is pending is cleared up by reading on.
                *next = accounted + 1;
                *assembler = Assembler::starting_at(*next);
            }
            match self.again.swap(0, Ordering::AcqRel) {
                0 => {}
                again => (*next, *assembler) = (again, Assembler::starting_at(again)),
            }
            let from = *next;
            let messages = match self.stream.read_whole(from).await {
                Ok(messages) => messages,
                Err(error) => return Ok(Err(error)),
            };
            let Some(last) = messages.last() else { return Ok(Ok(())) };
            let through = last.sequence;
            *next = through + 1;
            let all = messages.iter().flat_map(|message| assembler.take(message)).collect();
            send(works, News::Messages { assembled: all, from, through, pending: assembler.pending() })?;
            if self.closing.load(Ordering::Acquire) {
                return Ok(Ok(()));
            }
        }
    }

    /// A stream that was made anew, or put back to an older copy, brings nothing by which it would be noticed.
    async fn ask(&self, works: &SyncSender<Work>) -> Result<(), Ended> {
        // Before the question: the answer waits its turn behind batches that this node seals meanwhile.
        let accounted = self.accounted.load(Ordering::Acquire);
        match stream_end(&self.stream).await {
            Ok((last, created)) => send(works, News::Asked { last, created, accounted }),
            Err(error) => {
                tracing::warn!(%error, "the stream of sealed entries cannot be asked after");
                Ok(())
            }
        }
    }

    async fn subscribe(&self) -> Option<Subscriber> {
        let subscription = self.client.subscribe(CHECKPOINT_SUBJECT).await;
        subscription.inspect_err(|error| tracing::warn!(%error, "checkpoints cannot be subscribed to")).ok()
    }

    /// The newest checkpoint of before the subscription.
    async fn last_checkpoint(&self, works: &SyncSender<Work>) -> Result<(), Ended> {
        let stream = Stream {
            client: self.client.clone(),
            prefix: self.prefix.clone(),
            name: CHECKPOINT_STREAM.into(),
        };
        match stream.last_of(CHECKPOINT_SUBJECT).await {
            Ok(Some(message)) => checkpoint(&message.payload, true, works),
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the newest checkpoint cannot be read");
                Ok(())
            }
        }
    }
}

fn checkpoint(payload: &[u8], stored: bool, works: &SyncSender<Work>) -> Result<(), Ended> {
    match SignedCheckpoint::parse(payload) {
        Ok(checkpoint) => send(works, News::Checkpoint { checkpoint, stored }),
        Err(error) => {
            tracing::error!(%error, "what was published as a checkpoint is none");
            Ok(())
        }
    }
}

/// Hands over, and waits until it is taken: what is read stays bounded. Nothing else runs on this thread.
fn send(works: &SyncSender<Work>, news: News) -> Result<(), Ended> {
    works.send(Work::Stream(news)).map_err(|_| Ended)
}
