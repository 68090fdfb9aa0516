use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::open::{OpenLedgerError, need_ledger};
use gt_ledger::secrets::{Secrets, SecretsAt, SecretsError};
use gt_ledger::witness::{Witnessing, WitnessingError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::front::{self, TlsError, TlsFiles};
use super::limits::{Limits, Rates};
use super::{App, router};
use crate::access::{AccessError, AccessKeys};
use crate::control::{Control, Recording};
use crate::follow::{FollowError, Follower};
use crate::node::{AlertPublisher, Desk, Forwarder, Node, NodeConfig, NodeError, keep_forks};

/// How long a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(10);

/// A ledger that serves HTTP, on threads of its own runtime's making.
pub struct Server {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    follower: Follower,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: App,
    node: Option<ServingNode>,
    /// Where the operator's commands come in.
    control: Option<Control>,
}

/// Where and how a ledger is served.
#[derive(Debug, Clone)]
pub struct Front {
    /// Where to listen.
    pub address: SocketAddr,
    /// The file that says which `OpenID` Connect provider's tokens are taken besides the ledger's own.
    pub oidc: Option<PathBuf>,
    /// The files for TLS; without them the ledger speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// How much each may ask.
    pub rates: Rates,
}

impl From<SocketAddr> for Front {
    fn from(address: SocketAddr) -> Self {
        Self { address, oidc: None, tls: None, rates: Rates::default() }
    }
}

/// What a node of several has besides.
struct ServingNode {
    client: async_nats::Client,
    desk: Option<Desk>,
}

/// Why a ledger cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] Box<OpenLedgerError>),
    /// It does not start as a node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Its secrets are not in order.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Its witnesses do not let it start.
    #[error(transparent)]
    Witnesses(#[from] WitnessingError),
    /// The keys of those who read do not read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Its files for TLS are not in order.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its views cannot be brought up to the log.
    #[error(transparent)]
    Views(#[from] FollowError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Serving ended with an error.
    #[error("serving ended")]
    Serve(#[source] std::io::Error),
}

/// Opens the ledger in `data`, brings its views up to the log, and listens. Nothing is answered before [`Server::run`].
///
/// With a `node` the ledger is one of several that share a stream, and agencies' requests over NATS are taken from here on.
pub async fn bind(
    data: &Path,
    secrets: impl Into<SecretsAt>,
    front: impl Into<Front>,
    node: Option<NodeConfig>,
) -> Result<Server, ServeError> {
    bind_witnessed(data, secrets, front, node, None).await
}

/// The same with witnesses, whose word is heard before anything is sealed.
pub async fn bind_witnessed(
    data: &Path,
    secrets: impl Into<SecretsAt>,
    front: impl Into<Front>,
    node: Option<NodeConfig>,
    witnesses: Option<Witnessing>,
) -> Result<Server, ServeError> {
    let Front { address, oidc, tls, rates } = front.into();
    let certified_only = tls.as_ref().is_some_and(|files| files.client_authority.is_some());
    let tls = tls.as_ref().map(front::tls).transpose()?;
    if node.is_none() {
        need_ledger(data).map_err(Box::new)?;
    }
    let at = secrets.into();
    let secrets = Secrets::load_at(&at)?;
    let access = AccessKeys::load(&at, oidc.as_deref())?;
    // Before the stream is spoken to: what cannot be served should not begin to seal.
    let listener = front::listen(address).map_err(|source| ServeError::Listen { address, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { address, source })?;
    let (ledger, client) = match node {
        None => (open(data, secrets, witnesses).await?, None),
        Some(node) => {
            let Node { ledger, client } = node.open(data, secrets).await?;
            tokio::spawn(keep_forks(Arc::clone(&ledger), client.clone(), node.prefix.clone()));
            if let Some(witnessing) = witnesses {
                let watched = Arc::clone(&ledger);
                let having = tokio::task::spawn_blocking(move || watched.have_witnesses(&witnessing)).await;
                having.map_err(|error| ServeError::Serve(std::io::Error::other(error)))??;
            }
            (ledger, Some(client))
        }
    };
    let (views, following) = (data.join("views"), Arc::clone(&ledger));
    let follower = tokio::task::spawn_blocking(move || {
        Follower::start_publishing(&following, &views, |from| AlertPublisher::new(&following, from))
    });
    let follower = follower.await.map_err(|error| ServeError::Serve(std::io::Error::other(error)))??;
    if let Some(publisher) = AlertPublisher::new(&ledger, 0) {
        publisher.publish_integrity(&ledger);
    }
    let forward = client.clone().map(Forwarder::new);
    let node = match client {
        None => None,
        Some(client) if ledger.only_follows() => Some(ServingNode { client, desk: None }),
        Some(client) => {
            let desk = Some(Desk::open(&ledger, &client).await.map_err(NodeError::from)?);
            Some(ServingNode { client, desk })
        }
    };
    let app = App {
        ledger: Arc::clone(&ledger),
        views: follower.queries(),
        feed: follower.feed(),
        access: Arc::new(access.start(&ledger, forward.clone())),
        limits: Arc::new(Limits::new(rates, tls.is_some(), certified_only)),
        forward,
    };
    let recording =
        Recording { recorder: app.access.recorder.clone(), runtime: tokio::runtime::Handle::current() };
    let control = Control::listen(data, Arc::clone(&ledger), follower.queries(), recording).inspect_err(
        |error| tracing::warn!(%error, "the operator's commands cannot reach this ledger while it runs"),
    );
    Ok(Server { address, ledger, follower, listener, tls, app, node, control: control.ok() })
}

async fn open(
    data: &Path,
    secrets: Secrets,
    witnesses: Option<Witnessing>,
) -> Result<Arc<Ledger>, ServeError> {
    let data = data.to_owned();
    let open = move || {
        Ledger::open_watched(&data, &secrets, Box::new(SystemClock::default()), None, witnesses.as_ref())
    };
    let opened = tokio::task::spawn_blocking(open).await;
    let ledger =
        opened.map_err(|error| ServeError::Serve(std::io::Error::other(error)))?.map_err(Box::new)?;
    if ledger.removed_entries() > 0 {
        let removed = ledger.removed_entries();
        tracing::warn!(
            removed,
            "entries of an interrupted commit were removed; no receipt had gone out for them"
        );
    }
    Ok(Arc::new(ledger))
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The scheme of its URL.
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The ledger.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Answers requests until `stop` completes. Then it takes no more, answers what it has accepted, seals what waits, and writes the views out.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let (stopping, stopped) = watch::channel(false);
        let feed = self.follower.feed();
        let stop = async move {
            stop.await;
            tracing::info!("stopping: no more requests are taken");
            // Streams have no end of their own, and would be waited for.
            feed.close();
            stopping.send_replace(true);
        };
        let serve = front::serve(self.listener, self.tls, router(self.app), stop);
        let out_of_patience = async move {
            let mut stopped = stopped;
            // The sender lives until the server has ended, so this ends with the shutdown or never matters.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = serve => {}
            () = out_of_patience => {}
        }
        if let Some(desk) = self.node.as_mut().and_then(|node| node.desk.take()) {
            desk.close();
        }
        let (ledger, control) = (Arc::clone(&self.ledger), self.control.take());
        let finish = tokio::task::spawn_blocking(move || {
            drop(control);
            ledger.close();
            self.follower.stop();
        });
        finish.await.map_err(|error| ServeError::Serve(std::io::Error::other(error)))?;
        if let Some(node) = &self.node
            && let Err(error) = node.client.drain().await
        {
            tracing::warn!(%error, "the last messages may not have been sent");
        }
        let size = self.ledger.log().size().0;
        if self.ledger.is_stopped() {
            tracing::error!(
                size,
                "stopped: nothing was sealed since the sealer stopped, for the reason that was logged then. What got a receipt is sealed; publishers send the rest again"
            );
        } else {
            tracing::info!(size, "stopped: everything accepted is sealed");
        }
        Ok(())
    }
}
