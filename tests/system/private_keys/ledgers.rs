//! A ledger whose secrets folder is encrypted, or empty but for what is no secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{OTHER_WORDS, WORDS, is_encrypted, keys_in, nothing_shows, passphrase, private_parts};
use crate::partnership::{Client, Home, Process, Server, child, path, run, run_without_terminal};

#[test]
fn a_ledger_is_served_with_encrypted_keys_and_refuses_to_start_without_the_passphrase() {
    let home = Home::new();
    let council = home.enrol("council", "gss:E06000999", None);
    let (words, others) = (passphrase(&home, WORDS), passphrase(&home, OTHER_WORDS));
    let (folder, data) = (home.at("data.secrets"), home.data());
    let keys = keys_in(&folder);
    let mut secrets = private_parts(&keys);
    secrets.push(WORDS.to_owned());

    let encrypt = ["key", "encrypt", "--json", path(&folder), "--passphrase-file", path(&words)];
    let done = run(encrypt).succeeded();
    assert_eq!(done.json()["encrypted"].as_array().map(Vec::len), Some(7));
    assert!(keys.len() == 7 && keys.iter().all(|key| is_encrypted(key)));
    assert_eq!(run(encrypt).succeeded().json()["unchanged"].as_array().map(Vec::len), Some(7));

    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", path(&data)];
    let with = |file| [&serve[..], &["--passphrase-file", file]].concat();
    let said = run_without_terminal(serve).exited(1).complaint();
    assert!(said.contains("is encrypted") && said.contains("--passphrase-file FILE"), "{said}");
    let said = run(with(path(&others))).exited(1).complaint();
    assert!(said.contains("kek") && said.contains("the passphrase is wrong"), "{said}");
    let said = run(with("/nowhere/at/all")).exited(1).complaint();
    assert!(said.contains("the passphrase file /nowhere/at/all"), "{said}");
    fs::set_permissions(&words, fs::Permissions::from_mode(0o644)).expect("set");
    let said = run(with(path(&words))).exited(1).complaint();
    assert!(said.contains("can be read by others") && !said.contains(WORDS), "{said}");
    fs::set_permissions(&words, fs::Permissions::from_mode(0o600)).expect("set");
    let checkpoint = home.secret("checkpoint.jwk");
    let whole = fs::read_to_string(&checkpoint).expect("read");
    let mut spoilt = whole.clone().into_bytes();
    let at = whole.rfind('.').expect("five parts") + 3;
    spoilt[at] = if spoilt[at] == b'A' { b'B' } else { b'A' };
    fs::write(&checkpoint, spoilt).expect("written");
    let said = run(with(path(&words))).exited(1).complaint();
    assert!(said.contains("checkpoint.jwk") && said.contains("changed or damaged"), "{said}");
    fs::write(&checkpoint, whole).expect("written");

    let tracing = [&with(path(&words))[..], &["--json"]].concat();
    let process = Process::tracing(tracing, &home.at("serve.log"));
    let client = Client::new(&process.listening());
    let mut council = council;
    let statement = council.next(&child(1), 1);
    let receipt = client.publish(&statement);
    home.prove(receipt.text(), statement.hash());
    assert_eq!(client.with_token(&home.token).get("/v1/alerts").status, 200, "reads are recorded");
    assert!(!process.log_text().is_empty(), "what there is to say is logged");
    nothing_shows(&process, &secrets);
    process.signal("TERM");

    let mut process = process;
    assert_eq!(process.ended().code(), Some(0));
    nothing_is_lost(&home, path(&words));
    let change = ["key", "passphrase", path(&folder), "--passphrase-file", path(&words)];
    run([&change[..], &["--new-passphrase-file", path(&others)]].concat()).succeeded();
    let said = run(with(path(&words))).exited(1).complaint();
    assert!(said.contains("the passphrase is wrong"), "{said}");
    Server::start_with(&home, &["--passphrase-file", path(&others)]).stop();
    run(["key", "decrypt", path(&folder), "--passphrase-file", path(&others)]).succeeded();
    secrets.pop();
    // The key-encryption key is another one by now.
    let kek = keys.iter().position(|key| key.ends_with("kek")).expect("it is among them");
    let mut after = private_parts(&keys);
    assert_ne!(after.remove(kek), secrets.remove(kek));
    assert_eq!(after, secrets);
    home.serve().stop();
}

/// What else reads a ledger's keys takes the passphrase, too; here from the environment.
fn nothing_is_lost(home: &Home, words: &str) {
    let data = home.data();
    let by_option = |arguments: &[&str]| {
        run([arguments, &["--data", path(&data), "--passphrase-file", words]].concat()).succeeded()
    };
    by_option(&["fsck"]);
    by_option(&["kek", "rotate"]);
    assert!(is_encrypted(&home.secret("kek")), "a renewed key is encrypted as the one before was");
    by_option(&["fsck"]);
    by_option(&["token", "issue", "--role", "analyst", "--subject", "T. Okafor"]);
    let said = run_without_terminal(["token", "list", "--data", path(&data)]).exited(1).complaint();
    assert!(said.contains("token.jwk is encrypted"), "{said}");
}

#[test]
fn what_is_made_with_a_passphrase_is_encrypted_from_the_start() {
    let home = Home::new();
    let words = passphrase(&home, WORDS);
    let (data, key, witness) = (home.at("second"), home.at("second.jwk"), home.at("witness"));
    let by = ["--passphrase-file", path(&words)];
    let with = |arguments: &[&str]| run([arguments, &by].concat()).succeeded();
    with(&["init", "--origin", "ledger.example/second", "--data", path(&data)]);
    with(&["keygen", "--out", path(&key)]);
    with(&["witness", "init", "--name", "witness.example/w1", "--data", path(&witness)]);
    let made = [keys_in(&home.at("second.secrets")), vec![key.clone()], keys_in(&witness)].concat();
    assert!(made.len() == 10 && made.iter().all(|key| is_encrypted(key)), "{made:?}");
    let public = fs::read_to_string(home.at("second.public.jwk")).expect("read");
    assert!(public.starts_with('{') && !public.contains("\"d\""), "{public}");

    let short = home.at("short");
    super::write_private(&short, "too short\n");
    let refused =
        run(["keygen", "--out", path(&home.at("no.jwk")), "--passphrase-file", path(&short)]).exited(1);
    assert!(refused.complaint().contains("at least 15 characters"));
    assert!(!home.at("no.jwk").exists());

    let arguments = ["witness", "serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&witness)];
    let said = run_without_terminal(arguments).exited(1).complaint();
    assert!(said.contains("cosigner.jwk is encrypted"), "{said}");
    let serving = Process::start([&arguments[..], &by].concat(), &home.at("witness.log"));
    assert!(serving.listening().starts_with("http://127.0.0.1:"));
}

#[test]
fn a_command_hands_over_a_ledgers_keys() {
    let home = Home::new();
    let store = home.at("store");
    fs::create_dir(&store).expect("made");
    for key in keys_in(&home.at("data.secrets")).iter().filter(|key| !key.ends_with("kek")) {
        fs::rename(key, store.join(key.file_name().expect("a name"))).expect("moved");
    }
    let secrets = private_parts(&keys_in(&store));
    let command = format!("/bin/sh -c 'if test -e {0}/$0; then cat {0}/$0; fi'", path(&store));
    let data = home.data();
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data), "--key-command"];
    let process = Process::tracing([&serve[..], &[&command]].concat(), &home.at("serve.log"));
    let url = process.listening();
    let client = Client::new(&url).with_token(&home.token);
    assert_eq!(
        client.get("/v1/alerts").status,
        200,
        "tokens are checked and reads recorded with keys from there"
    );
    nothing_shows(&process, &secrets);

    let (key, pin, registrar) = (home.key_file("council"), home.pin_file(), home.secret("registrar.jwk"));
    let agency = "gss:E06000999";
    run(["keygen", "--out", path(&key), "--agency", agency, "--pin", path(&pin)]).succeeded();
    let public = home.at("council.public.jwk");
    let register = ["register", "--agency", agency, "--name", "Council", "--kind", "council", "--url", &url];
    let of = ["--key", path(&public), "--registrar", path(&registrar)];
    let refused = run([&register[..], &of].concat()).exited(1).complaint();
    assert!(refused.contains("registrar.jwk"), "{refused}");
    run([&register[..], &of, &["--key-command", &command]].concat()).succeeded();

    let failing = "/bin/sh -c 'echo a secret; exit 3'";
    let said = run([&serve[..], &[failing]].concat()).exited(1).complaint();
    assert!(said.contains("checkpoint.jwk failed") && !said.contains("a secret"), "{said}");
}
