//! A fictional partnership: a ledger in a temporary folder, made and filled through the program itself.

mod client;
mod events;
mod line;
mod process;
mod publisher;
mod random;
mod server;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gt_core::Hash;
use gt_core::note::VerifierKey;
use gt_core::receipt::Receipt;
use gt_core::verify::{Pin, ReceiptVerdict, verify_receipt};
use serde_json::Value;

pub(crate) use client::{Client, Reply, check_problem};
pub(crate) use events::{child, decision, draft_line, example, missing, missing_text};
pub(crate) use line::Line;
pub(crate) use process::{
    Ended, Process, eventually, run, run_at_terminal, run_command, run_with_input, run_without_terminal,
    the_program, within,
};
pub(crate) use publisher::{Publisher, Registrar, now};
pub(crate) use random::Random;
pub(crate) use server::Server;

pub(crate) const ORIGIN: &str = "ledger.example/system";

/// A ledger's data folder, its secrets, and what its operator was told when it was made.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    /// The token that `init` showed.
    pub(crate) token: String,
    /// What a verifier pins.
    pub(crate) pin: Pin,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let made = run(["init", "--json", "--origin", ORIGIN, "--data", path(&data)]).succeeded().json();
        let key = |text: &Value| VerifierKey::parse(text.as_str().expect("a text")).expect("a verifier key");
        let pin = Pin {
            origin: ORIGIN.to_owned(),
            verifier_keys: made["verifier_keys"].as_array().expect("a list").iter().map(key).collect(),
            genesis: made["genesis"].as_str().map(|text| Hash::parse(text).expect("a hash")),
        };
        Self { folder, token: made["token"].as_str().expect("a token").to_owned(), pin }
    }

    /// A path in the temporary folder.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub(crate) fn secret(&self, name: &str) -> PathBuf {
        self.at("data.secrets").join(name)
    }

    pub(crate) fn pin_file(&self) -> PathBuf {
        self.secret("ledger.json")
    }

    pub(crate) fn genesis(&self) -> Hash {
        self.pin.genesis.expect("init tells it")
    }

    /// A token of this role.
    pub(crate) fn issue(&self, role: &str, subject: &str, more: &[&str]) -> String {
        let data = self.data();
        let arguments =
            ["token", "issue", "--json", "--data", path(&data), "--role", role, "--subject", subject];
        let issued = run(arguments.iter().chain(more)).succeeded().json();
        issued["token"].as_str().expect("a token").to_owned()
    }

    /// The file with a data protection officer's token.
    pub(crate) fn officer_token(&self) -> PathBuf {
        let file = self.at("officer");
        let token = self.issue("data-protection-officer", "C. Moreau", &["--purpose", "SubjectRights"]);
        private_file(&file, &token);
        file
    }

    /// Serves the ledger, and waits until it says where.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self)
    }

    /// Makes a key, and has the registrar enrol it: in the folder, or at the address of the running ledger.
    pub(crate) fn enrol(&self, name: &str, agency: &str, at: Option<&str>) -> Publisher {
        let (key, public) = (self.key_file(name), self.at(&format!("{name}.public.jwk")));
        let (pin, registrar, data) = (self.pin_file(), self.secret("registrar.jwk"), self.data());
        run(["keygen", "--out", path(&key), "--agency", agency, "--pin", path(&pin)]).succeeded();
        let mut arguments = vec!["register", "--agency", agency, "--name", name, "--kind", "council"];
        arguments.extend(["--key", path(&public)]);
        match at {
            Some(url) => arguments.extend(["--url", url, "--registrar", path(&registrar)]),
            None => arguments.extend(["--data", path(&data)]),
        }
        run(arguments).succeeded();
        Publisher::new(&key, agency, self.genesis())
    }

    /// The private key of the publisher that was enrolled under this name.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.at(&format!("{name}.jwk"))
    }

    /// What a receipt shows about this statement; it must hold.
    pub(crate) fn prove(&self, receipt: &str, statement: Hash) -> ReceiptVerdict {
        let receipt = Receipt::parse(receipt.as_bytes()).expect("a receipt");
        verify_receipt(&receipt, Some(statement), &self.pin).expect("a receipt that holds")
    }
}

/// Writes a secret into a file, which is its owner's alone.
pub(crate) fn private_file(file: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.expect("written");
}

/// A path as an argument.
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Copies a folder with everything in it, modes included.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for item in std::fs::read_dir(from).expect("a folder") {
        let item = item.expect("a readable folder");
        let target = to.join(item.file_name());
        if item.file_type().expect("a known type").is_dir() {
            copy_folder(&item.path(), &target);
        } else if item.file_type().expect("a known type").is_file() {
            // A ledger that runs, or was killed, has a socket there.
            std::fs::copy(item.path(), target).expect("a copy");
        }
    }
}
