//! The demonstration with a small background, through HTTP, and what its checks say when something is not as it must be.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use goldenthread::demo::{self, DemoError, FolderError, Folders, Listen, Progress, Report, Stage};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Run {
    runtime: Runtime,
    stage: Stage,
    report: Report,
    stop: oneshot::Sender<()>,
    progress: u64,
}

fn run(folders: &Folders, listen: Listen) -> Result<Run, DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (stop, stopped) = oneshot::channel();
    let sealed = AtomicU64::new(0);
    let watch = |progress| {
        if let Progress::Sealed { statements } = progress {
            sealed.fetch_add(statements, Ordering::Relaxed);
        }
    };
    let stopped = async {
        let _ = stopped.await;
    };
    let (stage, report) = demo::run(&runtime, folders, listen, 200, stopped, &watch)?;
    Ok(Run { runtime, stage, report, stop, progress: sealed.into_inner() })
}

impl Run {
    fn end(self) -> Report {
        self.stop.send(()).expect("still served");
        self.runtime.block_on(self.stage.ended()).expect("ends in order");
        self.report
    }
}

fn any_port() -> Listen {
    Listen { address: ANY_PORT, or_another_port: false }
}

#[test]
fn exactly_the_foretold_alerts_fire_and_everything_verifies() {
    let folders = Folders::temporary().expect("a folder");
    let run = run(&folders, any_port()).expect("runs");
    let sealed = run.progress;
    let report = run.end();
    assert!(report.sound, "{report:#?}");
    assert_eq!(
        (report.receipts.checked, report.receipts.sound, sealed),
        (report.statements, report.statements, report.statements)
    );
    let of_agencies: u64 = report.agencies.iter().map(|share| share.statements).sum();
    assert_eq!(of_agencies, report.statements);
    let of_cases: usize = report.alerts.cases.iter().map(|case| case.entries.len()).sum();
    assert_eq!(report.statements, 200 + of_cases as u64);
    // Entries 0 to 2 are the ledger's own, then come the registrations.
    assert_eq!(report.audit.size, Some(3 + demo::AGENCIES.len() as u64 + report.statements));
    let fired = |case: &str| {
        let found = report.alerts.cases.iter().find(|outcome| outcome.case == case).expect("the case");
        found.alert.as_ref().map(|alert| alert["sentence"].as_str().expect("a sentence").to_owned())
    };
    assert_eq!(
        fired("1").as_deref(),
        Some("One child was reported missing 4 times in 80 days (3 or more in 90 days asks for a review).")
    );
    assert_eq!(
        fired("4").as_deref(),
        Some("3 children were linked to one place in 29 days (3 or more in 60 days asks for a review).")
    );
    for quiet in ["8", "11", "12", "13", "17", "a", "b", "c", "d", "e"] {
        assert_eq!(fired(quiet), None, "{quiet}");
    }
}

#[test]
fn a_demonstration_can_be_given_again_in_its_folder_but_not_in_a_running_ones() {
    let above = tempfile::tempdir().expect("a folder");
    let data = above.path().join("ledger");
    let first = run(&Folders::kept(&data).expect("new"), any_port()).expect("runs");
    assert!(matches!(Folders::kept(&data), Err(FolderError::Running(_))));
    let root = first.end().audit.root;
    let second =
        run(&Folders::kept(&data).expect("an earlier demonstration"), any_port()).expect("runs").end();
    assert!(second.sound);
    assert_ne!(second.audit.root, root, "a ledger of its own, with new keys");
    assert!(Path::new(&second.data).join("checkpoint").exists(), "kept");
}

#[test]
fn a_taken_port_is_an_error_or_passed_over() {
    let taken = TcpListener::bind(ANY_PORT).expect("a port");
    let address = taken.local_addr().expect("bound");
    let folders = Folders::temporary().expect("a folder");
    let refused = run(&folders, Listen { address, or_another_port: false }).err();
    assert!(matches!(refused, Some(DemoError::Serve(_))), "{refused:?}");
    let folders = Folders::temporary().expect("a folder");
    let elsewhere = run(&folders, Listen { address, or_another_port: true }).expect("runs").end();
    assert!(elsewhere.sound && !elsewhere.url.ends_with(&format!(":{}", address.port())));
}
