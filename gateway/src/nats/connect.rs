use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::pki_types::CertificateDer;
use async_nats::rustls::pki_types::pem::PemObject as _;
use async_nats::{Client, ConnectOptions, ServerAddr};
use clap::Args;

use super::credentials::Credentials;
use super::line::Line;
use super::{ConnectError, parse_servers};
use crate::client::is_loopback;
use crate::delivery::random;

/// How long connecting to one server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the server is asked whether it is there. The third question without an answer ends the connection.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// The first wait before connecting again.
const FIRST_RECONNECT_DELAY: Duration = Duration::from_millis(50);
/// The longest wait before connecting again.
const LAST_RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// The longest file of certificates that is read, in bytes.
const MAX_AUTHORITY_BYTES: u64 = 1 << 20;

/// The options of every command that connects to NATS. The servers are the command's own argument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct NatsArgs {
    /// With NATS: the file of this system's credentials, an nkey seed or a .creds file, which nobody else may be able to read.
    #[arg(long, value_name = "FILE")]
    pub nats_credentials: Option<PathBuf>,
    /// With NATS: the certificate authority of the servers, in PEM. TLS is then required, and no other authority trusted.
    /// [default: the system's authorities, with tls://]
    #[arg(long, value_name = "FILE")]
    pub nats_ca: Option<PathBuf>,
}

/// Which servers to connect to, and how.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The servers, all of one cluster. No others are learnt from them: addresses inside a cluster are often neither
    /// reachable from outside nor in a certificate.
    pub servers: Vec<ServerAddr>,
    /// The file of the credentials.
    pub credentials: Option<PathBuf>,
    /// The file of the certificate authority. With it, or with one address that is `tls://`, all connections need TLS.
    pub ca: Option<PathBuf>,
    /// The connection's name, which the servers' operator sees.
    pub name: String,
}

impl NatsOptions {
    /// Reads the list of servers. Warns if what is sent can be read on its way.
    pub fn new(servers: &str, arguments: &NatsArgs, name: &str) -> Result<Self, ConnectError> {
        let options = Self {
            servers: parse_servers(servers)?,
            credentials: arguments.nats_credentials.clone(),
            ca: arguments.nats_ca.clone(),
            name: name.to_owned(),
        };
        if !options.requires_tls() && options.servers.iter().any(|server| !is_loopback(server.host())) {
            tracing::warn!(
                "messages travel to NATS unencrypted unless the server insists on TLS; use tls:// outside a private network"
            );
        }
        Ok(options)
    }

    /// Reads the files that the options name, so that what is wrong with them is known before anything depends on it.
    pub fn check(&self) -> Result<(), ConnectError> {
        self.read_files().map(drop)
    }

    /// Connects to one of the servers, or says why none could be reached. Once made, the connection is made again for ever
    /// whenever it breaks.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        self.connect_on(&Line::new()).await
    }

    /// The same, but waits for as long as no server can be reached. What only a person can put right is an error at once.
    pub async fn connect_when_reachable(&self) -> Result<Client, ConnectError> {
        let mut attempts: usize = 0;
        loop {
            match self.connect().await {
                Err(error) if error.may_pass() => {
                    attempts += 1;
                    if attempts.is_power_of_two() {
                        tracing::warn!(attempts, "waiting for NATS: {error}");
                    }
                    tokio::time::sleep(reconnect_delay(attempts, random())).await;
                }
                settled => return settled,
            }
        }
    }

    /// Connects, and has the line take note of what becomes of the connection.
    pub(crate) async fn connect_on(&self, line: &Line) -> Result<Client, ConnectError> {
        let credentials = self.read_files()?;
        let shown = credentials.is_some();
        let mut options = match credentials {
            Some(credentials) => {
                let credentials = Arc::new(credentials);
                ConnectOptions::with_auth_callback(move |nonce| {
                    let credentials = Arc::clone(&credentials);
                    async move { credentials.answer(&nonce) }
                })
            }
            None => ConnectOptions::new(),
        };
        if let Some(file) = &self.ca {
            options = options.add_root_certificates(file.clone());
        }
        let line = line.clone();
        options
            .name(&self.name)
            .require_tls(self.requires_tls())
            .ignore_discovered_servers()
            .custom_inbox_prefix("_INBOX")
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .max_reconnects(None)
            .reconnect_delay_callback(|attempts| reconnect_delay(attempts, random()))
            .event_callback(move |event| {
                line.record(&event);
                std::future::ready(())
            })
            .connect(&self.servers)
            .await
            .map_err(|error| ConnectError::of(error, self.shown(), shown))
    }

    fn requires_tls(&self) -> bool {
        self.ca.is_some() || self.servers.iter().any(ServerAddr::tls_required)
    }

    fn read_files(&self) -> Result<Option<Credentials>, ConnectError> {
        if let Some(file) = &self.ca {
            check_authority(file)?;
        }
        self.credentials.as_deref().map(Credentials::read).transpose()
    }

    /// The servers, as people are told.
    pub(crate) fn shown(&self) -> String {
        let servers: Vec<_> = self.servers.iter().map(ServerAddr::as_url_str).collect();
        servers.join(",")
    }
}

fn check_authority(file: &Path) -> Result<(), ConnectError> {
    let unreadable = |source| ConnectError::AuthorityUnreadable { file: file.to_owned(), source };
    let mut text = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(MAX_AUTHORITY_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(()),
        _ => Err(ConnectError::AuthorityMalformed { file: file.to_owned() }),
    }
}

/// How long to wait before an attempt: doubling from [`FIRST_RECONNECT_DELAY`] to [`LAST_RECONNECT_DELAY`], of which `random`
/// takes away up to a half, so that not all of a server's clients come back at once.
fn reconnect_delay(attempts: usize, random: u32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let doubled = FIRST_RECONNECT_DELAY
        .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .min(LAST_RECONNECT_DELAY);
    doubled.mul_f64(1.0 - f64::from(random) / f64::from(u32::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_bounded_and_jittered() {
        assert_eq!(reconnect_delay(1, 0), FIRST_RECONNECT_DELAY);
        for attempts in [0, 1, 2, 5, 31, 32, 33, 34, usize::MAX] {
            let (longest, shortest) = (reconnect_delay(attempts, 0), reconnect_delay(attempts, u32::MAX));
            assert!(longest <= LAST_RECONNECT_DELAY && shortest == longest / 2, "{attempts}");
        }
        assert_eq!(reconnect_delay(usize::MAX, 0), LAST_RECONNECT_DELAY);
    }

    #[test]
    fn one_tls_address_or_an_authority_requires_tls_of_all() {
        let authority = NatsArgs { nats_ca: Some(PathBuf::from("ca.pem")), ..NatsArgs::default() };
        for (servers, arguments, required) in [
            ("nats://127.0.0.1", NatsArgs::default(), false),
            ("nats://127.0.0.1,tls://127.0.0.2", NatsArgs::default(), true),
            ("nats://127.0.0.1", authority, true),
        ] {
            assert_eq!(NatsOptions::new(servers, &arguments, "test").unwrap().requires_tls(), required);
        }
    }

    #[test]
    fn files_are_checked_before_a_connection_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let arguments = NatsArgs { nats_ca: Some(file.clone()), ..NatsArgs::default() };
        let options = NatsOptions::new("nats://127.0.0.1:1", &arguments, "test").unwrap();
        assert!(matches!(options.check(), Err(ConnectError::AuthorityUnreadable { .. })));
        std::fs::write(&file, "no certificate").unwrap();
        assert!(matches!(options.check(), Err(ConnectError::AuthorityMalformed { .. })));
    }
}
