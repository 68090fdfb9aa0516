use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use serde_json::json;

use super::key_access::KeyArgs;
use super::output::Output;
use super::serve::{runtime, stop_signal};
use super::{Failure, Outcome};
use crate::delivery::Delivery;
use crate::nats::NatsArgs;
use crate::outbox::{Connection, Courier};
use crate::publish::{Summary, publish};

/// Whose key signs, and where statements go.
#[derive(Args)]
struct Signing {
    /// The publisher's private key, or where a token has it: `pkcs11:token=…;object=…?module-path=…` (RFC 7512).
    #[arg(long)]
    key: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    /// The address of the ledger: http://…, https://… or nats://…[,nats://…], and tls://… for NATS over TLS.
    #[arg(long, value_name = "URL")]
    to: String,
    #[command(flatten)]
    nats: NatsArgs,
    /// The ledger's pin file, ledger.json. Without it the ledger's first answer is believed, and kept.
    #[arg(long)]
    pin: Option<PathBuf>,
    /// The partnership's key file, from `goldenthread pseudonym --new-key`: with it a draft may name people and places by
    /// plain identifiers, which are replaced by pseudonyms before anything is kept or signed.
    #[arg(long, value_name = "FILE")]
    partnership_key: Option<PathBuf>,
    /// The outbox folder, which belongs to this key alone. [default: the key file's name with .outbox]
    #[arg(long)]
    outbox: Option<PathBuf>,
    /// The agency to sign as. [default: the one for which the ledger has the key; over NATS, the one for which keygen proved it]
    #[arg(long, value_parser = |text: &str| AgencyCode::parse(text).map_err(|error| error.to_string()))]
    agency: Option<AgencyCode>,
    /// The publisher's id, if the key is not its first.
    #[arg(long, allow_hyphen_values = true, value_parser = |text: &str| Hash::parse(text).map_err(|error| error.to_string()))]
    publisher: Option<Hash>,
}

#[derive(Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    signing: Signing,
    /// Give up after this many seconds without any progress; what waits stays in the outbox and goes out with the next run.
    #[arg(long, default_value_t = crate::publish::DEFAULT_PATIENCE.as_secs())]
    patience: u64,
    /// NDJSON drafts: {"id":"<your own id>","type":"decision.recorded","data":{…}} a line; - is standard input.
    #[arg(default_value = "-")]
    drafts: PathBuf,
}

#[derive(Args)]
pub(crate) struct Agent {
    #[command(flatten)]
    signing: Signing,
    /// Where to listen for the agency's own systems.
    #[arg(long, default_value = "127.0.0.1:8621")]
    listen: SocketAddr,
    /// Let other machines reach the agent. Whoever reaches it can sign in the agency's name.
    #[arg(long)]
    allow_remote: bool,
}

impl Signing {
    fn establish(self) -> Result<Courier, Failure> {
        let connection = Connection {
            keys: self.keys.access()?,
            key: self.key,
            to: self.to,
            nats: self.nats,
            partnership_key: self.partnership_key,
            outbox: self.outbox,
            pin: self.pin,
            agency: self.agency,
            publisher: self.publisher,
        };
        Ok(Courier::establish(&connection)?)
    }
}

impl Publish {
    pub(crate) fn run(self, _output: &Output) -> Outcome {
        let mut courier = self.signing.establish()?;
        let waited = courier.outbox().lock().map_or(0, |outbox| outbox.queued());
        let input: Box<dyn Read> = if is_standard_input(&self.drafts) {
            Box::new(io::stdin().lock())
        } else {
            let open = File::open(&self.drafts);
            Box::new(open.map_err(|error| Failure::new(format!("{}: {error}", self.drafts.display())))?)
        };
        let summary =
            publish(&mut courier, input, &mut io::stdout().lock(), Duration::from_secs(self.patience))?;
        if summary == Summary::default() {
            tracing::warn!(delivered = waited, "there was no draft in {}", name(&self.drafts));
        } else {
            tracing::info!(sealed = summary.sealed, refused = summary.refused, "published");
        }
        Ok(ExitCode::from(u8::from(summary.refused > 0)))
    }
}

fn is_standard_input(drafts: &Path) -> bool {
    drafts == Path::new("-")
}

/// What to call the input.
fn name(drafts: &Path) -> String {
    if is_standard_input(drafts) { "standard input".to_owned() } else { drafts.display().to_string() }
}

impl Agent {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let courier = self.signing.establish()?;
        let delivery = Arc::new(Delivery::start(courier)?);
        runtime()?.block_on(async {
            // Before anybody is told that the agent listens: from then on a signal means an orderly end.
            let stop = stop_signal()?;
            let listener = crate::agent::bind(self.listen, self.allow_remote).await?;
            let url = format!("http://{}", listener.local_addr()?);
            output.say(&json!({"listening": url}), || {
                format!("Listening on {url}; post drafts to {url}/v1/drafts.")
            });
            crate::agent::serve(listener, delivery, stop).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
