//! A ledger that is one process alone, under load.

use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::faults::Fault;
use super::readers::Readers;
use super::record::Record;
use super::space::Space;
use super::standing::{Standing, is_sound, views_are_what_a_rebuild_gives};
use crate::nats::{Load, Receipts, free_port};
use crate::partnership::{Client, Home, Process, Random, eventually, path, the_program};

/// So many more receipts show that publishers go on.
pub(super) const ENOUGH: usize = 15;
/// Slow enough for a log that can be checked again and again.
const PACE: Duration = Duration::from_millis(20);
/// So many that their histories stay short: each event has the views look at its child's whole history.
const CHILDREN: u64 = 60;
const PUBLISHERS: [(&str, &str); 4] = [
    ("council", "gss:E06000999"),
    ("hospital", "ods:RX1"),
    ("charity", "charity:999001"),
    ("school", "gss:E06000998"),
];

/// The ledger, those who publish and read, and what they were told.
pub(super) struct World {
    pub(super) load: Option<Load>,
    pub(super) readers: Option<Readers>,
    pub(super) server: Option<Process>,
    pub(super) receipts: Arc<Receipts>,
    standing: Standing,
    listen: String,
    /// How many entries there were before the first receipt.
    base: usize,
    /// Ends after everybody who uses it.
    pub(super) space: Option<Space>,
    pub(super) home: Home,
}

/// Who publishes besides two over HTTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Publishing {
    /// Nobody.
    Directly,
    /// An agent and `publish`, too. They try again after up to ten seconds.
    WithOutboxes,
}

impl World {
    pub(super) fn new(load: Publishing, record: &mut Record) -> Self {
        let home = Home::new();
        let space = Space::under(&home.data()).map_err(|why| record.leave_out(&why)).ok();
        let enrol = |(name, agency): (&str, &str)| home.enrol(name, agency, None);
        let [council, hospital, _, _] = PUBLISHERS.map(enrol);
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
        let mut work = Load::about(CHILDREN, PACE, receipts, world.url());
        for publisher in [council, hospital] {
            work.over_http(publisher, vec![world.url()]);
        }
        if load == Publishing::WithOutboxes {
            work.by_outboxes(&world.home, ["charity", "school"]);
        }
        world.load = Some(work);
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
        record.end(outcome.and(&panics));
    }

    /// The end of its life: everything that was begun is acknowledged, and the log holds nothing else.
    pub(super) fn end(mut self, record: &mut Record) {
        self.load.take().expect("it is under load").finish();
        record.count_answers(self.readers.take().expect("it is read").stop());
        let reads = usize::try_from(self.client().reads()).expect("not so many");
        let entries = self.check();
        assert_eq!(entries, self.base + self.standing.acknowledged() + reads, "nothing else was sealed");
        record.count(self.receipts.count());
        self.stop();
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

    pub(super) fn until_more(&self, count: usize) {
        let wanted = self.receipts.count() + count;
        eventually("publishers go on", || self.receipts.count() >= wanted);
    }

    pub(super) fn program(&self) -> Command {
        let data = self.home.data();
        the_program(["serve", "--json", "--listen", &self.listen, "--data", path(&data)])
    }

    pub(super) fn start(&mut self) {
        let program = self.program();
        self.start_as(program);
    }

    pub(super) fn start_as(&mut self, program: Command) {
        let process = Process::of(program, &self.home.at("serve.log"));
        assert_eq!(process.listening(), self.url());
        self.server = Some(process);
    }

    pub(super) fn kill(&mut self) {
        self.server.take().expect("it runs").kill();
    }

    pub(super) fn stop(&mut self) {
        let mut process = self.server.take().expect("it runs");
        process.signal("TERM");
        assert_eq!(process.ended().code(), Some(0), "{}", process.log_text());
    }

    /// As an operator would end what does not seal any more: in order, or not.
    pub(super) fn end_in_any_way(&mut self, random: &mut Random) {
        if random.once_in(3) {
            self.kill();
        } else {
            let mut process = self.server.take().expect("it runs");
            process.signal("TERM");
            process.ended();
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.url())
    }

    pub(super) fn server(&self) -> &Process {
        self.server.as_ref().expect("it runs")
    }

    pub(super) fn log_text(&self) -> String {
        std::fs::read_to_string(self.home.at("serve.log")).unwrap_or_default()
    }
}
