use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::statement::{Disclosure, Statement};

/// A statement in its parts, to be spoilt by hand and signed again: what the core would never sign.
#[derive(Clone)]
pub(super) struct Written {
    header: Vec<u8>,
    payload: Vec<u8>,
    /// Each with the name of its member.
    disclosures: Vec<(String, String)>,
}

impl Written {
    pub(super) fn of(statement: &Statement) -> Self {
        let mut parts =
            statement.jws().split('.').map(|part| base64url::decode(part).expect("a sound statement"));
        let members = statement.payload().data.members();
        let disclosures = statement.disclosures().iter().map(|disclosure| {
            (members[disclosure.member_position()].name().to_owned(), disclosure.text().to_owned())
        });
        Self {
            header: parts.next().expect("a header"),
            payload: parts.next().expect("a payload"),
            disclosures: disclosures.collect(),
        }
    }

    pub(super) fn header(mut self, from: &str, to: impl AsRef<[u8]>) -> Self {
        self.header = replaced(&self.header, from, to.as_ref());
        self
    }

    pub(super) fn payload(mut self, from: &str, to: impl AsRef<[u8]>) -> Self {
        self.payload = replaced(&self.payload, from, to.as_ref());
        self
    }

    /// Puts more members at the beginning of `data`.
    pub(super) fn data(self, members: &str) -> Self {
        self.payload(r#""data":{"#, format!(r#""data":{{{members},"#))
    }

    /// Takes the clear member and its value out of `data`. Another one must stand behind it.
    pub(super) fn without(self, member: &str, value: &str) -> Self {
        self.payload(&format!(r#""{member}":{value},"#), "")
    }

    /// The disclosure of this member says something else, of which the statement has the digest.
    pub(super) fn discloses(self, member: &str, json: impl AsRef<[u8]>) -> Self {
        self.disclosed_as(member, &base64url::encode(json.as_ref()))
    }

    /// The disclosure of this member is this value, with a sound salt.
    pub(super) fn says(self, member: &str, value: &Value) -> Self {
        self.disclosed_as(member, &Disclosure::encode(&[7; 16], value))
    }

    /// The disclosure of this member is this text, of which the statement has the digest.
    pub(super) fn disclosed_as(mut self, member: &str, text: &str) -> Self {
        let slot = self.disclosures.iter_mut().find(|(name, _)| name == member).expect("a disclosed member");
        let earlier = std::mem::replace(&mut slot.1, text.to_owned());
        let digest = |text: &str| Disclosure::digest_of(text).to_string();
        self.payload(&digest(&earlier), digest(text))
    }

    /// The payload as it stands.
    pub(super) fn payload_text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// The disclosure that came for this member.
    pub(super) fn disclosure(&self, member: &str) -> String {
        let found = self.disclosures.iter().find(|(name, _)| name == member);
        found.expect("a disclosed member").1.clone()
    }

    /// The digest of the disclosure that came for this member.
    pub(super) fn digest(&self, member: &str) -> String {
        Disclosure::digest_of(&self.disclosure(member)).to_string()
    }

    /// Sends one disclosure less.
    pub(super) fn withholding(mut self, member: &str) -> Self {
        self.disclosures.retain(|(name, _)| name != member);
        self
    }

    /// Sends one disclosure more.
    pub(super) fn sending(mut self, text: &str) -> Self {
        self.disclosures.push((String::new(), text.to_owned()));
        self
    }

    /// The compact SD-JWT, signed with this key whoever the header says that it is.
    pub(super) fn signed_by(&self, key: &PrivateKey) -> Vec<u8> {
        let signed = format!("{}.{}", base64url::encode(&self.header), base64url::encode(&self.payload));
        let signature = base64url::encode(&key.sign(signed.as_bytes()));
        let mut text = format!("{signed}.{signature}~");
        for (_, disclosure) in &self.disclosures {
            text.push_str(disclosure);
            text.push('~');
        }
        text.into_bytes()
    }
}

fn replaced(bytes: &[u8], from: &str, to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{from} stands in {}", String::from_utf8_lossy(bytes)));
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
