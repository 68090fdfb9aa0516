//! Private keys that a passphrase encrypts, or that a command hands over, as operators and publishers meet them.

mod interruptions;
mod ledgers;
mod publishers;
mod terminal;
mod tokens;

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::partnership::{Home, Process};

const WORDS: &str = "quiet lanterns over the larkfield";
const OTHER_WORDS: &str = "seven otters crossed at midnight";

/// A file that holds a passphrase.
fn passphrase(home: &Home, words: &str) -> PathBuf {
    let file = home.at(&words.replace(' ', "-"));
    write_private(&file, &format!("{words}\n"));
    file
}

fn write_private(file: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(file).expect("a new file");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
}

/// The private parts of plain keys: whoever sees one of them in the wrong place has the key.
fn private_parts(files: &[PathBuf]) -> Vec<String> {
    let part = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("a readable key");
        let Ok(jwk) = serde_json::from_str::<serde_json::Value>(&text) else { return text.trim().to_owned() };
        let private = jwk.get("d").or(jwk.get("priv")).and_then(serde_json::Value::as_str);
        private.expect("a private JWK").to_owned()
    };
    files.iter().map(part).collect()
}

/// The private keys of a secrets folder.
fn keys_in(folder: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).expect("a folder").map(|item| item.expect("readable").path());
    let is_key = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "jwk") || path.ends_with("kek")
    };
    let mut files: Vec<PathBuf> = items.filter(is_key).collect();
    files.sort();
    files
}

fn is_encrypted(file: &Path) -> bool {
    let text = fs::read_to_string(file).expect("a readable key");
    text.starts_with("eyJ") && text.trim_end().split('.').count() == 5
}

/// Nothing secret is where other processes, or readers of logs, could see it.
fn nothing_shows(process: &Process, secrets: &[String]) {
    let of = |name: &str| {
        let bytes = fs::read(format!("/proc/{}/{name}", process.id())).expect("a running process");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    for (place, text) in [("cmdline", of("cmdline")), ("environ", of("environ")), ("log", process.log_text())]
    {
        for secret in secrets {
            assert!(!text.contains(secret.as_str()), "a secret is in the {place}");
        }
    }
}
