//! `key encrypt` that is killed.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use super::{WORDS, is_encrypted, keys_in, passphrase};
use crate::partnership::{Home, Process, Random, path, run, the_program};

/// The signal that nothing handles.
const SIGKILL: i32 = 9;
/// How often each key's change waits for the disk: for the new file, for its name, for the zeros in the old one.
const SYNCS: u64 = 3;

/// Runs a command that is killed when it enters a system call for the so-many-th time. Says whether it came to that.
fn killed_at(call: &str, time: u64, command: &Command, home: &Home) -> bool {
    let mut tracer = Command::new("strace");
    tracer.args(["-f", "-o", path(&home.at("key.calls")), "-e", &format!("trace={call}")]);
    tracer.args(["-e", &format!("inject={call}:signal=KILL:when={time}"), "--"]);
    tracer.arg(command.get_program()).args(command.get_args());
    for (name, _) in command.get_envs() {
        tracer.env_remove(name);
    }
    let mut tracer = Process::of(tracer, &home.at("key.log"));
    // A tracer ends as what it traces ended.
    let ended = tracer.ended();
    let killed = ended.signal() == Some(SIGKILL);
    assert!(killed || ended.success(), "it needs strace, and to be allowed to trace: {}", tracer.log_text());
    killed
}

#[test]
fn what_is_killed_leaves_each_key_as_it_was_or_encrypted() {
    let mut random = Random::seeded();
    let home = Home::new();
    let (words, folder) = (passphrase(&home, WORDS), home.at("data.secrets"));
    let keys = keys_in(&folder);
    let read = |key: &Path| fs::read(key).expect("read");
    let before: Vec<_> = keys.iter().map(|key| read(key)).collect();
    let by = ["--passphrase-file", path(&words)];
    let encrypt = [&["key", "encrypt", path(&folder)][..], &by].concat();

    let every = keys.len() as u64;
    // As each key's new file would take its place, and at some moments before and after.
    let renames = (1..=every).map(|time| ("/^rename", time));
    let syncs: Vec<_> = (0..3).map(|_| ("fsync", 1 + random.below(SYNCS * every))).collect();
    for (call, time) in renames.chain(syncs) {
        assert!(killed_at(call, time, &the_program(&encrypt), &home), "{call} was not called {time} times");
        let mut done = 0;
        for (key, before) in keys.iter().zip(&before) {
            let now = read(key);
            done += u64::from(now != *before);
            assert!(now == *before || is_encrypted(key), "{key:?} is neither");
        }
        let all_before = if call == "fsync" { (time + 1) / SYNCS } else { time - 1 };
        assert_eq!(done, all_before, "killed at {call} {time}");
        // The same again finishes it, and nothing of any key is lost.
        run(&encrypt).succeeded();
        assert!(keys.iter().all(|key| is_encrypted(key)));
        run([&["key", "decrypt", path(&folder)][..], &by].concat()).succeeded();
        let after: Vec<_> = keys.iter().map(|key| read(key)).collect();
        assert_eq!(after, before);
    }
}
