//! The registrar's own work: shutting publishers out, and replacing its own key by the recovery key.

use std::fs;
use std::path::PathBuf;

use gt_core::statement::PublisherId;
use serde_json::{Value, json};

use crate::partnership::{Ended, Home, Server, child, path, run};

const COUNCIL: &str = "gss:E06000999";
/// Before anything that these tests seal.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// A ledger that is served, and what its registrar runs against it.
struct Registry {
    home: Home,
    server: Server,
}

impl Registry {
    fn new() -> Self {
        let home = Home::new();
        let server = home.serve();
        Self { home, server }
    }

    /// A command at the running ledger, with a key that signs.
    fn there(&self, command: &[&str], role: &str, key: &str, more: &[&str]) -> Ended {
        let key = self.home.at(key);
        run([command, &["--url", &self.server.url, role, path(&key)], more].concat())
    }

    fn revoke(&self, registrar: &str, id: &PublisherId, more: &[&str]) -> Ended {
        let id = id.to_string();
        let about = ["--publisher", &id, "--reason", "key_compromise"];
        self.there(&["revoke"], "--registrar", registrar, &[&about[..], more].concat())
    }

    fn replace(&self, role: &str, key: &str, more: &[&str]) -> Ended {
        let pin = self.home.pin_file();
        let pinned = ["--pin", path(&pin)];
        self.there(&["registrar", "replace"], role, key, &[&pinned[..], more].concat())
    }

    /// Registers a key that `keygen` made for the council.
    fn register(&self, registrar: &str, public: &str, more: &[&str]) -> Ended {
        let public = self.home.at(public);
        let about =
            ["--agency", COUNCIL, "--name", "Case system", "--kind", "council", "--key", path(&public)];
        self.there(&["register"], "--registrar", registrar, &[&about[..], more].concat())
    }

    /// Makes a key for the council. Returns the name of its public file.
    fn key_of_council(&self, name: &str, more: &[&str]) -> String {
        let (key, pin) = (self.home.key_file(name), self.home.pin_file());
        let keygen = ["keygen", "--out", path(&key), "--agency", COUNCIL, "--pin", path(&pin)];
        run([&keygen[..], more].concat()).succeeded();
        format!("{name}.public.jwk")
    }

    fn publisher(&self, id: &PublisherId) -> Value {
        self.server.client().get(&format!("/v1/publishers/{id}")).json()
    }
}

/// Makes a bare key. Returns its public file.
fn bare_key(home: &Home, name: &str) -> PathBuf {
    let key = home.key_file(name);
    run(["keygen", "--out", path(&key)]).succeeded();
    home.at(&format!("{name}.public.jwk"))
}

const REGISTRAR: &str = "data.secrets/registrar.jwk";
const RECOVERY: &str = "data.secrets/recovery.jwk";

#[test]
fn a_revoked_publisher_is_heard_no_more_and_what_it_said_still_verifies() {
    let it = Registry::new();
    let client = it.server.client();
    let mut council = it.home.enrol("council", COUNCIL, Some(&it.server.url));
    let early = council.next(&child(1), 1);
    let (receipt, statement) = (it.home.at("early.tlog-proof"), it.home.at("early.sd-jwt"));
    fs::write(&receipt, client.publish(&early).body).expect("written");
    fs::write(&statement, early.to_compact()).expect("written");

    let index = client.size();
    let revoked = it.revoke(REGISTRAR, &council.id, &["--suspect-from", LONG_AGO, "--json"]).succeeded();
    let id = council.id.to_string();
    assert_eq!(revoked.json(), json!({"publisher": id, "agency": COUNCIL, "index": index}));
    assert_eq!(it.publisher(&council.id)["revoked"]["at_entry"], index);
    let late = client.publish(&council.next(&child(1), 2));
    assert_eq!((late.status, late.problem().as_str()), (403, "publisher_revoked"));

    let pin = it.home.pin_file();
    run(["verify", path(&receipt), "--pin", path(&pin), "--statement", path(&statement)]).succeeded();
    let alerts = it.server.analyst().get("/v1/integrity").json();
    assert_eq!(alerts["items"][0]["pattern"], "publisher-suspect", "{alerts}");
    assert_eq!(alerts["items"][0]["suspect_from"], "2020-01-01T00:00:00.000Z");

    let again = it.revoke(REGISTRAR, &council.id, &[]).exited(1).complaint();
    assert!(again.contains(&format!("is revoked already, by entry {index}")), "{again}");
    assert_eq!(client.size(), index + 1, "neither the late statement nor the second revocation is sealed");
    let data = it.home.data();
    it.server.stop();
    run(["fsck", "--data", path(&data)]).succeeded();
    run(["verify", "--data", path(&data), "--pin", path(&pin)]).succeeded();
}

#[test]
fn a_folder_at_rest_is_told_of_a_revocation_too() {
    let home = Home::new();
    let council = home.enrol("council", COUNCIL, None);
    let (data, id) = (home.data(), council.id.to_string());
    let revoke = ["revoke", "--data", path(&data), "--publisher", &id, "--reason", "left"];
    let said = run(revoke).succeeded().stdout;
    assert!(said.starts_with("council of gss:E06000999 is revoked by entry 4"), "{said}");
    assert!(run(revoke).exited(1).complaint().contains("is revoked already, by entry 4"));
    let (other, wrong) = (home.enrol("police", "police:32", None).id.to_string(), home.key_file("council"));
    let about = ["--registrar", path(&wrong), "--publisher", &other, "--reason", "left"];
    let said = run([&["revoke", "--data", path(&data)][..], &about].concat()).exited(1).complaint();
    assert!(said.ends_with("council.jwk is not this ledger's registrar's key"), "{said}");
    let server = home.serve();
    let known = server.client().get(&format!("/v1/publishers/{id}")).json();
    assert_eq!(known["revoked"], json!({"at_entry": 4, "suspect_from": null}));
    server.stop();
}

#[test]
fn mistakes_about_a_revocation_are_sentences_and_seal_nothing() {
    let it = Registry::new();
    let client = it.server.client();
    let council = it.home.enrol("council", COUNCIL, Some(&it.server.url));
    bare_key(&it.home, "stranger");
    let size = client.size();
    let wants = |ended: Ended, sentence: &str| {
        let said = ended.exited(1).complaint();
        assert!(said.contains(sentence), "{said}");
    };
    for key in ["council.jwk", "stranger.jwk"] {
        wants(it.revoke(key, &council.id, &[]), "is not this ledger's registrar's key (key_not_in_force)");
    }
    let nobody = gt_core::Hash::of(b"nobody");
    wants(it.revoke(REGISTRAR, &nobody, &[]), &format!("no publisher {nobody} is registered here"));
    let ledger = client.get("/v1/ledger").json();
    let registrar = gt_core::Hash::parse(ledger["registrar"].as_str().expect("an id")).expect("a hash");
    wants(it.revoke(REGISTRAR, &registrar, &[]), "goldenthread registrar replace");
    let publishers = client.get("/v1/publishers").json();
    let mut all = publishers["items"].as_array().expect("a list").iter();
    let own = all.find(|one| one["agency"] == "ledger:service").expect("the ledger's own");
    let own = gt_core::Hash::parse(own["publisher"].as_str().expect("an id")).expect("a hash");
    wants(it.revoke(REGISTRAR, &own, &[]), "the ledger's own publisher");
    wants(it.revoke(REGISTRAR, &council.id, &["--suspect-from", "2999-01-01T00:00:00Z"]), "lies ahead");

    let (id, key) = (council.id.to_string(), it.home.at(REGISTRAR));
    let revoke = |id: &str, reason: &str| {
        let at = ["revoke", "--url", &it.server.url, "--registrar", path(&key)];
        run([&at[..], &["--publisher", id, "--reason", reason]].concat()).exited(2).stderr
    };
    assert!(revoke(&id, "Key lost").contains("one word in lower case, [a-z_]{1,32}"));
    // A thumbprint may begin with a hyphen, and is no option then.
    assert!(revoke("-x", "left").contains("43 characters of base64url"));
    assert_eq!(client.size(), size);
}

#[test]
fn the_recovery_key_replaces_the_registrars_and_the_chain_goes_on() {
    let it = Registry::new();
    let client = it.server.client();
    let council = it.home.enrol("council", COUNCIL, Some(&it.server.url));
    let (new, described) = (bare_key(&it.home, "registrar-2"), client.get("/v1/ledger").json());
    let index = client.size();
    let replaced = it.replace("--recovery", RECOVERY, &["--new-registrar", path(&new), "--json"]).succeeded();
    assert_eq!(replaced.json()["index"], index);
    let now = client.get("/v1/ledger").json();
    for member in ["registrar", "verifier_keys", "genesis", "origin"] {
        assert_eq!(now[member], described[member], "nobody's pin changes, and the chain goes on: {member}");
    }

    let public = it.key_of_council("second", &["--endorse-with", path(&it.home.key_file("council"))]);
    let refused = it.register(REGISTRAR, &public, &[]).exited(1).complaint();
    assert!(refused.contains("registrar.jwk is not this ledger's registrar's key"), "{refused}");
    let refused = it.replace("--registrar", REGISTRAR, &["--new-recovery", path(&new)]).exited(1).complaint();
    assert!(refused.contains("registrar.jwk is not this ledger's registrar's key"), "{refused}");
    assert_eq!(client.size(), index + 1);
    it.register("registrar-2.jwk", &public, &[]).succeeded();
    it.revoke("registrar-2.jwk", &council.id, &[]).succeeded();

    // The folder knows it as well, and both checks of it do.
    let (data, pin) = (it.home.data(), it.home.pin_file());
    it.server.stop();
    let register = |name: &str| {
        let (key, public) = (it.home.key_file(name), it.home.at(&format!("{name}.public.jwk")));
        run(["keygen", "--out", path(&key), "--agency", "ods:RX1", "--pin", path(&pin)]).succeeded();
        let about = ["--agency", "ods:RX1", "--name", name, "--kind", "health", "--key", path(&public)];
        run([&["register", "--data", path(&data)][..], &about].concat())
    };
    let said = register("early").exited(1).complaint();
    assert!(said.ends_with("registrar.jwk is not this ledger's registrar's key"), "{said}");
    fs::copy(it.home.at("registrar-2.jwk"), it.home.at(REGISTRAR)).expect("put in its place");
    register("late").succeeded();
    run(["fsck", "--data", path(&data)]).succeeded();
    run(["verify", "--data", path(&data), "--pin", path(&pin)]).succeeded();
    let bundle = it.home.at("all.bundle.json");
    let all = ["--entries", "0-3", "--purpose", "Review", "--out", path(&bundle)];
    run([&["bundle", "--data", path(&data)][..], &all].concat()).succeeded();
    run(["verify", path(&bundle), "--pin", path(&pin), "--log", path(&data)]).succeeded();
    it.home.serve().stop();
}

#[test]
fn a_new_recovery_key_is_the_only_one() {
    let it = Registry::new();
    let [registrar, recovery, third] =
        ["registrar-2", "recovery-2", "third"].map(|name| bare_key(&it.home, name));
    let both = ["--new-registrar", path(&registrar), "--new-recovery", path(&recovery)];
    it.replace("--recovery", RECOVERY, &both).succeeded();
    let again = ["--new-registrar", path(&third)];
    let refused = it.replace("--recovery", RECOVERY, &again).exited(1).complaint();
    assert!(refused.contains("recovery.jwk is not this ledger's recovery key"), "{refused}");
    // What was in force once comes back no more.
    let first = it.home.at("first.public.jwk");
    let (old, pin) = (it.home.at(REGISTRAR), it.home.pin_file());
    run(["keygen", "--existing", "--out", path(&old), "--public", path(&first)]).succeeded();
    let back = ["--new-registrar", path(&first)];
    let refused = it.replace("--recovery", "recovery-2.jwk", &back).exited(1).complaint();
    assert!(refused.contains("one that this ledger has never known"), "{refused}");
    it.replace("--recovery", "recovery-2.jwk", &again).succeeded();

    // In the folder, where the registry tells the key that stays, the registrar's own key replaces a lost recovery key.
    let data = it.home.data();
    it.server.stop();
    let (own, last) = (it.home.key_file("third"), bare_key(&it.home, "recovery-3"));
    let replace = ["registrar", "replace", "--data", path(&data), "--registrar", path(&own)];
    let replace = || run([&replace[..], &["--new-recovery", path(&last)]].concat());
    let said = replace().succeeded().stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[1].starts_with("registrar") && lines[1].ends_with("as before"), "{said}");
    assert!(lines[2].starts_with("recovery") && lines[2].ends_with("new"), "{said}");
    assert!(replace().exited(1).complaint().contains("in force already, and nothing was sealed"));
    run(["verify", "--data", path(&data), "--pin", path(&pin)]).succeeded();
}

#[test]
fn mistakes_about_the_registrars_keys_are_sentences_and_seal_nothing() {
    let it = Registry::new();
    let client = it.server.client();
    it.home.enrol("council", COUNCIL, Some(&it.server.url));
    let (new, of_council) = (bare_key(&it.home, "registrar-2"), it.home.at("council.public.jwk"));
    let size = client.size();
    let wants = |ended: Ended, sentence: &str| {
        let said = ended.exited(1).complaint();
        assert!(said.contains(sentence), "{said}");
    };
    let with_new = ["--new-registrar", path(&new)];
    wants(it.replace("--recovery", REGISTRAR, &with_new), "registrar.jwk is not its recovery key");
    wants(
        it.replace("--recovery", "council.jwk", &with_new),
        "council.jwk is not this ledger's recovery key",
    );
    let publishers = ["--new-registrar", path(&of_council)];
    let sentence = format!("made to be a publisher's of {COUNCIL}");
    wants(it.replace("--recovery", RECOVERY, &publishers), &sentence);
    let (council, bare) = (it.home.key_file("council"), it.home.at("bare.public.jwk"));
    run(["keygen", "--existing", "--out", path(&council), "--public", path(&bare)]).succeeded();
    let known = ["--new-registrar", path(&bare)];
    wants(it.replace("--recovery", RECOVERY, &known), "one that this ledger has never known");
    let twice = ["--new-registrar", path(&new), "--new-recovery", path(&new)];
    wants(it.replace("--recovery", RECOVERY, &twice), "would be one key");
    wants(it.replace("--recovery", RECOVERY, &["--new-recovery", path(&new)]), "give --new-registrar too");
    wants(it.replace("--registrar", REGISTRAR, &with_new), "give --new-recovery too");
    let private = it.home.at("registrar-2.jwk");
    wants(it.replace("--recovery", RECOVERY, &["--new-registrar", path(&private)]), "it is a private key");

    let (recovery, other) = (it.home.at(RECOVERY), Home::new());
    let replace = ["registrar", "replace", "--url", &it.server.url, "--recovery", path(&recovery)];
    let ended = run([&replace[..], &with_new, &["--pin", path(&other.pin_file())]].concat());
    wants(ended, "another ledger answers there");
    let pinless = run([&replace[..], &with_new].concat()).exited(2).stderr;
    assert!(pinless.contains("--pin"), "{pinless}");
    let of_nothing = run([&replace[..], &["--pin", path(&it.home.pin_file())]].concat()).exited(2).stderr;
    assert!(of_nothing.contains("--new-registrar"), "{of_nothing}");
    assert_eq!(client.size(), size);
}

#[test]
fn a_registration_that_is_refused_says_which_argument_helps() {
    let it = Registry::new();
    let size = it.server.client().size();
    let first = it.key_of_council("first", &[]);
    let (key, public) = (it.home.at(REGISTRAR), it.home.at(&first));
    let register = |name: &str, kind: &str| {
        let at = ["register", "--url", &it.server.url, "--registrar", path(&key), "--agency", COUNCIL];
        let about = ["--key", path(&public), "--name", name, "--kind", kind];
        run([&at[..], &about].concat()).exited(1).complaint()
    };
    let said = register("Larkfield", "School");
    assert!(said.contains("--kind is one word in lower case, [a-z_]{1,32}"), "{said}");
    for empty in ["", "  ", "two\nlines"] {
        let said = register(empty, "school");
        assert!(said.contains("--name is the system's name"), "{said}");
    }
    let said = it.register("first.jwk", &first, &[]).exited(1).complaint();
    assert!(said.contains("first.jwk is not this ledger's registrar's key"), "{said}");
    assert_eq!(it.server.client().size(), size);
    it.register(REGISTRAR, &first, &[]).succeeded();

    let second = it.key_of_council("second", &[]);
    let said = it.register(REGISTRAR, &second, &[]).exited(1).complaint();
    assert!(said.contains("keygen --endorse-with KEY") && said.contains("register --recovery"), "{said}");
    it.register(REGISTRAR, &second, &["--recovery"]).succeeded();
}
