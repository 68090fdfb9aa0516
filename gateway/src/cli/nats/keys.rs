//! `goldenthread nats keys`: the buckets of the shared keyring, before and after another key-encryption key comes into force.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gt_ledger::jetstream::NodeState;
use gt_ledger::secrets::Secrets;
use serde_json::json;

use super::super::output::Output;
use super::super::serve::runtime;
use super::super::{Failure, Outcome};
use super::KeysAndServers;

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Make the next key-encryption key, unless there is one, and the bucket for its keyring. Nothing is in force yet.
    Prepare(At),
    /// Remove the buckets of keys that are no longer in force, once every registered node has come to the one that is. Exit status 1: some
    /// have not.
    Retire {
        #[command(flatten)]
        at: At,
        /// A node that is gone for good, by its id: it is struck off the register. Destroy its folder first. Can be repeated.
        #[arg(long, value_name = "NODE", value_parser = node)]
        without: Vec<String>,
    },
}

/// Whose keys, and which servers.
#[derive(Args)]
pub(crate) struct At {
    /// The data folder of a node; it may be served meanwhile.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    at: KeysAndServers,
}

fn node(text: &str) -> Result<String, String> {
    let sound = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then(|| text.to_owned()).ok_or_else(|| "a node's id has 16 hexadecimal digits".to_owned())
}

impl Keys {
    pub(super) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Prepare(at) => at.prepare(output),
            Self::Retire { at, without } => at.retire(&without, output),
        }
    }
}

impl At {
    fn prepare(&self, output: &Output) -> Outcome {
        let at = self.at.keys(&self.data)?;
        let source = at.kek_source();
        let in_force = source.load()?.key().epoch();
        let made = runtime()?.block_on(async {
            // Before a key is made: without the servers nothing is.
            let (setup, _) = self.at.connected().await?;
            let next = source.prepare_next()?.epoch();
            let made = setup.prepare_keys(&in_force, &next).await?;
            Ok::<_, Failure>((next, made))
        })?;
        let (next, streams) = made;
        output.say(&json!({"kek": in_force, "next": next, "created": streams}), || {
            let made = match streams.as_slice() {
                [] => "Its bucket was there.".to_owned(),
                made => format!("Made: {}.", made.join(", ")),
            };
            format!(
                "The next key-encryption key is {next}, at {source} as the next one. {made}\n\
                 Give every other node a copy as its next key, and compare fingerprints. Then erase (goldenthread erase), or renew the\n\
                 key (goldenthread kek rotate), at one node that seals."
            )
        });
        Ok(ExitCode::SUCCESS)
    }

    fn retire(&self, without: &[String], output: &Output) -> Outcome {
        let secrets = Secrets::load_at(&self.at.keys(&self.data)?)?;
        let done = runtime()?.block_on(async {
            let (setup, _) = self.at.connected().await?;
            Ok::<_, Failure>(setup.retire_keys(secrets.kek(), without).await?)
        })?;
        let pending: Vec<_> =
            done.pending.iter().map(|node| json!({"node": node.node, "name": node.name})).collect();
        let said = json!({"removed": done.removed, "unused": done.unused, "pending_nodes": pending});
        output.say(&said, || {
            if !done.pending.is_empty() {
                let named = |node: &NodeState| format!("{} ({})", node.node, node.name);
                let nodes: Vec<String> = done.pending.iter().map(named).collect();
                return format!(
                    "Nothing was removed: {} still to come to the key in force. Start them with it as their next key; --without strikes\n\
                     off one that is gone for good.",
                    nodes.join(", ")
                );
            }
            let removed = if done.removed.is_empty() { "none".to_owned() } else { done.removed.join(", ") };
            let unused = match done.unused.as_slice() {
                [] => String::new(),
                unused => format!("\nPrepared, and not used: {}.", unused.join(", ")),
            };
            format!("Buckets that were removed: {removed}.{unused}")
        });
        Ok(ExitCode::from(u8::from(!done.pending.is_empty())))
    }
}
