use std::io::{self, BufRead, Read as _, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gt_schemas::{Identifier, IdentifierError, PartnershipKey, Scheme};
use serde_json::json;

use super::output::Output;
use super::registrar::about;
use super::{Failure, Outcome};
use crate::client::Problem;
use crate::keyfile::{generate_partnership_key, read_partnership_key};
use crate::publish::refused_line;

/// The longest line that is read, in bytes. No identifier comes near it.
const MAX_LINE_BYTES: usize = 1024;

#[derive(Args)]
pub(crate) struct Pseudonym {
    /// Make a new key for the partnership, in a file that is never overwritten. All its agencies need the same key; the
    /// ledger must not have it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["partnership_key", "scheme"])]
    new_key: Option<PathBuf>,
    /// The new key's epoch: 1 for a partnership's first key, one more for each that replaces it.
    #[arg(long, requires = "new_key", value_name = "NUMBER")]
    epoch: Option<NonZeroU16>,
    /// The partnership's key file.
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    partnership_key: Option<PathBuf>,
    /// What the values are: nhs, upn, laid, staff, uprn, postcode or ctx. They are read from standard input, one a line,
    /// and not from the command line, which the shell would remember.
    #[arg(long, required_unless_present = "new_key", value_parser = scheme)]
    scheme: Option<Scheme>,
}

fn scheme(text: &str) -> Result<Scheme, String> {
    Scheme::parse(text).ok_or_else(|| format!("expected one of {}", Scheme::CODES.join(", ")))
}

impl Pseudonym {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        if let Some(file) = &self.new_key {
            let epoch = self.epoch.unwrap_or(NonZeroU16::MIN);
            generate_partnership_key(file, epoch).map_err(|error| about(file, &error))?;
            output.say(&json!({"partnership_key": file, "epoch": epoch}), || {
                format!(
                    "partnership key  {} (epoch {epoch})\n\nEvery agency of the partnership needs a copy, brought there as a secret. Whoever has it can find out whom a pseudonym stands for.",
                    file.display()
                )
            });
            return Ok(ExitCode::SUCCESS);
        }
        let (Some(file), Some(scheme)) = (&self.partnership_key, self.scheme) else {
            return Err(Failure::new(
                "say what to do: --new-key FILE, or --partnership-key FILE and --scheme SCHEME",
            ));
        };
        let key = read_partnership_key(file).map_err(|error| about(file, &error))?;
        let answering = Answering { key, scheme, json: output.is_json() };
        let all = answering.answer(io::stdin().lock(), &mut io::stdout().lock(), &mut io::stderr());
        let all =
            all.map_err(|error| Failure::new(format!("the values cannot be read or answered: {error}")))?;
        Ok(ExitCode::from(u8::from(!all)))
    }
}

struct Answering {
    key: PartnershipKey,
    scheme: Scheme,
    json: bool,
}

impl Answering {
    /// Answers each line of the input with a line of the output, and says whether none was refused. A refused line's
    /// answer is empty, and the rule that it breaks goes to `errors`; as JSON it is a problem. Blank lines are no values.
    fn answer(
        &self,
        mut input: impl BufRead,
        output: &mut impl Write,
        errors: &mut impl Write,
    ) -> io::Result<bool> {
        let mut all = true;
        for number in 1.. {
            let mut line = Vec::new();
            if input.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.len() > MAX_LINE_BYTES && !line.ends_with(b"\n") {
                input.skip_until(b'\n')?;
            }
            if line.trim_ascii().is_empty() {
                if !self.json {
                    writeln!(output)?;
                }
                continue;
            }
            match (self.pseudonym(&line), self.json) {
                (Ok(pseudonym), false) => writeln!(output, "{pseudonym}")?,
                (Ok(pseudonym), true) => {
                    writeln!(output, "{}", json!({"line": number, "pseudonym": pseudonym}))?;
                }
                (Err(error), json) => {
                    all = false;
                    if json {
                        let problem =
                            Problem::new(422, error.code(), "The value is refused", &error.to_string());
                        writeln!(output, "{}", refused_line(number, None, &problem))?;
                    } else {
                        writeln!(output)?;
                        writeln!(errors, "goldenthread: line {number} {error}")?;
                    }
                }
            }
            output.flush()?;
        }
        Ok(all)
    }

    fn pseudonym(&self, line: &[u8]) -> Result<String, IdentifierError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(IdentifierError::Length { expected: "at most 1024 bytes" });
        }
        let text = str::from_utf8(line).map_err(|_| IdentifierError::Characters { expected: "UTF-8" })?;
        let identifier = Identifier::of(self.scheme, text)?;
        Ok(self.key.pseudonym(&identifier).as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use zeroize::Zeroizing;

    const INPUT: &[u8] = b"999 000 0018\n\n9990000017\r\n\xff\n9990000026";

    fn answered(json: bool, input: &[u8]) -> (bool, String, String) {
        let key = PartnershipKey::new(NonZeroU16::MIN, Zeroizing::new([7; 32]));
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let answering = Answering { key, scheme: Scheme::Nhs, json };
        let all = answering.answer(input, &mut output, &mut errors).unwrap();
        (all, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap())
    }

    #[test]
    fn every_line_has_its_answer_in_its_place() {
        let (all, output, errors) = answered(false, INPUT);
        let lines: Vec<&str> = output.lines().collect();
        let in_place: Vec<bool> = lines.iter().map(|line| line.starts_with("nhs.1:")).collect();
        assert_eq!((all, in_place), (false, vec![true, false, false, false, true]));
        assert!(lines[1].is_empty() && lines[2].is_empty() && lines[3].is_empty());
        let expected = "goldenthread: line 3 fails its check: at least one character is wrong\n\
                        goldenthread: line 4 has other characters than UTF-8\n";
        assert_eq!(errors, expected);
        let (all, _, errors) = answered(false, b"9990000018\n");
        assert_eq!((all, errors.as_str()), (true, ""));
    }

    #[test]
    fn as_json_a_line_is_a_pseudonym_or_a_problem_without_the_value() {
        let (all, output, errors) = answered(true, INPUT);
        let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let said: Vec<_> =
            lines.iter().map(|line| (line["line"].as_u64(), line["problem"]["code"].as_str())).collect();
        let expected = [
            (Some(1), None),
            (Some(3), Some("check_character")),
            (Some(4), Some("characters")),
            (Some(5), None),
        ];
        assert_eq!((all, errors.as_str(), &said[..]), (false, "", &expected[..]));
        assert!(lines[0]["pseudonym"].as_str().unwrap().starts_with("nhs.1:"));
        assert!(!output.contains("999000"), "{output}");
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_and_the_next_one_is_read() {
        let input = [vec![b'9'; 5000], b"\n9990000018\n".to_vec()].concat();
        let (all, output, errors) = answered(false, &input);
        assert_eq!((all, output.lines().count()), (false, 2));
        assert!(output.ends_with(&answered(false, b"9990000018\n").1));
        assert_eq!(errors, "goldenthread: line 1 has the wrong length; expected at most 1024 bytes\n");
    }
}
