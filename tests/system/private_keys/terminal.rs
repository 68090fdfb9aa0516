//! Whoever sits at a terminal is asked, and what he types is not shown.

use std::fs;

use super::{OTHER_WORDS, WORDS, is_encrypted, keys_in, passphrase};
use crate::partnership::{Home, path, run, run_at_terminal};

#[test]
fn a_passphrase_is_asked_for_at_a_terminal_and_not_shown() {
    let home = Home::new();
    let (folder, data) = (home.at("data.secrets"), home.data());
    let keys = keys_in(&folder);
    let before: Vec<_> = keys.iter().map(|key| fs::read(key).expect("read")).collect();
    let encrypt = ["key", "encrypt", path(&folder)];

    let differ = run_at_terminal(encrypt, format!("{WORDS}\n{OTHER_WORDS}\n").as_bytes()).exited(1);
    assert!(differ.stdout.contains("are not the same"), "{}", differ.stdout);
    let unchanged: Vec<_> = keys.iter().map(|key| fs::read(key).expect("read")).collect();
    assert_eq!(unchanged, before);

    let twice = run_at_terminal(encrypt, format!("{WORDS}\n{WORDS}\n").as_bytes()).succeeded();
    assert!(
        twice.stdout.contains("New passphrase") && twice.stdout.contains("once more"),
        "{}",
        twice.stdout
    );
    assert!(keys.iter().all(|key| is_encrypted(key)));
    let list = ["token", "list", "--data", path(&data)];
    let asked = run_at_terminal(list, format!("{WORDS}\n").as_bytes()).succeeded();
    assert!(asked.stdout.contains("Passphrase of the private keys"), "{}", asked.stdout);
    for shown in [&differ.stdout, &twice.stdout, &asked.stdout] {
        assert!(!shown.contains(WORDS) && !shown.contains(OTHER_WORDS), "{shown}");
    }
    let words = passphrase(&home, WORDS);
    run([&list[..], &["--passphrase-file", path(&words)]].concat()).succeeded();
}
