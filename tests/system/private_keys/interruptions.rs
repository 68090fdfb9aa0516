//! `key encrypt` that is killed.

use std::fs;
use std::thread;
use std::time::Duration;

use super::{WORDS, is_encrypted, keys_in, passphrase};
use crate::partnership::{Home, Process, Random, eventually, path, run};

#[test]
fn what_is_killed_leaves_each_key_as_it_was_or_encrypted() {
    let mut random = Random::seeded();
    let home = Home::new();
    let (words, folder) = (passphrase(&home, WORDS), home.at("data.secrets"));
    let keys = keys_in(&folder);
    let before: Vec<_> = keys.iter().map(|key| fs::read(key).expect("read")).collect();
    let (mut partly, by) = (0, ["--passphrase-file", path(&words)]);
    for _ in 0..6 {
        let encrypt = [&["key", "encrypt", path(&folder)][..], &by].concat();
        let mut killed = Process::start(encrypt, &home.at("key.log"));
        eventually("the first key is encrypted", || keys.iter().any(|key| is_encrypted(key)));
        // Not a wait for anything: the moment of the kill is drawn at random.
        thread::sleep(Duration::from_micros(random.below(8000)));
        killed.kill();
        let mut done = 0;
        for (key, before) in keys.iter().zip(&before) {
            let now = fs::read(key).expect("read");
            done += usize::from(now != *before);
            assert!(now == *before || is_encrypted(key), "{key:?} is neither");
        }
        partly += usize::from(done < keys.len());
        // The same again finishes it, and nothing of any key is lost.
        let encrypt = [&["key", "encrypt", path(&folder)][..], &by].concat();
        run(encrypt).succeeded();
        assert!(keys.iter().all(|key| is_encrypted(key)));
        run([&["key", "decrypt", path(&folder)][..], &by].concat()).succeeded();
        let after: Vec<_> = keys.iter().map(|key| fs::read(key).expect("read")).collect();
        assert_eq!(after, before);
    }
    assert!(partly > 0, "no kill came in the middle");
}
