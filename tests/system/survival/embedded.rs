//! A ledger that is one process alone, and what happens to it.

use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::clock::Clock;
use super::damage::damage_views;
use super::faults::Fault;
use super::injection::{Failing, Injection, files_in, has_struck};
use super::readers::{Listener, Readers};
use super::record::Record;
use super::space::Space;
use super::standing::{Standing, is_sound, views_are_what_a_rebuild_gives};
use crate::nats::{Load, Receipts, free_port};
use crate::partnership::{Client, Home, Process, Random, eventually, path, the_program, within};

/// How long a fault may take until it shows.
const STRIKING: Duration = Duration::from_secs(20);
/// So many more receipts show that publishers go on.
const ENOUGH: usize = 15;
/// Generous, for a program with everything in it that finds mistakes.
const MOST_MEMORY: u64 = 1 << 30;

/// The ledger, those who publish and read, and what they were told.
pub(super) struct World {
    load: Option<Load>,
    readers: Option<Readers>,
    server: Option<Process>,
    receipts: Arc<Receipts>,
    standing: Standing,
    listen: String,
    /// How many entries there were before the first receipt.
    base: usize,
    /// Ends after everybody who uses it.
    space: Option<Space>,
    home: Home,
}

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
    pub(super) fn new(record: &mut Record) -> Self {
        let home = Home::new();
        let space = Space::under(&home.data()).map_err(|why| record.leave_out(&why)).ok();
        let council = home.enrol("council", "gss:E06000999", None);
        home.enrol("charity", "charity:999001", None);
        home.enrol("school", "gss:E06000998", None);
        let listen = format!("127.0.0.1:{}", free_port());
        let receipts: Arc<Receipts> = Arc::default();
        let mut world = Self {
            load: None,
            readers: None,
            server: None,
            receipts: Arc::clone(&receipts),
            standing: Standing::default(),
            listen,
            base: 0,
            space,
            home,
        };
        world.start();
        world.base = usize::try_from(world.client().size()).expect("a few");
        let mut load = Load::new(receipts, world.url());
        load.over_http(council, vec![world.url()]);
        load.by_agent(&world.home, "charity");
        load.by_publish(&world.home, "school");
        world.load = Some(load);
        world.readers = Some(Readers::start(&world.url(), &world.home.token));
        world.until_more(ENOUGH);
        world
    }

    /// Lets it happen, has the ledger up again on a sound disk, and checks everything.
    pub(super) fn live_through(&mut self, fault: Fault, random: &mut Random, record: &mut Record) {
        record.begin("alone", fault.to_text());
        let said = self.server().log_text().len();
        // Not a wait for anything: the moment is drawn at random.
        thread::sleep(Duration::from_micros(random.below(300_000)));
        let outcome = self.suffer(fault, random, record);
        self.until_more(ENOUGH);
        self.check();
        let log = self.server().log_text();
        let panics = log[said..].lines().filter(|line| line.contains("panicked at")).count();
        let panics = if panics == 0 { String::new() } else { format!("; {panics} panics of a thread") };
        record.end(outcome + &panics);
    }

    /// The end of its life: everything that was begun is acknowledged, and the log holds nothing else.
    pub(super) fn end(mut self, record: &mut Record) {
        self.load.take().expect("it is under load").finish();
        self.readers.take().expect("it is read").stop();
        let reads = usize::try_from(self.client().reads()).expect("not so many");
        let entries = self.check();
        assert_eq!(entries, self.base + self.standing.acknowledged() + reads, "nothing else was sealed");
        record.count(self.receipts.count());
        self.stop();
    }

    fn suffer(&mut self, fault: Fault, random: &mut Random, record: &mut Record) -> String {
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
            Fault::Calls(failing) => self.suffer_calls(&failing, random, record),
            Fault::CallsAtStart(failing) => self.suffer_calls_at_start(&failing),
            Fault::DiskFull => self.suffer_full_disk(random),
            Fault::Clock(seconds) => self.suffer_clock(seconds, record),
            Fault::Views => {
                if random.once_in(2) {
                    self.kill()
                } else {
                    self.stop()
                }
                let what = damage_views(&self.home.data().join("views"), random);
                self.start();
                what
            }
            Fault::SlowListeners(count) => self.suffer_listeners(count),
        }
    }

    fn suffer_calls(&mut self, failing: &Failing, random: &mut Random, record: &mut Record) -> String {
        let (files, log) = (files_in(&self.home.data()), self.home.at("strace.log"));
        let said = self.server().log_text().len();
        let injection = match Injection::attach(self.server().id(), failing, &files, &log) {
            Ok(injection) => injection,
            Err(why) => {
                record.leave_out(&format!("calls that fail need strace, and to be allowed to trace: {why}"));
                return "left out".to_owned();
            }
        };
        if !within(STRIKING, || injection.has_struck()) {
            injection.detach();
            return "no such call was made".to_owned();
        }
        let came = self.what_came();
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
                format!("{struck}, ended with {}", ending(&tracer.ended()))
            }
            Err(sentence) => self.refused_to_start(&tracer.ended(), &sentence),
        };
        self.start();
        outcome
    }

    fn suffer_full_disk(&mut self, random: &mut Random) -> String {
        let Some(space) = &self.space else { return "left out".to_owned() };
        let said = self.log_text().len();
        space.fill();
        let came = self.what_came();
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
            Err(sentence) => self.refused_to_start(&process.ended(), &sentence),
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
        let came = self.what_came();
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

    /// Waits until it shows what the process does about a fault.
    fn what_came(&mut self) -> Came {
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
        came.expect("it showed")
    }

    fn restart_after(&mut self, came: &Came, said: usize, call: &str, random: &mut Random) -> String {
        let ended = match came {
            Came::Ended => {
                let status = self.server.take().expect("it ran").ended();
                format!(" with {}", ending(&status))
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

    /// The last error that was logged since, or the sentence with which it ended.
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
        let mut sentences: Vec<String> = text[said..].lines().filter_map(of_line).collect();
        sentences.dedup();
        if sentences.is_empty() {
            "nothing said".to_owned()
        } else {
            self.without_folder(&sentences.join("; then "))
        }
    }

    /// It ended instead of serving: with status 1, and a sentence.
    fn refused_to_start(&self, status: &ExitStatus, sentence: &str) -> String {
        assert_eq!(status.code(), Some(1), "{sentence}: {}", self.log_text());
        assert!(sentence.len() > 20, "it says why: {sentence}{}", self.log_text());
        format!("ended with exit status 1: {}", self.without_folder(sentence))
    }

    fn without_folder(&self, sentence: &str) -> String {
        sentence.replace(path(&self.home.data()), "…")
    }

    /// The folder at rest, and the ledger up again. Returns how many entries it has.
    fn check(&mut self) -> usize {
        // Whatever was acknowledged before the end is there after it.
        self.stop();
        self.standing.learn(&self.home, &self.receipts.all());
        let data = self.home.data();
        is_sound(&self.home, &data);
        let entries = self.standing.check_log(&data);
        views_are_what_a_rebuild_gives(&self.home);
        self.start();
        entries
    }

    fn until_more(&self, count: usize) {
        let wanted = self.receipts.count() + count;
        eventually("publishers go on", || self.receipts.count() >= wanted);
    }

    fn program(&self) -> Command {
        let data = self.home.data();
        the_program(["serve", "--json", "--listen", &self.listen, "--data", path(&data)])
    }

    fn start(&mut self) {
        let program = self.program();
        self.start_as(program);
    }

    fn start_as(&mut self, program: Command) {
        let process = Process::of(program, &self.home.at("serve.log"));
        assert_eq!(process.listening(), self.url());
        self.server = Some(process);
    }

    fn kill(&mut self) {
        self.server.take().expect("it runs").kill();
    }

    fn stop(&mut self) {
        let mut process = self.server.take().expect("it runs");
        process.signal("TERM");
        assert_eq!(process.ended().code(), Some(0), "{}", process.log_text());
    }

    /// As an operator would end what does not seal any more: in order, or not.
    fn end_in_any_way(&mut self, random: &mut Random) {
        if random.once_in(3) {
            self.kill();
        } else {
            let mut process = self.server.take().expect("it runs");
            process.signal("TERM");
            process.ended();
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn client(&self) -> Client {
        Client::new(&self.url())
    }

    fn server(&self) -> &Process {
        self.server.as_ref().expect("it runs")
    }

    fn log_text(&self) -> String {
        std::fs::read_to_string(self.home.at("serve.log")).unwrap_or_default()
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
fn ending(status: &ExitStatus) -> String {
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
