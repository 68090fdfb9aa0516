//! What was told in the everyday so far, as far as a threshold could be reached.

use std::collections::{BTreeSet, HashMap};

use crate::agencies::AgencyNumber;
use crate::calendar::DAY;

/// Places, contexts and persons of the everyday: apart from those of the scenes, which count from 1.
const EVERYDAY: u32 = 1 << 30;

pub(super) struct Memory {
    contexts: u32,
    persons: u32,
    starts: HashMap<u32, Vec<i64>>,
    withheld: HashMap<u32, Vec<i64>>,
    harmed: HashMap<u32, Vec<i64>>,
    requested: HashMap<(u32, AgencyNumber), Vec<i64>>,
    at_context: HashMap<u32, Vec<(i64, u32)>>,
    with_person: HashMap<u32, Vec<(i64, u32)>>,
    moved: BTreeSet<u32>,
}

impl Memory {
    /// With enough places and persons for so many events that each is linked several times.
    pub(super) fn for_events(events: usize) -> Self {
        let events = u32::try_from(events).expect("histories have fewer events than 2^32");
        Self {
            contexts: 20 + events / 50,
            persons: 20 + events / 40,
            starts: HashMap::new(),
            withheld: HashMap::new(),
            harmed: HashMap::new(),
            requested: HashMap::new(),
            at_context: HashMap::new(),
            with_person: HashMap::new(),
            moved: BTreeSet::new(),
        }
    }

    /// How many places and contexts there are, and how many persons.
    pub(super) const fn pools(&self) -> (u32, u32) {
        (self.contexts, self.persons)
    }

    /// The number of the `nth` context or person.
    pub(super) const fn everyday(nth: u32) -> u32 {
        EVERYDAY + nth
    }

    /// Whether these absences neither make three starts within 91 days nor come close to another. They are remembered then.
    pub(super) fn takes_absences(&mut self, child: u32, starts: &[i64]) -> bool {
        let known = self.starts.entry(child).or_default();
        if starts.iter().any(|start| known.iter().any(|other| (start - other).abs() < 6 * DAY)) {
            return false;
        }
        let mut all = [known.as_slice(), starts].concat();
        all.sort_unstable();
        let fits = all.windows(3).all(|three| three[2] - three[0] > 91 * DAY);
        if fits {
            *known = all;
        }
        fits
    }

    /// Whether no harm follows within 91 days.
    pub(super) fn takes_withholding(&mut self, child: u32, at: i64) -> bool {
        let harmed = self.harmed.get(&child).map_or(&[][..], Vec::as_slice);
        let fits = !harmed.iter().any(|harm| (0..=91 * DAY).contains(&(harm - at)));
        if fits {
            self.withheld.entry(child).or_default().push(at);
        }
        fits
    }

    /// Whether nothing was withheld in the 91 days before.
    pub(super) fn takes_harm(&mut self, child: u32, at: i64) -> bool {
        let withheld = self.withheld.get(&child).map_or(&[][..], Vec::as_slice);
        let fits = !withheld.iter().any(|before| (0..=91 * DAY).contains(&(at - before)));
        if fits {
            self.harmed.entry(child).or_default().push(at);
        }
        fits
    }

    /// Whether the agency has no other request about the child within days, whose answer could be taken for this one's.
    pub(super) fn takes_request(&mut self, child: u32, asked: AgencyNumber, at: i64) -> bool {
        let known = self.requested.entry((child, asked)).or_default();
        let fits = known.iter().all(|other| (other - at).abs() > 5 * DAY);
        if fits {
            known.push(at);
        }
        fits
    }

    /// Whether the context does not get a third child within 61 days.
    pub(super) fn takes_context(&mut self, context: u32, child: u32, at: i64) -> bool {
        keeps_below(self.at_context.entry(context).or_default(), (at, child), 3, 61 * DAY)
    }

    /// Whether the person does not get a second child within 181 days.
    pub(super) fn takes_person(&mut self, person: u32, child: u32, at: i64) -> bool {
        keeps_below(self.with_person.entry(person).or_default(), (at, child), 2, 181 * DAY)
    }

    /// Whether the child has not moved yet: with one move in its history, no child comes to a third authority.
    pub(super) fn takes_move(&mut self, child: u32) -> bool {
        self.moved.insert(child)
    }
}

/// Whether a further link keeps every window below so many children. It is remembered then.
fn keeps_below(links: &mut Vec<(i64, u32)>, link: (i64, u32), children: usize, window: i64) -> bool {
    links.push(link);
    let fits = links.iter().all(|(first, _)| {
        let inside = links.iter().filter(|(at, _)| (*first..=first + window).contains(at));
        inside.map(|(_, child)| child).collect::<BTreeSet<_>>().len() < children
    });
    if !fits {
        links.pop();
    }
    fits
}
