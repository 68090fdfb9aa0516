//! The names of streams, subjects and buckets.

use gt_core::agency::AgencyCode;
use gt_core::statement::PublisherId;

/// The stream of sealed entries.
pub const LEDGER_STREAM: &str = "LEDGER";
/// The stream of the latest signed checkpoints.
pub const CHECKPOINT_STREAM: &str = "CHECKPOINT";
/// The stream of alerts.
pub const ALERT_STREAM: &str = "ALERT";
/// The register of nodes.
pub const NODE_STREAM: &str = "NODE";
/// Where nodes say how far they have come.
pub(super) const NODE_SUBJECTS: &str = "gt.node.*";
/// Where signed checkpoints are published.
pub const CHECKPOINT_SUBJECT: &str = "gt.checkpoint";
/// Where agencies' requests arrive, of all agencies and publishers, and beside them what is said on [`ANSWERED_SUBJECT`].
pub const INTAKE_SUBJECTS: &str = "gt.intake.>";
/// Where a sealer says which requests it has answered without sealing them. Nobody has a publisher there: its subject has one token more.
pub const ANSWERED_SUBJECT: &str = "gt.intake.answered";

/// Where one publisher sends its statements.
pub fn intake_subject(agency: &AgencyCode, publisher: &PublisherId) -> String {
    format!("gt.intake.{agency}.{publisher}")
}

/// Where one node says how far it has come.
pub(super) fn node_subject(node: &str) -> String {
    format!("gt.node.{node}")
}

/// Where alerts of one pattern are published.
pub fn alert_subject(pattern: &str) -> String {
    format!("gt.alert.{pattern}")
}

/// The shared keyring's key-value bucket in one epoch of the key-encryption key.
pub fn keyring_bucket(epoch: &str) -> String {
    format!("gt-keys-{epoch}")
}

/// The stream below the keyring's bucket.
pub fn keyring_stream(epoch: &str) -> String {
    format!("KV_{}", keyring_bucket(epoch))
}

/// What stands before the operations of the `JetStream` API: `$JS.API`, or an account's local name for what it imports of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Self("$JS.API".into())
    }
}

impl Prefix {
    /// Takes the tokens before the operation, without a dot at the end.
    pub fn new(text: &str) -> Option<Self> {
        let sound = |token: &str| {
            !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && !b"*>".contains(&byte))
        };
        text.split('.').all(sound).then(|| Self(text.to_owned()))
    }

    pub(super) fn subject(&self, operation: &str, stream: &str) -> String {
        // What is asked of no stream has none in its subject.
        if stream.is_empty() {
            format!("{}.{operation}", self.0)
        } else {
            format!("{}.{operation}.{stream}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_tokens_without_wildcards() {
        assert_eq!(Prefix::default().subject("STREAM.INFO", "LEDGER"), "$JS.API.STREAM.INFO.LEDGER");
        assert!(Prefix::new("gt.js").is_some());
        for bad in ["", ".", "gt.", "gt..js", "gt.*", "gt.>", "gt js"] {
            assert_eq!(Prefix::new(bad), None, "{bad}");
        }
    }
}
