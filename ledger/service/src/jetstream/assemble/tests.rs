use super::*;
use crate::jetstream::message::{KEYS_SUBJECT, KeyEpoch, encode, subject, tests};
use proptest::prelude::*;

const TYPES: [&str; 2] = ["missing.started", "decision.recorded"];

/// What can stand in a stream, one piece after the other.
#[derive(Debug, Clone)]
enum Piece {
    /// A whole batch: atomic, or of one as a plain message.
    Batch { length: u64, plain: bool },
    /// The beginning of an atomic batch, whose end never came.
    Torn { length: u64 },
    /// A message that is no part of any ledger.
    Foreign(Foreign),
}

#[derive(Debug, Clone, Copy)]
enum Foreign {
    NoHeaders,
    OtherSubject,
    NoEntry,
    NoHead,
    BadKeys,
    MiddleOfNothing,
    NoNumber,
    NoName,
}

const FOREIGN: [(Foreign, MessageFault); 8] = [
    (Foreign::NoHeaders, MessageFault::NoBatch),
    (Foreign::OtherSubject, MessageFault::Subject),
    (Foreign::NoEntry, MessageFault::Framing),
    (Foreign::NoHead, MessageFault::Header(header::HEAD)),
    (Foreign::BadKeys, MessageFault::Header(header::KEYS)),
    (Foreign::MiddleOfNothing, MessageFault::NoBatch),
    (Foreign::NoNumber, MessageFault::Header(header::BATCH_SEQUENCE)),
    (Foreign::NoName, MessageFault::Header(header::BATCH)),
];

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => (1..6_u64, any::<bool>()).prop_map(|(length, plain)| Piece::Batch { length, plain: plain && length == 1 }),
        2 => (1..5_u64).prop_map(|length| Piece::Torn { length }),
        2 => prop::sample::select(FOREIGN.to_vec()).prop_map(|(foreign, _)| Piece::Foreign(foreign)),
    ]
}

/// What reading a stream has brought, as far as tests compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Brought {
    Batch { first: u64, last: u64, name: String, leaves: Vec<gt_core::Hash>, closing: Box<Closing> },
    Void(Void),
    Missing { expected: u64, found: u64 },
}

fn brought(assembled: Assembled) -> Brought {
    match assembled {
        Assembled::Batch(batch) => Brought::Batch {
            first: batch.first,
            last: batch.last,
            name: batch.name,
            leaves: batch.entries.iter().map(|entry| entry.leaf_hash).collect(),
            closing: Box::new(batch.closing),
        },
        Assembled::Void(void) => Brought::Void(void),
        Assembled::Missing { expected, found } => Brought::Missing { expected, found },
    }
}

/// A stream, with what each of its messages must bring, and what is pending after each.
#[derive(Default)]
struct Sample {
    messages: Vec<StoredMessage>,
    brings: Vec<Vec<Brought>>,
    pending: Vec<Option<u64>>,
    size: u64,
    /// Broken runs that no batch has followed yet.
    broken: Vec<Void>,
}

impl Sample {
    fn of(pieces: &[Piece]) -> Self {
        let mut sample = Self::default();
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Batch { length, plain } => sample.batch(&format!("batch{at}"), *length, *plain),
                Piece::Torn { length } => sample.torn(&format!("torn{at}"), *length),
                Piece::Foreign(foreign) => sample.foreign(*foreign),
            }
        }
        sample
    }

    fn next(&self) -> u64 {
        self.messages.len() as u64 + 1
    }

    fn push(&mut self, message: StoredMessage, brings: Vec<Brought>, run: Option<u64>) {
        self.messages.push(message);
        self.brings.push(brings);
        self.pending.push(self.broken.first().map(|void| void.first).or(run));
    }

    fn message(&self, entry: &SealedEntry) -> StoredMessage {
        StoredMessage {
            sequence: self.next(),
            subject: subject(entry).expect("framed"),
            headers: Vec::new(),
            payload: encode(entry),
        }
    }

    fn entry(&self, ahead: u64) -> SealedEntry {
        let index = self.size + ahead;
        tests::sealed(index, TYPES[usize::try_from(index % 2).expect("small")], b"text")
    }

    fn closing(&self, length: u64) -> (Closing, Vec<(&'static str, String)>) {
        let closing = tests::closing(self.size + length, length.is_multiple_of(2));
        let headers = closing.to_headers();
        (closing, headers)
    }

    fn batch(&mut self, name: &str, length: u64, plain: bool) {
        let first = self.next();
        let (closing, mut of_last) = self.closing(length);
        let mut leaves = Vec::new();
        for at in 0..length {
            let entry = self.entry(at);
            leaves.push(entry.leaf_hash);
            let mut message = self.message(&entry);
            if !plain {
                message.headers.push((header::BATCH_ID, format!("{name}.0")));
                message.headers.push((header::BATCH_SEQUENCE, (at + 1).to_string()));
            }
            if at == 0 {
                message.headers.push((header::BATCH, name.to_owned()));
            }
            if at + 1 < length {
                self.push(message, Vec::new(), Some(first));
                continue;
            }
            message.headers.append(&mut of_last);
            if !plain {
                message.headers.push((header::BATCH_COMMIT, "1".into()));
            }
            let mut brings: Vec<Brought> = self.broken.drain(..).map(Brought::Void).collect();
            let (last, name, closing) = (message.sequence, name.to_owned(), Box::new(closing.clone()));
            brings.push(Brought::Batch { first, last, name, leaves: leaves.clone(), closing });
            self.push(message, brings, None);
        }
        self.size += length;
    }

    fn torn(&mut self, name: &str, length: u64) {
        let first = self.next();
        for at in 0..length {
            let mut message = self.message(&self.entry(at));
            message.headers.push((header::BATCH_ID, format!("{name}.0")));
            message.headers.push((header::BATCH_SEQUENCE, (at + 1).to_string()));
            if at == 0 {
                message.headers.push((header::BATCH, name.to_owned()));
            }
            self.push(message, Vec::new(), Some(first));
        }
        self.broken.push(Void { first, last: first + length - 1, fault: MessageFault::Torn });
    }

    fn foreign(&mut self, foreign: Foreign) {
        let mut message = self.message(&self.entry(0));
        let (_, of_last) = self.closing(1);
        message.headers.push((header::BATCH, "foreign".into()));
        message.headers.extend(of_last);
        let id = (header::BATCH_ID, "foreign.0".to_owned());
        let drop_header =
            |message: &mut StoredMessage, name| message.headers.retain(|(there, _)| *there != name);
        match foreign {
            Foreign::NoHeaders => message.headers.clear(),
            Foreign::OtherSubject => message.subject.push_str(".x"),
            Foreign::NoEntry => message.payload.truncate(30),
            Foreign::NoHead => drop_header(&mut message, header::HEAD),
            Foreign::BadKeys => {
                drop_header(&mut message, header::KEYS);
                message.headers.push((header::KEYS, "-1".into()));
            }
            Foreign::MiddleOfNothing => message.headers.extend([id, (header::BATCH_SEQUENCE, "7".into())]),
            Foreign::NoNumber => message.headers.push(id),
            Foreign::NoName => {
                drop_header(&mut message, header::BATCH);
                message.headers.extend([id, (header::BATCH_SEQUENCE, "1".into())]);
            }
        }
        let fault = FOREIGN.iter().find(|(of, _)| *of as u8 == foreign as u8).expect("listed").1;
        let void = Void { first: message.sequence, last: message.sequence, fault };
        self.push(message, vec![Brought::Void(void)], None);
    }

    fn is_boundary(&self, at: usize) -> bool {
        matches!(self.brings[at].last(), Some(Brought::Batch { .. }))
    }
}

fn take(assembler: &mut Assembler, message: &StoredMessage) -> Vec<Brought> {
    assembler.take(message).into_iter().map(brought).collect()
}

proptest! {
    /// Every whole batch comes out once and in order, when its last message comes; a torn run only when a later batch does; a
    /// foreign message at once; the tail says nothing.
    #[test]
    fn every_message_brings_what_it_must(pieces in prop::collection::vec(piece(), 0..25)) {
        let sample = Sample::of(&pieces);
        let mut assembler = Assembler::starting_at(1);
        for (at, message) in sample.messages.iter().enumerate() {
            prop_assert_eq!(&take(&mut assembler, message), &sample.brings[at], "message {}", at + 1);
            prop_assert_eq!(assembler.pending(), sample.pending[at], "after message {}", at + 1);
        }
    }

    /// Where somebody starts to read makes no difference, as long as nothing is pending there.
    #[test]
    fn reading_from_any_boundary_brings_the_same(
        pieces in prop::collection::vec(piece(), 1..20),
        from: prop::sample::Index,
    ) {
        let sample = Sample::of(&pieces);
        let boundaries: Vec<usize> =
            (0..sample.messages.len()).filter(|at| sample.is_boundary(*at)).map(|at| at + 1).chain([0]).collect();
        let from = *from.get(&boundaries);
        let mut assembler = Assembler::starting_at(from as u64 + 1);
        for (at, message) in sample.messages.iter().enumerate().skip(from) {
            prop_assert_eq!(&take(&mut assembler, message), &sample.brings[at]);
        }
    }

    /// Who starts again where something was pending misses nothing.
    #[test]
    fn reading_from_what_is_pending_misses_nothing(
        pieces in prop::collection::vec(piece(), 1..20),
        stop: prop::sample::Index,
    ) {
        let sample = Sample::of(&pieces);
        let stop = stop.index(sample.messages.len());
        let from = sample.pending[stop].unwrap_or(stop as u64 + 2);
        let mut assembler = Assembler::starting_at(from);
        let mut again = Vec::new();
        for message in sample.messages.iter().filter(|message| message.sequence >= from) {
            again.extend(take(&mut assembler, message));
        }
        let after: Vec<Brought> = sample.brings[stop + 1..].concat();
        // Foreign messages behind what was pending come a second time.
        again.retain(|brought| !matches!(brought, Brought::Void(void) if void.first <= stop as u64 + 1 && void.first == void.last && void.fault != MessageFault::Torn));
        prop_assert_eq!(again, after);
    }

    #[test]
    fn a_gap_is_missing(
        pieces in prop::collection::vec(piece(), 1..20),
        gap: prop::sample::Index,
        width in 1..4_u64,
    ) {
        let sample = Sample::of(&pieces);
        let gap = gap.index(sample.messages.len());
        let mut assembler = Assembler::starting_at(1);
        for message in &sample.messages[..gap] {
            take(&mut assembler, message);
        }
        let mut message = sample.messages[gap].clone();
        let expected = message.sequence;
        message.sequence += width;
        prop_assert_eq!(
            take(&mut assembler, &message),
            vec![Brought::Missing { expected, found: expected + width }]
        );
    }

    /// Whatever messages come, in whatever order, nothing panics, and no batch comes out that was not put in.
    #[test]
    fn any_order_gives_no_batch_that_was_not_there(
        pieces in prop::collection::vec(piece(), 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let sample = Sample::of(&pieces);
        let known: Vec<&Brought> = sample.brings.iter().flatten().collect();
        let leaves = |brought: &Brought| match brought {
            Brought::Batch { leaves, .. } => Some(leaves.clone()),
            _ => None,
        };
        let mut assembler = Assembler::starting_at(1);
        for (sequence, index) in (1..).zip(order) {
            let mut message = index.get(&sample.messages).clone();
            message.sequence = sequence;
            for brought in take(&mut assembler, &message) {
                let Some(found) = leaves(&brought) else { continue };
                prop_assert!(known.iter().any(|known| leaves(known).as_ref() == Some(&found)));
            }
        }
    }
}

#[test]
fn any_sequence_may_come_first_where_none_is_expected() {
    let mut sample = Sample::of(&[Piece::Batch { length: 1, plain: true }]);
    sample.messages[0].sequence = 77;
    let brought = take(&mut Assembler::default(), &sample.messages[0]);
    assert!(matches!(brought.as_slice(), [Brought::Batch { first: 77, last: 77, .. }]));
}

#[test]
fn a_batch_may_have_a_thousand_messages_and_no_more() {
    let whole = |length| {
        let sample = Sample::of(&[Piece::Batch { length, plain: false }]);
        let mut assembler = Assembler::starting_at(1);
        sample.messages.iter().flat_map(|message| take(&mut assembler, message)).collect::<Vec<_>>()
    };
    assert!(matches!(whole(MAX_BATCH_MESSAGES).as_slice(), [Brought::Batch { first: 1, last: 1000, .. }]));
    let (found, fault) = (whole(MAX_BATCH_MESSAGES + 2), MessageFault::Unbounded);
    let after = Void { first: 1002, last: 1002, fault: MessageFault::NoBatch };
    assert_eq!(found, [Brought::Void(Void { first: 1001, last: 1001, fault }), Brought::Void(after)]);
}

#[test]
fn an_epoch_begins_without_an_entry_by_what_begins_it_and_nothing_else() {
    let epoch = KeyEpoch { ordinal: 1, kek: "0123456789abcdef".into(), begins: Some(vec![7; 40]) };
    let closing = Closing { epoch: Some(epoch.clone()), ..tests::closing(3, true) };
    let message = |closing: &Closing, subject: &str, payload: &[u8]| {
        let mut headers = closing.to_headers();
        headers.push((header::BATCH, "name".to_owned()));
        StoredMessage { sequence: 1, subject: subject.into(), headers, payload: payload.to_vec() }
    };
    let taken = Assembler::starting_at(1).take(&message(&closing, KEYS_SUBJECT, b""));
    assert!(
        matches!(&taken[..], [Assembled::Batch(batch)] if batch.entries.is_empty() && batch.closing == closing)
    );
    let without = Closing { epoch: Some(KeyEpoch { begins: None, ..epoch }), ..closing.clone() };
    let none = Closing { epoch: None, ..closing.clone() };
    for other in [
        message(&without, KEYS_SUBJECT, b""),
        message(&none, KEYS_SUBJECT, b""),
        message(&closing, KEYS_SUBJECT, b"x"),
        message(&closing, "gt.ledger.missing.started", b""),
    ] {
        assert!(matches!(Assembler::starting_at(1).take(&other)[..], [Assembled::Void(_)]), "{other:?}");
    }
}
