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
use super::injection::{Failing, Injection, files_in, files_of_views, has_struck};
use super::readers::Listener;
use super::record::Record;
use crate::nats::Load;
use crate::partnership::{Client, Process, Random, eventually, path, within};

/// How long a fault may take until it shows.
const STRIKING: Duration = Duration::from_secs(20);
/// Generous, for a program with everything in it that finds mistakes.
const MOST_MEMORY: u64 = 1 << 30;

/// What the process did about a fault.
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
    pub(super) fn suffer(&mut self, fault: Fault, random: &mut Random, record: &mut Record) -> String {
        match fault {
            Fault::Kill => {
                self.kill();
                self.start();
                "up again".to_owned()
            }
            Fault::KillAtStart(millis) => {
                self.kill();
                let mut early = Process::of(self.program(), &self.home.at("serve.log"));
                thread::sleep(Duration::from_millis(millis));
                early.kill();
                self.start();
                "up again".to_owned()
            }
            Fault::Freeze(millis) => {
                self.server().signal("STOP");
                thread::sleep(Duration::from_millis(millis));
                self.server().signal("CONT");
                "went on".to_owned()
            }
            Fault::Calls(failing) => {
                let files = files_in(&self.home.data());
                self.suffer_calls(&failing, &files, random, record)
            }
            Fault::CallsOnViews(failing) => {
                let files = files_of_views(&self.home.data().join("views"));
                self.suffer_calls(&failing, &files, random, record)
            }
            Fault::CallsAtStart(failing) => self.suffer_calls_at_start(&failing),
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
                what
            }
            Fault::SlowListeners(count) => self.suffer_listeners(count),
            Fault::Outboxes => {
                let killed = self.load.as_ref().is_some_and(Load::kill_outboxes);
                if killed { "both went on" } else { "left out: there are none" }.to_owned()
            }
        }
    }

    fn suffer_calls(
        &mut self,
        failing: &Failing,
        files: &[PathBuf],
        random: &mut Random,
        record: &mut Record,
    ) -> String {
        let log = self.home.at("strace.log");
        let said = self.server().log_text().len();
        let injection = match Injection::attach(self.server().id(), failing, files, &log) {
            Ok(injection) => injection,
            Err(why) => {
                record.leave_out(&why);
                return "left out".to_owned();
            }
        };
        if !within(STRIKING, || injection.has_struck()) {
            injection.detach();
            return "no such call was made".to_owned();
        }
        let came = self.what_came(said);
        let call = injection.detach();
        self.restart_after(&came, said, &call, random)
    }

    fn suffer_calls_at_start(&mut self, failing: &Failing) -> String {
        self.stop();
        let (files, log) = (files_in(&self.home.data()), self.home.at("serve.log"));
        let (mut tracer, told) = Injection::start(&self.program(), failing, &files, &log);
        let outcome = match tracer.listening_or_not() {
            Ok(_) => {
                let struck = if has_struck(&told) { "it started all the same" } else { "no call failed" };
                end_child(&tracer);
                format!("{struck}, ended with {}", ending(tracer.ended()))
            }
            Err(sentence) => self.refused_to_start(tracer.ended(), &sentence),
        };
        self.start();
        outcome
    }

    fn suffer_full_disk(&mut self, random: &mut Random) -> String {
        let Some(space) = &self.space else { return "left out".to_owned() };
        let said = self.log_text().len();
        space.fill();
        let came = self.what_came(said);
        if !matches!(came, Came::Ended) {
            self.end_in_any_way(random);
        }
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
        format!("{}: {first}; {second}", came.to_text())
    }

    fn suffer_clock(&mut self, seconds: i64, record: &mut Record) -> String {
        let clock = match Clock::new(self.home.at("clock")) {
            Ok(clock) => clock,
            Err(why) => {
                record.leave_out(&why);
                return "left out".to_owned();
            }
        };
        self.stop();
        let mut command = self.program();
        clock.give_to(&mut command);
        self.start_as(command);
        self.until_more(ENOUGH);
        let said = self.log_text().len();
        clock.set(seconds);
        let came = self.what_came(said);
        let far = seconds.abs() > 10;
        assert_eq!(far, matches!(came, Came::Stopped), "{seconds} s: {}", came.to_text());
        let sentence = if far { format!(": {}", self.sentence(said)) } else { String::new() };
        // Started again it goes by the machine's clock.
        self.stop();
        self.start();
        format!("{}{sentence}", came.to_text())
    }

    fn suffer_listeners(&mut self, count: usize) -> String {
        let (url, token) = (self.url(), self.home.token.clone());
        let listeners: Vec<Listener> = (0..count).map(|_| Listener::open(&url, &token)).collect();
        self.until_more(8 * ENOUGH);
        let size = self.client().size();
        let mut heard: Vec<_> = listeners.into_iter().map(|listener| listener.catch_up(size)).collect();
        let memory = self.server().peak_memory();
        assert!(memory < MOST_MEMORY, "{} MiB", memory >> 20);
        heard.dedup();
        format!("publishers went on; each {}", heard.join(" or "))
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
        if matches!(came, Some(Came::Stopped)) {
            eventually("it says why", || self.log_text()[said..].contains("the sealer has stopped"));
        }
        let follows = || client.try_get("/readyz").is_ok_and(|reply| reply.json()["following"] == true);
        if matches!(came, Some(Came::WentOn)) && self.log_text()[said..].contains("views no longer follow") {
            eventually("it says that its views no longer follow", || !follows());
        }
        came.expect("it showed")
    }

    fn restart_after(&mut self, came: &Came, said: usize, call: &str, random: &mut Random) -> String {
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
    const fn to_text(&self) -> &'static str {
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
