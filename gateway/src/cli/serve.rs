use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::keys_at::KekArgs;
use super::opening::does_not_open;
use super::output::Output;
use super::{Failure, Outcome};
use crate::http::{Front, Rates, ServeError, TlsFiles, bind_witnessed};
use crate::node::NodeError;

#[derive(Args)]
pub(crate) struct Serve {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// Where to listen. Give anything but loopback TLS: by --tls-cert, or by a proxy in front.
    #[arg(long, default_value = "127.0.0.1:8620")]
    listen: SocketAddr,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    /// Take the tokens of an `OpenID` Connect provider too: the file that says whose, and what their claims mean (docs/ACCESS.md).
    #[arg(long, value_name = "FILE")]
    oidc: Option<PathBuf>,
    #[command(flatten)]
    tls: Tls,
    /// The most reads that one token may make a second; a burst may have ten times as many.
    #[arg(long, value_name = "NUMBER", default_value_t = Rates::default().reads)]
    reads_per_second: u32,
    /// The most statements that one publisher may send from one address a second; a burst may have ten times as many.
    #[arg(long, value_name = "NUMBER", default_value_t = Rates::default().statements)]
    statements_per_second: u32,
    #[command(flatten)]
    kek: KekArgs,
    #[command(flatten)]
    stream: Stream,
    #[command(flatten)]
    witnesses: super::witness::WitnessArgs,
}

/// TLS, where no proxy does it.
#[derive(Args)]
#[allow(clippy::struct_field_names)] // They are the names of the options.
struct Tls {
    /// Speak TLS: the certificate, with those that vouch for it, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Publishing takes a certificate of this authority, PEM; reading does not.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

/// How a node of several speaks to NATS.
#[derive(Args)]
struct Stream {
    /// Be one node of several that share a NATS stream: `nats://HOST[:PORT][,…]` or `tls://…`. Without it the ledger is this process alone.
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// Follow the stream, and never seal.
    #[arg(long, requires = "nats")]
    follow: bool,
    #[command(flatten)]
    servers: super::nats::ServerArgs,
}

impl Serve {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let secrets = self.kek.at(&self.data, self.secrets)?;
        runtime()?.block_on(async {
            let node = match &self.stream.nats {
                None => None,
                Some(url) => Some(self.stream.servers.node(url, self.stream.follow)?),
            };
            let witnesses = self.witnesses.read(&self.data, self.stream.follow)?;
            let tls = self.tls.tls_cert.zip(self.tls.tls_key).map(|(certificate, key)| TlsFiles {
                certificate,
                key,
                client_authority: self.tls.client_ca,
            });
            if tls.is_none() && !self.listen.ip().is_loopback() {
                tracing::warn!(
                    address = %self.listen,
                    "whoever is on the way can read what is sent here, tokens included: give the certificate and key by --tls-cert and --tls-key, or let nobody but a proxy with TLS reach this address"
                );
            }
            let rates = Rates { reads: self.reads_per_second, statements: self.statements_per_second };
            let front = Front { address: self.listen, oidc: self.oidc, tls, rates };
            let folder = secrets.folder.clone();
            let bound = bind_witnessed(&self.data, secrets, front, node, witnesses).await;
            let server = bound.map_err(|error| not_served(&self.data, &folder, error))?;
            // Before anybody is told that the ledger is served: from then on a signal means an orderly end.
            let stop = stop_signal()?;
            let (url, size) =
                (format!("{}://{}", server.scheme(), server.address()), server.ledger().log().size().0);
            output.say(&json!({"listening": url, "size": size}), || {
                format!("Listening on {url}; {size} entries are sealed.")
            });
            server.run(stop).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Why the ledger in this folder is not served.
fn not_served(data: &Path, secrets: &Path, error: ServeError) -> Failure {
    match error {
        ServeError::Open(error) | ServeError::Node(NodeError::Open(error)) => {
            does_not_open(data, secrets, &error)
        }
        other => other.into(),
    }
}

/// The runtime of a serving command.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Completes on SIGTERM, or SIGINT (Ctrl-C).
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
