//! Answers for a person to read.

use serde_json::Value;

use crate::cli::output::table;

/// The items in these columns, and what the answer reflects.
pub(super) fn show(answer: &Value, columns: &[&str]) -> String {
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |item: &Value| columns.iter().map(|column| shown(column, &item[*column])).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let headings: Vec<&str> =
        columns.iter().map(|column| column.strip_suffix("_ms").unwrap_or(column)).collect();
    let body = if rows.is_empty() { "Nothing found.".to_owned() } else { table(&headings, &rows) };
    format!("{body}\n\n{}", footing(answer))
}

/// Alerts as sentences: a person is asked to look, so a person can read them.
pub(super) fn show_alerts(answer: &Value) -> String {
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<String> = items
        .iter()
        .map(|alert| {
            format!(
                "{}  {}  {}\n  {}\n  entries {}  about {} {}",
                cell(&alert["id"]),
                cell(&alert["pattern"]),
                cell(&alert["status"]),
                cell(&alert["sentence"]),
                cell(&alert["entries"]),
                cell(&alert["subject"]["kind"]),
                cell(&alert["subject"]["id"]),
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push("No alerts.".to_owned());
    }
    lines.push(footing(answer));
    lines.join("\n\n")
}

fn footing(answer: &Value) -> String {
    let as_of = &answer["as_of"];
    let reflects = if as_of.is_null() {
        String::new()
    } else {
        format!(
            "as of {} entries, the last received at {}",
            cell(&as_of["tree_size"]),
            cell(&as_of["received_at"])
        )
    };
    let then = answer["received_until"].as_str();
    let then = then.map(|time| format!("; only what was received by {time} counts")).unwrap_or_default();
    let more = answer["next"].as_str().map(|next| format!("\nmore: --cursor {next}")).unwrap_or_default();
    reflects + &then + &more
}

fn shown(column: &str, value: &Value) -> String {
    match value.as_i64() {
        Some(millis) if column.ends_with("_ms") => span(millis),
        _ => cell(value),
    }
}

/// A time span in its two largest units: `2 d 3 h`, `-40 min`.
fn span(millis: i64) -> String {
    let minutes = millis.unsigned_abs() / 60_000;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let sign = if millis < 0 { "-" } else { "" };
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{sign}{minutes} min"),
        (0, hours, 0) => format!("{sign}{hours} h"),
        (0, hours, minutes) => format!("{sign}{hours} h {minutes} min"),
        (days, 0, _) => format!("{sign}{days} d"),
        (days, hours, _) => format!("{sign}{days} d {hours} h"),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            let nested = elements.iter().any(Value::is_object);
            elements.iter().map(cell).collect::<Vec<_>>().join(if nested { "; " } else { " " })
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}={}", cell(value)))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn time_spans_have_two_units_at_most() {
        const HOUR: i64 = 3_600_000;
        let spans = [0, 59_999, -40 * 60_000, HOUR, 5 * HOUR / 2, 24 * HOUR, -51 * HOUR];
        let said = spans.map(span);
        assert_eq!(said, ["0 min", "0 min", "-40 min", "1 h", "2 h 30 min", "1 d", "-2 d 3 h"]);
    }

    #[test]
    fn a_table_has_its_headings_and_says_what_it_reflects() {
        let answer = json!({
            "as_of": {"tree_size": 7, "root": "x", "received_at": "2026-03-01T09:00:00.000Z"},
            "received_until": "2026-03-02T00:00:00.000Z", "next": "n5",
            "items": [{"index": 3, "left_ms": -7_200_000, "risks": ["CSE", "CCE"], "none": null}],
        });
        assert_eq!(
            show(&answer, &["index", "left_ms", "risks", "none"]),
            "index  left  risks    none\n3      -2 h  CSE CCE  -\n\n\
             as of 7 entries, the last received at 2026-03-01T09:00:00.000Z; only what was received by \
             2026-03-02T00:00:00.000Z counts\nmore: --cursor n5"
        );
        assert_eq!(show(&json!({"items": []}), &["index"]), "Nothing found.\n\n");
    }
}
