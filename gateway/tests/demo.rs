//! The demonstration with a small background, through HTTP, and what its checks say when something is not as it must be.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use goldenthread::demo::{
    self, CaseOutcome, DemoError, FolderError, Folders, Listen, Progress, Report, Stage,
};
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

/// What the seventeen cases of DOMAIN section 9 come to: alerts that stand, alerts that were taken back, findings, advice.
const OUTCOMES: [(&str, &str); 17] = [
    ("1", "repeat-missing"),
    ("2", "long-missing moved-unshared"),
    ("3", "rhi-overdue"),
    ("4", "shared-location"),
    ("5", "shared-person"),
    ("6", "many-authorities"),
    ("7", "moved-unshared MayShare"),
    ("8", "W5 DoNotShare+Escalate"),
    ("9", "withheld-then-harm SeekAdvice"),
    ("10", "silent-edge silent-edge"),
    ("11", "basis-missing E6 MayShare SeekAdvice"),
    ("12", "-basis-missing SeekAdvice"),
    ("13", "MayShare"),
    ("14", ""),
    ("15", "request-unanswered"),
    ("16", "consent-reliance W1 W1 W1 W1 W1 W1 W1 W1 W1"),
    ("17", "slow-share MayShare"),
];

fn came_of(case: &CaseOutcome) -> String {
    let alerts = case.alerts.iter().map(|outcome| {
        let alert = outcome.alert.as_ref().expect("it fired");
        let status = if outcome.retracted { "retracted" } else { "open" };
        assert_eq!((&alert["status"], &alert["pattern"]), (&status.into(), &outcome.pattern.into()));
        format!("{}{}", if outcome.retracted { "-" } else { "" }, outcome.pattern)
    });
    let findings = case.findings.iter().flat_map(|decision| decision.found.iter().cloned());
    let advice = case.advice.iter().map(|advice| {
        let flow = advice.flow.as_ref().expect("the draft is a question");
        let escalate = if flow["escalate"] == true { "+Escalate" } else { "" };
        format!("{}{escalate}", flow["outcome"].as_str().expect("an outcome"))
    });
    alerts.chain(findings).chain(advice).collect::<Vec<_>>().join(" ")
}

#[test]
fn exactly_what_is_foretold_comes_of_the_cases_and_everything_verifies() {
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
    let of_cases: usize = report.outcomes.cases.iter().map(|case| case.entries.len()).sum();
    assert_eq!(report.statements, 200 + of_cases as u64);
    // Entries 0 to 2 are the ledger's own, then come the registrations. That the demonstration asks for the alerts and for the findings is
    // sealed as well.
    let reads = 2;
    assert_eq!(report.audit.size, Some(3 + demo::AGENCIES.len() as u64 + report.statements + reads));
    let (near, cases): (Vec<_>, Vec<_>) = report.outcomes.cases.iter().partition(|case| case.near_miss);
    let came: Vec<(&str, String)> = cases.iter().map(|case| (case.case.as_str(), came_of(case))).collect();
    assert_eq!(came, OUTCOMES.map(|(case, came)| (case, came.to_owned())));
    assert!(near.len() >= 5 && near.iter().all(|case| came_of(case).is_empty()), "near misses stay below");
    assert_sentences(&report);
    assert!(report.outcomes.unexpected_alerts.is_empty() && report.outcomes.unexpected_findings.is_empty());
}

fn assert_sentences(report: &Report) {
    let said = |case: &str, at: usize| {
        let found = report.outcomes.cases.iter().find(|outcome| outcome.case == case).expect("the case");
        let alert = found.alerts[at].alert.as_ref().expect("it fired");
        alert["sentence"].as_str().expect("a sentence").to_owned()
    };
    assert_eq!(
        said("1", 0),
        "One child was reported missing 4 times in 80 days (3 or more in 90 days asks for a review)."
    );
    assert_eq!(said("2", 0), "One child was missing for 5 days (more than 24 hours asks for a review).");
    assert_eq!(
        said("4", 0),
        "3 children were linked to one place in 28 days (3 or more in 60 days asks for a review)."
    );
    assert_eq!(
        said("9", 0),
        "Harm to a child was recorded 30 days after information was withheld (within 90 days asks for a review of the decision)."
    );
    assert_eq!(
        said("12", 0),
        "The record of a decision by ods:Z9Y does not show its legal basis in full (E2)."
    );
    let without_consent = "charity:9990003 relied on consent for 9 of 12 shares in 68 days (over 20 % in 90 days asks for a review).";
    assert_eq!(said("16", 0), without_consent);
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
