//! TLS, clients' certificates, rates, slow clients, and what every answer tells a browser.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use gt_core::base64url;
use gt_core::key::PrivateKey as SigningKey;
use gt_schemas::AccessRole;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Method;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::super::front::tls;
use super::served::Served;
use crate::access::now_seconds;
use crate::http::{Front, Rates, TlsFiles};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).expect("a fixture")
}

/// The files, and the folder of the key, which has this mode.
fn files(mode: u32, client_authority: Option<&str>) -> (tempfile::TempDir, TlsFiles) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("server.key");
    std::fs::write(&key, read("nats/fixtures/server.key")).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
    let client_authority = client_authority.map(fixture);
    (folder, TlsFiles { certificate: fixture("nats/fixtures/server.pem"), key, client_authority })
}

#[test]
fn a_tls_key_that_others_can_get_at_is_refused() {
    for mode in [0o600, 0o640] {
        let (_folder, files) = files(mode, None);
        assert!(tls(&files).is_ok(), "{mode:o}");
    }
    for mode in [0o644, 0o620] {
        let (_folder, files) = files(mode, None);
        let refused = tls(&files).err().expect("refused").to_string();
        assert!(refused.contains(&format!("chmod 600 {}", files.key.display())), "{refused}");
    }
}

/// A client that trusts this authority, and shows a certificate if it has one.
fn client(authority: &str, shows: bool) -> Agent {
    let root = Certificate::from_pem(&read(authority)).expect("PEM");
    let mut tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root]));
    if shows {
        let certificate = Certificate::from_pem(&read("http/fixtures/agency.pem")).expect("PEM");
        let key = PrivateKey::from_pem(&read("http/fixtures/agency.key")).expect("PEM");
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&[certificate], key)));
    }
    Agent::config_builder().http_status_as_error(false).proxy(None).tls_config(tls.build()).build().into()
}

#[test]
fn tls_is_spoken_and_said_to_browsers_and_publishing_takes_an_agencys_certificate() {
    let agencies = "http/fixtures/agencies.pem";
    let (_folder, with_agencies) = files(0o600, Some(agencies));
    let served = Served::start_as(|front| Front { tls: Some(with_agencies), ..front });
    assert!(served.url.starts_with("https://"), "{}", served.url);
    let plain = client("nats/fixtures/authority.pem", false);
    let answer = plain.get(format!("{}/v1/ledger", served.url)).call().expect("an answer");
    assert_eq!(answer.status(), 200, "what is open stays open");
    assert!(answer.headers()["strict-transport-security"].to_str().expect("text").starts_with("max-age="));
    let publish = |agent: &Agent| {
        let request = agent.post(format!("{}/v1/statements", served.url)).content_type("application/sd-jwt");
        let mut answer = request.send("no statement").expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), text)
    };
    let (status, text) = publish(&plain);
    assert_eq!(status, 403);
    assert!(text.contains("certificate_needed"), "{text}");
    let (status, text) = publish(&client("nats/fixtures/authority.pem", true));
    assert_eq!(status, 400, "{text}");
    let stranger = client("nats/fixtures/other-authority.pem", false);
    assert!(stranger.get(format!("{}/v1/ledger", served.url)).call().is_err());
    // A certificate that another authority has made ends the handshake.
    let (_folder, with_others) = files(0o600, Some("nats/fixtures/other-authority.pem"));
    let strict = Served::start_as(|front| Front { tls: Some(with_others), ..front });
    let shown = client("nats/fixtures/authority.pem", true);
    assert!(shown.get(format!("{}/v1/ledger", strict.url)).call().is_err());
}

#[test]
fn a_providers_token_is_let_in_by_the_role_that_it_maps_to_and_says_its_purpose() {
    let (folder, key) = (tempfile::tempdir().expect("a folder"), SigningKey::from_seed(&[9; 32]));
    let mut jwk: Value = serde_json::from_str(&key.public().to_jwk().to_text()).expect("JSON");
    jwk["kid"] = json!("k");
    let (keys, file) = (folder.path().join("keys.json"), folder.path().join("oidc.json"));
    std::fs::write(&keys, json!({"keys": [jwk]}).to_string()).expect("written");
    let configuration = json!({
        "issuer": "https://login.example/", "audience": "goldenthread", "jwks_file": keys, "algorithms": ["EdDSA"],
        "role_claim": "groups", "roles": {"hub": "mash"},
    });
    std::fs::write(&file, configuration.to_string()).expect("written");
    let served = Served::start_as(|front| Front { oidc: Some(file), ..front });
    let token = |groups: Value| {
        let now = now_seconds();
        let claims = json!({
            "iss": "https://login.example/", "aud": "goldenthread", "sub": "K", "groups": groups, "iat": now, "exp": now + 60,
        });
        let encoded = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let message = format!("{}.{}", encoded(&json!({"alg": "EdDSA", "kid": "k"})), encoded(&claims));
        format!("{message}.{}", base64url::encode(&key.sign(message.as_bytes())))
    };
    let ask = |token: &str, headers: &[(&str, &str)]| {
        let reply = served.send(token, Method::GET, "/v1/decisions", headers, "");
        (reply.status.as_u16(), reply.code().to_owned())
    };
    let purpose = [("gt-purpose", "CaseWork")];
    assert_eq!(ask(&token(json!(["hub", "staff"])), &purpose), (200, String::new()));
    assert_eq!(ask(&token(json!(["hub"])), &[]), (400, "purpose_missing".to_owned()));
    assert_eq!(ask(&token(json!(["staff"])), &purpose), (403, "token_without_role".to_owned()));
    assert_eq!(ask(&format!("{}A", token(json!("hub"))), &purpose), (401, "token_refused".to_owned()));
    let own = served.token(AccessRole::Mash, |reader| reader);
    assert_eq!(ask(&own, &[]), (200, String::new()), "the ledger's own go on");
}

#[test]
fn every_answer_tells_a_browser_to_keep_nothing_and_to_frame_nothing() {
    let served = Served::start();
    let mash = served.token(AccessRole::Mash, |reader| reader);
    for (token, path) in
        [("", "/v1/ledger"), ("", "/nowhere"), ("", "/v1/decisions"), (&mash, "/v1/decisions")]
    {
        let headers = served.get(token, path).headers;
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said("referrer-policy"), "no-referrer", "{path}");
        assert!(said("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(said("cache-control"), "no-store", "{path}");
        assert_eq!(said("strict-transport-security"), "", "{path}: not without TLS");
    }
    assert_eq!(served.get("", "/checkpoint").headers["cache-control"], "no-cache");
}

#[test]
fn one_token_has_its_rate_and_another_one_its_own() {
    let served = Served::start_as(|front| Front { rates: Rates { reads: 1, statements: 1 }, ..front });
    let (one, other) =
        (served.token(AccessRole::Mash, |reader| reader), served.token(AccessRole::Auditor, |reader| reader));
    let refused = (0..100).map(|_| served.get(&one, "/v1/integrity")).find(|reply| reply.status == 429);
    let refused = refused.expect("a burst ends");
    assert_eq!(refused.code(), "too_many_requests");
    let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=2).contains(&wait), "{wait}");
    assert!(served.get(&other, "/v1/integrity").status.is_success());
    assert!(served.get("", "/v1/ledger").status.is_success(), "what is open needs no token");
    assert_eq!(served.get("no token", "/v1/integrity").status, 401, "and who has none has no bucket");
}

#[test]
fn those_who_say_little_hold_up_nobody_and_heads_have_an_end() {
    let served = Served::start();
    let address = served.url.strip_prefix("http://").expect("an address").to_owned();
    let slow: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(&address).expect("a connection");
            let said: &[u8] = if number % 2 == 0 {
                b"GET /v1/ledger HT"
            } else {
                b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-type: application/sd-jwt\r\ncontent-length: 9\r\n\r\nab"
            };
            stream.write_all(said).expect("sent");
            stream
        })
        .collect();
    for _ in 0..20 {
        assert!(served.get("", "/v1/ledger").status.is_success());
    }
    drop(slow);
    let mut stream = TcpStream::connect(&address).expect("a connection");
    let long = format!("GET /v1/ledger HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(100_000));
    // The server may close before it has heard all of it.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(served.get("", "/v1/ledger").status.is_success());
}
