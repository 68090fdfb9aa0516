//! A node of a ledger whose batches are committed to NATS: it takes agencies' requests, hands HTTP publishing on to the sealer that is
//! active, and publishes alerts (DESIGN section 5).

mod alerts;
mod answered;
mod connect;
mod desk;
mod forward;
mod held;
mod question;
mod reply;
mod server_check;

use std::path::Path;
use std::sync::Arc;

use async_nats::Client;
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::jetstream::setup::SetupError;
use gt_ledger::jetstream::{NodeOptions, Prefix};
use gt_ledger::open::OpenLedgerError;
use gt_ledger::secrets::Secrets;
use tokio::runtime::Handle;

pub(crate) use alerts::{AlertPublisher, keep_forks};
pub(crate) use connect::connect;
pub use desk::{Desk, DeskError};
pub(crate) use forward::{Forwarded, Forwarder};
pub use server_check::{MonitorError, ask_servers};

use crate::nats::{ConnectError, NatsOptions};

/// How a node is connected.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The servers.
    pub nats: NatsOptions,
    /// What stands before the operations of the `JetStream` API.
    pub prefix: Prefix,
    /// The subject at which the servers are asked about themselves.
    pub system_subject: String,
    /// The servers' monitoring addresses, to be asked instead.
    pub monitors: Vec<String>,
    /// It follows, and never seals.
    pub only_follows: bool,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The servers or streams are not good enough.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A monitoring address does not answer.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The ledger does not open.
    #[error(transparent)]
    Open(#[from] Box<OpenLedgerError>),
    /// Agencies' requests cannot be taken.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A thread ended.
    #[error("a thread of the node ended early: {0}")]
    Thread(String),
}

/// A node's ledger, and its connection.
pub(crate) struct Node {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) client: Client,
}

impl NodeConfig {
    /// Connects, checks servers and streams, and opens the folder as one of their nodes.
    pub(crate) async fn open(&self, data: &Path, secrets: Secrets) -> Result<Node, NodeError> {
        let setup = connect(&self.nats, &self.prefix).await?;
        let client = setup.client.clone();
        setup.is_of(&secrets).await?;
        let peers = setup.peers().await.map_err(SetupError::from)?;
        let reports = ask_servers(&client, &self.system_subject, &self.monitors, peers).await?;
        let epoch = setup.epoch_of(&secrets).await;
        setup.check(&epoch, &reports).await?;
        setup.readable(&epoch).await.map_err(SetupError::from)?;
        let options = NodeOptions {
            client: client.clone(),
            prefix: self.prefix.clone(),
            only_follows: self.only_follows,
            runtime: Handle::current(),
        };
        let data = data.to_owned();
        let open = move || Ledger::open_node(&data, &secrets, Box::new(SystemClock::default()), &options);
        let opened = tokio::task::spawn_blocking(open).await;
        let ledger = opened.map_err(|error| NodeError::Thread(error.to_string()))?.map_err(Box::new)?;
        Ok(Node { ledger: Arc::new(ledger), client })
    }
}
