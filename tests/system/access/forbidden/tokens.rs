//! Tokens that are none, or none of this ledger's, or no longer.

use gt_core::base64url;
use gt_core::key::PrivateKey;
use serde_json::{Value, json};

use super::grounds::{Grounds, forged};
use super::{Attempt, Forbidden, refused};
use crate::partnership::now;

/// The statuses of a request without a good token.
const WITHOUT: &[u16] = &[401];

pub(super) fn list(grounds: &Grounds) -> Vec<Forbidden> {
    let mut list: Vec<Forbidden> = bad(grounds)
        .into_iter()
        .flat_map(|(name, token, code)| {
            // Where a token may be left out, a bad one is still no token that was left out.
            let entry = format!("/v1/entries/{}", grounds.scene.entry);
            ["/v1/decisions".to_owned(), entry].map(|target| {
                refused(format!("{name}, at {target}"), Attempt::get(&target, &token), WITHOUT, code)
            })
        })
        .collect();
    let good = &grounds.mash;
    let bearer = super::bearer(good);
    let auditor = super::bearer(&grounds.auditor);
    let basic = format!("authorization: Basic {good}");
    let both = format!("authorization: Bearer {good}, Bearer {}", grounds.auditor);
    let (cookie, other) = (format!("cookie: token={good}"), format!("x-authorization: Bearer {good}"));
    let proxy = format!("proxy-authorization: Bearer {good}");
    for (name, lines) in [
        ("no token", vec![]),
        ("two tokens, the good one first", vec![&*bearer, &*auditor]),
        ("two tokens, the good one last", vec![&auditor, &bearer]),
        ("the same token twice", vec![&bearer, &bearer]),
        ("two tokens in one line", vec![&both]),
        ("another scheme", vec![&basic]),
        ("a token in a cookie", vec![&cookie]),
        ("a token in another header", vec![&other]),
        ("a token for a proxy", vec![&proxy]),
    ] {
        list.push(refused(name, Attempt::new("GET", "/v1/decisions", &lines, ""), WITHOUT, ""));
    }
    for parameter in ["access_token", "token", "authorization", "jwt", "bearer"] {
        let target = format!("/v1/decisions?{parameter}={good}");
        list.push(refused(
            format!("a token as {parameter} in the query"),
            Attempt::new("GET", &target, &[], ""),
            WITHOUT,
            "token_missing",
        ));
    }
    let in_body = format!("{{\"access_token\":\"{good}\",\"pseudonym\":\"{}\"}}", grounds.scene.pseudonym);
    list.push(refused(
        "a token in the body",
        Attempt::new("POST", "/v1/subjects", &[], &in_body),
        WITHOUT,
        "token_missing",
    ));
    list
}

/// Each with its name, and the code with which it is refused.
fn bad(grounds: &Grounds) -> Vec<(&'static str, String, &'static str)> {
    let (header, payload) = grounds.parts();
    let own = grounds.key("token.jwk");
    let with = |of: &Value, name: &str, value: Value| {
        let mut changed = of.clone();
        changed[name] = value;
        changed.to_string()
    };
    let (whole_header, whole) = (header_text(grounds), payload_text(grounds));
    let said = |name: &str, value: Value| forged(&whole_header, &with(&payload, name, value), &own);
    let under = |name: &str, value: Value| forged(&with(&header, name, value), &whole, &own);
    let signed_by = |key: &PrivateKey| forged(&whole_header, &whole, key);
    let named_after = |key: &PrivateKey| {
        forged(&with(&header, "kid", json!(key.public().thumbprint().to_string())), &whole, key)
    };
    let parts: Vec<&str> = grounds.mash.split('.').collect();
    let (publisher, stranger) = (&grounds.scene.council.key, PrivateKey::from_seed(&[7; 32]));
    let encoded = |text: &str| base64url::encode(text.as_bytes());
    let later = now() + 3600;
    let mut old = payload.clone();
    (old["iat"], old["exp"]) = (json!(now() - 7200), json!(now() - 1));
    let expired = forged(&whole_header, &old.to_string(), &own);
    vec![
        ("another ledger's token", grounds.foreign.clone(), "token_refused"),
        ("a revoked token", grounds.revoked.clone(), "token_revoked"),
        ("an expired token", expired, "token_expired"),
        ("a token that never expires", said("exp", json!(i64::MAX)), "token_refused"),
        ("a token of tomorrow", said("iat", json!(later)), "token_not_yet"),
        ("a token that is not yet valid", said("nbf", json!(later)), "token_refused"),
        ("another audience", said("aud", json!("ledger.example/other")), "token_refused"),
        ("several audiences", said("aud", json!(["ledger.example/system", "other"])), "token_refused"),
        ("another issuer", said("iss", json!("ledger.example/system#AAAA")), "token_refused"),
        ("no such role", said("role", json!("Root")), "token_refused"),
        ("two roles", said("role", json!(["Auditor", "Mash"])), "token_refused"),
        ("a claim that nobody knows", said("admin", json!(true)), "token_refused"),
        (
            "a member twice",
            forged(&whole_header, &whole.replacen('{', "{\"role\":\"Auditor\",", 1), &own),
            "token_refused",
        ),
        (
            "a role that nobody signed",
            format!("{}.{}.{}", parts[0], encoded(&with(&payload, "role", json!("Administrator"))), parts[2]),
            "token_refused",
        ),
        ("alg none", format!("{}.{}.", encoded("{\"alg\":\"none\"}"), parts[1]), "token_refused"),
        (
            "alg none, and a signature",
            format!("{}.{}.{}", encoded("{\"alg\":\"none\",\"typ\":\"JWT\"}"), parts[1], parts[2]),
            "token_refused",
        ),
        ("alg None, signed", under("alg", json!("None")), "token_refused"),
        ("alg HS256", under("alg", json!("HS256")), "token_refused"),
        ("alg ES256", under("alg", json!("ES256")), "token_refused"),
        ("alg RS256", under("alg", json!("RS256")), "token_refused"),
        ("no signature", format!("{}.{}", parts[0], parts[1]), "token_refused"),
        ("an empty signature", format!("{}.{}.", parts[0], parts[1]), "token_refused"),
        ("more than three parts", format!("{}.{}", grounds.mash, parts[2]), "token_refused"),
        ("a padded signature", format!("{}=", grounds.mash), "token_refused"),
        (
            "another key's id",
            under("kid", json!(publisher.public().thumbprint().to_string())),
            "token_refused",
        ),
        ("a publisher's key under the token key's id", signed_by(publisher), "token_refused"),
        ("a publisher's key under its own id", named_after(publisher), "token_refused"),
        ("the registrar's key under its own id", named_after(&grounds.key("registrar.jwk")), "token_refused"),
        ("the service key under its own id", named_after(&grounds.key("service.jwk")), "token_refused"),
        (
            "the recovery key under the token key's id",
            signed_by(&grounds.key("recovery.jwk")),
            "token_refused",
        ),
        (
            "a key in the header",
            under("jwk", serde_json::from_str(&stranger.public().to_jwk().to_text()).expect("JSON")),
            "token_refused",
        ),
        ("an address of keys in the header", under("jku", json!("http://127.0.0.1:1/keys")), "token_refused"),
        ("an extension that must be understood", under("crit", json!(["exp"])), "token_refused"),
        ("an endless token", "A".repeat(20_000), "token_refused"),
        ("nothing", String::new(), "token_refused"),
    ]
}

fn text_of(grounds: &Grounds, part: usize) -> String {
    let part = grounds.mash.split('.').nth(part).expect("three parts");
    String::from_utf8(base64url::decode(part).expect("base64url")).expect("UTF-8")
}

fn header_text(grounds: &Grounds) -> String {
    text_of(grounds, 0)
}

fn payload_text(grounds: &Grounds) -> String {
    text_of(grounds, 1)
}
