//! A small provider on loopback, with keys that it rotates.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gt_schemas::AccessRole;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use serde_json::json;

use super::*;

const AUDIENCE: &str = "goldenthread";
const RSA: &[u8] = include_bytes!("fixtures/rsa.der");

/// A provider's signing keys.
enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed"))
    }

    fn p256() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        Self::P256(pair.expect("its own key"))
    }

    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_der(RSA).expect("a fixture"))
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Ed25519(pair) => {
                let x = base64url::encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": x})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (base64url::encode(&point[1..33]), base64url::encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "x": x, "y": y})
            }
            Self::Rsa(pair) => {
                let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                let (n, e) = (base64url::encode(&public.n), base64url::encode(&public.e));
                json!({"kty": "RSA", "kid": kid, "n": n, "e": e})
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).expect("signed").as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &'static dyn ring::signature::RsaEncoding =
                    if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message, &mut signature).expect("signed");
                signature
            }
        }
    }
}

fn signed(signer: &Signer, header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let algorithm = header["alg"].as_str().unwrap_or_default();
    format!("{message}.{}", base64url::encode(&signer.sign(algorithm, message.as_bytes())))
}

/// A server of keys, and how often it was asked.
struct Provider {
    url: String,
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let (keys, asked) = (Arc::new(Mutex::new(json!(keys))), Arc::new(AtomicUsize::new(0)));
        let (served, count) = (Arc::clone(&keys), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.read(&mut [0; 4096]);
                count.fetch_add(1, Ordering::SeqCst);
                let body = json!({"keys": *served.lock().expect("unpoisoned")}).to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { url, keys, asked }
    }

    fn rotate(&self, keys: &[Value]) {
        *self.keys.lock().expect("unpoisoned") = json!(keys);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn oidc(&self, algorithms: &[&str], pause: Duration) -> Oidc {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("oidc.json");
        std::fs::write(&file, self.configuration(algorithms).to_string()).expect("written");
        let mut oidc = Oidc::load(&file).expect("a configuration");
        let keys = Keys::new(oidc.config.source.clone()).expect("keys").with_least_pause(pause);
        oidc.keys = Arc::new(keys);
        oidc
    }

    fn configuration(&self, algorithms: &[&str]) -> Value {
        json!({
            "issuer": "https://login.example/", "audience": AUDIENCE, "jwks_url": self.url, "algorithms": algorithms,
            "subject_claim": "name", "role_claim": "groups", "roles": {"hub": "mash", "managers": "manager", "panel": "panel-reviewer", "dpo": "data-protection-officer"},
            "agency_claim": "organisation", "agencies": {"council": "gss:E06000999"}, "children_claim": "reviews",
        })
    }
}

fn now() -> i64 {
    crate::access::now_seconds()
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example/", "aud": [AUDIENCE, "another"], "sub": "0f31", "name": "K. Adeyemi", "groups": ["staff", "hub"],
        "iat": now(), "nbf": now(), "exp": now() + 600, "email": "k@example.org",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn header(algorithm: &str, kid: &str) -> Value {
    json!({"alg": algorithm, "typ": "at+jwt", "kid": kid})
}

#[tokio::test]
async fn every_allowed_algorithm_is_taken_and_claims_become_a_reader() {
    let (ed, p256, rsa) = (Signer::ed25519(1), Signer::p256(), Signer::rsa());
    let provider = Provider::start(&[ed.jwk("ed"), p256.jwk("ec"), rsa.jwk("rsa")]);
    let oidc = provider.oidc(&["EdDSA", "ES256", "RS256", "PS256"], LEAST);
    for (signer, algorithm, kid) in
        [(&ed, "EdDSA", "ed"), (&p256, "ES256", "ec"), (&rsa, "RS256", "rsa"), (&rsa, "PS256", "rsa")]
    {
        let token = signed(signer, &header(algorithm, kid), &claims());
        let reader = oidc.verify(&token, now()).await.unwrap_or_else(|error| panic!("{algorithm}: {error}"));
        assert_eq!((reader.subject.as_str(), reader.role), ("K. Adeyemi", AccessRole::Mash));
        assert!(reader.token.starts_with(ID_PREFIX));
    }
    let manager = json!({"groups": "managers", "organisation": "council"});
    let mut all = claims();
    all.as_object_mut().expect("an object").extend(manager.as_object().expect("an object").clone());
    let reader = oidc.verify(&signed(&ed, &header("EdDSA", "ed"), &all), now()).await.expect("a manager");
    assert_eq!(reader.agency.map(|agency| agency.to_string()).as_deref(), Some("gss:E06000999"));
    assert_eq!(provider.asked(), 1, "keys are kept");
}

/// No test here waits so long.
const LEAST: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_is_not_exactly_what_was_agreed_is_refused() {
    let (ed, rsa, stranger) = (Signer::ed25519(1), Signer::rsa(), Signer::ed25519(2));
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": base64url::encode(&[7; 32])});
    let provider = Provider::start(&[ed.jwk("ed"), rsa.jwk("rsa"), symmetric]);
    let oidc = provider.oidc(&["EdDSA"], LEAST);
    let good = signed(&ed, &header("EdDSA", "ed"), &claims());
    assert!(oidc.verify(&good, now()).await.is_ok());
    let (head, rest) = good.split_once('.').expect("parts");
    let encoded = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let plain = rest.split_once('.').expect("parts").0;
    let refused = [
        ("none", format!("{}.{plain}.", encoded(&json!({"alg": "none"})))),
        ("none, with a kid", format!("{}.{rest}", encoded(&json!({"alg": "none", "kid": "ed"})))),
        ("HMAC", signed(&ed, &header("HS256", "ed"), &claims())),
        ("HMAC with a symmetric key", signed(&ed, &header("HS256", "oct"), &claims())),
        ("an algorithm that is not allowed", signed(&rsa, &header("RS256", "rsa"), &claims())),
        ("another's key of the family", signed(&stranger, &header("EdDSA", "ed"), &claims())),
        ("a kid that leads to another key", signed(&ed, &header("EdDSA", "rsa"), &claims())),
        ("a kid that nobody knows", signed(&ed, &header("EdDSA", "new"), &claims())),
        ("no kid", signed(&ed, &json!({"alg": "EdDSA"}), &claims())),
        ("no signature", format!("{head}.{plain}.")),
        ("another issuer", signed(&ed, &header("EdDSA", "ed"), &with("iss", json!("https://login.example")))),
        ("another audience", signed(&ed, &header("EdDSA", "ed"), &with("aud", json!("another")))),
        ("no audience", signed(&ed, &header("EdDSA", "ed"), &without("aud"))),
        ("no issuer", signed(&ed, &header("EdDSA", "ed"), &without("iss"))),
        ("no end", signed(&ed, &header("EdDSA", "ed"), &without("exp"))),
        ("no beginning", signed(&ed, &header("EdDSA", "ed"), &without("iat"))),
        ("no name", signed(&ed, &header("EdDSA", "ed"), &without("name"))),
        ("too long", format!("{good}{}", "A".repeat(MAX_TOKEN_BYTES))),
        ("nothing", String::new()),
    ];
    for (what, token) in refused {
        assert_eq!(oidc.verify(&token, now()).await.err(), Some(TokenRefused::NotOurs), "{what}");
    }
    for member in ["nbf", "iat"] {
        let early = signed(&ed, &header("EdDSA", "ed"), &with(member, json!(now() + 120)));
        assert_eq!(oidc.verify(&early, now()).await.err(), Some(TokenRefused::NotYet), "{member}");
    }
    let expired = signed(&ed, &header("EdDSA", "ed"), &with("exp", json!(now() - 61)));
    assert_eq!(oidc.verify(&expired, now()).await.err(), Some(TokenRefused::Expired));
    let just = signed(&ed, &header("EdDSA", "ed"), &with("exp", json!(now() - 30)));
    assert!(oidc.verify(&just, now()).await.is_ok(), "clocks may be a minute apart");
    for (what, claims) in [
        ("no role", with("groups", json!(["staff"]))),
        ("two roles", with("groups", json!(["hub", "panel"]))),
        ("an agency's role without its agency", with("groups", json!(["managers"]))),
        ("a panel without children", with("groups", json!(["panel"]))),
    ] {
        let token = signed(&ed, &header("EdDSA", "ed"), &claims);
        assert_eq!(oidc.verify(&token, now()).await.err(), Some(TokenRefused::NoRole), "{what}");
    }
}

#[tokio::test]
async fn whoever_is_bound_to_an_agency_is_never_let_in_unbound() {
    let signer = Signer::ed25519(1);
    let oidc = Provider::start(&[signer.jwk("ed")]).oidc(&["EdDSA"], LEAST);
    let officer = async |organisation: Option<Value>| {
        let mut claims = with("groups", json!("dpo"));
        if let Some(organisation) = organisation {
            claims["organisation"] = organisation;
        }
        let read = oidc.verify(&signed(&signer, &header("EdDSA", "ed"), &claims), now()).await;
        read.map(|reader| reader.agency.map(|agency| agency.to_string()))
    };
    assert_eq!(officer(None).await, Ok(None), "the partnership's own officer");
    for said in [json!("council"), json!(["council"])] {
        assert_eq!(officer(Some(said)).await, Ok(Some("gss:E06000999".to_owned())));
    }
    for said in [json!(["council", "council"]), json!([]), json!({"id": "council"}), json!(7), Value::Null] {
        assert_eq!(officer(Some(said.clone())).await, Err(TokenRefused::NoRole), "{said}");
    }
}

#[tokio::test]
async fn rotated_keys_are_fetched_and_strange_ones_make_nobody_ask_without_end() {
    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let provider = Provider::start(&[old.jwk("old")]);
    let impatient = provider.oidc(&["EdDSA"], Duration::ZERO);
    let token = |signer: &Signer, kid: &str| signed(signer, &header("EdDSA", kid), &claims());
    assert!(impatient.verify(&token(&old, "old"), now()).await.is_ok());
    provider.rotate(&[new.jwk("new")]);
    assert!(impatient.verify(&token(&new, "new"), now()).await.is_ok(), "an unknown key is looked for");
    assert!(impatient.verify(&token(&old, "old"), now()).await.is_err(), "and a withdrawn one holds no more");
    let patient = provider.oidc(&["EdDSA"], LEAST);
    let before = provider.asked();
    for number in 0..50 {
        assert!(patient.verify(&token(&new, &format!("strange-{number}")), now()).await.is_err());
    }
    assert_eq!(provider.asked() - before, 1, "once a minute at most");
    assert!(patient.verify(&token(&new, "new"), now()).await.is_ok());
}

#[test]
fn a_configuration_that_would_take_anything_is_refused() {
    let provider = Provider::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("oidc.json");
    let refused = |member: &str, value: Value| {
        let mut configuration = provider.configuration(&["EdDSA"]);
        configuration[member] = value;
        std::fs::write(&file, configuration.to_string()).expect("written");
        OidcConfig::load(&file).map(drop).expect_err(member).to_string()
    };
    for (member, value, said) in [
        ("algorithms", json!(["none"]), "algorithms must be"),
        ("algorithms", json!(["HS256"]), "algorithms must be"),
        ("algorithms", json!([]), "algorithms must be"),
        ("jwks_url", json!("http://login.example/keys"), "https"),
        ("jwks_file", json!("keys.json"), "not both"),
        ("roles", json!({"hub": "king"}), "roles must be"),
        ("roles", json!({}), "roles must be"),
        ("agencies", json!({"council": "E06000999"}), "agencies must be"),
        ("issuer", json!(""), "issuer and audience"),
        ("surprise", json!(1), "unknown field"),
    ] {
        let complaint = refused(member, value);
        assert!(complaint.contains(said), "{member}: {complaint}");
    }
}
