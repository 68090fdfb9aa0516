//! The buckets of the shared keyring, one for each epoch of the key-encryption key: made before an epoch can begin, and removed once no
//! node needs them any more. Both take rights that no node has.

use serde_json::json;

use super::super::epoch::Buckets;
use super::super::message::Closing;
use super::super::names::{LEDGER_STREAM, NODE_STREAM, keyring_stream, node_subject};
use super::super::port::stream_end;
use super::super::read::StreamError;
use super::super::register::{NodeState, Register};
use super::configuration::configurations;
use super::{NO_STREAM, Setup, SetupError};
use crate::keyring::KeyEncryptionKey;
use crate::secrets::Secrets;

/// What stands before the fingerprint in the name of a keyring's stream.
const OF_KEYRING: &str = "KV_gt-keys-";

/// What was done about buckets that are no longer needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retired {
    /// Fingerprints of the keys whose buckets were removed.
    pub removed: Vec<String>,
    /// Fingerprints of keys whose buckets hold no keyring: prepared, and not used.
    pub unused: Vec<String>,
    /// Nodes that have not come to the epoch in force. While there is one, nothing is removed.
    pub pending: Vec<NodeState>,
}

impl Setup {
    /// Makes the bucket for the next key's keyring, kept like the one of the key in force; and the register of nodes. Returns the names
    /// of the streams that were made.
    pub async fn prepare_keys(&self, in_force: &str, next: &str) -> Result<Vec<String>, SetupError> {
        let like = self.stream(&keyring_stream(in_force)).info().await?;
        let mut made = Vec::new();
        let name = keyring_stream(next);
        for (stream, mut config) in configurations(next, None) {
            if stream != name && stream != NODE_STREAM {
                continue;
            }
            match self.stream(&stream).info().await {
                Ok(_) => continue,
                Err(StreamError::Refused { code: NO_STREAM, .. }) => {}
                Err(error) => return Err(error.into()),
            }
            config["num_replicas"] = like["config"]["num_replicas"].clone();
            if stream == name {
                config["max_bytes"] = like["config"]["max_bytes"].clone();
            }
            self.create_stream(&stream, &config).await?;
            made.push(stream);
        }
        Ok(made)
    }

    /// The fingerprint of the key whose bucket a node works with: the latest epoch's of which it has the key.
    pub async fn epoch_of(&self, secrets: &Secrets) -> String {
        let buckets = Buckets { client: self.client.clone(), prefix: self.prefix.clone() };
        let (mut newest, mut epoch) = (None, secrets.kek().epoch());
        for key in secrets.keks().all() {
            let bucket = buckets.of(&key.epoch(), 0);
            let Ok(Some(_)) = bucket.shards().await else { continue };
            let ordinal = bucket.ordinal(key).await.unwrap_or(0);
            if newest.is_none_or(|newest| ordinal > newest) {
                (newest, epoch) = (Some(ordinal), key.epoch());
            }
        }
        epoch
    }

    /// Removes the buckets of earlier epochs than that of the key in force, unless a registered node has still to come to it. `without`
    /// are nodes that never will: they are struck off the register.
    pub async fn retire_keys(
        &self,
        in_force: &KeyEncryptionKey,
        without: &[String],
    ) -> Result<Retired, SetupError> {
        let buckets = Buckets { client: self.client.clone(), prefix: self.prefix.clone() };
        let (fingerprint, register) = (in_force.epoch(), Register::of(buckets.clone()));
        for node in without {
            self.strike_off(node).await?;
        }
        let ordinal = buckets.of(&fingerprint, 0).ordinal(in_force).await?;
        // Whoever holds an older key, or the next one, must not take the bucket in force for one of before.
        let (epoch, kek) = self.epoch_in_force().await?;
        if epoch != ordinal || kek.is_some_and(|kek| kek != fingerprint) {
            return Err(SetupError::NotInForce { given: fingerprint });
        }
        let mut retired = Retired {
            pending: register
                .nodes(in_force)
                .await?
                .into_iter()
                .filter(|node| node.epoch < ordinal)
                .collect(),
            ..Retired::default()
        };
        if !retired.pending.is_empty() {
            return Ok(retired);
        }
        let listed = self.stream_names().await?;
        let names = listed.iter().map(String::as_str);
        for kek in names.filter_map(|name| name.strip_prefix(OF_KEYRING)).filter(|kek| *kek != fingerprint) {
            if ordinal == 0 || buckets.of(kek, 0).shards().await?.is_none() {
                retired.unused.push(kek.to_owned());
                continue;
            }
            self.stream(&keyring_stream(kek)).ask("STREAM.DELETE", &json!({})).await?;
            retired.removed.push(kek.to_owned());
        }
        Ok(retired)
    }

    /// The epoch that the stream's newest batch is of, and the fingerprint of its key; none in the first.
    async fn epoch_in_force(&self) -> Result<(u64, Option<String>), SetupError> {
        let stream = self.stream(LEDGER_STREAM);
        let (mut at, _) = stream_end(&stream).await?;
        // Messages that no batch ends with are an attempt that came to nothing.
        while let Some(message) = stream.leader_message(at).await? {
            if let Ok(closing) = Closing::parse(|name| message.header(name)) {
                return Ok((closing.ordinal(), closing.epoch.map(|epoch| epoch.kek)));
            }
            at = at.saturating_sub(1);
        }
        Ok((0, None))
    }

    /// The names of all streams of the account: far fewer than one answer can have.
    async fn stream_names(&self) -> Result<Vec<String>, StreamError> {
        let listed = self.stream("").ask("STREAM.NAMES", &json!({})).await?;
        let names = listed["streams"].as_array().into_iter().flatten();
        Ok(names.filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect())
    }

    async fn strike_off(&self, node: &str) -> Result<(), SetupError> {
        let subject = node_subject(node);
        let stream = self.stream(NODE_STREAM);
        stream.ask("STREAM.PURGE", &json!({"filter": subject})).await?;
        Ok(())
    }
}
