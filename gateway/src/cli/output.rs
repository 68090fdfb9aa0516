use std::io::{self, Write};

use serde_json::{Value, json};

/// Standard output: sentences for a person, or JSON for a program.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Says something: as this JSON value, or as these lines.
    pub(crate) fn say(&self, value: &Value, lines: impl FnOnce() -> String) {
        let text = if self.json { value.to_string() } else { lines() };
        // A reader that has gone away (`| head`) is no reason to fail.
        let _ = writeln!(io::stdout(), "{}", text.trim_end());
        let _ = io::stdout().flush();
    }

    /// Prints a text as it is: a table or lines for a program.
    pub(crate) fn text(text: &str) {
        let _ = io::stdout().write_all(text.as_bytes());
        let _ = io::stdout().flush();
    }

    /// Says something beside the output, on standard error.
    pub(crate) fn aside(line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Says something to a person only.
    pub(crate) fn tell(&self, line: &str) {
        if !self.json {
            let _ = writeln!(io::stdout(), "{line}");
            let _ = io::stdout().flush();
        }
    }

    /// Says why something could not be done.
    pub(crate) fn failure(&self, message: &str) {
        if self.json {
            let _ = writeln!(io::stdout(), "{}", json!({"error": message}));
        }
        let _ = writeln!(io::stderr(), "goldenthread: {message}");
    }
}

/// Rows in aligned columns under their headings.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut headings.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}
