use std::pin::Pin;
use std::time::{Duration, Instant};

use async_nats::{Client, Message, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::super::{BenchError, processor};
use crate::nats::{NatsOptions, STATUS_HEADER};

/// How long a publisher waits for the next receipt. The first one waits until a standby has stepped in.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long before the first request's time everybody is ready.
const LEAD: Duration = Duration::from_millis(200);

/// The publishers' connections, all on one thread of their own, so that it is known what they take.
pub(super) struct Publishers {
    runtime: Runtime,
    lines: Vec<Line>,
}

/// One publisher's statements, ready to be sent, in the order of its chain.
pub(super) type Ready = Vec<Bytes>;

/// What came of a phase.
pub(super) struct Answered {
    /// From the first request to the last receipt.
    pub(super) took: Duration,
    /// Processor time of the publishers' thread.
    pub(super) processor: Option<Duration>,
    /// The receipt for the last statement of each chain.
    pub(super) last: Vec<Option<Bytes>>,
    /// How long each took: at a fixed rate from the time at which it was due, else from the time at which it was sent.
    pub(super) latencies: Vec<Duration>,
}

/// One publisher's connection, with one inbox for all its receipts.
struct Line {
    client: Client,
    subject: Subject,
    inbox: String,
    replies: Subscriber,
}

/// A publisher's last receipt, and its latencies.
type Received = (Option<Bytes>, Vec<Duration>);

/// One publisher at work: its number and its line, and what it received.
type Publishing = Pin<Box<dyn Future<Output = Result<(usize, Line, Received), BenchError>> + Send>>;

/// The sending half of a line.
struct Sender {
    client: Client,
    subject: Subject,
    inbox: String,
}

/// When requests are due.
#[derive(Clone, Copy)]
struct Timetable {
    start: Instant,
    publishers: usize,
    rate: u32,
}

impl Publishers {
    /// Connects one publisher for each of these subjects.
    pub(super) fn connect(options: &NatsOptions, subjects: Vec<String>) -> Result<Self, BenchError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bench-publish")
            .enable_all()
            .build()?;
        let options = options.clone();
        let connecting = async move {
            let mut lines = Vec::with_capacity(subjects.len());
            for subject in subjects {
                let client = options.connect().await?;
                let inbox = client.new_inbox();
                let replies = client.subscribe(format!("{inbox}.*")).await;
                let replies = replies.map_err(|error| BenchError::Request(error.to_string()))?;
                lines.push(Line { client, subject: Subject::from(subject), inbox, replies });
            }
            Ok::<_, BenchError>(lines)
        };
        let lines = runtime.block_on(connecting)?;
        Ok(Self { runtime, lines })
    }

    /// Does something on the publishers' thread, and says how much processor time it took.
    pub(super) fn work<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<(T, Option<Duration>), BenchError> {
        let measured = async {
            let before = processor::of_this_thread();
            let done = work.await;
            let spent =
                processor::of_this_thread().zip(before).map(|(after, before)| after.saturating_sub(before));
            (done, spent)
        };
        Ok(self.runtime.block_on(self.runtime.spawn(measured)).map_err(std::io::Error::other)?)
    }

    /// Sends each publisher's statements in order, with up to `in_flight` of each unanswered.
    pub(super) fn saturate(&mut self, chains: Vec<Ready>, in_flight: usize) -> Result<Answered, BenchError> {
        let saturate = |(at, (mut line, chain)): (usize, (Line, Ready))| -> Publishing {
            Box::pin(async move {
                let received = line.saturate(&chain, in_flight).await?;
                Ok((at, line, received))
            })
        };
        let publishing = self.lines.drain(..).zip(chains).enumerate().map(saturate).collect();
        self.all(publishing, Instant::now())
    }

    /// Sends statements of the publishers in turn, `rate` a second in all, whether or not earlier ones are answered.
    pub(super) fn at_rate(&mut self, chains: Vec<Ready>, rate: u32) -> Result<Answered, BenchError> {
        let timetable = Timetable { start: Instant::now() + LEAD, publishers: self.lines.len(), rate };
        let senders = self.lines.iter().map(Line::sender).collect();
        let receive = |(at, (mut line, chain)): (usize, (Line, &Ready))| -> Publishing {
            let count = chain.len();
            Box::pin(async move {
                let received = line.receive(count, |position| timetable.due(position, at)).await?;
                Ok((at, line, received))
            })
        };
        let receiving = self.lines.drain(..).zip(&chains).enumerate().map(receive).collect();
        let sending = self.runtime.spawn(timetable.send(senders, chains));
        let answered = self.all(receiving, timetable.start)?;
        self.runtime.block_on(sending).map_err(std::io::Error::other)??;
        Ok(answered)
    }

    /// Waits for all publishers, and takes their lines back.
    fn all(&mut self, publishing: Vec<Publishing>, started: Instant) -> Result<Answered, BenchError> {
        let together = async move {
            let mut running: JoinSet<_> = publishing.into_iter().collect();
            let mut all = Vec::with_capacity(running.len());
            while let Some(joined) = running.join_next().await {
                all.push(joined.map_err(std::io::Error::other)??);
            }
            Ok::<_, BenchError>((all, started.elapsed()))
        };
        let (all, processor) = self.work(together)?;
        let (mut all, took) = all?;
        all.sort_by_key(|(at, ..)| *at);
        let (mut last, mut latencies) = (Vec::new(), Vec::new());
        for (_, line, (receipt, of_line)) in all {
            self.lines.push(line);
            last.push(receipt);
            latencies.extend(of_line);
        }
        Ok(Answered { took, processor, last, latencies })
    }
}

impl Line {
    fn sender(&self) -> Sender {
        Sender { client: self.client.clone(), subject: self.subject.clone(), inbox: self.inbox.clone() }
    }

    async fn saturate(&mut self, chain: &[Bytes], in_flight: usize) -> Result<Received, BenchError> {
        let sender = self.sender();
        let (mut sent, mut last) = (Vec::with_capacity(chain.len()), None);
        let mut latencies = Vec::with_capacity(chain.len());
        for answered in 0..chain.len() {
            while sent.len() < chain.len() && sent.len() - answered < in_flight {
                let next = sent.len();
                sent.push(Instant::now());
                sender.send(next, &chain[next]).await?;
            }
            last = Some(self.receipt(answered).await?);
            latencies.push(sent[answered].elapsed());
        }
        Ok((last, latencies))
    }

    async fn receive(
        &mut self,
        count: usize,
        due: impl Fn(usize) -> Instant,
    ) -> Result<Received, BenchError> {
        let (mut last, mut latencies) = (None, Vec::with_capacity(count));
        for position in 0..count {
            last = Some(self.receipt(position).await?);
            latencies.push(due(position).elapsed());
        }
        Ok((last, latencies))
    }

    /// The next reply. It must be the receipt for this position: receipts come in the order of the statements.
    async fn receipt(&mut self, position: usize) -> Result<Bytes, BenchError> {
        let failed = |reason: String| BenchError::Request(reason);
        let reply = timeout(PATIENCE, self.replies.next()).await;
        let reply = reply.map_err(|_| failed("no reply in time".into()))?;
        let reply = reply.ok_or_else(|| failed("the connection is closed".into()))?;
        match read(&reply, &self.inbox) {
            Some((found, "201")) if found == position => Ok(reply.payload),
            Some((found, status)) => {
                Err(failed(format!("{status} for statement {found} where {position} was due")))
            }
            None => Err(failed("nobody listens, or what came is no reply".into())),
        }
    }
}

/// A reply's position in its chain, and its status.
fn read<'m>(reply: &'m Message, inbox: &str) -> Option<(usize, &'m str)> {
    let position = reply.subject.strip_prefix(inbox)?.strip_prefix('.')?.parse().ok()?;
    Some((position, reply.headers.as_ref()?.get(STATUS_HEADER)?.as_str()))
}

impl Sender {
    async fn send(&self, position: usize, statement: &Bytes) -> Result<(), BenchError> {
        let reply = format!("{}.{position}", self.inbox);
        let sent = self.client.publish_with_reply(self.subject.clone(), reply, statement.clone());
        sent.await.map_err(|error| BenchError::Request(error.to_string()))
    }
}

impl Timetable {
    /// When a publisher's statement is due.
    fn due(&self, position: usize, publisher: usize) -> Instant {
        let number = (position * self.publishers + publisher) as u64;
        self.start + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate))
    }

    async fn send(self, senders: Vec<Sender>, chains: Vec<Ready>) -> Result<(), BenchError> {
        let longest = chains.iter().map(Vec::len).max().unwrap_or(0);
        for position in 0..longest {
            for (at, (sender, chain)) in senders.iter().zip(&chains).enumerate() {
                let Some(statement) = chain.get(position) else { continue };
                sleep_until(self.due(position, at).into()).await;
                sender.send(position, statement).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_evenly_and_publishers_take_turns() {
        let timetable = Timetable { start: Instant::now(), publishers: 4, rate: 300 };
        let after = |position, publisher| timetable.due(position, publisher) - timetable.start;
        assert_eq!(after(0, 0), Duration::ZERO);
        assert_eq!(after(0, 3), Duration::from_millis(10));
        assert_eq!(after(1, 0), after(0, 3) + Duration::from_secs(1) / 300);
        assert_eq!(after(300, 0), Duration::from_secs(4));
    }
}
