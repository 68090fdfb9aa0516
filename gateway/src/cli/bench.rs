mod comparison_report;
mod deeds_report;
mod growth_report;
mod nats_report;
mod verify_report;
mod views_report;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gt_ledger::sealer::SealerTimes;
use serde_json::{Value, json};

use super::output::{Output, table};
use super::{Failure, Outcome};
use crate::bench::answers::{self, AnswersPlan};
use crate::bench::growth::{self, Errand, GrowthPlan};
use crate::bench::latency::{AtRate, Latency};
use crate::bench::nats::{self, Servers};
use crate::bench::stages::a_batch;
use crate::bench::throughput::Rates;
use crate::bench::verify::{self, VerifyPlan};
use crate::bench::views::{self, ViewsPlan};
use crate::bench::{Plan, Report, Within, erase, pace, reads, run};

/// What `--nats` without a URL means: a server of the measurement's own.
const OWN: &str = "own";
/// How many children statements are about, unless somebody says otherwise.
const CHILDREN: NonZeroU32 = NonZeroU32::new(2000).expect("not zero");

#[derive(Args)]
pub(crate) struct Bench {
    /// How many statements go through the sealer, all rounds together.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    statements: u32,
    /// How many publishers sign them, each for an agency of its own.
    #[arg(long, default_value = "50", value_parser = publishers)]
    publishers: NonZeroU32,
    /// How many children the statements are about. [default: 2000; with --growth one for 30 entries of the largest size]
    #[arg(long)]
    children: Option<NonZeroU32>,
    /// How many rounds of sealing and, in turn, of checking signatures alone; with --nats, of the broker alone.
    #[arg(long, default_value = "5")]
    rounds: NonZeroU32,
    /// Requests a second over HTTP, or over NATS; 0 leaves them out.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(..=100_000))]
    rate: u32,
    /// For how many seconds requests are made.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=3600))]
    seconds: u32,
    /// The folder in which temporary folders are made, and removed at the end, unless they are kept. It decides which disk is measured.
    #[arg(long, default_value = ".")]
    data: PathBuf,
    /// Leave the temporary folders where they are. Where measurements follow each other, what is removed after one can slow the next.
    #[arg(long)]
    keep: bool,
    /// Measure with a node on NATS instead, from request to receipt, and beside it how fast the broker stores the same bytes. Without a URL
    /// with a server of the measurement's own; with one, `nats://HOST[:PORT][,…]` or `tls://…`, on servers that hold no ledger.
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = OWN)]
    nats: Option<String>,
    /// The nats-server to start. [default: the one that `GT_NATS_SERVER` names, or on the search path]
    #[arg(long, value_name = "PATH", requires = "nats")]
    nats_server: Option<PathBuf>,
    /// The processes of the servers that --nats names, where they run on this machine: then it is told what they take of the processor.
    #[arg(
        long,
        value_name = "IDS",
        requires = "nats",
        conflicts_with = "nats_server",
        value_delimiter = ',',
        num_args = 1
    )]
    nats_processes: Vec<u32>,
    /// Measure the views instead: rebuild those of a generated history of so many events, and ask them.
    #[arg(long, value_name = "EVENTS", num_args = 0..=1, default_missing_value = "1000000", conflicts_with = "nats",
          value_parser = clap::value_parser!(u32).range(1_000..=20_000_000))]
    views: Option<u32>,
    /// Measure verification instead: of a data folder with so many statements, beside the signatures alone.
    #[arg(long, value_name = "STATEMENTS", num_args = 0..=1, default_missing_value = "1000000",
          conflicts_with_all = ["nats", "views"], value_parser = clap::value_parser!(u32).range(1_000..=20_000_000))]
    verify: Option<u32>,
    /// What the measurement of verification runs in a process of its own.
    #[arg(long, value_name = "FOLDER", hide = true)]
    verify_folder: Option<PathBuf>,
    /// Measure reads instead: so many of each kind, recorded ones and others, beside publishing at --rate.
    #[arg(long, value_name = "READS", num_args = 0..=1, default_missing_value = "10000",
          conflicts_with_all = ["nats", "views", "verify"], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    reads: Option<u32>,
    /// With --reads, how many reads of all kinds are made a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    reads_per_second: u32,
    /// Measure erasures instead: of some of so many children, one after another, while statements are being sealed.
    #[arg(long, value_name = "CHILDREN", num_args = 0..=1, default_missing_value = "100000",
          conflicts_with_all = ["nats", "views", "verify", "reads"], value_parser = erasable)]
    erase: Option<NonZeroU32>,
    /// Measure how long a statement takes to its receipt instead, with so many unanswered at a time: one number, or several with commas.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', num_args = 1, value_parser = in_flight,
          conflicts_with_all = ["nats", "views", "verify", "reads", "erase"])]
    in_flight: Vec<NonZeroU32>,
    /// With --in-flight: write every statement that is sealed in the rounds to this file, one a line.
    #[arg(long, value_name = "FILE", requires = "in_flight")]
    export: Option<PathBuf>,
    /// Ask the views of a generated history of so many events as --statements says, and write that history into this folder as rows, so
    /// that another database can be asked the same.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["nats", "views", "verify", "reads", "erase", "in_flight"])]
    answers: Option<PathBuf>,
    /// Measure growth instead: grow one folder from size to size, in entries, and see at each how fast it seals and starts, and what it takes.
    #[arg(long, value_name = "SIZES", num_args = 0..=1, default_missing_value = "10000,100000,1000000", value_delimiter = ',',
          conflicts_with_all = ["nats", "views", "verify", "reads", "erase", "in_flight", "answers"], value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    growth: Option<Vec<u64>>,
    /// What the measurement of growth runs in processes of their own.
    #[arg(long, value_name = "FOLDER", hide = true)]
    growth_of: Option<PathBuf>,
    #[arg(long, value_name = "SIZE", hide = true, requires = "growth_of")]
    grow_to: Option<u64>,
    #[arg(long, hide = true, requires = "growth_of")]
    then_be_killed: bool,
    /// How often the views are asked each kind of question.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    questions: u32,
    /// What the measurement of the views runs in a process of its own.
    #[arg(long, value_name = "FOLDER", hide = true)]
    rebuild_views_of: Option<PathBuf>,
    #[command(flatten)]
    servers: super::nats::ServerArgs,
}

fn publishers(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse::<NonZeroU32>().map_err(|error| error.to_string())?;
    if number.get() <= 500 {
        Ok(number)
    } else {
        Err("each has a thread of its own, so at most 500".to_owned())
    }
}

/// More than this the ledger refuses as too many.
fn in_flight(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse::<NonZeroU32>().map_err(|error| error.to_string())?;
    if number.get() <= 7000 { Ok(number) } else { Err("at most 7000".to_owned()) }
}

fn erasable(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse::<NonZeroU32>().map_err(|error| error.to_string())?;
    if number.get() <= 2_000_000 { Ok(number) } else { Err("at most 2000000 children".to_owned()) }
}

impl Bench {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        if let Some(folder) = &self.rebuild_views_of {
            let figures = views::measure(folder, self.questions)?;
            output.say(&json!(figures), || views_report::rebuilt(&figures.0));
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(folder) = &self.verify_folder {
            let figures = json!(verify::measure(folder)?);
            output.say(&figures, || figures.to_string());
            return Ok(ExitCode::SUCCESS);
        }
        let children = self.children.unwrap_or(CHILDREN);
        if let Some(folder) = &self.growth_of {
            let errand = match (self.grow_to, self.then_be_killed) {
                (Some(size), _) => Errand::GrowTo(size),
                (None, true) => Errand::StartAndBeKilled,
                (None, false) => Errand::Start,
            };
            let say = |figures: &Value| output.say(figures, || figures.to_string());
            growth::measure(folder, errand, (self.publishers, children), say)?;
            return Ok(ExitCode::SUCCESS);
        }
        let within = Within { folder: self.data, keep: self.keep };
        if let Some(sizes) = self.growth {
            let plan = GrowthPlan::new(sizes, self.publishers, self.children, within);
            let report = growth::run(&plan, &std::env::current_exe()?)?;
            output.say(&json!(report), || growth_report::to_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(events) = self.verify {
            let plan = VerifyPlan { events, rounds: self.rounds.get(), within };
            let report = verify::run(&plan, &std::env::current_exe()?)?;
            output.say(&verify_report::to_json(&report), || verify_report::to_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(events) = self.views {
            let plan = ViewsPlan { events, questions: self.questions, within };
            let report = views::run(&plan, &std::env::current_exe()?)?;
            output.say(&json!(report), || views_report::to_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(rows) = self.answers {
            let plan = AnswersPlan { events: self.statements, questions: self.questions, within, rows };
            let report = answers::run(&plan)?;
            output.say(&json!(report), || comparison_report::answers_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        let plan = Plan {
            statements: self.statements,
            publishers: self.publishers,
            children: self.erase.unwrap_or(children),
            rounds: self.rounds,
            rate: self.rate,
            seconds: self.seconds,
            within,
        };
        if !self.in_flight.is_empty() {
            let report = pace::run(&plan, &self.in_flight, self.export.as_deref())?;
            output.say(&comparison_report::pace_json(&report), || comparison_report::pace_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(reads) = self.reads {
            let report = reads::run(&plan, reads, self.reads_per_second)?;
            output.say(&deeds_report::reads_json(&report), || deeds_report::reads_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        if self.erase.is_some() {
            let report = erase::run(&plan)?;
            output.say(&deeds_report::erase_json(&report), || deeds_report::erase_text(&report));
            return Ok(ExitCode::SUCCESS);
        }
        match self.nats {
            None => {
                let report = run(&plan)?;
                output.say(&to_json(&report), || to_text(&report));
            }
            Some(url) => {
                let servers = match (url.as_str(), self.nats_server) {
                    (OWN, program) => Servers::Own(program),
                    (url, None) => {
                        Servers::Given(Box::new(self.servers.node(url, false)?), self.nats_processes)
                    }
                    (_, Some(_)) => {
                        return Err(Failure::new(
                            "--nats with a URL starts no server, so it takes no --nats-server",
                        ));
                    }
                };
                let report = nats::run(&plan, &servers)?;
                output.say(&nats_report::to_json(&report), || nats_report::to_text(&report));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn to_json(report: &Report) -> Value {
    let (throughput, stages) = (&report.throughput, &report.stages);
    let alone: serde_json::Map<String, Value> =
        stages.alone.iter().map(|(name, micros)| ((*name).to_owned(), json!(micros))).collect();
    json!({
        "cores": report.cores,
        "mean_statement_bytes": report.sizes.statement,
        "mean_disclosures_bytes": report.sizes.disclosures,
        "mean_disclosures": f64::from(u32::try_from(report.sizes.disclosures_times_10).unwrap_or(0)) / 10.0,
        "sealed_per_second": rates_json(&throughput.sealed),
        "verified_per_second": rates_json(&throughput.verified),
        "ratio": rates_json(&throughput.ratio),
        "processor": throughput.processor.map(|processor| json!({
            "sealing_microseconds": processor.sealing,
            "verifying_microseconds": processor.verifying,
            "ratio": processor.verifying / processor.sealing,
            "busy": processor.busy,
        })),
        "microseconds_a_statement": alone,
        "batches": stages.sealer.batches,
        "statements": stages.sealer.statements,
        "milliseconds_a_batch": a_batch_json(a_batch(&stages.sealer)),
        "latency": report.at_rate.as_ref().map(|at_rate| latency_json(&at_rate.receipts)),
        "disk_alone": report.at_rate.as_ref().map(|at_rate| latency_json(&at_rate.disk_alone)),
    })
}

fn rates_json(rates: &Rates) -> Value {
    json!({"median": rates.median, "min": rates.least, "max": rates.most})
}

fn a_batch_json(stages: Vec<(&'static str, Duration)>) -> Value {
    let millis = |(name, spent): (&str, Duration)| (name.to_owned(), json!(spent.as_secs_f64() * 1000.0));
    Value::Object(stages.into_iter().map(millis).collect())
}

fn latency_json(latency: &Latency) -> Value {
    json!({
        "rate": latency.rate,
        "requests": latency.requests,
        "answered_per_second": latency.answered_per_second,
        "p50_ms": latency.p50,
        "p90_ms": latency.p90,
        "p99_ms": latency.p99,
        "p999_ms": latency.p999,
        "max_ms": latency.max,
    })
}

fn to_text(report: &Report) -> String {
    let (sizes, throughput, stages) = (&report.sizes, &report.throughput, &report.stages);
    let rates = table(
        &["statements a second", "median", "min", "max"],
        &[
            rates_row("sealed: bytes to receipt", &throughput.sealed, 0),
            rates_row("signatures alone", &throughput.verified, 0),
            rates_row("ratio", &throughput.ratio, 2),
        ],
    );
    let micros = |(name, micros): &(&str, f64)| vec![(*name).to_owned(), format!("{micros:.1}")];
    let mut alone: Vec<_> = stages.alone.iter().map(micros).collect();
    alone.push(micros(&("together", stages.total())));
    let alone = table(&["one thread, alone", "µs a statement"], &alone);
    format!(
        "{cores} cores; statements of {statement} bytes with {tenths}.{tenth} disclosures of {disclosures} bytes on average\n\
         \n{rates}\n{busy}\n{alone}\n\n{sealer}\n{latency}",
        cores = report.cores,
        statement = sizes.statement,
        tenths = sizes.disclosures_times_10 / 10,
        tenth = sizes.disclosures_times_10 % 10,
        disclosures = sizes.disclosures,
        busy = throughput
            .processor
            .map(|processor| {
                format!(
                    "Processor time: {:.0} µs to seal, {:.0} µs to verify, ratio {:.2}. While sealing, {:.0}% of all cores was used.\n",
                    processor.sealing,
                    processor.verifying,
                    processor.verifying / processor.sealing,
                    processor.busy * 100.0
                )
            })
            .unwrap_or_default(),
        sealer = sealer_text(&stages.sealer, &a_batch(&stages.sealer)),
        latency = report.at_rate.as_ref().map(at_rate_text).unwrap_or_default(),
    )
}

fn rates_row(name: &str, rates: &Rates, digits: usize) -> Vec<String> {
    let cell = |rate: f64| format!("{rate:.digits$}");
    vec![name.to_owned(), cell(rates.median), cell(rates.least), cell(rates.most)]
}

fn sealer_text(sealer: &SealerTimes, stages: &[(&'static str, Duration)]) -> String {
    let row = |(name, spent): &(&str, Duration)| {
        vec![(*name).to_owned(), format!("{:.2}", spent.as_secs_f64() * 1000.0)]
    };
    let rows: Vec<_> = stages.iter().map(row).collect();
    let (batches, mean) = (sealer.batches, sealer.statements / sealer.batches.max(1));
    let table = table(&["the sealer's threads", "ms a batch"], &rows);
    format!("{table}\n{batches} batches of {mean} statements on average")
}

fn latency_text(latency: &Latency) -> String {
    format!(
        "\nRequest to receipt in ms, {requests} requests at {rate}/s ({answered:.0}/s answered):\n{table}",
        requests = latency.requests,
        rate = latency.rate,
        answered = latency.answered_per_second,
        table = percentiles(latency),
    )
}

fn at_rate_text(at_rate: &AtRate) -> String {
    let (receipts, disk) = (latency_text(&at_rate.receipts), &at_rate.disk_alone);
    let (batches, rate) = (disk.requests, disk.rate);
    format!(
        "{receipts}\n\nThe same {batches} batches written and synced again by the disk alone, {rate}/s, in ms:\n{table}",
        table = percentiles(disk),
    )
}

fn percentiles(latency: &Latency) -> String {
    let row = [latency.p50, latency.p90, latency.p99, latency.max].map(|millis| format!("{millis:.1}"));
    table(&["p50", "p90", "p99", "max"], &[row.to_vec()])
}
