use std::error::Error;
use std::io;
use std::path::PathBuf;

use async_nats::{ConnectErrorKind, ServerError, rustls};

/// Why there is no connection to NATS. No variant carries anything of a credential.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address is none.
    #[error("NATS server {position} of the list is not nats://HOST[:PORT] or tls://HOST[:PORT]")]
    Address {
        /// Which, from 1.
        position: usize,
    },
    /// An address carries what belongs in a file.
    #[error(
        "the address of NATS server {position} carries a user, password or token, which others can see there: put an nkey seed or \
         a .creds file into a file of mode 0600, and name it by --nats-credentials"
    )]
    SecretInAddress {
        /// Which, from 1.
        position: usize,
    },
    /// The credentials file cannot be read.
    #[error("the NATS credentials file {} cannot be read", .file.display())]
    CredentialsUnreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read the credentials file.
    #[error("{} can be read by others: make it 0600 (chmod 600), and think about whether somebody did", .file.display())]
    CredentialsExposed {
        /// Which file.
        file: PathBuf,
    },
    /// The credentials file holds something else.
    #[error("{} holds neither a NATS user's nkey seed (SU…) nor a .creds file's JWT and seed", .file.display())]
    CredentialsMalformed {
        /// Which file.
        file: PathBuf,
    },
    /// The certificate authority's file cannot be read.
    #[error("the file {} of the NATS servers' certificate authority cannot be read", .file.display())]
    AuthorityUnreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate authority's file holds something else.
    #[error("{} holds no certificate in PEM", .file.display())]
    AuthorityMalformed {
        /// Which file.
        file: PathBuf,
    },
    /// No name was resolved.
    #[error("the name of no NATS server of {servers} is known here")]
    Unresolved {
        /// The servers.
        servers: String,
    },
    /// No server took the connection.
    #[error("NATS cannot be reached at {servers}: {kind}")]
    Unreachable {
        /// The servers.
        servers: String,
        /// What the operating system said of the last one.
        kind: io::ErrorKind,
    },
    /// No server answered in time.
    #[error("nothing at {servers} answered as a NATS server within 5 seconds")]
    TimedOut {
        /// The servers.
        servers: String,
    },
    /// Something else answers there.
    #[error("what answers at {servers} does not speak as a NATS server; is the port right?")]
    NotNats {
        /// The servers.
        servers: String,
    },
    /// The server denies what streams are asked by.
    #[error(
        "the NATS servers deny these credentials what this command asks them ({complaint}): is --nats-api-prefix missing, or \
         --nats-credentials another user's?"
    )]
    Denied {
        /// What the server said.
        complaint: String,
    },
    /// The server's certificate is not one that is trusted here.
    #[error(
        "the certificate of the NATS server at {servers} is not trusted; is --nats-ca the right authority?"
    )]
    NotTrusted {
        /// The servers.
        servers: String,
        /// What is wrong with the certificate.
        #[source]
        source: Box<rustls::Error>,
    },
    /// TLS is required here, and the server has none.
    #[error("the NATS server at {servers} does not speak TLS, which tls:// and --nats-ca require")]
    NoTls {
        /// The servers.
        servers: String,
    },
    /// TLS failed otherwise.
    #[error("no TLS connection to NATS at {servers}")]
    Tls {
        /// The servers.
        servers: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server asks for credentials, and none were given.
    #[error("the NATS server at {servers} asks for credentials; name their file by --nats-credentials")]
    CredentialsNeeded {
        /// The servers.
        servers: String,
    },
    /// The server does not accept the credentials.
    #[error(
        "the NATS server at {servers} does not accept these credentials; is --nats-credentials the right file, and its public key \
         in the server's configuration?"
    )]
    Unauthorised {
        /// The servers.
        servers: String,
    },
    /// The server refuses the connection for another reason.
    #[error("the NATS server at {servers} refuses the connection: {reason}")]
    Refused {
        /// The servers.
        servers: String,
        /// What it said.
        reason: String,
    },
}

impl ConnectError {
    /// Whether the same attempt may succeed later without anybody changing a file or an option here.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unresolved { .. } | Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Refused { .. }
        )
    }

    /// What the client's error about these servers means; `shown` says whether credentials were.
    pub(super) fn of(error: async_nats::ConnectError, servers: String, shown: bool) -> Self {
        match error.kind() {
            ConnectErrorKind::Dns => Self::Unresolved { servers },
            ConnectErrorKind::TimedOut => Self::TimedOut { servers },
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication if shown => {
                Self::Unauthorised { servers }
            }
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                Self::CredentialsNeeded { servers }
            }
            kind => match find::<rustls::Error>(&error) {
                Some(tls) => Self::of_tls(tls.clone(), servers),
                None if kind == ConnectErrorKind::Tls => Self::Tls { servers, source: Box::new(error) },
                None => Self::of_io(&error, servers),
            },
        }
    }

    fn of_tls(error: rustls::Error, servers: String) -> Self {
        match error {
            rustls::Error::InvalidCertificate(_) => Self::NotTrusted { servers, source: Box::new(error) },
            rustls::Error::InvalidMessage(_) => Self::NoTls { servers },
            other => Self::Tls { servers, source: Box::new(other) },
        }
    }

    fn of_io(error: &async_nats::ConnectError, servers: String) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        if let Some(refused) = find::<ServerError>(error) {
            let reason = refused.to_string().trim_start_matches("nats: ").to_owned();
            return Self::Refused { servers, reason };
        }
        match find::<io::Error>(error).map(io::Error::kind) {
            None | Some(InvalidData | InvalidInput | Other | UnexpectedEof) => Self::NotNats { servers },
            Some(kind) => Self::Unreachable { servers, kind },
        }
    }
}

/// The first error of this type in the chain. An `io::Error` hides the one that it was made from from the chain.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let within = within.and_then(|inner| inner.downcast_ref::<E>());
        if let Some(found) = error.downcast_ref::<E>().or(within) {
            return Some(found);
        }
        next = error.source();
    }
    None
}
