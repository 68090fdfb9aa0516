//! Values of statements, whatever they are, as cells of a table.

use serde_json::Value;

use super::html::Html;
use super::words;

/// A value: texts isolated, times in words, lists and objects as such.
pub(super) fn write(page: &mut Html, value: &Value) {
    match value {
        Value::Null => page.text("nothing"),
        Value::Bool(flag) => page.text(if *flag { "yes" } else { "no" }),
        Value::Number(number) => page.text(&number.to_string()),
        Value::String(text) => write_text(page, text),
        Value::Array(elements) => page.element("ul", &[], |page| {
            for element in elements {
                page.element("li", &[], |page| write(page, element));
            }
        }),
        Value::Object(members) => page.element("dl", &[], |page| {
            for (name, value) in members {
                page.text_element("dt", &[], &words::label(name));
                page.element("dd", &[], |page| write(page, value));
            }
        }),
    }
}

fn write_text(page: &mut Html, text: &str) {
    match gt_core::time::Timestamp::parse(text) {
        Ok(at) => page.text_element("time", &[("datetime", text)], &words::received(at)),
        Err(_) => page.isolated(text),
    }
}

/// A value in the clear: codes become words.
pub(super) fn write_clear(page: &mut Html, value: &Value) {
    write(page, &in_words(value));
}

fn in_words(value: &Value) -> Value {
    match value {
        Value::String(code) => Value::String(words::plain(code)),
        Value::Array(elements) => elements.iter().map(in_words).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), in_words(value))).collect()
        }
        other => other.clone(),
    }
}
