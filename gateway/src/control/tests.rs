use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use gt_ledger::clock::SystemClock;
use gt_ledger::create::create;
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::secrets::{Secrets, file};
use gt_projections::{Options, Projector};

use super::*;
use crate::access::recorder::Recorder;

fn made(name: &str) -> (tempfile::TempDir, PathBuf, Arc<Ledger>) {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join(name);
    let created = create(&data, &root.path().join("keys"), "ledger.example/control").unwrap();
    let secrets = Secrets::load(&created.secrets).unwrap();
    let ledger = Ledger::open(&data, &secrets, Box::new(SystemClock::default()), None).unwrap();
    (root, data, Arc::new(ledger))
}

/// A recorder with the ledger's own key, and the runtime on which it works.
fn recording(root: &Path, ledger: &Arc<Ledger>) -> (tokio::runtime::Runtime, Recording) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = KeyAccess::default().read_ed25519(&root.join("keys").join(file::SERVICE)).unwrap();
    let within = runtime.enter();
    let recorder = Recorder::start(Arc::clone(ledger), None, Some(key));
    drop(within);
    let recording = Recording { recorder, runtime: runtime.handle().clone() };
    (runtime, recording)
}

#[test]
fn a_running_ledger_seals_who_reads_its_folder_or_says_that_it_cannot() {
    let (root, data, ledger) = made("data");
    let (_runtime, recording) = recording(root.path(), &ledger);
    let _control = Control::listen(&data, Arc::clone(&ledger), views(root.path()), recording).unwrap();
    let reading = |purpose: &str| {
        Request::RecordReading(ReadingAtRest {
            reader: "C. Moreau".into(),
            purpose: purpose.into(),
            child: None,
            records: 7,
        })
    };
    let size = ledger.log().size().0;
    let sealed = ask(&data, &reading("SubjectRights")).unwrap().unwrap().unwrap();
    assert_eq!((sealed["index"].as_u64(), ledger.log().size().0), (Some(size), size + 1));
    let record = ledger.records(LeafIndex(size), 1).unwrap().remove(0).statement.unwrap();
    assert_eq!(record.disclosed["extent"][0].value["records"], 7);
    assert_eq!(record.disclosed["reader"][0].value["name"], "C. Moreau");
    let refused = ask(&data, &reading("Curiosity")).unwrap().unwrap().unwrap_err();
    assert_eq!((refused.code.as_str(), ledger.log().size().0), ("bad_request", size + 1));
    ledger.close();
    let refused = ask(&data, &reading("SubjectRights")).unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code, "not_recorded");
}

fn views(root: &Path) -> Queries {
    Projector::open(&root.join("views"), Options::default()).unwrap().projector.queries()
}

#[test]
fn a_running_ledger_is_asked_and_one_that_does_not_run_is_not() {
    for name in ["data".to_owned(), "long".repeat(40)] {
        let (root, data, ledger) = made(&name);
        assert!(ask(&data, &Request::Retired).unwrap().is_none());
        let (_runtime, recording) = recording(root.path(), &ledger);
        let control = Control::listen(&data, Arc::clone(&ledger), views(root.path()), recording).unwrap();
        assert_eq!(ask(&data, &Request::Retired).unwrap().unwrap(), Ok(json!([])));
        let before = Secrets::load(&root.path().join("keys")).unwrap().kek().epoch();
        let done = ask(&data, &Request::RotateKek).unwrap().unwrap().unwrap();
        assert_eq!(done["retired"]["kek"], before);
        let confirmed = ask(&data, &Request::Confirm { what: before }).unwrap().unwrap().unwrap();
        assert!(confirmed["confirmed_at"].is_string());
        let nobody = Request::Erase {
            whom: "A".repeat(22),
            scope: "data".into(),
            authority: "ods:RX1".into(),
            ground: "CourtOrder".into(),
        };
        let refused = ask(&data, &nobody).unwrap().unwrap().unwrap_err();
        assert_eq!(refused.code, "unknown_authority");
        drop(control);
        assert!(ask(&data, &Request::Retired).unwrap().is_none());
    }
}

#[test]
fn what_is_no_request_is_answered_and_what_is_too_long_is_not_read() {
    use std::io::Write as _;
    let (root, data, ledger) = made("data");
    let (_runtime, recording) = recording(root.path(), &ledger);
    let _control = Control::listen(&data, ledger, views(root.path()), recording).unwrap();
    let mut stream = UnixStream::connect(data.join("state/control")).unwrap();
    stream.write_all(b"{\"do\":\"everything\"}\n").unwrap();
    let answer: Value = serde_json::from_slice(&read_line(&stream, MAX_ANSWER).unwrap()).unwrap();
    assert_eq!(answer["refused"]["code"], "bad_request");
    let mut stream = UnixStream::connect(data.join("state/control")).unwrap();
    // The ledger may hang up before all of it is sent.
    let _ = stream.write_all(&vec![b'x'; 1 << 20]);
    assert!(read_line(&stream, MAX_ANSWER).is_err());
}
