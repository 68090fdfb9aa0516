//! Asking the views of a running ledger: a command for each view, with the filters that it takes and no others.

mod alerts;
mod asking;
mod filters;
mod practice;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub(crate) use alerts::Alerts;

use super::output::Output;
use super::{Failure, Outcome};
use asking::{Asking, Question};

#[derive(Args)]
pub(crate) struct Query {
    #[command(subcommand)]
    view: View,
}

/// What can be asked for.
#[derive(Subcommand)]
enum View {
    #[command(flatten)]
    List(Box<List>),
    /// The systems that may sign, and those that no longer may.
    Publishers(practice::Whole),
    /// Forks of publishers' chains and the like.
    Integrity(practice::Whole),
}

/// What can be asked for in parts, and as it stood at another time.
#[derive(Subcommand)]
enum List {
    /// Decisions to share or withhold, and what the rules of practice say of them.
    #[command(after_help = "\
Examples:
  goldenthread query decisions --decision Withhold --newest-first
  goldenthread query decisions --agency police:32 --finding E1
  goldenthread query decisions --location uprn.1:… --harm-level SignificantHarm --from 2026-01-01T00:00:00Z
  goldenthread query decisions --as-of 2026-03-31T00:00:00Z --format csv > decisions.csv")]
    Decisions(filters::Decisions),
    /// Everything about one child, in the order in which it happened.
    Timeline(filters::Timeline),
    /// Missing episodes: one child's, or everybody's. What several agencies report of one absence is one episode.
    Episodes(filters::Episodes),
    /// The identifiers that are one child's, and the entries that say so.
    Identities(filters::Identities),
    /// Who looked at one child's record and what for, and who was allowed to.
    Accesses(filters::Accesses),
    /// Requests for information with their clocks: those that nobody has answered, the most pressing first.
    #[command(after_help = "\
Examples:
  goldenthread query requests --agency gss:E06000999
  goldenthread query requests --state overdue
  goldenthread query requests --state all --rating Red --from 2026-03-01T00:00:00Z")]
    Requests(filters::Requests),
    /// Places and other contexts, those with the most children first.
    Contexts(filters::Contexts),
    /// The children linked to one place or other context.
    Location(filters::Location),
    /// Persons of concern, those with the most children first.
    Persons(filters::Persons),
    /// The children linked to one person of concern.
    Person(filters::Person),
    /// Who shares with whom: how often, and how long it takes from knowing to sharing.
    #[command(after_help = "\
Examples:
  goldenthread query sharing --sort median
  goldenthread query sharing --from police:32 --since 2026-01-01T00:00:00Z
  goldenthread query sharing --by agency")]
    Sharing(practice::Sharing),
    /// What the rules of practice say of decisions: E asks about the law, W warns.
    #[command(after_help = "\
Examples:
  goldenthread query findings --by agency
  goldenthread query findings --agency police:32 --code E1")]
    Findings(practice::Findings),
    /// Information sharing agreements: the one whose review is due first comes first.
    Agreements(practice::Agreements),
}

impl Query {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        const PUBLISHERS: &[&str] = &["publisher", "agency", "kind", "name", "revoked"];
        const INTEGRITY: &[&str] =
            &["pattern", "publisher", "agency", "entry", "suspect_from", "seq", "sealed", "refused"];
        let (asking, question) = match &self.view {
            View::Publishers(whole) => {
                whole.answer(output, "/v1/publishers", PUBLISHERS)?;
                return Ok(ExitCode::SUCCESS);
            }
            View::Integrity(whole) => {
                whole.answer(output, "/v1/integrity", INTEGRITY)?;
                return Ok(ExitCode::SUCCESS);
            }
            View::List(list) => list.question()?,
        };
        asking.answer(output, &question, |answer| show::show(answer, question.columns))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn question(&self) -> Result<(&Asking, Question), Failure> {
        Ok(match self {
            Self::Decisions(view) => (&view.asking, view.question()?),
            Self::Timeline(view) => (&view.asking, view.question()?),
            Self::Episodes(view) => (&view.asking, view.question()?),
            Self::Identities(view) => (&view.asking, view.question()?),
            Self::Accesses(view) => (&view.asking, view.question()?),
            Self::Requests(view) => (&view.asking, view.question()?),
            Self::Contexts(view) => (&view.asking, view.question()),
            Self::Location(view) => (&view.asking, view.question()?),
            Self::Persons(view) => (&view.asking, view.question()),
            Self::Person(view) => (&view.asking, view.question()?),
            Self::Sharing(view) => (&view.asking, view.question()),
            Self::Findings(view) => (&view.asking, view.question()),
            Self::Agreements(view) => (&view.asking, view.question()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        query: Query,
    }

    #[derive(Parser)]
    struct AlertsProgram {
        #[command(flatten)]
        alerts: Alerts,
    }

    fn refusal(arguments: &str) -> String {
        let arguments = ["goldenthread"].into_iter().chain(arguments.split(' '));
        Program::try_parse_from(arguments).map(drop).expect_err("it is refused").to_string()
    }

    #[test]
    fn the_commands_agree_with_themselves() {
        Program::command().debug_assert();
        AlertsProgram::command().debug_assert();
    }

    #[test]
    fn a_filter_of_another_view_is_refused_by_its_name() {
        for (arguments, named) in [
            ("timeline --child x --agency police:32", "--agency"),
            ("decisions --rating Red", "--rating"),
            ("location --location x --child y", "--child"),
            ("persons --kind Place", "--kind"),
            ("episodes --child x --state open", "--state"),
            ("findings --sort code", "--by"),
            ("timeline", "--child"),
            ("decisions --decision Maybe", "Withhold"),
            ("requests --state late", "overdue"),
            ("publishers --limit 5", "--limit"),
            ("integrity --format csv", "json"),
        ] {
            let said = refusal(arguments);
            assert!(said.contains(named), "{arguments}: {said}");
        }
    }

    /// Ids are base64url: one in 64 begins with a hyphen.
    #[test]
    fn an_alert_whose_id_begins_with_a_hyphen_can_be_asked_for() {
        let asked = AlertsProgram::try_parse_from(["goldenthread", "--id", "-A4RHl8jvi2cT0ZkNPsr7Q"]);
        assert!(asked.is_ok());
    }

    #[test]
    fn the_help_of_a_view_has_its_filters_their_codes_and_examples() {
        let mut command = Program::command();
        let decisions = command.find_subcommand_mut("decisions").expect("there are decisions");
        let help = decisions.render_help().to_string();
        for said in [
            "Which decisions:",
            "--harm-level <HARM_LEVEL>",
            "SignificantHarm",
            "SharePart",
            "--as-of <TIME>",
            "Examples:",
        ] {
            assert!(help.contains(said), "{said} is missing: {help}");
        }
        let alerts = AlertsProgram::command().render_long_help().to_string();
        assert!(alerts.contains("silent-edge: "), "{alerts}");
    }
}
