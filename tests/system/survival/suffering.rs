//! What each fault does to a ledger, and what the ledger is seen to do about it.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::clock::Clock;
use super::damage::damage_views;
use super::embedded::{ENOUGH, World};
use super::faults::Fault;
use super::injection::{Failing, Injection, files_in, files_of_views};
use super::readers::Listener;
use super::record::{End, Record};
use super::struck::{Call, has_struck};
use crate::nats::Load;
use crate::partnership::{Client, Process, Random, eventually, path, within};

/// How long a fault may take until it shows.
const STRIKING: Duration = Duration::from_secs(20);
/// For so long publishers go on trying what a sealer that has stopped must not do.
const TRYING: Duration = Duration::from_millis(300);
/// Generous, for a program with everything in it that finds mistakes.
const MOST_MEMORY: u64 = 1 << 30;

/// What the process did about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It seals as before.
    WentOn,
    /// It answers, and seals nothing more.
    Stopped,
    /// It has ended.
    Ended,
}

impl World {
    /// Lets it happen, and has the ledger up again on a sound disk. Returns what was seen.
    pub(super) fn suffer(&mut self, fault: Fault, random: &mut Random, record: &mut Record) -> End {
        match fault {
            Fault::Kill => {
                self.kill();
                self.start();
                End::Struck("up again".into())
            }
            Fault::KillAtStart(millis) => {
                self.kill();
                let mut early = Process::of(self.program(), &self.home.at("serve.log"));
                thread::sleep(Duration::from_millis(millis));
                early.kill();
                self.start();
                End::Struck("up again".into())
            }
            Fault::Freeze(millis) => {
                self.server().signal("STOP");
                thread::sleep(Duration::from_millis(millis));
                self.server().signal("CONT");
                End::Struck("went on".into())
            }
            Fault::Calls(failing) => {
                let files = files_in(&self.home.data());
                self.suffer_calls(&failing, &files, random, record)
            }
            Fault::CallsOnViews(failing) => {
                let files = files_of_views(&self.home.data().join("views"));
                self.suffer_calls(&failing, &files, random, record)
            }
            Fault::CallsAtStart(failing) => self.suffer_calls_at_start(&failing, record),
            Fault::DiskFull => self.suffer_full_disk(random),
            Fault::Clock(seconds) => self.suffer_clock(seconds, record),
            Fault::Views => {
                if random.once_in(2) {
                    self.kill();
                } else {
                    self.stop();
                }
                let what = damage_views(&self.home.data().join("views"), random);
                self.start();
                End::Struck(what)
            }
            Fault::SlowListeners(count) => self.suffer_listeners(count),
            Fault::Outboxes => {
                if self.load.as_ref().is_some_and(Load::kill_outboxes) {
                    End::Struck("both went on".into())
                } else {
                    End::LeftOut("there are none".into())
                }
            }
        }
    }

    fn suffer_calls(
        &mut self,
        failing: &Failing,
        files: &[PathBuf],
        random: &mut Random,
        record: &mut Record,
    ) -> End {
        let log = self.home.at("strace.log");
        let said = self.server().log_text().len();
        let injection = match Injection::attach(self.server().id(), failing, files, &log) {
            Ok(injection) => injection,
            Err(why) => {
                record.leave_out(&why);
                return End::LeftOut("no tracing".into());
            }
        };
        if !within(STRIKING, || injection.has_struck()) {
            injection.detach();
            return End::Missed("no such call was made".into());
        }
        let came = self.what_came(said);
        let calls = injection.detach();
        let came = self.came_as_it_must(came, said, &calls);
        if came == Came::Stopped {
            self.seals_nothing_more();
        }
        let first = calls.first().expect("it has struck").to_text(&self.home.data());
        End::Struck(self.restart_after(came, said, &first, random))
    }

    /// What it did, once every call that failed has shown: it seals nothing more if a receipt rests on one of them, and goes on if all
    /// were the views'.
    fn came_as_it_must(&mut self, came: Came, said: usize, calls: &[Call]) -> Came {
        let data = self.home.data();
        if let Some(call) = calls.iter().find(|call| call.must_stop(&data)) {
            // It may have failed just now, when enough had been sealed for going on.
            let came = if came == Came::WentOn { self.what_came(said) } else { came };
            assert_eq!(came, Came::Stopped, "{} failed: {}", call.to_text(&data), self.sentence(said));
            return came;
        }
        if calls.iter().all(|call| call.is_of_views(&data)) {
            assert_eq!(came, Came::WentOn, "no receipt rests on views: {}", self.sentence(said));
        }
        came
    }

    fn suffer_calls_at_start(&mut self, failing: &Failing, record: &mut Record) -> End {
        self.stop();
        let (files, log) = (files_in(&self.home.data()), self.home.at("serve.log"));
        let said = self.log_text().len();
        let (mut tracer, told) = Injection::start(&self.program(), failing, &files, &log);
        let end = match tracer.listening_or_not() {
            Ok(_) => {
                let struck = has_struck(&told);
                end_child(&tracer);
                let ending = ending(tracer.ended());
                if struck {
                    End::Struck(format!("it started all the same, ended with {ending}"))
                } else {
                    End::Missed(format!("no call failed, ended with {ending}"))
                }
            }
            Err(sentence) => {
                let status = tracer.ended();
                let text = self.log_text();
                if has_struck(&told) {
                    End::Struck(self.refused_to_start(status, &sentence))
                } else if let Some(why) = text[said..].lines().find(|line| line.starts_with("strace: ")) {
                    record.leave_out(&format!("calls that fail need to be allowed to trace: {why}"));
                    End::LeftOut("no tracing".into())
                } else {
                    panic!("no call failed, and it did not start: {sentence}{}", &text[said..]);
                }
            }
        };
        self.start();
        end
    }

    fn suffer_full_disk(&mut self, random: &mut Random) -> End {
        let Some(space) = &self.space else { return End::LeftOut("no small file system".into()) };
        let said = self.log_text().len();
        space.fill();
        let came = self.what_came(said);
        assert_eq!(came, Came::Stopped, "without room: {}", self.sentence(said));
        self.seals_nothing_more();
        self.end_in_any_way(random);
        let first = self.sentence(said);
        // On the full disk it serves, or says why not.
        let mut process = Process::of(self.program(), &self.home.at("serve.log"));
        let second = match process.listening_or_not() {
            Ok(_) => {
                process.kill();
                "started on the full disk".to_owned()
            }
            Err(sentence) => self.refused_to_start(process.ended(), &sentence),
        };
        self.space.as_ref().expect("it was filled").free();
        self.start();
        End::Struck(format!("{}: {first}; {second}", came.to_text()))
    }

    fn suffer_clock(&mut self, seconds: i64, record: &mut Record) -> End {
        let clock = match Clock::new(self.home.at("clock")) {
            Ok(clock) => clock,
            Err(why) => {
                record.leave_out(&why);
                return End::LeftOut("no libfaketime".into());
            }
        };
        self.stop();
        let mut command = self.program();
        clock.give_to(&mut command);
        self.start_as(command);
        self.until_more(ENOUGH);
        let said = self.log_text().len();
        let readers = self.readers.as_ref().expect("it is read");
        readers.clock_is_moved(true);
        clock.set(seconds);
        let came = self.what_came(said);
        let far = seconds.abs() > 10;
        assert_eq!(far, came == Came::Stopped, "{seconds} s: {}", came.to_text());
        if far {
            // A batch that was on its way may be sealed after that.
            self.answers_readers();
        }
        let sentence = if far { format!(": {}", self.sentence(said)) } else { String::new() };
        // Started again it goes by the machine's clock.
        self.stop();
        self.start();
        self.readers.as_ref().expect("it is read").clock_is_moved(false);
        End::Struck(format!("{}{sentence}", came.to_text()))
    }

    fn suffer_listeners(&mut self, count: usize) -> End {
        let (url, token) = (self.url(), self.home.token.clone());
        let listeners: Vec<Listener> = (0..count).map(|_| Listener::open(&url, &token)).collect();
        self.until_more(8 * ENOUGH);
        let size = self.client().size();
        let mut heard: Vec<_> = listeners.into_iter().map(|listener| listener.catch_up(size)).collect();
        let memory = self.server().peak_memory();
        assert!(memory < MOST_MEMORY, "{} MiB", memory >> 20);
        heard.dedup();
        End::Struck(format!("publishers went on; each {}", heard.join(" or ")))
    }

    /// Waits until it shows what the process does about a fault. One that seals nothing more must have said so since.
    fn what_came(&mut self, said: usize) -> Came {
        let (mut came, before, client) =
            (None, self.receipts.count(), Client::impatient(&self.url(), STRIKING));
        let server = self.server.as_mut().expect("it runs");
        eventually("a fault shows", || {
            let stopped = || client.try_get("/readyz").is_ok_and(|reply| reply.status == 503);
            came = if server.has_ended().is_some() {
                Some(Came::Ended)
            } else if stopped() {
                Some(Came::Stopped)
            } else if self.receipts.count() >= before + 2 * ENOUGH {
                Some(Came::WentOn)
            } else {
                None
            };
            came.is_some()
        });
        if came == Some(Came::Stopped) {
            eventually("it says why", || self.log_text()[said..].contains("the sealer has stopped"));
        }
        let follows = || client.try_get("/readyz").is_ok_and(|reply| reply.json()["following"] == true);
        if came == Some(Came::WentOn) && self.log_text()[said..].contains("views no longer follow") {
            eventually("it says that its views no longer follow", || !follows());
        }
        came.expect("it showed")
    }

    /// One that has stopped answers readers with the same checkpoint again and again, whatever publishers try.
    fn seals_nothing_more(&self) {
        let before = self.answers_readers();
        // Not a wait for anything: it is tried all the time.
        thread::sleep(TRYING);
        assert_eq!(self.answers_readers(), before, "it seals nothing more");
    }

    /// It answers who asks for its checkpoint, and with this.
    fn answers_readers(&self) -> String {
        let reply = Client::impatient(&self.url(), STRIKING).get("/checkpoint");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text().to_owned()
    }

    fn restart_after(&mut self, came: Came, said: usize, call: &str, random: &mut Random) -> String {
        let ended = match came {
            Came::Ended => {
                let status = self.server.take().expect("it ran").ended();
                format!(" with {}", ending(status))
            }
            Came::WentOn | Came::Stopped => {
                self.end_in_any_way(random);
                String::new()
            }
        };
        let sentence = self.sentence(said);
        self.start();
        format!("{call} failed; {}{ended}: {sentence}", came.to_text())
    }

    /// The first error that was logged since, or the sentence with which it ended.
    fn sentence(&self, said: usize) -> String {
        let text = self.log_text();
        let of_line = |line: &str| {
            if let Some(sentence) = line.strip_prefix("goldenthread: ") {
                return Some(sentence.to_owned());
            }
            let value: Value = serde_json::from_str(line).ok()?;
            let fields = &value["fields"];
            let error = fields["error"].as_str().map_or(String::new(), |error| format!(": {error}"));
            (value["level"] == "ERROR")
                .then(|| format!("{}{error}", fields["message"].as_str().unwrap_or("")))
        };
        let first = text[said..].lines().find_map(of_line);
        first.map_or_else(|| "nothing said".to_owned(), |sentence| self.without_folder(&sentence))
    }

    /// It ended instead of serving: with status 1, and a sentence.
    fn refused_to_start(&self, status: ExitStatus, sentence: &str) -> String {
        assert_eq!(status.code(), Some(1), "{sentence}: {}", self.log_text());
        assert!(sentence.len() > 20, "it says why: {sentence}{}", self.log_text());
        format!("ended with exit status 1: {}", self.without_folder(sentence))
    }

    fn without_folder(&self, sentence: &str) -> String {
        sentence.replace(path(&self.home.data()), "…")
    }
}

impl Came {
    const fn to_text(self) -> &'static str {
        match self {
            Self::WentOn => "went on",
            Self::Stopped => "sealed nothing more",
            Self::Ended => "ended",
        }
    }
}

/// An exit status in words.
fn ending(status: ExitStatus) -> String {
    status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit status {code}"))
}

/// SIGTERM for the program that a tracer has started.
fn end_child(tracer: &Process) {
    let id = tracer.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("a process");
    let sent =
        Command::new("kill").arg("-TERM").args(children.split_whitespace()).status().expect("kill runs");
    assert!(sent.success(), "the children of {id}: {children}");
}
