mod keys;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gt_ledger::jetstream::setup::{Setup, SetupError, Wanted, need_unopened};
use gt_ledger::jetstream::{Prefix, servers};
use gt_ledger::open::need_ledger;
use gt_ledger::secrets::{Secrets, SecretsAt, write_secret};
use serde_json::json;

use super::keys_at::KekArgs;
use super::output::Output;
use super::serve::runtime;
use super::{Failure, Outcome};
use crate::nats::{NatsArgs, NatsOptions, new_user_seed};
use crate::node::{NodeConfig, ask_servers, connect};
use keys::Keys;

/// How the servers are reached and asked.
#[derive(Args)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    nats: NatsArgs,
    /// What stands before the operations of the `JetStream` API, where an account imports them under a name of its own.
    #[arg(long, value_name = "PREFIX", default_value = "$JS.API", value_parser = prefix)]
    nats_api_prefix: Prefix,
    /// The subject at which every server says whether it syncs; accounts import it from the system account.
    #[arg(long, value_name = "SUBJECT", default_value = "gt.sys.JSZ")]
    nats_system_subject: String,
    /// A server's monitoring address, http://HOST:PORT, to be asked instead; once for each server.
    #[arg(long, value_name = "URL")]
    nats_monitor: Vec<String>,
}

fn prefix(text: &str) -> Result<Prefix, String> {
    Prefix::new(text).ok_or_else(|| "a prefix is tokens with dots between them, without wildcards".to_owned())
}

impl ServerArgs {
    /// What a node needs to start.
    pub(crate) fn node(&self, url: &str, only_follows: bool) -> Result<NodeConfig, Failure> {
        Ok(NodeConfig {
            nats: self.options(url)?,
            prefix: self.nats_api_prefix.clone(),
            system_subject: self.nats_system_subject.clone(),
            monitors: self.nats_monitor.clone(),
            only_follows,
        })
    }

    fn options(&self, url: &str) -> Result<NatsOptions, Failure> {
        Ok(NatsOptions::new(url, &self.nats, "goldenthread node")?)
    }
}

#[derive(Subcommand)]
pub(crate) enum Nats {
    /// Make the streams that are missing, and fill empty ones from a ledger's folder, which follows them from then on.
    Init(SetupArgs),
    /// Say in what servers and streams differ from what they must be. Changes nothing. Exit status 0: in order, 1: not.
    Check(SetupArgs),
    /// Prepare and tidy up after another key-encryption key: takes the provisioner's credentials (docs/ERASURE.md).
    #[command(subcommand)]
    Keys(Keys),
    /// Make a NATS user's key: the seed goes into a file, the public key for the server's configuration to standard output.
    Keygen(Keygen),
}

/// Whose streams, where, and how they are to be.
#[derive(Args)]
pub(crate) struct SetupArgs {
    /// The data folder of a ledger; to fill the streams from it, it must not be served at present.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    at: KeysAndServers,
    #[command(flatten)]
    wanted: WantedArgs,
}

/// Where a ledger's keys are, and its servers.
#[derive(Args)]
pub(crate) struct KeysAndServers {
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    /// The servers: `nats://HOST[:PORT][,…]` or `tls://…`.
    #[arg(long, value_name = "URL")]
    nats: String,
    #[command(flatten)]
    servers: ServerArgs,
}

impl KeysAndServers {
    fn keys(&self, data: &Path) -> Result<SecretsAt, Failure> {
        self.kek.at(data, self.secrets.clone())
    }

    /// Connects, and checks that every server is good enough. Also tells how many there are.
    async fn connected(&self) -> Result<(Setup, usize), Failure> {
        let setup = connect(&self.servers.options(&self.nats)?, &self.servers.nats_api_prefix).await?;
        let (subject, monitors) = (&self.servers.nats_system_subject, &self.servers.nats_monitor);
        let asked = ask_servers(&setup.client, subject, monitors, 0).await?;
        servers::check(&asked, &[]).map_err(SetupError::from)?;
        Ok((setup, asked.len()))
    }
}

#[derive(Args)]
struct WantedArgs {
    /// On how many servers each stream is kept. [default: 3 in a cluster of three or more, else 1]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=5))]
    replicas: Option<u64>,
    /// How many bytes the stream of sealed entries may have; the others together take a fifth of that besides. It must fit the
    /// servers' `max_file_store`.
    #[arg(long, default_value_t = 40 << 30)]
    max_bytes: u64,
}

#[derive(Args)]
pub(crate) struct Keygen {
    /// Where to put the seed; the file must not exist.
    #[arg(long)]
    out: PathBuf,
}

impl Nats {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Init(setup) => setup.init(output),
            Self::Check(setup) => setup.check(output),
            Self::Keys(command) => command.run(output),
            Self::Keygen(command) => command.run(output),
        }
    }
}

impl WantedArgs {
    fn wanted(&self, servers: usize) -> Wanted {
        let replicas = self.replicas.unwrap_or(if servers >= 3 { 3 } else { 1 });
        Wanted { replicas, max_bytes: self.max_bytes }
    }
}

impl SetupArgs {
    fn secrets(&self) -> Result<Secrets, Failure> {
        Ok(Secrets::load_at(&self.at.keys(&self.data)?)?)
    }

    fn init(self, output: &Output) -> Outcome {
        need_ledger(&self.data)?;
        // Before anything is made for a folder from which nothing could be put into it.
        need_unopened(&self.data)?;
        let secrets = self.secrets()?;
        let done = runtime()?.block_on(async {
            let (setup, servers) = self.at.connected().await?;
            // Before anything is made for it.
            setup.is_of(&secrets).await?;
            let created = setup.create(&secrets.kek().epoch(), self.wanted.wanted(servers)).await?;
            setup.readable(&secrets.kek().epoch()).await?;
            let mut done = setup.fill(&self.data, &secrets).await?;
            done.created = created;
            Ok::<_, Failure>(done)
        })?;
        let value = json!({"created": done.created, "uploaded": done.uploaded, "entries": done.entries});
        output.say(&value, || {
            let made = match done.created.as_slice() {
                [] => "All streams were there, and are as they must be.".to_owned(),
                made => format!("Made: {}.", made.join(", ")),
            };
            format!(
                "{made}\nThe stream holds {} entries, {} of them put there now.\n\
                 From now on {} follows the stream: {}",
                done.entries,
                done.uploaded,
                self.data.display(),
                self.serving(),
            )
        });
        Ok(ExitCode::SUCCESS)
    }

    /// The command that serves what was made. A node has other credentials than whoever makes streams.
    fn serving(&self) -> String {
        let mut words = vec![format!("goldenthread serve --data {}", self.data.display())];
        let secrets = self.at.secrets.as_ref();
        words.extend(secrets.map(|folder| format!("--secrets {}", folder.display())));
        words.push(format!("--nats {}", self.at.nats));
        let nats = &self.at.servers.nats;
        words.extend(nats.nats_ca.as_ref().map(|file| format!("--nats-ca {}", file.display())));
        if nats.nats_credentials.is_none() {
            return words.join(" ");
        }
        format!(
            "{} --nats-credentials FILE --nats-api-prefix PREFIX\n\
             FILE: the credentials of a node that seals, not these. PREFIX: the name by which its account imports the streams' API\n\
             (deploy/nats/provision makes sealer.nk and gt.js).",
            words.join(" ")
        )
    }

    fn check(self, output: &Output) -> Outcome {
        let secrets = self.secrets()?;
        let differences = runtime()?.block_on(async {
            let (setup, servers) = self.at.connected().await?;
            let wanted = Some(self.wanted.wanted(servers));
            Ok::<_, Failure>(setup.differences(&secrets.kek().epoch(), wanted).await?)
        })?;
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        output.say(&json!({"differences": texts}), || match texts.as_slice() {
            [] => "Servers and streams are as they must be.".to_owned(),
            texts => texts.join("\n"),
        });
        Ok(ExitCode::from(u8::from(!texts.is_empty())))
    }
}

impl Keygen {
    fn run(self, output: &Output) -> Outcome {
        let (seed, public) = new_user_seed().map_err(|error| Failure::new(error.to_string()))?;
        write_secret(&self.out, &seed)?;
        output.say(&json!({"public": public, "seed_file": self.out}), || public.clone());
        Ok(ExitCode::SUCCESS)
    }
}
