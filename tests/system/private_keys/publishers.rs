//! A publisher whose key is encrypted.

use super::{OTHER_WORDS, WORDS, is_encrypted, nothing_shows, passphrase, private_parts};
use crate::partnership::{
    Client, Home, Process, child, draft_line, path, run, run_with_input, run_without_terminal,
};

#[test]
fn a_publisher_signs_with_an_encrypted_key() {
    let home = Home::new();
    home.enrol("council", "gss:E06000999", None);
    let (key, pin) = (home.key_file("council"), home.pin_file());
    let mut secrets = private_parts(std::slice::from_ref(&key));
    secrets.push(WORDS.to_owned());
    let (words, others) = (passphrase(&home, WORDS), passphrase(&home, OTHER_WORDS));
    run(["key", "encrypt", path(&key), "--passphrase-file", path(&words)]).succeeded();
    assert!(is_encrypted(&key));

    let server = home.serve();
    let publish = ["publish", "--json", "--key", path(&key), "--to", &server.url, "--pin", path(&pin)];
    let drafts = format!("{}\n", draft_line("d1", &child(1), 1));
    let said = run_without_terminal(publish).exited(1).complaint();
    assert!(said.contains("council.jwk is encrypted") && said.contains("--passphrase-file"), "{said}");
    let with = |file| [&publish[..], &["--passphrase-file", file]].concat();
    let said = run_with_input(with(path(&others)), drafts.as_bytes()).exited(1).complaint();
    assert!(said.contains("council.jwk") && said.contains("the passphrase is wrong"), "{said}");
    let sealed = run_with_input(with(path(&words)), drafts.as_bytes()).succeeded().json_lines();
    assert_eq!(sealed[0]["status"], "sealed");

    let agent = ["agent", "--json", "--listen", "127.0.0.1:0", "--key", path(&key), "--to", &server.url];
    let agent = [&agent[..], &["--pin", path(&pin), "--passphrase-file", path(&words)]].concat();
    let agent = Process::tracing(agent, &home.at("agent.log"));
    let draft = draft_line("d2", &child(1), 2);
    let reply = Client::new(&agent.listening()).post("/v1/drafts", "application/json", draft.as_bytes());
    assert!([201, 202].contains(&reply.status), "{}", reply.text());
    nothing_shows(&agent, &secrets);

    // A further key of the agency, encrypted by another passphrase, proves that it is held.
    let more = ["--agency", "gss:E06000999", "--pin", path(&pin), "--passphrase-file", path(&others)];
    let second = home.key_file("second");
    let made = run([&["keygen", "--json", "--out", path(&second)][..], &more].concat()).succeeded();
    assert_eq!(made.json()["proof"], true);
    assert!(is_encrypted(&second));
}
