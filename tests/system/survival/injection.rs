//! System calls that fail, in a process that really runs: `strace` answers them in the kernel's place.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::struck::{Call, has_struck, struck};
use crate::partnership::{Process, Random, path, within};

/// How long a tracer may take until it holds every thread of a process.
const ATTACHING: Duration = Duration::from_secs(20);

/// Which calls fail, how, and from which one on.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    calls: &'static str,
    error: &'static str,
    /// How many such calls of a thread succeed before.
    after: u64,
    /// Not one call alone, but all of them from then on.
    for_good: bool,
}

/// What can fail. A question mark before a call's name is for machines that lack it.
const CALLS: [(&str, [&str; 2]); 4] = [
    ("fsync,fdatasync,?sync_file_range", ["EIO", "ENOSPC"]),
    ("write,writev,pwrite64", ["ENOSPC", "EIO"]),
    ("?rename,?renameat,renameat2", ["EIO", "ENOSPC"]),
    ("openat", ["EIO", "EMFILE"]),
];

impl Failing {
    /// How many kinds of calls there are.
    pub(crate) const KINDS: u64 = CALLS.len() as u64;

    /// One of the kinds, with the rest drawn at random.
    pub(crate) fn drawn(kind: u64, random: &mut Random) -> Self {
        let (calls, errors) = CALLS[usize::try_from(kind).expect("few kinds")];
        let error = errors[usize::from(random.once_in(3))];
        Self { calls, error, after: random.below(12), for_good: random.once_in(2) }
    }

    /// Syncs or writes alone, and soon: for files that stay open, of threads each of which makes few such calls.
    pub(crate) fn of_open_files(random: &mut Random) -> Self {
        Self::drawn(random.below(2), random).soon()
    }

    /// Syncs alone, and soon: a start makes some, whatever it finds.
    pub(crate) fn of_any_start(random: &mut Random) -> Self {
        Self::drawn(0, random).soon()
    }

    fn soon(self) -> Self {
        Self { after: self.after % 2, ..self }
    }

    /// In words.
    pub(crate) fn to_text(&self) -> String {
        let calls = self.calls.replace('?', "");
        let which = if self.for_good { "from" } else { "at" };
        format!("{calls} fail with {} {which} call {}", self.error, self.after + 1)
    }

    /// The tracer's arguments: calls on these files fail, and no others. (A thread is woken by a `write` as well.) It tells the files, and
    /// nothing of what is written to them.
    fn arguments(&self, files: &[PathBuf], told: &Path) -> Vec<String> {
        let Self { calls, error, after, for_good } = self;
        let rest = if *for_good { "+" } else { "" };
        let mut arguments = vec!["-f".to_owned(), "-y".into(), "-s".into(), "0".into()];
        arguments.extend(["-o".into(), path(told).to_owned()]);
        arguments.extend(["-e".into(), format!("trace={calls}")]);
        arguments.extend(["-e".into(), format!("inject={calls}:error={error}:when={}{rest}", after + 1)]);
        arguments.extend(files.iter().flat_map(|file| ["-P".to_owned(), path(file).to_owned()]));
        arguments
    }
}

/// A process some of whose calls fail.
pub(crate) struct Injection {
    tracer: Process,
    told: PathBuf,
}

impl Injection {
    /// Makes calls of a running process fail. Where tracing is not allowed it says why.
    pub(crate) fn attach(
        process: u32,
        failing: &Failing,
        files: &[PathBuf],
        log: &Path,
    ) -> Result<Self, String> {
        let told = log.with_extension("calls");
        for old in [&told, log] {
            // There is none the first time.
            let _ = std::fs::remove_file(old);
        }
        let mut command = Command::new("strace");
        command.args(failing.arguments(files, &told)).arg("-p").arg(process.to_string());
        let mut tracer = Process::of(command, log);
        let mut gone = false;
        let attached = within(ATTACHING, || {
            gone = tracer.has_ended().is_some();
            gone || tracer.log_text().contains("attached")
        });
        if gone || !attached {
            let said = tracer.log_text();
            return Err(format!("calls that fail need strace, and to be allowed to trace: {}", said.trim()));
        }
        Ok(Self { tracer, told })
    }

    /// The same for a process from its first call on. It is the tracer's child, and its output the tracer's.
    pub(crate) fn start(
        program: &Command,
        failing: &Failing,
        files: &[PathBuf],
        log: &Path,
    ) -> (Process, PathBuf) {
        let told = log.with_extension("calls");
        let mut command = Command::new("strace");
        command.args(failing.arguments(files, &told)).arg("--");
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        (Process::of(command, log), told)
    }

    /// Whether a call has failed by now.
    pub(crate) fn has_struck(&self) -> bool {
        has_struck(&self.told)
    }

    /// Lets go of the process. From here on its calls succeed. Returns those that failed.
    pub(crate) fn detach(mut self) -> Vec<Call> {
        if self.tracer.has_ended().is_none() {
            self.tracer.signal("TERM");
            self.tracer.ended();
        }
        struck(&self.told)
    }
}

/// Everything in a folder, and what is written beside a file before it takes its place.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found =
        vec![folder.to_owned(), folder.join("checkpoint.new"), folder.join("state/handed-out.new")];
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for item in std::fs::read_dir(&at).into_iter().flatten().flatten() {
            let file = item.path();
            if item.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(file.clone());
            }
            found.push(file);
        }
    }
    found
}

/// Everything in the folder of the views, and the files in which they write rows next.
pub(crate) fn files_of_views(views: &Path) -> Vec<PathBuf> {
    let runs = (0..60).flat_map(|run| [1, 2].map(|tree| format!("rows.runs/rows-{tree}/{run:016x}.run")));
    files_in(views).into_iter().chain(runs.map(|run| views.join(run))).collect()
}
