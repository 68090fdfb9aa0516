use serde_json::{Value, json};

use super::super::output::table;
use super::{a_batch_json, latency_json, latency_text, rates_json, rates_row, sealer_text};
use crate::bench::latency::Latency;
use crate::bench::nats::{Cost, Report};

/// What the whole should reach on one machine, to be shown beside what it does (DESIGN section 9).
const AIM_RATIO: f64 = 0.25;
const AIM_P99_MS: f64 = 60.0;

pub(super) fn to_json(report: &Report) -> Value {
    let cost = |cost: &Option<Cost>| {
        cost.map(|cost| {
            json!({"node": cost.node, "publishers": cost.publishers, "broker": cost.broker, "busy": cost.busy})
        })
    };
    json!({
        "cores": report.cores,
        "mean_statement_bytes": report.sizes.statement,
        "mean_disclosures_bytes": report.sizes.disclosures,
        "mean_disclosures": f64::from(u32::try_from(report.sizes.disclosures_times_10).unwrap_or(0)) / 10.0,
        "request_to_receipt_per_second": rates_json(&report.sealed),
        "broker_alone_per_second": rates_json(&report.raw),
        "ratio": rates_json(&report.ratio),
        "aim_ratio": AIM_RATIO,
        "broker_alone_in_the_sealers_batches_per_second": rates_json(&report.raw_as_sealed),
        "ratio_in_the_sealers_batches": rates_json(&report.ratio_as_sealed),
        "saturated_latency": latency_json(&report.saturated),
        "broker_alone_singly_per_second": rates_json(&report.raw_singly),
        "broker_alone_one_by_one_latency": latency_json(&report.raw_one_by_one),
        "processor_microseconds_a_statement": cost(&report.cost),
        "processor_microseconds_a_message_of_the_broker_alone": cost(&report.raw_cost),
        "behind_seconds": report.behind.as_secs_f64(),
        "batches": report.sealer.times.batches,
        "statements": report.sealer.times.statements,
        "milliseconds_a_batch": a_batch_json(report.sealer.a_batch()),
        "latency": report.latency.as_ref().map(|(latency, _)| latency_json(latency)),
        "aim_p99_ms": AIM_P99_MS,
        "latency_batches": report.latency.as_ref().map(|(_, sealer)| sealer.times.batches),
        "latency_milliseconds_a_batch": report.latency.as_ref().map(|(_, sealer)| a_batch_json(sealer.a_batch())),
    })
}

pub(super) fn to_text(report: &Report) -> String {
    let rates = table(
        &["statements a second", "median", "min", "max"],
        &[
            rates_row("request to receipt", &report.sealed, 0),
            rates_row("broker alone, batches of 1,000", &report.raw, 0),
            rates_row(&format!("ratio (aim {AIM_RATIO})"), &report.ratio, 2),
            rates_row("broker alone, the sealer's batches", &report.raw_as_sealed, 0),
            rates_row("ratio", &report.ratio_as_sealed, 2),
            rates_row("broker alone, single messages", &report.raw_singly, 0),
        ],
    );
    let latency = report.latency.as_ref().map(|(latency, sealer)| {
        format!(
            "{}\n(aim for p99: {AIM_P99_MS:.0} ms)\n\n{}",
            latency_text(latency),
            sealer_text(&sealer.times, &sealer.a_batch())
        )
    });
    format!(
        "{cores} cores, which broker, node and publishers share; statements of {statement} bytes with {tenths}.{tenth} disclosures of \
         {disclosures} bytes on average\n\n{rates}\n\nrequest to receipt in the rounds: {saturated}\nbroker alone, one message at a time: \
         {one_by_one}\n\n{costs}\nAfter a round's last receipt the node was busy for {behind:.1} s at most.\n\
         \n{sealer}\n{latency}",
        cores = report.cores,
        statement = report.sizes.statement,
        tenths = report.sizes.disclosures_times_10 / 10,
        tenth = report.sizes.disclosures_times_10 % 10,
        disclosures = report.sizes.disclosures,
        saturated = percentiles(&report.saturated),
        one_by_one = percentiles(&report.raw_one_by_one),
        costs = costs(report),
        behind = report.behind.as_secs_f64(),
        sealer = sealer_text(&report.sealer.times, &report.sealer.a_batch()),
        latency = latency.unwrap_or_default(),
    )
}

/// Where nobody asked for a rate.
fn percentiles(latency: &Latency) -> String {
    format!("p50 {:.1}, p99 {:.1}, p99.9 {:.1} ms", latency.p50, latency.p99, latency.p999)
}

fn costs(report: &Report) -> String {
    let row = |name: &str, cost: &Option<Cost>| {
        cost.map(|cost| {
            let broker = cost.broker.map_or_else(|| "?".to_owned(), |broker| format!("{broker:.0}"));
            let busy = format!("{:.0}%", cost.busy * 100.0);
            vec![
                name.to_owned(),
                format!("{:.0}", cost.node),
                format!("{:.0}", cost.publishers),
                broker,
                busy,
            ]
        })
    };
    let rows = [row("request to receipt", &report.cost), row("broker alone", &report.raw_cost)];
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    table(&["processor time, µs a statement", "node", "publishers", "broker", "of all cores"], &rows)
}
