//! Committing to the data folder alone, on two threads of their own: one writes a batch and waits for the disk while the next one is
//! decided and encrypted, and one answers for what is durable. Every batch passes through both, in the order in which they were chained.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use gt_core::checkpoint::LogSigner;

use super::StoppedByPanic;
use super::answer::Answers;
use super::batch::SealError;
use super::chaining::Chained;
use super::commit::{CommitPort, Embedded};
use super::times::{Laps, Stage};
use crate::open_ledger::Shared;

/// How many durable batches may wait to be answered.
const UNANSWERED: usize = 1;

/// A batch on its way to the disk, with who waits for it.
pub(super) struct Job {
    /// `None` if nothing of it is to be sealed: then it only waits until what it rests on is durable.
    pub(super) chained: Option<Chained>,
    pub(super) answers: Answers,
    pub(super) signer: Arc<LogSigner>,
}

/// The writing thread, as the sealing thread knows it.
pub(super) struct Writing {
    jobs: SyncSender<(Box<Embedded>, Job)>,
    done: Receiver<Box<Embedded>>,
}

impl Writing {
    /// Starts the two threads, which end when this is dropped and everything is answered.
    pub(super) fn start(shared: &Arc<Shared>, threads: &mut Vec<JoinHandle<()>>) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(1);
        let (give_back, done) = sync_channel(1);
        let (durable, to_answer) = sync_channel(UNANSWERED);
        let (to_write, to_answer_with) = (Arc::clone(shared), Arc::clone(shared));
        let write = std::thread::Builder::new()
            .name("gt-write".into())
            .spawn(move || write(&waiting, &give_back, &durable, &to_write))?;
        threads.push(write);
        let answer = std::thread::Builder::new()
            .name("gt-answer".into())
            .spawn(move || answer(&to_answer, &to_answer_with))?;
        threads.push(answer);
        Ok(Self { jobs, done })
    }

    /// Hands a batch over, with the port to commit it through.
    pub(super) fn commit(&self, port: Box<Embedded>, job: Job) -> Result<(), SealError> {
        self.jobs.send((port, job)).map_err(|_| SealError::WritingStopped)
    }

    /// Waits until what was handed over is durable, and takes the port back.
    pub(super) fn finish(&self) -> Result<Box<Embedded>, SealError> {
        self.done.recv().map_err(|_| SealError::WritingStopped)
    }
}

fn write(
    jobs: &Receiver<(Box<Embedded>, Job)>,
    give_back: &SyncSender<Box<Embedded>>,
    durable: &SyncSender<Answers>,
    shared: &Shared,
) {
    let _guard = StoppedByPanic(shared);
    while let Ok((mut port, job)) = jobs.recv() {
        let mut laps = Laps::start();
        if let Err(error) = write_one(port.as_mut(), job, durable, shared, &mut laps) {
            error.report(shared);
            return;
        }
        shared.times_mut(|times| times.add(&laps.take()));
        // A sealing thread that has ended takes nothing back.
        let _ = give_back.send(port);
    }
}

fn write_one(
    port: &mut Embedded,
    job: Job,
    durable: &SyncSender<Answers>,
    shared: &Shared,
    laps: &mut Laps,
) -> Result<(), SealError> {
    let Job { chained, mut answers, signer } = job;
    if let Some(chained) = chained {
        match chained.commit_to_folder(port, &signer, shared, laps) {
            Ok(entries) => answers.are_sealed(entries),
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                shared.set_stopped();
                return Err(error);
            }
        }
    }
    // Counted by the time that anybody has a receipt.
    shared.times_mut(|times| times.batches += 1);
    if let Err(unsent) = durable.send(answers) {
        shared.set_stopped();
        drop(unsent);
        return Err(SealError::WritingStopped);
    }
    laps.end(Stage::AwaitAnswerer);
    port.settle().inspect_err(|_| shared.set_stopped())?;
    laps.end(Stage::Settle);
    Ok(())
}

fn answer(durable: &Receiver<Answers>, shared: &Shared) {
    let _guard = StoppedByPanic(shared);
    while let Ok(answers) = durable.recv() {
        let mut laps = Laps::start();
        answers.give(shared);
        laps.end(Stage::Answer);
        shared.times_mut(|times| times.add(&laps.take()));
    }
}
