//! Ten thousand slow clients, and those whose work goes on meanwhile.

mod crowd;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crowd::Crowd;

use crate::partnership::{Client, Home, Process, Publisher, Server, child, eventually, path, private_file};

const SLOW: usize = 10_000;
/// The most connections that docs/ACCESS.md allows at a time.
const ROOM: usize = 4096;
/// The log's files and the views', and what has just been told to go.
const BESIDES: usize = 600;
/// Generous, for a program with everything in it that finds mistakes.
const MOST_MEMORY: u64 = 1 << 30;

/// One crowd at a time: each takes half of the files that a test may have.
static CROWDED: Mutex<()> = Mutex::new(());

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/src/nats/fixtures").join(name)
}

fn address(url: &str) -> SocketAddr {
    let (_, address) = url.split_once("://").expect("a URL");
    address.parse().expect("an address")
}

/// Publishers get their receipts and readers their answers, at the first try: each on the connection that it has and on new ones.
fn work(home: &Home, publishers: &mut [Publisher], each: u64, client: &(impl Fn() -> Client + Sync)) {
    let token = home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    std::thread::scope(|threads| {
        for (number, publisher) in publishers.iter_mut().enumerate() {
            threads.spawn(move || {
                let kept = client();
                for day in 0..each {
                    let statement = publisher.next(&child(day + 1000 * number as u64), day);
                    let reply =
                        if day % 4 == 0 { client().publish(&statement) } else { kept.publish(&statement) };
                    assert_eq!(reply.status, 201, "{}", reply.text());
                    home.prove(reply.text(), statement.hash());
                }
            });
            let token = &token;
            threads.spawn(move || {
                let kept = client().with_token(token);
                for number in 0..each {
                    let new = client().with_token(token);
                    let reader = if number % 4 == 0 { &new } else { &kept };
                    assert_eq!(reader.get("/v1/decisions").status, 200);
                    assert_eq!(reader.get("/checkpoint").status, 200);
                }
            });
        }
    });
}

fn hinder(server: &Server, home: &Home, publishers: &mut [Publisher], authority: Option<&[u8]>) {
    let url = &server.url;
    let client = || authority.map_or_else(|| Client::new(url), |authority| Client::trusting(url, authority));
    let crowd = Crowd::gather(SLOW, address(&server.url), authority);
    eventually("everybody has come", || crowd.came() == SLOW);
    let before = client().size();
    work(home, publishers, 20, &client);
    assert!(client().size() >= before + 40 + 40, "two publish, and two have their reads sealed");
    let inside = server.process.open_files();
    assert!(inside > ROOM / 2, "they hung on all the while: {inside} files");
    assert!(inside < ROOM + BESIDES, "{inside} files");
    let memory = server.process.peak_memory();
    assert!(memory < MOST_MEMORY, "{} MiB", memory >> 20);
    drop(crowd);
    eventually("they are forgotten", || server.process.open_files() < BESIDES);
}

#[test]
fn ten_thousand_slow_clients_hinder_nobody() {
    let _alone = CROWDED.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let mut publishers =
        [home.enrol("council", "gss:E06000999", None), home.enrol("police", "police:99", None)];
    let server = home.serve();
    hinder(&server, &home, &mut publishers, None);
    server.stop();
}

#[test]
fn ten_thousand_slow_clients_hinder_nobody_over_tls() {
    let _alone = CROWDED.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let mut publishers =
        [home.enrol("council", "gss:E06000999", None), home.enrol("police", "police:99", None)];
    let (certificate, key) = (fixture("server.pem"), home.at("server.key"));
    private_file(&key, &std::fs::read_to_string(fixture("server.key")).expect("a fixture"));
    let server = Server::start_with(&home, &["--tls-cert", path(&certificate), "--tls-key", path(&key)]);
    let authority = std::fs::read(fixture("authority.pem")).expect("a fixture");
    hinder(&server, &home, &mut publishers, Some(&authority));
    server.stop();
}

/// One of each kind, whom nobody who comes makes go: the server's own limits end them.
#[test]
fn whoever_says_too_little_for_too_long_is_sent_away() {
    let home = Home::new();
    let server = home.serve();
    let without = server.process.open_files();
    let crowd = Crowd::gather(60, address(&server.url), None);
    eventually("everybody is inside", || server.process.open_files() >= without + 60);
    crowd.grow_tired();
    // The ledger may have opened a few files of its own since.
    eventually("all are sent away", || server.process.open_files() <= without + 5);
    assert_eq!(server.client().get("/v1/ledger").status, 200);
    server.stop();
}

#[test]
fn what_is_held_of_bodies_that_never_end_has_a_bound() {
    let home = Home::new();
    let mut publishers = [home.enrol("council", "gss:E06000999", None)];
    let server = home.serve();
    let head = format!(
        "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        16 << 20
    );
    let most_of_a_body = vec![b'a'; 15 << 20];
    let unfinished: Vec<TcpStream> = (0..120)
        .map(|_| {
            let mut stream = TcpStream::connect(address(&server.url)).expect("a connection");
            // Some are sent away in the middle of it.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&most_of_a_body));
            stream
        })
        .collect();
    work(&home, &mut publishers, 10, &|| Client::new(&server.url));
    let memory = server.process.peak_memory();
    assert!(memory < MOST_MEMORY, "{} MiB", memory >> 20);
    assert!(server.process.open_files() > 10, "the others hang on");
    assert!(server.process.log_text().contains("the connection that holds the most is closed"));
    drop(unfinished);
    server.stop();
}

#[test]
fn with_few_files_a_ledger_takes_fewer_connections_and_goes_on() {
    let _alone = CROWDED.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let mut publishers = [home.enrol("council", "gss:E06000999", None)];
    let data = home.data();
    let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data)];
    let process = Process::with_files(256, arguments, &home.at("serve.log"));
    let url = process.listening();
    let crowd = Crowd::gather(1_000, address(&url), None);
    eventually("everybody has come", || crowd.came() == 1_000);
    work(&home, &mut publishers, 20, &|| Client::new(&url));
    drop(crowd);
    work(&home, &mut publishers, 1, &|| Client::new(&url));
    let log = process.log_text();
    assert!(log.contains("few files are allowed"), "{log}");
    assert!(!log.contains("no connection can be taken") && !log.contains("Too many open files"), "{log}");
}
