//! Whom a command is about, by an option or from standard input, where neither a list of processes nor the shell's history shows it.

use std::io::{BufRead as _, Read as _};

use super::Failure;

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 1024;

/// What the option says; for `-` the next line of standard input.
pub(super) fn said_or_read(text: &str) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().lock().take(MAX_LINE).read_line(&mut line)?;
    match line.trim() {
        "" => Err(Failure::new("a reference was to come from standard input, and no line came there")),
        line => Ok(line.to_owned()),
    }
}
