//! For somebody who asks to see the record: first the folder for the person who decides, then the copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gt_core::bundle::{About, Bundle};
use gt_core::time::Timestamp;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_schemas::AccessPurpose;
use serde_json::json;

use super::{BundleCommand, Child, Made, NEVER, What, check};
use crate::cli::new_file::{NewFile, NewFolder};
use crate::cli::output::Output;
use crate::cli::registrar::about;
use crate::cli::{Failure, Outcome};
use crate::evidence::count;
use crate::evidence::subject_access::{Decided, Grown, Worksheet, copy, decided, grown, page};

/// The files of the folder.
const FULL: &str = "full.bundle.json";
const WORKSHEET: &str = "worksheet.json";
const WORKSHEET_PAGE: &str = "worksheet.html";

impl BundleCommand {
    pub(super) fn for_the_subject(mut self, output: &Output) -> Outcome {
        self.purpose.get_or_insert_with(|| AccessPurpose::SubjectRights.as_str().to_owned());
        match self.decisions.take() {
            None => self.worksheet(output),
            Some(worksheet) => self.copy(&worksheet, output),
        }
    }

    fn worksheet(self, output: &Output) -> Outcome {
        let folder = NewFolder::take(&self.out, NEVER)?;
        let take = |name: &str| NewFile::take(&self.out.join(name), NEVER);
        let mut files = [take(FULL)?, take(WORKSHEET)?, take(WORKSHEET_PAGE)?];
        let Made { bundle, text, .. } = self.make(&self.what()?, &[])?;
        let worksheet = Worksheet::of(&bundle)?;
        let json = serde_json::to_string_pretty(&worksheet)? + "\n";
        for (file, text) in files.iter_mut().zip([text, json, page::of_worksheet(&worksheet)]) {
            file.write(&text)?;
        }
        files.into_iter().for_each(NewFile::keep);
        folder.keep();
        let marked = worksheet.items.iter().filter(|item| !item.may_apply.is_empty()).count();
        let said = json!({
            "folder": self.out,
            "bundle": self.out.join(FULL),
            "worksheet": self.out.join(WORKSHEET),
            "page": self.out.join(WORKSHEET_PAGE),
            "entries": bundle.records.len(),
            "items": worksheet.items.len(),
            "marked": marked,
            "elsewhere": worksheet.elsewhere.len(),
        });
        output.say(&said, || {
            format!(
                "The record has {} entries, and {} items to decide on; of {marked} something may stand against disclosure. Nothing is decided.\n\
                 \n  everything  {}\n  worksheet   {}\n  to print    {}\n\
                 \nThe folder holds other people's data too: it is for the person who decides, and is deleted when the request is closed. When every\n\
                 decision is made:\n\
                 \n  goldenthread bundle --subject-access --decisions {} … --out copy.bundle.json",
                bundle.records.len(),
                worksheet.items.len(),
                self.out.join(FULL).display(),
                self.out.join(WORKSHEET).display(),
                self.out.join(WORKSHEET_PAGE).display(),
                self.out.join(WORKSHEET).display(),
            )
        });
        Ok(ExitCode::SUCCESS)
    }

    fn copy(mut self, worksheet: &Path, output: &Output) -> Outcome {
        let page_file = self.html.clone().unwrap_or_else(|| self.out.with_extension("html"));
        if page_file == self.out {
            return Err(Failure::new("--out and --html name one file; the copy and its page are two"));
        }
        let (mut file, mut page) = (NewFile::take(&self.out, NEVER)?, NewFile::take(&page_file, NEVER)?);
        let bytes = read_worksheet(worksheet)?;
        let full = read_full(&worksheet.with_file_name(FULL))?;
        let decided = decided(&bytes, &full).map_err(|error| about(worksheet, &error))?;
        let since = self.since(&full)?;
        let made_at =
            Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH);
        let copy = copy(&full, &decided, made_at);
        let text = copy.to_string();
        check(&text, None, &[])?;
        page.write(&page::of_copy(&copy, &decided.worksheet, &decided.stated)?)?;
        file.write(&text)?;
        file.keep();
        page.keep();
        self.html = Some(page_file);
        self.tell_of_copy(&decided, &since, output);
        Ok(ExitCode::SUCCESS)
    }

    /// Asks the ledger how the record stands now; refuses if there is anything that nobody has decided on.
    fn since(&mut self, full: &Bundle) -> Result<Grown, Failure> {
        let About::Child { subjects } = &full.manifest.about else {
            return Err(Failure::new("the bundle beside the worksheet is not about a child"));
        };
        let Some(subject) = subjects.first() else {
            return Err(Failure::new("the bundle beside the worksheet names nobody"));
        };
        self.bare = true;
        let Made { bundle: now, pin, .. } =
            self.make(&What::Child(Child::Pseudonym(subject.clone())), &[])?;
        check(&full.to_string(), pin.as_ref(), &[])?;
        let since = grown(full, &now)?;
        if !since.erased.is_empty() {
            let entries: Vec<String> = since.erased.iter().map(ToString::to_string).collect();
            return Err(Failure::new(format!(
                "something in these entries was erased since the worksheet was made, and no copy of it may go out: {}; make the worksheet anew",
                entries.join(", ")
            )));
        }
        if !since.new.is_empty() {
            let new: Vec<String> =
                since.new.iter().map(|(entry, kind)| format!("entry {entry} ({kind})")).collect();
            return Err(Failure::new(format!(
                "the record has grown since the worksheet was made: {}; make the worksheet anew, and decide on these too",
                new.join(", ")
            )));
        }
        Ok(since)
    }

    fn tell_of_copy(&self, decided: &Decided, since: &Grown, output: &Output) {
        let withheld = decided.withheld();
        let stated: Vec<&str> = decided.stated.iter().map(|exemption| exemption.code.as_str()).collect();
        let said = json!({
            "copy": self.out,
            "page": self.html,
            "items": decided.worksheet.items.len(),
            "withheld": withheld,
            "withheld_silently": decided.silent,
            "exemptions_stated": stated,
            "read_since": since.read,
        });
        output.say(&said, || {
            let mut lines = vec![format!(
                "The copy leaves out {withheld} of {} items. It names {}.",
                decided.worksheet.items.len(),
                if stated.is_empty() { "no exemption".to_owned() } else { stated.join(", ") }
            )];
            if decided.silent > 0 {
                lines.push(format!(
                    "{} of them in silence. The page shows no trace of them. The copy does: it says neither what nor why, but that there is an entry, or a\n\
                     member of a statement, which is withheld. If even that must not be known, hand out the page alone.",
                    decided.silent
                ));
            }
            if since.read > 0 {
                lines.push(format!(
                    "The ledger has recorded {} of the record since, those for this request among them. They are in a later worksheet.",
                    count(since.read, "more reading", "more readings")
                ));
            }
            lines.push(format!(
                "  copy  {}\n  page  {}",
                self.out.display(),
                self.html.as_deref().unwrap_or(&self.out).display()
            ));
            lines.push("\nRecord the outcome: a subject_access.received statement with outcome and exemption.".to_owned());
            lines.join("\n")
        });
    }
}

fn read_worksheet(file: &Path) -> Result<Vec<u8>, Failure> {
    if file.is_dir() {
        let worksheet = file.join(WORKSHEET);
        return Err(Failure::new(format!(
            "--decisions {} is a folder. Give the worksheet in it: {}",
            file.display(),
            worksheet.display()
        )));
    }
    fs::read(file).map_err(|error| {
        Failure::new(format!("{}, the worksheet of --decisions: {error}", whole(file).display()))
    })
}

fn read_full(file: &Path) -> Result<Bundle, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(format!(
            "{}, the full bundle that was made with the worksheet and must lie beside it: {error}",
            whole(file).display()
        ))
    };
    let size = fs::metadata(file).map_err(unreadable)?.len();
    if size > gt_core::bundle::MAX_BUNDLE_BYTES as u64 {
        return Err(Failure::new(format!("{} is longer than any bundle", file.display())));
    }
    let bytes = fs::read(file).map_err(unreadable)?;
    Bundle::parse(&bytes).map_err(|error| about(file, &error))
}

/// The whole path, for a file that its reader has not named.
fn whole(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}
