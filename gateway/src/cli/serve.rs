use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::keys_at::KekArgs;
use super::output::Output;
use super::{Failure, Outcome};
use crate::http::bind_witnessed;

#[derive(Args)]
pub(crate) struct Serve {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// Where to listen. Put a proxy that speaks TLS in front of anything but loopback.
    #[arg(long, default_value = "127.0.0.1:8620")]
    listen: SocketAddr,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    #[command(flatten)]
    stream: Stream,
    #[command(flatten)]
    witnesses: super::witness::WitnessArgs,
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
            let witnesses = self.witnesses.read()?;
            let server = bind_witnessed(&self.data, secrets, self.listen, node, witnesses).await?;
            // Before anybody is told that the ledger is served: from then on a signal means an orderly end.
            let stop = stop_signal()?;
            let (url, size) = (format!("http://{}", server.address()), server.ledger().log().size().0);
            output.say(&json!({"listening": url, "size": size}), || {
                format!("Listening on {url}; {size} entries are sealed.")
            });
            server.run(stop).await?;
            Ok(ExitCode::SUCCESS)
        })
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
