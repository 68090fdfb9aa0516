use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{MAX_ANSWER, Refused, Request, address, read_line};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Refused(Refused),
}

/// Asks the ledger that runs on this folder. `None` if none does.
pub(crate) fn ask(data: &Path, request: &Request) -> io::Result<Option<Result<Value, Refused>>> {
    let Ok((path, _folder)) = address(data) else { return Ok(None) };
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let line = serde_json::to_string(request).map_err(io::Error::other)?;
    writeln!(stream, "{line}")?;
    let answer = read_line(BufReader::new(stream), MAX_ANSWER).map_err(|_| {
        io::Error::other("the running ledger gave no answer; ask for the state of things before trying again")
    })?;
    Ok(Some(match serde_json::from_slice(&answer).map_err(io::Error::other)? {
        Answer::Done(done) => Ok(done),
        Answer::Refused(refused) => Err(refused),
    }))
}
