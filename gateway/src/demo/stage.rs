//! The demonstration's ledger: made, opened and served as `init` and `serve` do it, in this process.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gt_ledger::Ledger;
use gt_ledger::create::create;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::DemoError;
use super::folders::Folders;
use super::partnership::ORIGIN;
use crate::access::token::issue_first;
use crate::http::{ServeError, Server, bind};
use crate::reading::ReadingClient;

/// How long the views may take to catch up with the log.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(20);

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Whether another port will do where this one is taken.
    pub or_another_port: bool,
}

/// A ledger that is being served.
pub struct Stage {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Stage {
    /// Makes the ledger and serves it until `stop` completes.
    pub(super) fn set(
        runtime: &Runtime,
        folders: &Folders,
        listen: Listen,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Self, DemoError> {
        create(folders.data(), folders.secrets(), ORIGIN)?;
        let token = issue_first(folders.secrets(), "demonstration")?;
        folders.furnish(&token)?;
        let server = runtime.block_on(listen_on(folders, listen))?;
        let (address, ledger) = (server.address(), server.ledger());
        Ok(Self { address, ledger, task: runtime.spawn(server.run(stop)) })
    }

    /// The address that a client on this machine asks.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// How many entries are sealed.
    pub(super) fn size(&self) -> u64 {
        self.ledger.log().size().0
    }

    /// Waits until the views have caught up with the log.
    pub(super) fn wait_for_views(&self, reader: &ReadingClient) -> Result<(), DemoError> {
        let began = Instant::now();
        while reader.get("/readyz", &[])?["projected"].as_u64().unwrap_or(0) < self.size() {
            if began.elapsed() > PATIENCE {
                return Err(DemoError::ViewsBehind);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits until serving has ended.
    pub async fn ended(self) -> Result<(), DemoError> {
        let served = self.task.await.map_err(|error| ServeError::Serve(io::Error::other(error)))?;
        Ok(served?)
    }
}

async fn listen_on(folders: &Folders, listen: Listen) -> Result<Server, ServeError> {
    match bind(folders.data(), folders.secrets(), listen.address, None).await {
        Err(ServeError::Listen { source, .. })
            if listen.or_another_port && source.kind() == io::ErrorKind::AddrInUse =>
        {
            let any_port = SocketAddr::new(listen.address.ip(), 0);
            bind(folders.data(), folders.secrets(), any_port, None).await
        }
        bound => bound,
    }
}
