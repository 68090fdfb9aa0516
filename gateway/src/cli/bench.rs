use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::Outcome;
use super::output::{Output, table};
use crate::bench::throughput::Rates;
use crate::bench::{Plan, Report, run};

#[derive(Args)]
pub(crate) struct Bench {
    /// How many statements go through the sealer, all rounds together.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    statements: u32,
    /// How many publishers sign them, each for an agency of its own.
    #[arg(long, default_value = "50", value_parser = publishers)]
    publishers: NonZeroU32,
    /// How many children the statements are about.
    #[arg(long, default_value = "2000")]
    children: NonZeroU32,
    /// How many rounds of sealing and of checking signatures alone, in turn.
    #[arg(long, default_value = "5")]
    rounds: NonZeroU32,
    /// Requests a second over HTTP; 0 leaves them out.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(..=100_000))]
    rate: u32,
    /// For how many seconds requests are made.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=3600))]
    seconds: u32,
    /// The folder in which a temporary data folder is made, and removed at the end. It decides which disk is measured.
    #[arg(long, default_value = ".")]
    data: PathBuf,
}

fn publishers(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse::<NonZeroU32>().map_err(|error| error.to_string())?;
    if number.get() <= 500 {
        Ok(number)
    } else {
        Err("each has a thread of its own, so at most 500".to_owned())
    }
}

impl Bench {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let plan = Plan {
            statements: self.statements,
            publishers: self.publishers,
            children: self.children,
            rounds: self.rounds,
            rate: self.rate,
            seconds: self.seconds,
            folder: self.data,
        };
        let report = run(&plan)?;
        output.say(&to_json(&report), || to_text(&report));
        Ok(ExitCode::SUCCESS)
    }
}

fn to_json(report: &Report) -> Value {
    let rates = |rates: &Rates| json!({"median": rates.median, "min": rates.least, "max": rates.most});
    let (throughput, stages) = (&report.throughput, &report.stages);
    let alone: serde_json::Map<String, Value> =
        stages.alone.iter().map(|(name, micros)| ((*name).to_owned(), json!(micros))).collect();
    let a_batch: serde_json::Map<String, Value> = stages
        .a_batch()
        .into_iter()
        .map(|(name, spent)| (name.to_owned(), json!(spent.as_secs_f64() * 1000.0)))
        .collect();
    json!({
        "cores": report.cores,
        "mean_statement_bytes": report.sizes.statement,
        "mean_disclosures_bytes": report.sizes.disclosures,
        "mean_disclosures": f64::from(u32::try_from(report.sizes.disclosures_times_10).unwrap_or(0)) / 10.0,
        "sealed_per_second": rates(&throughput.sealed),
        "verified_per_second": rates(&throughput.verified),
        "ratio": rates(&throughput.ratio),
        "processor": throughput.processor.map(|processor| json!({
            "sealing_microseconds": processor.sealing,
            "verifying_microseconds": processor.verifying,
            "ratio": processor.verifying / processor.sealing,
            "busy": processor.busy,
        })),
        "microseconds_a_statement": alone,
        "batches": stages.sealer.batches,
        "statements": stages.sealer.statements,
        "milliseconds_a_batch": a_batch,
        "latency": report.latency.map(|latency| json!({
            "rate": latency.rate,
            "requests": latency.requests,
            "answered_per_second": latency.answered_per_second,
            "p50_ms": latency.p50,
            "p90_ms": latency.p90,
            "p99_ms": latency.p99,
            "max_ms": latency.max,
        })),
    })
}

fn to_text(report: &Report) -> String {
    let (sizes, throughput, stages) = (&report.sizes, &report.throughput, &report.stages);
    let count =
        |rates: &Rates| [rates.median, rates.least, rates.most].map(|rate| format!("{rate:.0}")).to_vec();
    let named = |name: &str, cells: Vec<String>| [vec![name.to_owned()], cells].concat();
    let ratio =
        [throughput.ratio.median, throughput.ratio.least, throughput.ratio.most].map(|r| format!("{r:.2}"));
    let rates = table(
        &["statements a second", "median", "min", "max"],
        &[
            named("sealed: bytes to receipt", count(&throughput.sealed)),
            named("signatures alone", count(&throughput.verified)),
            named("ratio", ratio.to_vec()),
        ],
    );
    let micros = |(name, micros): &(&str, f64)| vec![(*name).to_owned(), format!("{micros:.1}")];
    let mut alone: Vec<_> = stages.alone.iter().map(micros).collect();
    alone.push(micros(&("together", stages.total())));
    let alone = table(&["one thread, alone", "µs a statement"], &alone);
    let a_batch: Vec<_> = stages
        .a_batch()
        .iter()
        .map(|(name, spent)| vec![(*name).to_owned(), format!("{:.2}", spent.as_secs_f64() * 1000.0)])
        .collect();
    let a_batch = table(&["the sealer's threads", "ms a batch"], &a_batch);
    let batches = stages.sealer.batches.max(1);
    format!(
        "{cores} cores; statements of {statement} bytes with {tenths}.{tenth} disclosures of {disclosures} bytes on average\n\
         \n{rates}\n{busy}\n{alone}\n\n{a_batch}\n{batches} batches of {mean} statements on average\n{latency}",
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
        mean = stages.sealer.statements / batches,
        latency = latency_text(report),
    )
}

fn latency_text(report: &Report) -> String {
    let Some(latency) = &report.latency else { return String::new() };
    let row = [latency.p50, latency.p90, latency.p99, latency.max].map(|millis| format!("{millis:.1}"));
    let table = table(&["p50", "p90", "p99", "max"], &[row.to_vec()]);
    format!(
        "\nRequest to receipt in ms, {requests} requests at {rate}/s ({answered:.0}/s answered):\n{table}",
        requests = latency.requests,
        rate = latency.rate,
        answered = latency.answered_per_second,
    )
}
