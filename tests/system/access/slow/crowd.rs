//! Ten thousand who connect and hold what they have got, each in one of a few ways, and come again when they are sent away.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

/// The time between two bytes of those who say one now and then.
const NOW_AND_THEN: Duration = Duration::from_secs(1);
/// How long somebody who was sent away stays away.
const AWAY: Duration = Duration::from_secs(10);
/// How much of a body those send who send half of one.
const HALF_A_BODY: usize = 1 << 12;

/// Everybody, on a runtime of their own.
pub(super) struct Crowd {
    runtime: Option<tokio::runtime::Runtime>,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    tls: Option<TlsConnector>,
    /// How many have been connected at least once.
    came: AtomicUsize,
    /// Nobody comes again.
    tired: AtomicBool,
}

impl Crowd {
    /// So many come, from ten addresses.
    pub(super) fn gather(size: usize, server: SocketAddr, authority: Option<&[u8]>) -> Self {
        allow_files(size + 1_000);
        let shared = Arc::new(Shared {
            server,
            tls: authority.map(connector),
            came: AtomicUsize::new(0),
            tired: AtomicBool::new(false),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        for number in 0..size {
            runtime.spawn(linger(number, Arc::clone(&shared)));
        }
        Self { runtime: Some(runtime), shared }
    }

    pub(super) fn came(&self) -> usize {
        self.shared.came.load(Ordering::SeqCst)
    }

    /// From now on nobody comes again who is sent away. Those who are inside stay.
    pub(super) fn grow_tired(&self) {
        self.shared.tired.store(true, Ordering::SeqCst);
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lets this process have so many files, or says that it may not.
fn allow_files(count: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let (limit, count) = (getrlimit(Resource::Nofile), u64::try_from(count).expect("a number"));
    if limit.current.is_none_or(|current| current >= count) {
        return;
    }
    let raised = Rlimit { current: Some(count), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised)
        .unwrap_or_else(|error| panic!("this test needs {count} files: raise `ulimit -Hn`: {error}"));
}

fn connector(authority: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority).expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn linger(number: usize, shared: Arc<Shared>) {
    let mut first = true;
    while !shared.tired.load(Ordering::SeqCst) {
        if let Ok(stream) = connect(number, shared.server).await {
            if std::mem::take(&mut first) {
                shared.came.fetch_add(1, Ordering::SeqCst);
            }
            // However it ends, it is the server that ends it.
            let _ = hold(number, stream, shared.tls.as_ref()).await;
        }
        tokio::time::sleep(AWAY).await;
    }
}

async fn connect(number: usize, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // What is not read should wait at the server.
    socket.set_recv_buffer_size(4096)?;
    let last = u8::try_from(2 + number % 10).expect("a small number");
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    socket.connect(server).await
}

/// Holds the connection until the server ends it.
async fn hold(number: usize, mut stream: TcpStream, tls: Option<&TlsConnector>) -> std::io::Result<()> {
    match (tls, number % 4) {
        (None, _) => behave(number, stream).await,
        // A handshake costs both sides, so one in four makes one.
        (Some(tls), 0) => {
            let name = ServerName::try_from("localhost").expect("a name");
            behave(number / 4, tls.connect(name, stream).await?).await
        }
        (Some(_), 1) => until_sent_away(&mut stream).await,
        (Some(_), 2) => {
            stream.write_all(&[0x16, 3, 1]).await?;
            until_sent_away(&mut stream).await
        }
        (Some(_), _) => trickle(&mut stream, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await,
    }
}

async fn behave<S: AsyncRead + AsyncWrite + Unpin>(number: usize, mut stream: S) -> std::io::Result<()> {
    let head = format!(
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        16 << 20
    );
    match number % 6 {
        0 => {}
        1 => stream.write_all(b"GET /v1/led").await?,
        2 => trickle(&mut stream, b"GET /v1/ledger HTTP/1.1\r\nhost: x\r\nx-slow: ").await?,
        3 => {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&[b'a'; HALF_A_BODY]).await?;
        }
        4 => {
            stream.write_all(&b"GET /verify HTTP/1.1\r\nhost: x\r\n\r\n".repeat(8)).await?;
            // Reads nothing at all; a write that fails tells that the server has gone.
            loop {
                tokio::time::sleep(NOW_AND_THEN).await;
                stream.write_all(b"GET /verify HTTP/1.1\r\nhost: x\r\n\r\n").await?;
                stream.flush().await?;
            }
        }
        _ => {
            stream.write_all(head.as_bytes()).await?;
            trickle(&mut stream, b"a").await?;
        }
    }
    until_sent_away(&mut stream).await
}

/// Says these bytes one by one, and the last of them for ever.
async fn trickle<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> std::io::Result<()> {
    let last = bytes.last().copied();
    for byte in bytes.iter().copied().chain(std::iter::repeat_with(|| last.unwrap_or(b'x'))) {
        stream.write_all(&[byte]).await?;
        let _ = tokio::time::timeout(NOW_AND_THEN, until_sent_away(stream)).await;
    }
    Ok(())
}

async fn until_sent_away<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<()> {
    let mut bytes = [0; 512];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}
