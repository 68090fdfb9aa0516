//! Connecting, against real servers.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use test_server::TestServer;

pub(crate) mod test_server;

fn connect(servers: &str, arguments: &NatsArgs) -> Result<async_nats::Client, ConnectError> {
    let options = NatsOptions::new(servers, arguments, "test").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(options.connect())
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/nats/fixtures").join(name)
}

fn trusting(authority: &str) -> NatsArgs {
    NatsArgs { nats_ca: Some(fixture(authority)), ..NatsArgs::default() }
}

/// A file of mode 0600 in this folder.
fn secret_file(dir: &std::path::Path, name: &str, text: &str) -> NatsArgs {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    NatsArgs { nats_credentials: Some(file), ..NatsArgs::default() }
}

#[test]
fn what_cannot_be_reached_is_said_and_the_next_server_is_taken() {
    let mut away = TestServer::prepare("");
    let error = connect(&away.url(), &NatsArgs::default()).unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { kind: std::io::ErrorKind::ConnectionRefused, .. }),
        "{error}"
    );
    assert!(error.may_pass() && error.to_string().contains(&away.url()), "{error}");
    let unknown = connect("nats://no-such-host.invalid", &NatsArgs::default()).unwrap_err();
    assert!(matches!(unknown, ConnectError::Unresolved { .. }), "{unknown}");
    let up = TestServer::start("");
    connect(&format!("{},{}", away.url(), up.url()), &NatsArgs::default()).unwrap();

    let options = NatsOptions::new(&away.url(), &NatsArgs::default(), "test").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let waiting = runtime.spawn(async move { options.connect_when_reachable().await });
    away.run();
    runtime.block_on(waiting).unwrap().unwrap();
}

#[test]
fn credentials_are_asked_for_refused_and_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (seed, public) = new_user_seed().unwrap();
    let (other, _) = new_user_seed().unwrap();
    let server = TestServer::start(&format!("authorization {{ users = [ {{ nkey: {public} }} ] }}"));
    let needed = connect(&server.url(), &NatsArgs::default()).unwrap_err();
    assert!(matches!(needed, ConnectError::CredentialsNeeded { .. }), "{needed}");
    let refused = connect(&server.url(), &secret_file(dir.path(), "other.nk", &other)).unwrap_err();
    assert!(matches!(refused, ConnectError::Unauthorised { .. }), "{refused}");
    assert!(!refused.may_pass());
    connect(&server.url(), &secret_file(dir.path(), "agency.nk", &seed)).unwrap();
}

#[test]
fn a_jwt_and_its_seed_are_accepted() {
    use gt_core::base64url;
    use nkeys::{KeyPair, KeyPairType};
    let key = |kind, byte| KeyPair::new_from_raw(kind, [byte; 32]).unwrap();
    let (operator, account) = (key(KeyPairType::Operator, 1), key(KeyPairType::Account, 2));
    let user = key(KeyPairType::User, 3);
    let jwt = |issuer: &KeyPair, subject: &KeyPair, kind: &str| {
        // Minus one is no limit, and a limit that is left out is zero.
        let limits = serde_json::json!({
            "conn": -1, "leaf": -1, "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        });
        let unlimited = serde_json::json!({"type": kind, "version": 2, "subs": -1, "data": -1, "payload": -1, "limits": limits});
        let claims = serde_json::json!({
            "jti": "x", "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(), "name": kind,
            "nats": unlimited,
        });
        let header = base64url::encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
        let signed = format!("{header}.{}", base64url::encode(claims.to_string().as_bytes()));
        format!("{signed}.{}", base64url::encode(&issuer.sign(signed.as_bytes()).unwrap()))
    };
    let server = TestServer::start(&format!(
        "operator: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {} }}",
        jwt(&operator, &operator, "operator"),
        account.public_key(),
        jwt(&operator, &account, "account"),
    ));
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{}\n\
         ------END USER NKEY SEED------\n",
        jwt(&account, &user, "user"),
        user.seed().unwrap()
    );
    let dir = tempfile::tempdir().unwrap();
    connect(&server.url(), &secret_file(dir.path(), "agency.creds", &text)).unwrap();
    let other = text.replace(&user.seed().unwrap(), &new_user_seed().unwrap().0);
    let refused = connect(&server.url(), &secret_file(dir.path(), "other.creds", &other)).unwrap_err();
    assert!(matches!(refused, ConnectError::Unauthorised { .. }), "{refused}");
}

#[test]
fn a_certificate_is_trusted_by_its_authority_alone_and_tls_is_not_given_up() {
    let secure = TestServer::start(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}",
        fixture("server.pem"),
        fixture("server.key")
    ));
    connect(&secure.url(), &trusting("authority.pem")).unwrap();
    let tls = format!("tls://{}", secure.address());
    connect(&tls, &trusting("authority.pem")).unwrap();
    let other = connect(&tls, &trusting("other-authority.pem")).unwrap_err();
    assert!(matches!(other, ConnectError::NotTrusted { .. }), "{other}");
    let plain = TestServer::start("");
    let none = connect(&plain.url(), &trusting("authority.pem")).unwrap_err();
    assert!(matches!(none, ConnectError::NoTls { .. }), "{none}");
}

#[test]
fn what_is_no_nats_server_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-Fictional\r\n").unwrap();
    });
    let error = connect(&url, &NatsArgs::default()).unwrap_err();
    other.join().unwrap();
    assert!(matches!(error, ConnectError::NotNats { .. }), "{error}");
}
