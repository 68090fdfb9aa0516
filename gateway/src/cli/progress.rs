use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;

/// A bar on standard error that shows how many entries are done, if a person sits there; nothing with `--json`.
pub(crate) struct EntriesBar(Option<ProgressBar>);

impl EntriesBar {
    pub(crate) fn new(output: &Output, doing: &'static str) -> Self {
        let bar = (!output.is_json() && std::io::stderr().is_terminal()).then(ProgressBar::no_length);
        if let Some(bar) = &bar {
            let style =
                ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} entries, {per_sec}, {eta} left");
            bar.set_style(style.expect("the template is well-formed"));
            bar.set_message(doing);
        }
        Self(bar)
    }

    pub(crate) fn show(&self, done: u64, total: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}

impl Drop for EntriesBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
