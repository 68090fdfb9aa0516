use super::{Disclosure, EventType, MANY_ELEMENTS, PublisherId, Statement, StatementError};
use crate::agency::AgencyCode;
use crate::base64url;
use crate::hash::Hash;
use crate::json::{Object, Value};
use crate::key::{Signer, SignerError};

/// A statement to be signed. The caller has read the clock and knows the head of the publisher's chain.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The agency that speaks.
    pub iss: AgencyCode,
    /// The ledger's origin.
    pub aud: String,
    /// Seconds since the Unix epoch.
    pub iat: i64,
    /// The publisher.
    pub publisher: PublisherId,
    /// The agency in whose name it speaks, if not its own.
    pub on_behalf_of: Option<AgencyCode>,
    /// Its number in the publisher's chain.
    pub seq: u64,
    /// The hash of the statement before, or the genesis leaf hash.
    pub prev: Hash,
    /// The event type.
    pub event_type: EventType,
    /// The version of its schema.
    pub version: u16,
    /// The members of `data` in order, without `kept`.
    pub members: Vec<(String, DraftMember)>,
    /// The names of disclosable members whose disclosures stay at home.
    pub kept: Vec<String>,
}

/// A member of `data` before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftMember {
    /// Stands in the clear.
    Clear(Value),
    /// Becomes one disclosure an element.
    Disclosed(Vec<Value>),
}

/// A signed statement.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The statement with the disclosures that are sent.
    pub statement: Statement,
    /// The disclosures that stay at home, each with its member's name. Lose them and the digests can never be opened.
    pub kept: Vec<(String, String)>,
}

/// Why a draft cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The result would be refused by every verifier.
    #[error("the draft makes no sound statement: {0}")]
    Unsound(#[source] StatementError),
    /// The key is elsewhere, and did not sign.
    #[error(transparent)]
    Key(#[from] SignerError),
}

/// Signs a draft. `salt` gives 16 fresh random bytes at each call.
pub fn sign(
    draft: &Draft,
    key: &dyn Signer,
    mut salt: impl FnMut() -> [u8; 16],
) -> Result<Signed, SignError> {
    let mut data = Object::default();
    let mut sent = Vec::new();
    let mut kept = Vec::new();
    for (name, member) in &draft.members {
        let value = match member {
            DraftMember::Clear(value) => value.clone(),
            DraftMember::Disclosed(elements) => {
                debug_assert!(elements.len() == 1 || MANY_ELEMENTS.contains(&name.as_str()));
                let mut digests = Vec::with_capacity(elements.len());
                for element in elements {
                    let text = Disclosure::encode(&salt(), element);
                    let digest = Value::String(Disclosure::digest_of(&text).to_string());
                    digests.push(Value::Object([("...".to_owned(), digest)].into_iter().collect()));
                    if draft.kept.contains(name) {
                        kept.push((name.clone(), text));
                    } else {
                        sent.push(text);
                    }
                }
                Value::Array(digests)
            }
        };
        data.insert(name.clone(), value);
    }
    if !draft.kept.is_empty() {
        data.insert("kept", Value::Array(draft.kept.iter().map(|name| Value::from(name.as_str())).collect()));
    }
    let jws = sign_payload(&payload(draft, data), key)?;
    let statement =
        Statement::from_parts(&jws, sent.iter().map(String::as_str)).map_err(SignError::Unsound)?;
    Ok(Signed { statement, kept })
}

fn payload(draft: &Draft, data: Object) -> Value {
    let mut members = Object::default();
    let integer = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    members.insert("iss", Value::from(draft.iss.as_str()));
    members.insert("aud", Value::from(draft.aud.as_str()));
    members.insert("iat", Value::Integer(draft.iat));
    members.insert("publisher", Value::String(draft.publisher.to_string()));
    if let Some(agency) = &draft.on_behalf_of {
        members.insert("on_behalf_of", Value::from(agency.as_str()));
    }
    members.insert("seq", integer(draft.seq));
    members.insert("prev", Value::String(draft.prev.to_string()));
    members.insert("type", Value::from(draft.event_type.as_str()));
    members.insert("version", integer(draft.version.into()));
    members.insert("data", Value::Object(data));
    members.insert("_sd_alg", Value::from("sha-256"));
    Value::Object(members)
}

/// Makes `H.P.S` of a payload.
fn sign_payload(payload: &Value, key: &dyn Signer) -> Result<String, SignerError> {
    let kid = key.public_key().thumbprint();
    let header = format!(r#"{{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"{kid}"}}"#);
    let signed = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload.to_text().as_bytes())
    );
    let signature = base64url::encode(&key.try_sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}
