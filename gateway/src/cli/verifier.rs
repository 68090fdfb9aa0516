use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Outcome;
use super::output::Output;
use super::registrar::about;
use crate::http::verifier_page;

#[derive(Args)]
pub(crate) struct Verifier {
    /// Where to write the page: one HTML file, which needs no server and no connection.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Verifier {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        fs::write(&self.out, verifier_page()).map_err(|error| about(&self.out, &error))?;
        output.say(&json!({"verifier": self.out}), || {
            format!("{}: open it in a browser and drop an evidence bundle on it. It asks the network for nothing.", self.out.display())
        });
        Ok(ExitCode::SUCCESS)
    }
}
