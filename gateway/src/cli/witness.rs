use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use gt_core::note::VerifierKey;
use gt_core::policy::{MAX_POLICY_LEN, Policy};
use gt_ledger::layout;
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::secrets::PinFile;
use gt_ledger::witness::{Logs, WitnessFile, WitnessFolder, Witnessing};
use serde_json::json;

use super::key_access::{KeyArgs, NewKeyArgs, PassphraseArgs};
use super::output::Output;
use super::serve::{runtime, stop_signal};
use super::{Failure, Outcome};
use crate::witness::{HttpTransport, WitnessServer};

/// The least time from one round of a ledger's witnesses to the next.
const ROUND_INTERVAL: Duration = Duration::from_secs(1);

/// Run a witness (C2SP tlog-witness): it signs checkpoints of ledgers that it knows, and only what extends what it has signed before.
#[derive(Subcommand)]
pub(crate) enum Witness {
    /// Make a witness with two keys, Ed25519 and ML-DSA-44.
    Init(Init),
    /// Have it sign for a ledger.
    Add(Add),
    /// Serve it over HTTP.
    Serve(Serve),
}

#[derive(Args)]
pub(crate) struct Init {
    /// The folder to make; it must not exist, or be empty.
    #[arg(long)]
    data: PathBuf,
    /// The name under which it signs, for ever, like witness.example/w1: no spaces, no plus sign.
    #[arg(long)]
    name: String,
    /// Where ledgers will reach it, for the lines of the policy.
    #[arg(long, default_value = "http://127.0.0.1:8630")]
    url: String,
    #[command(flatten)]
    new: NewKeyArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Args)]
pub(crate) struct Add {
    /// The witness's folder.
    #[arg(long)]
    data: PathBuf,
    /// Ledgers' pin files (ledger.json), files with `log` lines of a C2SP tlog-policy, or verifier keys themselves.
    #[arg(required = true, value_name = "FILE|VKEY")]
    logs: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// The witness's folder.
    #[arg(long)]
    data: PathBuf,
    /// Where to listen. Put a proxy that speaks TLS in front of anything but loopback.
    #[arg(long, default_value = "127.0.0.1:8630")]
    listen: SocketAddr,
    #[command(flatten)]
    keys: KeyArgs,
}

impl Witness {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Init(command) => command.run(output),
            Self::Add(command) => command.run(output),
            Self::Serve(command) => command.run(output),
        }
    }
}

impl Init {
    fn run(self, output: &Output) -> Outcome {
        let keys = KeyAccess::default().with_passphrase(self.passphrase.source());
        let keys = self.new.writing(keys, &self.passphrase);
        let made = WitnessFolder::new(&self.data).with_keys(keys).init(&self.name)?;
        let policy = policy_lines(&made, &self.url);
        let value = json!({
            "data": self.data, "name": made.name, "verifier_keys": made.verifier_keys, "policy": policy,
        });
        output.say(&value, || {
            format!(
                "The witness {name} is made in {data}. Its private keys are there too: keep the folder to yourself.\n\
                 \n\
                 Lines for the policy of whoever relies on it; both keys have to have signed:\n\
                 \n\
                 {policy}\n\
                 Next: goldenthread witness add --data {data} ledger.json\n\
                 then: goldenthread witness serve --data {data}",
                name = made.name,
                data = self.data.display(),
            )
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// A witness line for each key, and the group of both.
fn policy_lines(witness: &WitnessFile, url: &str) -> String {
    let name = &witness.name;
    let of = |kind: &str, at: usize| format!("witness {name}/{kind} {} {url}\n", witness.verifier_keys[at]);
    format!("{}{}group {name} all {name}/ed25519 {name}/ml-dsa-44\n", of("ed25519", 0), of("ml-dsa-44", 1))
}

impl Add {
    fn run(self, output: &Output) -> Outcome {
        let mut keys = Vec::new();
        for log in &self.logs {
            keys.extend(read_log(log)?);
        }
        let mut origins: Vec<String> = keys.iter().map(|key| key.name().to_owned()).collect();
        origins.sort();
        origins.dedup();
        let new = WitnessFolder::new(&self.data).add(keys)?;
        output.say(&json!({"logs": origins, "new_keys": new}), || {
            let list = origins.join(", ");
            match new {
                0 => format!("Nothing is new: this witness signs for {list} already."),
                _ => format!("This witness signs for {list}. If it is running, it has taken notice."),
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// The keys that an argument stands for.
fn read_log(argument: &str) -> Result<Vec<VerifierKey>, Failure> {
    let file = Path::new(argument);
    if !file.exists() {
        return match VerifierKey::parse(argument) {
            Ok(key) => Ok(vec![key]),
            Err(_) if !argument.contains('+') => {
                Err(Failure::new(format!("{argument}: there is no such file")))
            }
            Err(error) => Err(Failure::new(format!("not a verifier key: {error}"))),
        };
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    if text.trim_start().starts_with('{') {
        let pin = PinFile::load(file)?;
        let parsed = pin.parse().filter(|(keys, _)| keys.iter().all(|key| key.name() == pin.origin));
        let wrong = || Failure::new(format!("{}: a key in it is not this ledger's", file.display()));
        return Ok(parsed.ok_or_else(wrong)?.0);
    }
    let logs = Logs::parse(&text, file)?;
    Ok(logs.origins().flat_map(|origin| logs.keys(origin).to_vec()).collect())
}

impl Serve {
    fn run(self, output: &Output) -> Outcome {
        let keys = self.keys.access()?;
        runtime()?.block_on(async {
            let server = WitnessServer::bind(&self.data, self.listen, &keys).await?;
            let stop = stop_signal()?;
            let (url, logs) = (format!("http://{}", server.address()), server.witness().known_logs()?);
            let keys: Vec<String> =
                server.witness().verifier_keys().iter().map(ToString::to_string).collect();
            output.say(&json!({"listening": url, "logs": logs, "verifier_keys": keys}), || {
                format!("Listening on {url}; this witness signs for {logs} ledgers.")
            });
            server.run(stop).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// How a ledger that is served uses witnesses.
#[derive(Args)]
pub(super) struct WitnessArgs {
    /// Have witnesses sign checkpoints: a C2SP tlog-policy, with their addresses and the quorum.
    #[arg(long, value_name = "FILE", conflicts_with = "follow")]
    witnesses: Option<PathBuf>,
    /// Give out receipts only under checkpoints that met the quorum.
    #[arg(long, requires = "witnesses")]
    require_quorum: bool,
    /// How long a receipt waits for the quorum, in seconds.
    #[arg(long, value_name = "SECONDS", requires = "require_quorum", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    quorum_wait: u64,
    /// Seal without asking witnesses, in the folder of a ledger that had some. One that was put back from a backup then gets a history of its own.
    #[arg(long, conflicts_with_all = ["witnesses", "follow"])]
    without_witnesses: bool,
}

impl WitnessArgs {
    /// A ledger that had witnesses is not sealed in behind their backs, just because an option was left out.
    pub(super) fn read(&self, data: &Path, only_follows: bool) -> Result<Option<Witnessing>, Failure> {
        let Some(file) = &self.witnesses else {
            if !(self.without_witnesses || only_follows) {
                need_no_witness(
                    data,
                    "name them with --witnesses FILE; --without-witnesses seals without asking them",
                )?;
            }
            return Ok(None);
        };
        let witnessing = witnessing(file)?;
        let patience = Duration::from_secs(self.quorum_wait);
        Ok(Some(Witnessing { require_quorum: self.require_quorum, patience, ..witnessing }))
    }
}

/// Refuses what would seal in a folder behind the backs of the ledger's witnesses, and says what to do instead.
pub(super) fn need_no_witness(data: &Path, instead: &str) -> Result<(), Failure> {
    if data.join(layout::cosigned()).exists() {
        return Err(Failure::new(format!(
            "this ledger has witnesses, and what they have seen may be more than this folder holds: {instead}"
        )));
    }
    Ok(())
}

/// What to do with a folder at rest that has witnesses.
pub(super) const SERVE_IT: &str = "start it, with serve --witnesses FILE, and ask again while it runs";

/// The witnesses of a policy, without whom receipts are given out too.
pub(super) fn witnessing(file: &Path) -> Result<Witnessing, Failure> {
    let about = |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| about(&error))?.len();
    if length > MAX_POLICY_LEN as u64 {
        return Err(about(&"longer than a policy can be, 65536 bytes"));
    }
    let bytes = std::fs::read(file).map_err(|error| about(&error))?;
    let policy = Policy::parse(&bytes).map_err(|error| about(&error))?;
    Ok(Witnessing {
        policy,
        transport: Arc::new(HttpTransport::new()),
        require_quorum: false,
        patience: ROUND_INTERVAL,
        interval: ROUND_INTERVAL,
    })
}
