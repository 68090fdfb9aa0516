//! The connections: how many there are at a time, over TLS or not, and for how long somebody may be about to say something.
//!
//! A slow client holds its own connection and nothing else: handshakes and heads of requests have a time limit each, and happen on a task of
//! their own; so has an answer that nobody takes. How many there are at a time `room` says.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use super::patient::Patient;
use super::room::{Room, most_connections};
use crate::keyfile::exposed;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the head of a request may take, from its first byte or from the answer before.
const HEAD: Duration = Duration::from_secs(30);
/// How long a client may take nothing of an answer that waits for it.
const UNREAD: Duration = Duration::from_secs(30);
/// The longest head, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How many may wait until they are taken. If there is no room to wait, the operating system lets them try again ever more seldom.
const QUEUE: u32 = 4096;
/// After an error of the operating system: out of files, most often.
const PAUSE: Duration = Duration::from_millis(100);

/// TLS, as the operator has set it up.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authority that vouches for agencies' systems, PEM. With it, publishing takes a certificate.
    pub client_authority: Option<PathBuf>,
}

/// The files for TLS are not in order.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file does not read as PEM.
    #[error("{}: {source}", .file.display())]
    Pem {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: Error,
    },
    /// Others can read the key.
    #[error(
        "others can get at the key for TLS: its mode is {mode:03o}; run: chmod 600 {}, and think about whether somebody did", .file.display()
    )]
    Exposed {
        /// Which file.
        file: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// They do not fit each other.
    #[error("the certificate and the key for TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// The authority cannot be used.
    #[error("the authority for clients' certificates cannot be used: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Whether the peer has shown a certificate of the agencies' authority.
    pub(crate) certified: bool,
}

/// Reads the files.
pub(super) fn tls(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let certificates = certificates(&files.certificate)?;
    let key = private_key(&files.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for authority in self::certificates(file)? {
                roots.add(authority)?;
            }
            // What is open stays open to those who have none.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
        }
    };
    let mut config = builder.with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = |source| TlsError::Pem { file: file.to_owned(), source };
    let open = File::open(file).map_err(|error| pem(Error::Io(error)))?;
    if let Some(mode) = exposed(&open).map_err(|error| pem(Error::Io(error)))? {
        return Err(TlsError::Exposed { file: file.to_owned(), mode });
    }
    PrivateKeyDer::from_pem_reader(open).map_err(pem)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { file: file.to_owned(), source };
    CertificateDer::pem_file_iter(file).map_err(pem)?.collect::<Result<_, _>>().map_err(pem)
}

/// Listens at the address.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A ledger that is started again need not wait until the connections of the one before are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Answers on all connections until `stop` completes; then takes no more, and returns when those that are being answered are done.
pub(super) async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let (room, graceful) = (Room::new(most_connections()), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let taken = tokio::select! {
            () = &mut stop => break,
            taken = listener.accept() => taken,
        };
        let (stream, address) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                // One that went before it was taken is nobody's trouble.
                if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
                {
                    tracing::error!(%error, "no connection can be taken");
                    tokio::time::sleep(PAUSE).await;
                }
                continue;
            }
        };
        let seat = Arc::new(room.take(address.ip()).await);
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            // Answers are small and asked for one by one.
            let _ = stream.set_nodelay(true);
            let stream = Patient::new(stream, UNREAD);
            tokio::select! {
                () = converse(stream, acceptor, address, router.layer(Extension(Arc::clone(&seat))), watcher) => {}
                () = seat.wanted() => {}
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// One connection, over TLS or not, to its end.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    acceptor: Option<TlsAcceptor>,
    address: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let Some(acceptor) = acceptor else {
        return answer(stream, Peer { address, certified: false }, router, watcher).await;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let certified = stream.get_ref().1.peer_certificates().is_some_and(|all| !all.is_empty());
    answer(stream, Peer { address, certified }, router, watcher).await;
}

/// The requests of one connection.
async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    router: Router,
    watcher: Watcher,
) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes, or is cut off, is no error of the ledger's.
    let _ = watcher.watch(connection).await;
}
