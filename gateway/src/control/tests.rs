use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use gt_ledger::clock::SystemClock;
use gt_ledger::create::create;
use gt_ledger::secrets::Secrets;
use gt_projections::{Options, Projector};

use super::*;

fn made(name: &str) -> (tempfile::TempDir, PathBuf, Arc<Ledger>) {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join(name);
    let created = create(&data, &root.path().join("keys"), "ledger.example/control").unwrap();
    let secrets = Secrets::load(&created.secrets).unwrap();
    let ledger = Ledger::open(&data, &secrets, Box::new(SystemClock::default()), None).unwrap();
    (root, data, Arc::new(ledger))
}

fn views(root: &Path) -> Queries {
    Projector::open(&root.join("views"), Options::default()).unwrap().projector.queries()
}

#[test]
fn a_running_ledger_is_asked_and_one_that_does_not_run_is_not() {
    for name in ["data".to_owned(), "long".repeat(40)] {
        let (root, data, ledger) = made(&name);
        assert!(ask(&data, &Request::Retired).unwrap().is_none());
        let control = Control::listen(&data, Arc::clone(&ledger), views(root.path())).unwrap();
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
    let _control = Control::listen(&data, ledger, views(root.path())).unwrap();
    let mut stream = UnixStream::connect(data.join("state/control")).unwrap();
    stream.write_all(b"{\"do\":\"everything\"}\n").unwrap();
    let answer: Value = serde_json::from_slice(&read_line(&stream, MAX_ANSWER).unwrap()).unwrap();
    assert_eq!(answer["refused"]["code"], "bad_request");
    let mut stream = UnixStream::connect(data.join("state/control")).unwrap();
    // The ledger may hang up before all of it is sent.
    let _ = stream.write_all(&vec![b'x'; 1 << 20]);
    assert!(read_line(&stream, MAX_ANSWER).is_err());
}
