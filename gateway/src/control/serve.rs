use std::fs;
use std::io::{self, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gt_ledger::Ledger;
use gt_projections::Queries;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{MAX_REQUEST, Refused, Request, address, read_line};
use crate::access::recorder::{ReadingAtRest, Recorder};
use crate::problem::Problem;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the thread looks whether somebody has come, or it is to end.
const PAUSE: Duration = Duration::from_millis(50);

/// How a reading is sealed from a thread that is none of the runtime's.
pub(crate) struct Recording {
    pub(crate) recorder: Recorder,
    pub(crate) runtime: Handle,
}

/// The listening end of the socket, on a thread of its own. It ends when this is dropped.
pub(crate) struct Control {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Listens for a ledger that has its folder's lock: a socket that is there is nobody's.
    pub(crate) fn listen(
        data: &Path,
        ledger: Arc<Ledger>,
        views: Queries,
        recording: Recording,
    ) -> io::Result<Self> {
        let (path, folder) = address(data)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("gt-control".into()).spawn(move || {
            while !stopping.load(Ordering::Acquire) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        if let Err(error) = answer(&stream, &ledger, &views, &recording) {
                            tracing::warn!(%error, "a request on the control socket got no answer");
                        }
                    }
                    Err(_) => std::thread::sleep(PAUSE),
                }
            }
            // It may be gone with the folder.
            let _ = fs::remove_file(&path);
            drop(folder);
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Recording {
    /// Seals it, and says in which entry.
    pub(crate) fn seal(&self, reading: &ReadingAtRest) -> Result<Value, Refused> {
        let sealed = self.runtime.block_on(self.recorder.read_at_rest(reading));
        let refused = |problem: Problem| {
            let because = problem.fact("because").and_then(Value::as_str).map(|code| format!(" ({code})"));
            let because = because.unwrap_or_default();
            Refused::new(
                problem.code(),
                format!("the reading cannot be sealed, so there is no bundle{because}"),
            )
        };
        sealed.map(|recorded| json!({"index": recorded.index})).map_err(refused)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn answer(stream: &UnixStream, ledger: &Ledger, views: &Queries, recording: &Recording) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let line = read_line(BufReader::new(stream), MAX_REQUEST)?;
    let request = serde_json::from_slice::<Request>(&line);
    let done = match request {
        Ok(Request::RecordReading(reading)) => recording.seal(&reading),
        Ok(request) => request.carry_out(ledger, Some(views)),
        Err(_) => Err(Refused::new("bad_request", "this ledger does not know what is asked of it")),
    };
    let text = match done {
        Ok(done) => json!({"done": done}),
        Err(refused) => json!({"refused": refused}),
    };
    let mut stream = stream;
    writeln!(stream, "{text}")
}
