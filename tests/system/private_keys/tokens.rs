//! Keys on a PKCS #11 token: a token in software, set up anew for each test with the tools that come with it and with `OpenSC`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gt_core::base64url;
use serde_json::Value;

use super::{WORDS, keys_in, passphrase, private_parts, write_private};
use crate::partnership::{Ended, Home, Process, child, draft_line, path, run, run_command, the_program};

const PIN: &str = "271828";
const WRONG_PIN: &str = "314159";

/// A token with a configuration of its own, in the test's folder.
struct Token {
    module: PathBuf,
    configuration: PathBuf,
    pin_file: PathBuf,
}

impl Token {
    fn new(home: &Home) -> Self {
        let library = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];
        let module = library.into_iter().map(PathBuf::from).find(|library| library.exists());
        let module = module.expect("SoftHSM: on Debian, apt-get install softhsm2 opensc");
        let (folder, configuration) = (home.at("tokens"), home.at("softhsm2.conf"));
        fs::create_dir(&folder).expect("made");
        let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", path(&folder));
        fs::write(&configuration, text).expect("written");
        let pin_file = home.at("pin");
        write_private(&pin_file, &format!("{PIN}\n"));
        let token = Self { module, configuration, pin_file };
        token.tool(
            "softhsm2-util",
            &["--init-token", "--free", "--label", "larkfield", "--pin", PIN, "--so-pin", PIN],
        );
        token
    }

    fn tool(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).env("SOFTHSM2_CONF", &self.configuration);
        let done = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Puts a private key on the token, by PKCS #8 (RFC 8410), and with it the public one.
    fn import_key(&self, home: &Home, seed: &[u8], label: &str, id: &str) {
        let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let der = home.at("key.der");
        let text = base64url::encode(&[&prefix, seed].concat()).replace('-', "+").replace('_', "/");
        write_private(&der, &format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"));
        self.tool(
            "softhsm2-util",
            &["--import", path(&der), "--token", "larkfield", "--label", label, "--id", id, "--pin", PIN],
        );
        fs::remove_file(der).expect("removed");
    }

    /// Puts the content of a file on the token, as a private data object.
    fn import_data(&self, file: &Path, label: &str) {
        let module = path(&self.module);
        let login = ["--module", module, "--token-label", "larkfield", "--login", "--pin", PIN];
        let data = ["--write-object", path(file), "--type", "data", "--label", label, "--private"];
        self.tool("pkcs11-tool", &[&login[..], &data].concat());
    }

    fn uri(&self, object: &str) -> String {
        let (module, pin) = (path(&self.module), path(&self.pin_file));
        format!("pkcs11:token=larkfield{object}?module-path={module}&pin-source=file:{pin}")
    }

    /// The program, where it finds this token.
    fn program(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = the_program(arguments);
        command.env("SOFTHSM2_CONF", &self.configuration);
        command
    }

    fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &str) -> Ended {
        run_command(self.program(arguments), input.as_bytes())
    }
}

fn seed_of(key: &Path) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&fs::read_to_string(key).expect("read")).expect("JSON");
    base64url::decode(jwk["d"].as_str().expect("a private part")).expect("base64url")
}

#[test]
fn a_token_signs_byte_for_byte_what_the_key_in_memory_signs() {
    let home = Home::new();
    home.enrol("council", "gss:E06000999", None);
    let (key, pin) = (home.key_file("council"), home.pin_file());
    let token = Token::new(&home);
    token.import_key(&home, &seed_of(&key), "council", "01");
    let uri = token.uri(";object=council");
    let proof = |out: &Path, key: &str| {
        let keygen =
            ["keygen", "--existing", "--out", key, "--public", path(out), "--agency", "gss:E06000999"];
        token.run([&keygen[..], &["--pin", path(&pin)]].concat(), "").succeeded();
        fs::read(out).expect("a public key file")
    };
    let by_file = proof(&home.at("by-file.jwk"), path(&key));
    assert_eq!(proof(&home.at("by-token.jwk"), &uri), by_file, "the same key, and the same signature");

    // From here on the key is on the token alone.
    fs::remove_file(&key).expect("removed");
    let server = home.serve();
    let publish = ["publish", "--json", "--key", &uri, "--to", &server.url, "--pin", path(&pin)];
    let drafts: String = (0..5).map(|n| draft_line(&format!("d{n}"), &child(1), n) + "\n").collect();
    let said = token.run(publish, &drafts).exited(1).complaint();
    assert!(said.contains("--outbox FOLDER"), "{said}");
    let outbox = home.at("outbox");
    let published = token.run([&publish[..], &["--outbox", path(&outbox)]].concat(), &drafts).succeeded();
    let lines = published.json_lines();
    assert!(lines.len() == 5 && lines.iter().all(|line| line["status"] == "sealed"), "{lines:?}");

    let agent = ["agent", "--json", "--listen", "127.0.0.1:0", "--key", &uri, "--to", &server.url];
    let agent = token.program([&agent[..], &["--pin", path(&pin), "--outbox", path(&outbox)]].concat());
    let agent = Process::of(agent, &home.at("agent.log"));
    let url = agent.listening();
    let reply = crate::partnership::Client::new(&url).post(
        "/v1/drafts",
        "application/json",
        draft_line("d9", &child(1), 9).as_bytes(),
    );
    assert!([201, 202].contains(&reply.status), "{}", reply.text());
}

#[test]
fn what_is_wrong_with_a_token_is_said_and_no_pin_with_it() {
    let home = Home::new();
    let token = Token::new(&home);
    token.import_key(&home, &[7; 32], "council", "01");
    let public = home.at("public.jwk");
    let said = |uri: &str| {
        let ended = token.run(["keygen", "--existing", "--out", uri, "--public", path(&public)], "");
        let said = ended.exited(1).complaint();
        assert!(!said.contains(PIN) && !said.contains(WRONG_PIN), "{said}");
        said
    };
    let module = path(&token.module);
    let in_uri = said(&format!("pkcs11:token=larkfield;object=council?module-path={module}&pin-value={PIN}"));
    assert!(in_uri.contains("pin-value") && in_uri.contains("pin-source=FILE"), "{in_uri}");
    assert!(said(&token.uri(";object=nobody")).contains("has no private Ed25519 key"));
    let elsewhere = token.uri(";object=council").replace("larkfield", "elsewhere");
    assert!(said(&elsewhere).contains("no token is there"));
    let no_library = token.uri(";object=council").replace(".so", ".nowhere");
    assert!(said(&no_library).contains("its library does not load"));

    let wrong = home.at("wrong-pin");
    write_private(&wrong, WRONG_PIN);
    let uri =
        format!("pkcs11:token=larkfield;object=council?module-path={module}&pin-source={}", path(&wrong));
    assert!(said(&uri).contains("its PIN is wrong"));
    // Without a pin-source it comes from where passphrases come from.
    let uri = format!("pkcs11:token=larkfield;object=council?module-path={module}");
    let by_file = ["--passphrase-file", path(&token.pin_file)];
    let keygen = ["keygen", "--existing", "--out", &uri, "--public", path(&public)];
    token.run([&keygen[..], &by_file].concat(), "").succeeded();
    token.import_key(&home, &[8; 32], "second", "02");
    let either = format!("pkcs11:token=larkfield?module-path={module}&pin-source={}", path(&token.pin_file));
    assert!(said(&either).contains("several"));
}

#[test]
fn a_ledgers_keys_are_read_from_a_token() {
    let home = Home::new();
    let token = Token::new(&home);
    let folder = home.at("data.secrets");
    let keys: Vec<PathBuf> = keys_in(&folder).into_iter().filter(|key| !key.ends_with("kek")).collect();
    let mut secrets = private_parts(&keys);
    secrets.push(PIN.to_owned());
    // One of them is encrypted besides.
    let words = passphrase(&home, WORDS);
    run(["key", "encrypt", path(&home.secret("token.jwk")), "--passphrase-file", path(&words)]).succeeded();
    for key in &keys {
        token.import_data(key, key.file_name().and_then(OsStr::to_str).expect("a plain name"));
        fs::remove_file(key).expect("removed");
    }
    let (uri, data) = (token.uri(""), home.data());
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data), "--key-token", &uri];
    let serve = token.program([&serve[..], &["--passphrase-file", path(&words)]].concat());
    let mut serve = serve;
    serve.env("GOLDENTHREAD_LOG", "trace");
    let process = Process::of(serve, &home.at("serve.log"));
    let url = process.listening();
    let client = crate::partnership::Client::new(&url).with_token(&home.token);
    assert_eq!(
        client.get("/v1/alerts").status,
        200,
        "tokens are checked and reads recorded with keys from there"
    );
    super::nothing_shows(&process, &secrets);

    // The registrar's key signs from where it is read.
    let (key, pin) = (home.key_file("council"), home.pin_file());
    let agency = "gss:E06000999";
    run(["keygen", "--out", path(&key), "--agency", agency, "--pin", path(&pin)]).succeeded();
    let public = home.at("council.public.jwk");
    let register = ["register", "--agency", agency, "--name", "Council", "--kind", "council", "--url", &url];
    let registrar = token.uri(";object=registrar.jwk;type=data");
    let of = ["--key", path(&public), "--registrar", &registrar];
    token.run([&register[..], &of].concat(), "").succeeded();
}
