use std::error::Error;

/// Why nothing came back.
pub type TransportError = Box<dyn Error + Send + Sync>;

/// What came back, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, or its first bytes if it is longer than was asked for.
    pub body: Vec<u8>,
}

/// How witnesses are reached: this crate speaks no HTTP. Closures of this form are transports.
pub trait Transport: Send + Sync {
    /// Sends a POST with this body, or a GET if there is none, and returns what came back.
    ///
    /// It MUST come back in a bounded time, follow no redirect, and read no more than `limit` + 1 bytes of the answer. Connections
    /// SHOULD be kept alive. It is called from several threads.
    fn send(&self, url: &str, body: Option<&[u8]>, limit: usize) -> Result<Reply, TransportError>;
}

impl<F> Transport for F
where
    F: Fn(&str, Option<&[u8]>, usize) -> Result<Reply, TransportError> + Send + Sync,
{
    fn send(&self, url: &str, body: Option<&[u8]>, limit: usize) -> Result<Reply, TransportError> {
        self(url, body, limit)
    }
}
