//! The register of nodes: which there are, and how far each has come with erasing (`docs/FORMATS.md` section 8). Each node keeps one
//! message in it. Who stands there is waited for, so a message that says nothing credible is a node that has not confirmed.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::epoch::Buckets;
use super::names::{NODE_STREAM, NODE_SUBJECTS, node_subject};
use super::publish::{Attempt, OutgoingMessage, publish_atomically};
use super::read::{Stream, StreamError};
use crate::disk::{Disk, read_if_there};
use crate::keyring::renewal::{NodeKey, node_code};
use crate::keyring::{KeyEncryptionKey, RetiredKek};
use crate::layout;
use crate::random;

/// How often a node looks whether the register has what it said.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The longest message that is read.
const MAX: usize = 2048;
/// How many confirmations a node repeats.
const MOST_CONFIRMED: usize = 16;

/// One node, as the register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its id: 16 hexadecimal digits.
    pub node: String,
    /// What it calls itself; empty if that is not to be known.
    pub name: String,
    /// The epoch of the key-encryption key to which it has come, as it has shown by that key; 0 if it has shown nothing.
    pub epoch: u64,
    /// The size of the log up to which its views are folded without what erasures ended.
    pub folded: u64,
    /// Keys of which somebody confirmed there that every copy is destroyed, by their fingerprints, and when.
    pub confirmed: BTreeMap<String, String>,
}

/// What a node says of itself. The code is an HMAC under the key of the epoch that it claims.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    node: String,
    name: String,
    epoch: u64,
    folded: u64,
    confirmed: BTreeMap<String, String>,
    code: String,
}

/// Which node a folder is of, in `state/node`. A copy of the folder is another node.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    node: String,
    /// What the file system says of the file itself, which no copy has.
    file: String,
}

/// The register.
#[derive(Clone)]
pub(crate) struct Register {
    stream: Stream,
}

/// What this node says of itself, in the writing thread's and the views' words.
pub(crate) struct Saying {
    node: String,
    name: String,
    state: Mutex<State>,
    now: watch::Sender<Vec<u8>>,
}

#[derive(Default)]
struct State {
    epoch: u64,
    key: Option<NodeKey>,
    folded: u64,
    confirmed: BTreeMap<String, String>,
}

impl Register {
    pub(crate) fn of(buckets: Buckets) -> Self {
        let Buckets { client, prefix } = buckets;
        Self { stream: Stream { client, prefix, name: NODE_STREAM.to_owned() } }
    }

    /// Every node that has ever registered, and was not struck off. `kek` is the key in force, by which is known who has it too.
    pub(crate) async fn nodes(&self, kek: &KeyEncryptionKey) -> Result<Vec<NodeState>, StreamError> {
        let (key, mut next, mut nodes) = (NodeKey::of(kek), 1, Vec::new());
        loop {
            let messages = self.stream.read_subject(NODE_SUBJECTS, next).await?;
            let Some(last) = messages.last() else { return Ok(nodes) };
            next = last.sequence + 1;
            let read = messages.iter().filter_map(|message| {
                Some(NodeState::read(message.subject.strip_prefix("gt.node.")?, &message.payload, &key))
            });
            nodes.extend(read);
        }
    }
}

impl NodeState {
    fn read(node: &str, payload: &[u8], key: &NodeKey) -> Self {
        let nothing = || Self {
            node: node.to_owned(),
            name: String::new(),
            epoch: 0,
            folded: 0,
            confirmed: BTreeMap::new(),
        };
        let said: Option<Said> = Some(payload)
            .filter(|payload| payload.len() <= MAX)
            .and_then(|text| serde_json::from_slice(text).ok());
        let Some(said) = said.filter(|said| said.node == node) else { return nothing() };
        let name = plain(&said.name);
        let sound = said.name == name && said.code == code(&said, key);
        if !sound {
            return Self { name, ..nothing() };
        }
        Self { name, epoch: said.epoch, folded: said.folded, confirmed: said.confirmed, ..nothing() }
    }
}

impl Saying {
    /// Finds out which node the folder is of, and keeps its message in the register from here on.
    pub(crate) fn start(root: &Path, buckets: Buckets, runtime: &Handle) -> io::Result<Arc<Self>> {
        let (node, now) = (identity(root)?, watch::Sender::new(Vec::new()));
        let saying = Arc::new(Self { node, name: name_of(root), state: Mutex::default(), now });
        let (changes, subject) = (saying.now.subscribe(), node_subject(&saying.node));
        runtime.spawn(keep(Register::of(buckets).stream, subject, changes));
        Ok(saying)
    }

    /// This node has come to an epoch: its keyring is that epoch's, and nothing of the one before is left in it.
    pub(crate) fn came_to(&self, epoch: u64, kek: &KeyEncryptionKey) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.epoch, state.key) = (epoch, Some(NodeKey::of(kek)));
        self.say(&state);
    }

    /// This node's views hold nothing that an erasure at an entry below this size ended.
    pub(crate) fn folded(&self, size: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if size > state.folded {
            state.folded = size;
            self.say(&state);
        }
    }

    /// Somebody has confirmed here that every copy of these keys is destroyed. The latest are enough.
    pub(crate) fn confirmed(&self, listed: &[RetiredKek]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let confirmed =
            listed.iter().rev().filter_map(|one| Some((one.kek.clone(), one.confirmed_at.clone()?)));
        state.confirmed = confirmed.take(MOST_CONFIRMED).collect();
        self.say(&state);
    }

    fn say(&self, state: &State) {
        let Some(key) = &state.key else { return };
        let mut said = Said {
            node: self.node.clone(),
            name: self.name.clone(),
            epoch: state.epoch,
            folded: state.folded,
            confirmed: state.confirmed.clone(),
            code: String::new(),
        };
        said.code = code(&said, key);
        self.now.send_replace(serde_json::to_vec(&said).expect("texts and numbers serialise"));
    }
}

/// Has the register hold what this node says, until the node ends.
async fn keep(stream: Stream, subject: String, mut changes: watch::Receiver<Vec<u8>>) {
    let mut told = false;
    loop {
        let wanted = changes.borrow_and_update().clone();
        if !wanted.is_empty() {
            match stream.last_of(&subject).await {
                Ok(Some(there)) if there.payload == wanted => told = false,
                Ok(_) => {
                    let (headers, payload) = (Vec::new(), wanted.into());
                    let message = OutgoingMessage { subject: subject.clone(), headers, payload };
                    let attempt = publish_atomically(&stream, "", &[message], &[]).await;
                    if !matches!(attempt, Attempt::Acknowledged(_)) && !std::mem::replace(&mut told, true) {
                        tracing::warn!(?attempt, "the register of nodes does not take what this node says");
                    }
                }
                Err(error) if !std::mem::replace(&mut told, true) => {
                    tracing::warn!(%error, "the register of nodes cannot be read: erasing waits for it");
                }
                Err(_) => {}
            }
        }
        if let Ok(Err(_)) = tokio::time::timeout(LOOK_EVERY, changes.changed()).await {
            return;
        }
    }
}

fn code(said: &Said, key: &NodeKey) -> String {
    let Said { node, name, epoch, folded, confirmed, .. } = said;
    let mut text = format!("{node}\n{name}\n{epoch}\n{folded}");
    for (kek, at) in confirmed {
        text.extend(["\n", kek, " ", at]);
    }
    node_code(key, &text)
}

/// The node of a folder. One that was copied from another node's becomes a node of its own: else the one could confirm for the other.
fn identity(root: &Path) -> io::Result<String> {
    let file = layout::node();
    let path = root.join(&file);
    let there: Option<Identity> = read_if_there(&path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_own = |identity: &Identity| {
        identity.node.len() == 16
            && identity.node.bytes().all(|byte| byte.is_ascii_hexdigit())
            && own(&path).is_ok_and(|own| own == identity.file)
    };
    if let Some(identity) = there.filter(is_own) {
        return Ok(identity.node);
    }
    // Made first and then written to, so that it can say of itself which file it is.
    let mut disk = Disk::new(root, None);
    match disk.remove(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    disk.append(&file, b"")?;
    let node = format!("{:016x}", u64::from_be_bytes(random::bytes()));
    let identity = Identity { node: node.clone(), file: own(&path)? };
    disk.append(&file, &serde_json::to_vec(&identity).map_err(io::Error::other)?)?;
    disk.sync(&file)?;
    Ok(node)
}

/// What tells a file from every copy of it: its number in the file system, and when it was made.
fn own(path: &Path) -> io::Result<String> {
    let about = std::fs::metadata(path)?;
    // Not every file system knows.
    let made = about.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{}:{}", about.ino(), made.map_or(0, |made| made.as_nanos())))
}

/// What a node calls itself: the machine, and the folder's name.
fn name_of(root: &Path) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let folder = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    plain(&format!("{}:{folder}", machine.trim()))
}

fn plain(text: &str) -> String {
    let sound = |letter: &char| letter.is_ascii_alphanumeric() || ".-_:".contains(*letter);
    text.chars().filter(sound).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(key: &NodeKey) -> Said {
        let mut said = Said {
            node: "0123456789abcdef".into(),
            name: "gt-1:ledger".into(),
            epoch: 3,
            folded: 9,
            confirmed: BTreeMap::from([(
                "fedcba9876543210".to_owned(),
                "2026-03-01T09:00:00.000Z".to_owned(),
            )]),
            code: String::new(),
        };
        said.code = code(&said, key);
        said
    }

    #[test]
    fn what_no_key_vouches_for_confirms_nothing() {
        let (kek, other) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
        let (key, other) = (NodeKey::of(&kek), NodeKey::of(&other));
        let read = |said: &Said, key: &NodeKey| {
            let text = serde_json::to_vec(said).expect("serialises");
            let state = NodeState::read("0123456789abcdef", &text, key);
            (state.epoch, state.folded)
        };
        assert_eq!(read(&said(&key), &key), (3, 9));
        assert_eq!(read(&said(&other), &key), (0, 0));
        assert_eq!(read(&Said { epoch: 4, ..said(&key) }, &key), (0, 0));
        assert_eq!(read(&Said { folded: 10, ..said(&key) }, &key), (0, 0));
        assert_eq!(read(&Said { confirmed: BTreeMap::new(), ..said(&key) }, &key), (0, 0));
        assert_eq!(read(&Said { node: "1123456789abcdef".into(), ..said(&key) }, &key), (0, 0));
        for text in [&b""[..], b"{}", b"x", &[b' '; MAX + 1]] {
            let state = NodeState::read("0123456789abcdef", text, &key);
            assert_eq!((state.epoch, state.name.as_str()), (0, ""));
        }
    }

    #[test]
    fn a_copy_of_a_folder_is_another_node() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, copy) = (folder.path().join("one"), folder.path().join("copy"));
        for root in [&one, &copy] {
            std::fs::create_dir_all(root.join("state")).expect("made");
        }
        let node = identity(&one).expect("a node");
        assert_eq!(identity(&one).expect("a node"), node);
        std::fs::copy(one.join(layout::node()), copy.join(layout::node())).expect("copied");
        assert_ne!(identity(&copy).expect("a node"), node);
        std::fs::rename(&one, folder.path().join("moved")).expect("moved");
        assert_eq!(identity(&folder.path().join("moved")).expect("a node"), node);
        std::fs::write(copy.join(layout::node()), "{").expect("written");
        assert_ne!(identity(&copy).expect("a node"), node);
    }
}
