//! Published vectors of RFC 9901 (SD-JWT): the disclosures of sections 4.2.1 and 4.2.2 with the digests of section 4.2.4,
//! and the array elements of the example in section 5.1. Then what of the RFC our profile does not accept (DESIGN section 2).

use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::statement::{Disclosure, Statement, StatementError};

/// An array element's disclosure: its text, its digest, its salt and its value.
const ELEMENTS: [(&str, &str, &str, &str); 3] = [
    // Sections 4.2.2 and 4.2.4.2.
    (
        "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
        "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
        "lklxF5jMYlGTPUovMNIvCA",
        "FR",
    ),
    // Section 5.1.
    (
        "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0",
        "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo",
        "lklxF5jMYlGTPUovMNIvCA",
        "US",
    ),
    (
        "WyJuUHVvUW5rUkZxM0JJZUFtN0FuWEZBIiwgIkRFIl0",
        "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0",
        "nPuoQnkRFq3BIeAm7AnXFA",
        "DE",
    ),
];

/// An object member's disclosure, of sections 4.2.1 and 4.2.4.1: its text and its digest.
const MEMBER: (&str, &str) = (
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
    "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
);

/// Signs a statement whose `data` is as given, with these disclosures, and reads it.
fn read(data: &str, disclosures: &[&str]) -> Result<Statement, StatementError> {
    let key = PrivateKey::from_seed(&[7; 32]);
    let id = key.public().thumbprint();
    let header = format!(r#"{{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"{id}"}}"#);
    let payload = format!(
        r#"{{"iss":"gss:E06000005","aud":"ledger.example","iat":1683000000,"publisher":"{id}","seq":0,"prev":"{id}","type":"context.linked","version":1,"data":{data},"_sd_alg":"sha-256"}}"#
    );
    let signed =
        format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    let jws = format!("{signed}.{}", base64url::encode(&key.sign(signed.as_bytes())));
    let statement = Statement::from_parts(&jws, disclosures.iter().copied())?;
    statement.verify(&key.public())?;
    statement.require_complete()?;
    Ok(statement)
}

fn code(data: &str, disclosures: &[&str]) -> &'static str {
    read(data, disclosures).expect_err("our profile refuses it").code()
}

#[test]
fn the_published_digests_come_out() {
    for (text, digest, ..) in ELEMENTS {
        assert_eq!(Disclosure::digest_of(text).to_string(), digest);
    }
    assert_eq!(Disclosure::digest_of(MEMBER.0).to_string(), MEMBER.1);
}

#[test]
fn the_published_array_elements_are_read_as_they_were_spelt() {
    for (text, digest, salt, value) in ELEMENTS {
        let statement = read(&format!(r#"{{"country":[{{"...":"{digest}"}}]}}"#), &[text]).expect("accepted");
        let disclosure = &statement.disclosures()[0];
        assert_eq!(disclosure.value().to_value(), Value::from(value));
        assert_eq!((disclosure.text(), disclosure.digest().to_string().as_str()), (text, digest));
        // The RFC's example has a space after the comma, which we do not write: digests are over the text received.
        let salt = base64url::decode(salt).expect("base64url");
        assert_eq!(salt.len(), 16);
        assert_ne!(Disclosure::encode(&salt, &Value::from(value)), text);
    }
    let [_, first, second] = ELEMENTS;
    let list = format!(r#"{{"identifiers":[{{"...":"{}"}},{{"...":"{}"}}]}}"#, first.1, second.1);
    let statement = read(&list, &[second.0, first.0]).expect("a list of several elements, in any order");
    let elements: Vec<usize> = statement.disclosures().iter().map(Disclosure::element).collect();
    assert_eq!(elements, [1, 0]);
}

#[test]
fn disclosures_of_object_members_are_refused() {
    let (text, digest) = MEMBER;
    assert_eq!(code(&format!(r#"{{"_sd":["{digest}"]}}"#), &[text]), "data_member_name");
    assert_eq!(code(&format!(r#"{{"name":{{"_sd":["{digest}"]}}}}"#), &[text]), "digest_misplaced");
    // Even where its digest stands as an array element's.
    assert_eq!(code(&format!(r#"{{"name":[{{"...":"{digest}"}}]}}"#), &[text]), "disclosure_malformed");
}

#[test]
fn decoys_mixed_arrays_and_recursion_are_refused() {
    let (text, digest, ..) = ELEMENTS[0];
    let element = format!(r#"{{"...":"{digest}"}}"#);
    let decoy = format!(r#"{{"...":"{}"}}"#, Disclosure::digest_of("a decoy"));
    assert_eq!(code(&format!(r#"{{"identifiers":[{element},{decoy}]}}"#), &[text]), "disclosure_missing");
    // Section 4.2.4.2 shows this very form: an element in the clear, a digest, an element in the clear.
    assert_eq!(code(&format!(r#"{{"nationalities":["DE",{element},"US"]}}"#), &[text]), "digest_misplaced");
    let outer = base64url::encode(format!(r#"["nPuoQnkRFq3BIeAm7AnXFA",[{element}]]"#).as_bytes());
    let data = format!(r#"{{"country":[{{"...":"{}"}}]}}"#, Disclosure::digest_of(&outer));
    assert_eq!(code(&data, &[&outer]), "digest_in_disclosure");
}
