//! What each stream must be, and in what one differs from that.

use std::fmt;

use serde_json::{Value, json};

use super::super::names::{
    ALERT_STREAM, CHECKPOINT_STREAM, CHECKPOINT_SUBJECT, LEDGER_STREAM, NODE_STREAM, NODE_SUBJECTS,
    keyring_bucket, keyring_stream,
};

/// How the streams are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// On how many servers each stream is kept.
    pub replicas: u64,
    /// How many bytes the stream of sealed entries may have. With the others it must stay below the servers' `max_file_store`: a disk
    /// that is full in mid-batch would tear it.
    pub max_bytes: u64,
}

/// A member of a stream's configuration that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which stream.
    pub stream: String,
    /// Which member; `None` if the stream is not there at all.
    pub member: Option<&'static str>,
    /// What it is.
    pub found: Value,
    /// What it must be.
    pub wanted: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            None => write!(f, "stream {} is not there", self.stream),
            Some(member) => {
                write!(f, "stream {}: {member} is {}, and must be {}", self.stream, self.found, self.wanted)
            }
        }
    }
}

/// What each stream must be. Numbers that a partnership chooses are there only if they are given.
pub(super) fn configurations(epoch: &str, wanted: Option<Wanted>) -> Vec<(String, Value)> {
    let ledger = json!({
        "name": LEDGER_STREAM, "subjects": ["gt.ledger.>"], "storage": "file", "retention": "limits",
        "discard": "new", "deny_delete": true, "deny_purge": true, "allow_direct": true, "allow_atomic": true,
        "max_age": 0, "max_msgs": -1, "max_msgs_per_subject": -1, "allow_rollup_hdrs": false,
        "max_msg_size": 1 << 20,
    });
    let checkpoint = json!({
        "name": CHECKPOINT_STREAM, "subjects": [CHECKPOINT_SUBJECT], "storage": "file", "retention": "limits",
        "discard": "old", "max_msgs": 64, "max_bytes": 1 << 20, "allow_direct": true,
        "deny_delete": true, "deny_purge": true,
    });
    // For who was away, and no longer: what they say of somebody is not erased with the person.
    let alert = json!({
        "name": ALERT_STREAM, "subjects": ["gt.alert.>"], "storage": "file", "retention": "limits",
        "max_age": 2_592_000_000_000_000_u64, "discard": "old", "duplicate_window": 3_600_000_000_000_u64, "allow_direct": true,
    });
    let bucket = keyring_bucket(epoch);
    let keyring = json!({
        "name": keyring_stream(epoch), "subjects": [format!("$KV.{bucket}.>")], "storage": "file",
        "retention": "limits", "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1,
        "deny_delete": true, "deny_purge": true, "allow_direct": true, "allow_atomic": true,
        "allow_rollup_hdrs": false, "max_age": 0,
    });
    // A node has one message. Once it is full nobody new gets in, and who is in it stays.
    let node = json!({
        "name": NODE_STREAM, "subjects": [NODE_SUBJECTS], "storage": "file", "retention": "limits",
        "discard": "new", "max_msgs": 256, "max_msgs_per_subject": 1, "max_bytes": 1 << 20,
        "max_msg_size": 2048, "allow_direct": true, "deny_delete": true, "max_age": 0,
    });
    // Which part of the bytes each stream may have; the bounds of checkpoints and the register are fixed.
    let shares = [(ledger, Some(1)), (checkpoint, None), (alert, Some(16)), (keyring, Some(8)), (node, None)];
    shares
        .into_iter()
        .map(|(mut config, share)| {
            if let Some(Wanted { replicas, max_bytes }) = wanted {
                config["num_replicas"] = json!(replicas);
                if let Some(share) = share {
                    config["max_bytes"] = json!(max_bytes / share);
                }
            }
            (config["name"].as_str().unwrap_or_default().to_owned(), config)
        })
        .collect()
}

pub(super) fn compare(stream: &str, wanted: &Value, found: &Value) -> Vec<Difference> {
    const MEMBERS: [&str; 18] = [
        "subjects",
        "storage",
        "retention",
        "discard",
        "discard_new_per_subject",
        "deny_delete",
        "deny_purge",
        "allow_direct",
        "allow_atomic",
        "allow_rollup_hdrs",
        "max_age",
        "max_msgs",
        "max_msgs_per_subject",
        "max_msg_size",
        "duplicate_window",
        "num_replicas",
        "max_bytes",
        "sealed",
    ];
    let mut differences: Vec<Difference> = MEMBERS
        .into_iter()
        .filter(|member| {
            !wanted[member].is_null() && wanted[member] != absent_is_false(&found[member], &wanted[member])
        })
        .map(|member| Difference {
            stream: stream.to_owned(),
            member: Some(member),
            found: absent_is_false(&found[member], &wanted[member]),
            wanted: wanted[member].clone(),
        })
        .collect();
    // Unbounded, it could fill the disk in mid-batch.
    if wanted["max_bytes"].is_null() && found["max_bytes"].as_i64().is_none_or(|bytes| bytes <= 0) {
        let wanted = json!("a number of bytes");
        let found = found["max_bytes"].clone();
        differences.push(Difference { stream: stream.to_owned(), member: Some("max_bytes"), found, wanted });
    }
    differences
}

/// The server leaves out what is false.
fn absent_is_false(found: &Value, wanted: &Value) -> Value {
    if found.is_null() && wanted.is_boolean() { json!(false) } else { found.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weaker_stream_is_told_apart_member_by_member() {
        let wanted = Wanted { replicas: 3, max_bytes: 1 << 30 };
        for (name, config) in configurations("0011223344556677", Some(wanted)) {
            assert_eq!(compare(&name, &config, &config), [], "{name}");
            for (member, value) in
                [("deny_purge", json!(false)), ("num_replicas", json!(1)), ("max_bytes", json!(-1))]
            {
                let mut weaker = config.clone();
                weaker[member] = value;
                let asked = !config[member].is_null();
                assert_eq!(compare(&name, &config, &weaker).len(), usize::from(asked), "{name} {member}");
            }
        }
    }

    #[test]
    fn an_unbounded_stream_is_weak_whatever_the_bound_should_be() {
        for (name, config) in configurations("0011223344556677", None) {
            let mut found = config.clone();
            found["max_bytes"] = json!(-1);
            let differences = compare(&name, &config, &found);
            assert!(differences.iter().any(|one| one.member == Some("max_bytes")), "{name}");
        }
    }
}
