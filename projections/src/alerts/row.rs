//! The rows of alerts.

use gt_core::position::LeafIndex;
use gt_schemas::AlertOutcome;

use super::{AlertId, Handling, HandlingStep};
use crate::bytes::{Reader, Writer};
use crate::history::Mark;
use crate::notation::moment;
use crate::patterns::Pattern;
use crate::subject::{Subject, Unit};

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) pattern: Pattern,
    pub(crate) about: Subject,
    /// The unit whose events it was found in.
    pub(crate) unit: Unit,
    /// JSON.
    pub(crate) thresholds: String,
    pub(crate) window: (i64, i64),
    pub(crate) entries: Vec<u64>,
    pub(crate) sentence: String,
    /// When it fired or will fire.
    pub(crate) raised_at: i64,
    /// The entry that made it fire, or started the clock.
    pub(crate) raised_by: u64,
}

/// A change of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// From here on it says this.
    Stands(Content),
    /// From here on there is no reason for it. `raised`: whether it had fired by then. The content is the last one.
    Withdrawn { content: Content, raised: bool, replaced_by: Option<AlertId> },
}

/// What somebody did about an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandledRow {
    pub(crate) mark: Mark,
    pub(crate) agency: String,
    pub(crate) what: Handled,
    /// What took it back.
    pub(crate) taken_back: Option<Mark>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Handled {
    /// Assigned to this agency, if one was named.
    Assigned(Option<String>),
    /// Reviewed, with this outcome.
    Reviewed(AlertOutcome),
}

impl Content {
    /// The row of the change by which it stands.
    pub(crate) fn to_row(&self, received_at: i64) -> Vec<u8> {
        self.write(Writer::default().signed(received_at).number(0)).finish()
    }

    fn write(&self, writer: Writer) -> Writer {
        let mut last = 0;
        let pattern = Pattern::ALL.iter().position(|pattern| *pattern == self.pattern).unwrap_or_default();
        let mut writer = writer
            .number(pattern as u64)
            .bytes(&self.about.to_bytes())
            .bytes(&self.unit.to_bytes())
            .text(&self.thresholds)
            .signed(self.window.0)
            .signed(self.window.1)
            .text(&self.sentence)
            .signed(self.raised_at)
            .number(self.raised_by)
            .number(self.entries.len() as u64);
        // Entries are sorted: what they are apart is short.
        for entry in &self.entries {
            writer = writer.number(entry - last);
            last = *entry;
        }
        writer
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pattern = *Pattern::ALL.get(usize::try_from(reader.number()?).ok()?)?;
        let about = Subject::from_bytes(reader.bytes()?)?;
        let (unit, rest) = Unit::split(reader.bytes()?)?;
        if !rest.is_empty() {
            return None;
        }
        let thresholds = reader.text()?.to_owned();
        let window = (reader.signed()?, reader.signed()?);
        let sentence = reader.text()?.to_owned();
        let (raised_at, raised_by) = (reader.signed()?, reader.number()?);
        let mut last = 0_u64;
        let entries = reader.list(|reader| {
            last = last.checked_add(reader.number()?)?;
            Some(last)
        })?;
        Some(Self { pattern, about, unit, thresholds, window, entries, sentence, raised_at, raised_by })
    }
}

impl Change {
    pub(crate) fn to_row(&self, received_at: i64) -> Vec<u8> {
        match self {
            Self::Stands(content) => content.to_row(received_at),
            Self::Withdrawn { content, raised, replaced_by } => {
                let writer = Writer::default().signed(received_at).number(1).flag(*raised);
                let writer = writer.optional(replaced_by.as_ref(), |writer, id| writer.id(id.as_bytes()));
                content.write(writer).finish()
            }
        }
    }

    /// The change, and when the entry was received that caused it.
    pub(crate) fn from_row(row: &[u8]) -> Option<(i64, Self)> {
        let mut reader = Reader::new(row);
        let received_at = reader.signed()?;
        let change = match reader.number()? {
            0 => Self::Stands(Content::read(&mut reader)?),
            1 => {
                let raised = reader.flag()?;
                let replaced_by = reader.optional(Reader::id)?.map(AlertId::from_bytes);
                Self::Withdrawn { raised, replaced_by, content: Content::read(&mut reader)? }
            }
            _ => return None,
        };
        reader.finish((received_at, change))
    }
}

impl HandledRow {
    pub(crate) fn to_row(&self) -> Vec<u8> {
        let writer = Writer::default().signed(self.mark.received_at).text(&self.agency);
        match &self.what {
            Handled::Assigned(to) => writer.number(0).optional(to.as_deref(), Writer::text),
            Handled::Reviewed(outcome) => writer.number(1).text(outcome.as_str()),
        }
        .optional(self.taken_back, |writer, mark| writer.number(mark.index).signed(mark.received_at))
        .finish()
    }

    pub(crate) fn from_row(index: u64, row: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(row);
        let mark = Mark { index, received_at: reader.signed()? };
        let agency = reader.text()?.to_owned();
        let what = match reader.number()? {
            0 => Handled::Assigned(reader.optional(|reader| reader.text().map(str::to_owned))?),
            1 => Handled::Reviewed(AlertOutcome::parse(reader.text()?)?),
            _ => return None,
        };
        let taken_back = reader
            .optional(|reader| Some(Mark { index: reader.number()?, received_at: reader.signed()? }))?;
        reader.finish(Self { mark, agency, what, taken_back })
    }

    pub(crate) fn to_handling(&self) -> Handling {
        Handling {
            index: LeafIndex(self.mark.index),
            received_at: moment(self.mark.received_at),
            agency: self.agency.clone(),
            step: match &self.what {
                Handled::Assigned(to) => HandlingStep::Assigned { to: to.clone() },
                Handled::Reviewed(outcome) => HandlingStep::Reviewed { outcome: outcome.as_str() },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_ledger::record::OwnerId;

    #[test]
    fn changes_and_handling_round_trip() {
        let child = OwnerId::from_bytes([5; 16]);
        let content = Content {
            pattern: Pattern::SilentEdge,
            about: Subject::Edge { from: "ods:RX1".into(), to: "police:32".into() },
            unit: Unit::Child(child),
            thresholds: "{}".into(),
            window: (-1, 7),
            entries: vec![0, 3, 900],
            sentence: "Look.".into(),
            raised_at: 12,
            raised_by: 900,
        };
        let withdrawn =
            |replaced_by| Change::Withdrawn { content: content.clone(), raised: true, replaced_by };
        let id = AlertId::from_bytes([9; 16]);
        for change in [Change::Stands(content.clone()), withdrawn(None), withdrawn(Some(id))] {
            assert_eq!(Change::from_row(&change.to_row(-7)), Some((-7, change)));
        }
        let mark = Mark { index: 4, received_at: 8 };
        for what in [
            Handled::Assigned(None),
            Handled::Assigned(Some("police:32".into())),
            Handled::Reviewed(AlertOutcome::Escalated),
        ] {
            for taken_back in [None, Some(Mark { index: 9, received_at: -1 })] {
                let row = HandledRow { mark, agency: "gss:E06000999".into(), what: what.clone(), taken_back };
                assert_eq!(HandledRow::from_row(4, &row.to_row()), Some(row));
            }
        }
    }
}
