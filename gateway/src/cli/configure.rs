use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gt_core::json;
use gt_ledger::create::configuration;
use gt_schemas::Configuration;
use serde_json::{Value, json};

use super::output::Output;
use super::registrar::{Registrar, about, nowhere};
use super::{Failure, Outcome};
use crate::draft::to_serde;
use crate::http::in_force;
use crate::reading::ReadingClient;

/// No statement holds more than 48 KiB; a file may be laid out for people.
const MAX_FILE_BYTES: u64 = 1 << 20;

#[derive(Args)]
pub(crate) struct Configure {
    #[command(flatten)]
    registrar: Registrar,
    /// Print the configuration in force, to be edited and sealed again. With --json also the entry that sealed it, and the log's
    /// size.
    #[arg(long, conflicts_with = "file")]
    show: bool,
    /// The new configuration, as JSON: `legal`, `thresholds` and `calendar`, and `retention` where there are rules of it; all of them whole.
    #[arg(required_unless_present = "show")]
    file: Option<PathBuf>,
}

impl Configure {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match &self.file {
            Some(file) => self.seal(file, output),
            None => self.show(output),
        }
    }

    fn show(&self, output: &Output) -> Outcome {
        let answer = match (&self.registrar.data, &self.registrar.url) {
            (Some(data), _) => in_force(&self.registrar.open(data, None)?),
            // It is open to everybody: no token is sent, whatever the environment holds.
            (None, Some(url)) => ReadingClient::without_token(url).get("/v1/configuration", &[])?,
            (None, None) => return Err(nowhere()),
        };
        output.say(&answer, || format!("{:#}", answer["configuration"]));
        Ok(ExitCode::SUCCESS)
    }

    fn seal(&self, file: &Path, output: &Output) -> Outcome {
        let new = read(file)?;
        let index = self.registrar.seal(|turn| {
            let (seq, prev) = (turn.seq, turn.prev);
            configuration(turn.key, turn.id, turn.origin, seq, prev, turn.iat, &new)
                .map_err(|error| about(file, &error))
        })?;
        output.say(&json!({"index": index}), || {
            format!("The configuration is sealed by entry {index}, and in force from the entry after it.")
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads a file as strictly as the ledger reads the statement.
fn read(file: &Path) -> Result<Configuration, Failure> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|opened| opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    opened.map_err(|error| about(file, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Failure::new(format!(
            "{}: longer than 1 MiB, which no configuration is",
            file.display()
        )));
    }
    let value = json::Value::parse(&bytes).map_err(|error| about(file, &error))?;
    let value: Value = to_serde(&value);
    Configuration::read(&value).map_err(|error| about(file, &error))
}
