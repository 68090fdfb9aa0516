//! The forms in which a list is answered: JSON, CSV and NDJSON.
//!
//! JSON has the items and what the answer reflects in one value. The other two have the items alone; what the answer reflects
//! stands in headers, and so does the way to the next page.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use csv::{Terminator, WriterBuilder};
use gt_projections::Answer;
use serde::Serialize;
use serde_json::Value;

use crate::access::policy::Cell;
use crate::problem::Problem;

/// How many entries the answer takes into account.
const TREE_SIZE: HeaderName = HeaderName::from_static("gt-tree-size");
/// The root of that tree.
const ROOT: HeaderName = HeaderName::from_static("gt-root");
/// When the last of them was received; left out while the log is empty.
const RECEIVED_AT: HeaderName = HeaderName::from_static("gt-received-at");

/// An item of a list.
pub(super) trait Row: Serialize {
    /// Its members, in the order of the columns.
    const COLUMNS: &'static [&'static str];
    /// The columns that count.
    const COUNTS: &'static [Count] = &[];
    /// The columns that are worked out of what is counted, and of which count: where that one is small, they say something of few.
    const WORKED_OUT: &'static [(&'static str, &'static str)] = &[];
}

/// A column that counts.
pub(super) struct Count {
    pub(super) column: &'static str,
    /// Whether it counts everything that the row is about.
    pub(super) of_all: bool,
}

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
    Ndjson,
}

impl Form {
    /// What is asked for: `format` in the query, or else the first form that `Accept` names and that there is.
    pub(super) fn asked(format: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        match format {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("ndjson") => Ok(Self::Ndjson),
            Some(_) => Err(Problem::bad_request("format is json, csv or ndjson")),
            None => Ok(Self::accepted(headers)),
        }
    }

    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let form = |range: &str| {
            let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
            // A weight of nought is how somebody says no (RFC 9110, section 12.4.2).
            let refused = parameters.split(';').any(|parameter| {
                let weight = parameter.trim().strip_prefix("q=");
                weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
            });
            match media.trim().to_ascii_lowercase().as_str() {
                _ if refused => None,
                "text/csv" => Some(Self::Csv),
                "application/x-ndjson" => Some(Self::Ndjson),
                "application/json" | "application/*" | "*/*" => Some(Self::Json),
                _ => None,
            }
        };
        accepted.flat_map(|value| value.split(',')).find_map(form).unwrap_or(Self::Json)
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The answer in this form. `uri` is what was asked: the next page is the same with another cursor.
///
/// Who is to have counts alone gets no small ones ([`suppressed`]).
pub(super) fn respond<T: Row>(
    answer: &Answer<T>,
    form: Form,
    uri: &Uri,
    cell: Cell,
) -> Result<Response, Problem> {
    let value = |item: &T| serde_json::to_value(item).map_err(|error| Problem::internal(&error));
    let mut items = answer.items.iter().map(value).collect::<Result<Vec<Value>, Problem>>()?;
    if cell == Cell::Aggregate {
        items = items.into_iter().map(suppressed::<T>).collect();
    }
    let body = match form {
        Form::Json => json(answer, items)?,
        Form::Csv => csv::<T>(&items)?,
        Form::Ndjson => ndjson(&items)?,
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    let mut tell = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    tell(TREE_SIZE, answer.as_of.tree_size.0.to_string());
    tell(ROOT, answer.as_of.root.to_string());
    if let Some(received_at) = answer.as_of.received_at {
        tell(RECEIVED_AT, received_at.to_string());
    }
    if let Some(next) = &answer.next {
        tell(header::LINK, format!("<{}>; rel=\"next\"", after(uri, next)));
    }
    Ok(response)
}

/// What was asked, with another cursor.
fn after(uri: &Uri, cursor: &str) -> String {
    let mut link = format!("{}?", uri.path());
    let others = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    for pair in others.filter(|pair| !pair.starts_with("cursor=")) {
        link.push_str(pair);
        link.push('&');
    }
    // Writing to a text does not fail.
    let _ = write!(link, "cursor={cursor}");
    link
}

/// RFC 4180 with a header row. A nested value is its JSON, a list of plain values is joined by spaces.
fn csv<T: Row>(items: &[Value]) -> Result<Vec<u8>, Problem> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(T::COLUMNS).map_err(|error| Problem::internal(&error))?;
    for item in items {
        let cells = T::COLUMNS.iter().map(|column| cell(&item[*column]));
        writer.write_record(cells).map_err(|error| Problem::internal(&error))?;
    }
    writer.into_inner().map_err(|error| Problem::internal(error.error()))
}

fn ndjson(items: &[Value]) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, item).map_err(|error| Problem::internal(&error))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The answer with these items for its own.
fn json<T>(answer: &Answer<T>, items: Vec<Value>) -> Result<Vec<u8>, Problem> {
    let answer = Answer {
        as_of: answer.as_of,
        received_until: answer.received_until,
        items,
        next: answer.next.clone(),
    };
    serde_json::to_vec(&answer).map_err(|error| Problem::internal(&error))
}

/// The smallest count that says nothing of anybody (DOMAIN section 8).
const LEAST_COUNT: u64 = 5;

/// A row without small counts, and without what was worked out of few. Where one of those is small by which the whole row is known,
/// nothing of it stands.
fn suppressed<T: Row>(mut row: Value) -> Value {
    let small = |value: &Value| value.as_u64().is_none_or(|count| count < LEAST_COUNT);
    let few = T::COUNTS.iter().any(|counts| counts.of_all && small(&row[counts.column]));
    for counts in T::COUNTS {
        if few || small(&row[counts.column]) {
            row[counts.column] = Value::Null;
        }
    }
    for (column, of) in T::WORKED_OUT {
        if row[*of].is_null() {
            row[*column] = Value::Null;
        }
    }
    row
}

fn cell(value: &Value) -> String {
    let plain = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text.clone()),
        Value::Array(elements) if elements.iter().all(plain) => {
            let texts: Vec<String> = elements
                .iter()
                .map(|element| element.as_str().map_or_else(|| element.to_string(), str::to_owned))
                .collect();
            harmless(texts.join(" "))
        }
        other => other.to_string(),
    }
}

/// A text that a spreadsheet takes for nothing but text: a formula begins with one of these. Numbers are left as they are.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accept(value: &'static str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(value));
        Form::asked(None, &headers).expect("every Accept has an answer")
    }

    #[test]
    fn the_query_outweighs_accept_and_json_is_the_default() {
        assert_eq!(accept("text/csv"), Form::Csv);
        assert_eq!(accept("image/png, Application/X-NDJSON;q=0.5, text/csv"), Form::Ndjson);
        assert_eq!(accept("text/csv;q=0, */*"), Form::Json);
        assert_eq!(accept("text/html"), Form::Json);
        let mut headers = HeaderMap::new();
        assert_eq!(Form::asked(None, &headers), Ok(Form::Json));
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/csv"));
        assert_eq!(Form::asked(Some("ndjson"), &headers), Ok(Form::Ndjson));
        assert!(Form::asked(Some("xlsx"), &headers).is_err());
    }

    #[derive(Serialize)]
    struct Sample {
        text: &'static str,
        number: i64,
        list: Vec<&'static str>,
        nested: Value,
        none: Option<u8>,
    }

    impl Row for Sample {
        const COLUMNS: &'static [&'static str] = &["number", "text", "list", "nested", "none"];
    }

    #[test]
    fn cells_are_quoted_where_needed_and_no_text_is_a_formula() {
        let sample = |text, nested| Sample { text, number: -5, list: vec!["-a", "b"], nested, none: None };
        let rows = [sample("=1+2", json!({"a": 1})), sample("one, \"two\"\nthree", json!([[1]]))];
        let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
        let text = String::from_utf8(csv::<Sample>(&rows).expect("rows")).expect("UTF-8");
        assert_eq!(
            text,
            "number,text,list,nested,none\r\n\
             -5,'=1+2,'-a b,\"{\"\"a\"\":1}\",\r\n\
             -5,\"one, \"\"two\"\"\nthree\",'-a b,[[1]],\r\n"
        );
        for start in ["=", "+", "-", "@", "\t", "\r"] {
            assert!(cell(&json!(format!("{start}x"))).starts_with('\''), "{start:?}");
        }
        assert_eq!(csv::<Sample>(&[]).expect("a header"), b"number,text,list,nested,none\r\n");
    }

    impl Row for Value {
        const COLUMNS: &'static [&'static str] = &[];
        const COUNTS: &'static [Count] =
            &[Count { column: "shares", of_all: true }, Count { column: "by_consent", of_all: false }];
        const WORKED_OUT: &'static [(&'static str, &'static str)] =
            &[("median", "by_consent"), ("first", "shares")];
    }

    #[test]
    fn small_counts_and_what_is_worked_out_of_few_are_left_out() {
        let row = |shares, by_consent, median| json!({"to": "a", "shares": shares, "by_consent": by_consent, "median": median, "first": 1});
        let left = |shares, by_consent| suppressed::<Value>(row(json!(shares), json!(by_consent), json!(9)));
        assert_eq!(left(5, 5), row(json!(5), json!(5), json!(9)));
        assert_eq!(left(5, 4), row(json!(5), Value::Null, Value::Null), "the median of four");
        let nothing = json!({"to": "a", "shares": null, "by_consent": null, "median": null, "first": null});
        assert_eq!(left(4, 9), nothing);
    }

    #[test]
    fn the_next_page_is_asked_as_this_one_was() {
        let uri = |text: &'static str| Uri::from_static(text);
        assert_eq!(after(&uri("/v1/decisions"), "n5"), "/v1/decisions?cursor=n5");
        assert_eq!(
            after(&uri("/v1/alerts?limit=5&cursor=n5&format=csv"), "n10"),
            "/v1/alerts?limit=5&format=csv&cursor=n10"
        );
    }
}
