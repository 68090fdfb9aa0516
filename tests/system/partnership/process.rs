//! The program as a process: built once, started with arguments, watched, and gone with the test.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up on it. Nothing waits this long if all is well.
const PATIENCE: Duration = Duration::from_secs(170);

/// The program under test.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var_os("GT_PROGRAM").map_or_else(build, PathBuf::from))
}

/// Builds the program with the profile and into the target folder of this test. Cargo says where it then is.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let profile_folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let target = profile_folder.parent().expect("PROFILE lies in the target folder");
    let profile = match profile_folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "goldenthread", "--bin", "goldenthread"])
        .args(["--message-format", "json-render-diagnostics", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .arg("--manifest-path")
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "goldenthread does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(executable).next_back().expect("cargo says where the program is")
}

/// The program with its arguments, not yet started.
pub(crate) fn the_program(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program());
    // What the machine's user has set is not part of a test.
    for variable in [
        "GOLDENTHREAD_LOG",
        "GOLDENTHREAD_PURPOSE",
        "GOLDENTHREAD_TOKEN",
        "GOLDENTHREAD_URL",
        "GT_KEK_COMMAND",
        "GT_KEK_FILE",
        "GT_KEY_COMMAND",
        "GT_KEY_TOKEN",
        "GT_PASSPHRASE_FILE",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(variable);
    }
    command.args(arguments);
    command
}

/// A program that ran to its end.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Exit status 0, or the test ends here with what was said.
    pub(crate) fn succeeded(self) -> Self {
        self.exited(0)
    }

    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "standard output: {}\nstandard error: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The one JSON value on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The JSON values on standard output, one a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(read).collect()
    }

    /// The one sentence that a command says when it cannot do what it was told.
    pub(crate) fn complaint(&self) -> String {
        let said: Vec<&str> = self.stderr.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(said.len(), 1, "one line: {}", self.stderr);
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("backtrace"), "{}", self.stderr);
        said[0].strip_prefix("goldenthread: ").expect("the program's own sentence").to_owned()
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
    run_with_input(arguments, b"")
}

/// Runs the program to its end, with this on its standard input.
pub(crate) fn run_with_input(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &[u8]) -> Ended {
    run_command(the_program(arguments), input)
}

/// Runs the program to its end where there is no terminal, whoever runs the tests.
pub(crate) fn run_without_terminal(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
    let mut alone = Command::new("setsid");
    alone.arg("--wait");
    run_command(under(alone, arguments), b"")
}

/// Runs the program to its end at a terminal on which this is typed. What is shown there comes as its standard output.
pub(crate) fn run_at_terminal(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, typed: &[u8]) -> Ended {
    let quoted = |word: &OsStr| format!("'{}'", word.to_str().expect("plain text").replace('\'', r"'\''"));
    let words = std::iter::once(quoted(program().as_os_str()));
    let line: Vec<String> = words.chain(arguments.into_iter().map(|word| quoted(word.as_ref()))).collect();
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--echo", "never", "--command", &line.join(" "), "/dev/null"]);
    let clean = the_program([] as [&str; 0]);
    for (name, _) in clean.get_envs() {
        terminal.env_remove(name);
    }
    run_command(terminal, typed)
}

/// The program with its arguments, and the environment that tests give it, under another program.
fn under(mut outer: Command, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let inner = the_program(arguments);
    for (name, _) in inner.get_envs() {
        outer.env_remove(name);
    }
    outer.arg(inner.get_program()).args(inner.get_args());
    outer
}

/// Runs a program to its end, with this on its standard input.
pub(crate) fn run_command(mut command: Command, input: &[u8]) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Guard(command.spawn().expect("the program starts"));
    let (mut stdin, stdout, stderr) = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
    let input = input.to_owned();
    // A program that ends early leaves its input unread.
    let writer = thread::spawn(move || drop(stdin.as_mut().map(|stdin| stdin.write_all(&input))));
    let (stdout, stderr) = (read_all(stdout), read_all(stderr));
    let status = child.wait();
    writer.join().expect("writing does not panic");
    let text = |reader: thread::JoinHandle<String>| reader.join().expect("reading does not panic");
    Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn read_all(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.expect("it was piped").read_to_end(&mut bytes).expect("a readable pipe");
        String::from_utf8(bytes).expect("the program writes UTF-8")
    })
}

/// A child that does not outlive the test.
struct Guard(Child);

impl Guard {
    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the program ends", || {
            status = self.0.try_wait().expect("a child of this process");
            status.is_some()
        });
        status.expect("it has ended")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program, running. Its standard output is read a line at a time, its standard error is appended to a file.
pub(crate) struct Process {
    child: Guard,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, log: &Path) -> Self {
        Self::of(the_program(arguments), log)
    }

    /// Starts the program with everything that it can log.
    pub(crate) fn tracing(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, log: &Path) -> Self {
        let mut command = the_program(arguments);
        command.env("GOLDENTHREAD_LOG", "trace");
        Self::of(command, log)
    }

    /// Starts the program as one that may have so many files open, and no more.
    pub(crate) fn with_files(
        files: u32,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        log: &Path,
    ) -> Self {
        let limited = the_program(arguments);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {files} && exec \"$0\" \"$@\""));
        shell.arg(limited.get_program()).args(limited.get_args());
        for (name, _) in limited.get_envs() {
            shell.env_remove(name);
        }
        Self::of(shell, log)
    }

    /// Starts another program than the one under test.
    pub(crate) fn of(mut command: Command, log: &Path) -> Self {
        let open = OpenOptions::new().append(true).create(true).open(log).expect("a log file");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(open);
        let mut child = Guard(command.spawn().expect("the program starts"));
        let stdout = child.0.stdout.take().expect("it was piped");
        let (line, lines) = channel();
        thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, log: log.to_owned() }
    }

    /// Where it says, in a line of JSON, that it listens. The test ends here if it does not.
    pub(crate) fn listening(&self) -> String {
        self.listening_or_not().unwrap_or_else(|said| panic!("it has ended: {said}{}", self.log_text()))
    }

    /// Where it says that it listens; or what it says instead, and then it ends.
    pub(crate) fn listening_or_not(&self) -> Result<String, String> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("it does not say where it listens: {}", self.log_text()),
            Err(RecvTimeoutError::Disconnected) => return Err(String::new()),
        };
        let value: Value = serde_json::from_str(&line).expect("a line of JSON");
        let said = |name: &str| value[name].as_str().map(ToOwned::to_owned);
        said("listening").ok_or_else(|| said("error").unwrap_or(line))
    }

    /// Its end, if it has ended.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.0.try_wait().expect("a child of this process")
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// The most memory that it has had resident, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it has memory");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    /// How many files it has open, connections among them.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).expect("a process").count()
    }

    /// What it says to its end, after the lines that were read before.
    pub(crate) fn rest_of_output(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// `kill -9`. Returns once the process is gone.
    pub(crate) fn kill(&mut self) {
        self.child.0.kill().expect("a child of this process");
        self.child.wait();
    }

    /// Sends another signal, by its name: TERM, STOP, CONT.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.0.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs");
        assert!(sent.success(), "{name} to {id}");
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait()
    }

    /// What it has written to standard error so far, in all its lives.
    pub(crate) fn log_text(&self) -> String {
        let mut text = String::new();
        File::open(&self.log).and_then(|mut file| file.read_to_string(&mut text)).expect("a readable log");
        text
    }
}

/// Waits until a condition holds. The test ends here if that does not happen.
pub(crate) fn eventually(what: &str, holds: impl FnMut() -> bool) {
    assert!(within(PATIENCE, holds), "it never happened that {what}");
}

/// Waits until a condition holds, but no longer than this. Says whether it came to hold.
pub(crate) fn within(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() >= patience {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}
