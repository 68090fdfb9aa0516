use super::*;

const NOW: i64 = 1_000_000;

struct Ledger {
    folder: tempfile::TempDir,
    authority: TokenAuthority,
}

impl Ledger {
    fn new(origin: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pin = format!(r#"{{"origin":"{origin}","genesis":"{}","verifier_keys":[]}}"#, "A".repeat(43));
        fs::write(folder.path().join(file::PIN), pin).expect("written");
        let authority = TokenAuthority::create(folder.path()).expect("made");
        Self { folder, authority }
    }
}

fn reader(role: AccessRole) -> Reader {
    Reader {
        subject: "Kim".into(),
        role,
        agency: None,
        children: BTreeSet::new(),
        purposes: vec![AccessPurpose::Analysis],
        issued_at: NOW,
        expires_at: NOW + 3600,
        token: String::new(),
    }
}

/// A token of this payload, signed by this key under this header.
fn forged(header: &str, payload: &str, key: &PrivateKey) -> String {
    let signed =
        format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    format!("{signed}.{}", base64url::encode(&key.sign(signed.as_bytes())))
}

#[test]
fn a_token_says_what_it_was_issued_for_until_it_expires() {
    let ledger = Ledger::new("ledger.example/one");
    let (issued, token) = ledger.authority.issue(reader(AccessRole::Analyst)).expect("issued");
    assert_eq!(ledger.authority.verify(&token, NOW), Ok(issued.clone()));
    assert_eq!(ledger.authority.verify(&token, NOW + 3599), Ok(issued.clone()));
    assert_eq!(ledger.authority.verify(&token, NOW + 3600), Err(TokenRefused::Expired));
    assert_eq!(ledger.authority.verify(&token, NOW - 60), Ok(issued.clone()));
    assert_eq!(ledger.authority.verify(&token, NOW - 61), Err(TokenRefused::NotYet));
    let text = fs::read_to_string(ledger.folder.path().join(ISSUED_FILE)).expect("a list");
    assert!(
        !text.contains(token.rsplit('.').next().expect("a signature")),
        "the token itself is kept nowhere"
    );
}

#[test]
fn a_revoked_token_is_refused_from_then_on_and_one_whose_list_is_gone_too() {
    let ledger = Ledger::new("ledger.example/one");
    let (first, token) = ledger.authority.issue(reader(AccessRole::Analyst)).expect("issued");
    let (_, other) = ledger.authority.issue(reader(AccessRole::Mash)).expect("issued");
    assert!(ledger.authority.verify(&token, NOW).is_ok());
    // As another process does it.
    let elsewhere = TokenAuthority::load(ledger.folder.path()).expect("the same key");
    elsewhere.revoke(&first.token).expect("revoked");
    assert_eq!(ledger.authority.verify(&token, NOW), Err(TokenRefused::Revoked));
    assert!(ledger.authority.verify(&other, NOW).is_ok());
    assert!(matches!(elsewhere.revoke("unknown"), Err(TokenError::Unknown)));
    fs::remove_file(ledger.folder.path().join(REVOKED_FILE)).expect("removed");
    assert_eq!(ledger.authority.verify(&other, NOW), Err(TokenRefused::CannotTell));
}

#[test]
fn another_ledgers_token_is_refused_even_under_the_same_key() {
    let (one, other) = (Ledger::new("ledger.example/one"), Ledger::new("ledger.example/other"));
    let (_, token) = other.authority.issue(reader(AccessRole::Analyst)).expect("issued");
    assert_eq!(one.authority.verify(&token, NOW), Err(TokenRefused::NotOurs));
    let seed = one.authority.key.to_seed();
    let same_key = TokenAuthority {
        key: PrivateKey::from_seed(&seed),
        header: one.authority.header.clone(),
        folder: other.folder.path().to_owned(),
        issuer: other.authority.issuer.clone(),
        audience: other.authority.audience.clone(),
        revoked: Mutex::default(),
    };
    let (_, token) = same_key.issue(reader(AccessRole::Analyst)).expect("issued");
    assert_eq!(one.authority.verify(&token, NOW), Err(TokenRefused::NotOurs));
}

#[test]
fn nobody_chooses_the_algorithm_the_key_or_more_than_was_signed() {
    let ledger = Ledger::new("ledger.example/one");
    let authority = &ledger.authority;
    let (issued, token) = authority.issue(reader(AccessRole::Auditor)).expect("issued");
    let mut parts = token.split('.');
    let (header, payload, signature) =
        (parts.next().expect("one"), parts.next().expect("two"), parts.next().expect("three"));
    let (kid, text) = (authority.key.public().thumbprint(), authority.payload(&issued).to_text());
    let stranger = PrivateKey::from_seed(&[7; 32]);
    let more = text.replace("\"Auditor\"", "\"Mash\"");
    assert_ne!(more, text);
    let encoded = |text: &str| base64url::encode(text.as_bytes());
    let plain = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"JWT"}}"#);
    let extra_role = text.replacen('{', "{\"roles\":[\"Mash\"],", 1);
    let twice = text.replacen('{', "{\"role\":\"Mash\",", 1);
    for (what, wrong) in [
        ("no algorithm", format!("{}.{payload}.", encoded(r#"{"alg":"none"}"#))),
        ("no signature", format!("{header}.{payload}.")),
        ("more than was signed", format!("{header}.{}.{signature}", encoded(&more))),
        ("HMAC with the public key", {
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
            // 32 bytes are what HMAC-SHA-256 gives, and whatever they are they are no signature.
            format!("{}.{payload}.{}", encoded(&header), base64url::encode(authority.key.public().as_bytes()))
        }),
        (
            "another kid",
            forged(
                &plain.replace(&kid.to_string(), &stranger.public().thumbprint().to_string()),
                &text,
                &stranger,
            ),
        ),
        ("our kid, another key", forged(&plain, &text, &stranger)),
        ("our key, another header", forged(r#"{"typ":"JWT","alg":"EdDSA"}"#, &text, &authority.key)),
        ("a member too many", forged(&plain, &extra_role, &authority.key)),
        ("a role twice", forged(&plain, &twice, &authority.key)),
        ("no id", forged(&plain, &text.replace("\"jti\"", "\"sub2\""), &authority.key)),
        ("four parts", format!("{}.", token.as_str())),
        ("a bit more", format!("{}A", token.as_str())),
        ("too long", format!("{}{}", token.as_str(), "A".repeat(MAX_TOKEN_BYTES))),
        ("nothing", String::new()),
    ] {
        assert_eq!(authority.verify(&wrong, NOW), Err(TokenRefused::NotOurs), "{what}");
    }
    assert_eq!(authority.verify(&forged(&plain, &text, &authority.key), NOW), Ok(issued), "the forge works");
}
