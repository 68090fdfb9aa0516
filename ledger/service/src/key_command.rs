//! A command that hands over a key: the way to a key store of the machine's, a KMS or an HSM.
//!
//! It is run without a shell, with one more argument that says what is wanted of it. Its standard output is the key; nothing of it, or of
//! what it writes to standard error, is ever shown.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// How long it may take.
const MOST_TIME: Duration = Duration::from_secs(30);
/// So much is set aside at once, so that no copy of a key stays behind where the buffer grew.
const BUFFER: usize = 8192;
const STEP: Duration = Duration::from_millis(5);

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCommand {
    words: Vec<String>,
    most_time: Duration,
    most_output: u64,
}

/// Why a key command gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The line names no program, or a quotation mark is not closed.
    #[error("{option} names no program, or a quotation mark in it is not closed")]
    Line {
        /// The option.
        option: &'static str,
    },
    /// It cannot be run.
    #[error("the key command {program} cannot be run: {source}")]
    Run {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It took too long.
    #[error("the key command {program} {verb} gave no answer within {seconds} s and was ended")]
    TimedOut {
        /// The program.
        program: String,
        /// What it was asked.
        verb: String,
        /// How long it had.
        seconds: u64,
    },
    /// It failed.
    #[error(
        "the key command {program} {verb} failed ({status}); run it yourself to see why, for nothing that it says is shown here"
    )]
    Failed {
        /// The program.
        program: String,
        /// What it was asked.
        verb: String,
        /// Its exit status.
        status: String,
    },
    /// It said more than a key is long.
    #[error("the key command {program} {verb} says more than a key is long")]
    TooMuch {
        /// The program.
        program: String,
        /// What it was asked.
        verb: String,
    },
}

impl KeyCommand {
    /// Splits the line that an option gives into words at white space; what stands between single or double quotation marks is one word.
    /// It may say `most_output` bytes.
    pub(crate) fn parse(option: &'static str, line: &str, most_output: u64) -> Result<Self, CommandError> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for character in line.chars() {
            match quote {
                Some(mark) if character == mark => quote = None,
                None if character.is_whitespace() => words.extend(word.take()),
                None if ['"', '\''].contains(&character) => {
                    quote = Some(character);
                    word.get_or_insert_default();
                }
                Some(_) | None => word.get_or_insert_default().push(character),
            }
        }
        words.extend(word);
        if quote.is_some() || words.first().is_none_or(String::is_empty) {
            return Err(CommandError::Line { option });
        }
        Ok(Self { words, most_time: MOST_TIME, most_output })
    }

    /// The program's name.
    pub(crate) fn program(&self) -> &str {
        &self.words[0]
    }

    /// Runs it, and returns what it says on standard output.
    pub(crate) fn run(&self, verb: &str) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        let program = || self.program().to_owned();
        let run = |source| CommandError::Run { program: program(), source };
        let mut child = Command::new(self.program())
            .args(&self.words[1..])
            .arg(verb)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(run)?;
        let output = self.output(&mut child, verb);
        if output.is_err() {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let (output, deadline) = match output {
            Ok(output) => output,
            Err(error) => {
                let _ = child.wait();
                return Err(error);
            }
        };
        let status = loop {
            match child.try_wait().map_err(run)? {
                Some(status) => break status,
                None if Instant::now() < deadline => std::thread::sleep(STEP),
                None => {
                    let _ = child.kill().and_then(|()| child.wait());
                    return Err(self.timed_out(verb));
                }
            }
        };
        if status.success() {
            return Ok(output);
        }
        Err(CommandError::Failed { program: program(), verb: verb.to_owned(), status: status.to_string() })
    }

    /// Reads what it says, on a thread of its own: something that it has started may keep the pipe open for ever.
    fn output(&self, child: &mut Child, verb: &str) -> Result<(Zeroizing<Vec<u8>>, Instant), CommandError> {
        let deadline = Instant::now() + self.most_time;
        let program = || self.program().to_owned();
        let stdout = child.stdout.take().expect("it was asked for");
        let (most_output, (sender, answer)) = (self.most_output, sync_channel(1));
        std::thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::with_capacity(BUFFER));
            let read = stdout.take(most_output + 1).read_to_end(&mut bytes).map(|_| bytes);
            // Nobody may be waiting any more.
            let _ = sender.send(read);
        });
        match answer.recv_timeout(self.most_time) {
            Ok(Ok(bytes)) if bytes.len() as u64 > self.most_output => {
                Err(CommandError::TooMuch { program: program(), verb: verb.to_owned() })
            }
            Ok(Ok(bytes)) => Ok((bytes, deadline)),
            Ok(Err(source)) => Err(CommandError::Run { program: program(), source }),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(self.timed_out(verb)),
        }
    }

    fn timed_out(&self, verb: &str) -> CommandError {
        CommandError::TimedOut {
            program: self.program().to_owned(),
            verb: verb.to_owned(),
            seconds: self.most_time.as_secs(),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<KeyCommand, CommandError> {
        KeyCommand::parse("--kek-command", line, 256)
    }

    fn shell(script: &str) -> KeyCommand {
        // The verb becomes $0.
        parse(&format!("/bin/sh -c '{script}'")).expect("a line")
    }

    #[test]
    fn words_are_split_as_one_expects() {
        let words = |line| parse(line).map(|command| command.words).ok();
        assert_eq!(words("  a  'b c' d\"e f\" ''"), Some(["a", "b c", "de f", ""].map(String::from).into()));
        for line in ["", "  ", "a 'b", "'' a"] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn it_is_told_what_it_is_asked_and_its_output_comes_back() {
        assert_eq!(*shell("echo $0").run("current").expect("runs"), b"current\n");
    }

    #[test]
    fn a_failing_an_endless_and_a_hanging_command_are_refused() {
        assert!(matches!(shell("echo x; exit 3").run("next"), Err(CommandError::Failed { .. })));
        assert!(matches!(shell("yes").run("next"), Err(CommandError::TooMuch { .. })));
        let quick = |script| KeyCommand { most_time: Duration::from_millis(50), ..shell(script) };
        assert!(matches!(quick("exec sleep 60").run("next"), Err(CommandError::TimedOut { .. })));
        assert!(matches!(quick("exec >&-; exec sleep 60").run("next"), Err(CommandError::TimedOut { .. })));
        let missing = parse("/nowhere/at/all").expect("a line");
        assert!(matches!(missing.run("next"), Err(CommandError::Run { .. })));
    }
}
