//! The agencies of the fictional partnership. None of them exists.

/// What an agency is, as far as the law that it relies on depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Council,
    Police,
    Health,
    School,
    Charity,
}

/// A number of an agency in the [`Roster`].
pub(crate) type AgencyNumber = u32;

#[derive(Debug)]
pub(crate) struct Agency {
    pub(crate) code: String,
    pub(crate) kind: Kind,
}

/// All agencies. The first ones work together in localities; more are added for what is planted; and there are councils
/// elsewhere, to which children move and which never speak.
#[derive(Debug)]
pub(crate) struct Roster {
    agencies: Vec<Agency>,
    localities: u32,
    members: u32,
    elsewhere: AgencyNumber,
}

/// Agencies of one locality, in the order in which they are added.
const LOCALITY: [Kind; 6] =
    [Kind::Council, Kind::Police, Kind::Health, Kind::School, Kind::Charity, Kind::School];
const SIZE: u32 = 6;
/// Councils elsewhere.
const ELSEWHERE: u32 = 40;

impl Roster {
    /// So many agencies at work, in localities of six.
    pub(crate) fn new(members: u32) -> Self {
        let mut roster =
            Self { agencies: Vec::new(), localities: members.div_ceil(SIZE), members, elsewhere: members };
        for number in 0..members {
            roster.add(LOCALITY[(number % SIZE) as usize]);
        }
        for _ in 0..ELSEWHERE {
            roster.add(Kind::Council);
        }
        roster
    }

    /// Adds an agency that shares no child with any other unless it is told to.
    pub(crate) fn add(&mut self, kind: Kind) -> AgencyNumber {
        let number = u32::try_from(self.agencies.len()).expect("agencies are few");
        let code = match kind {
            Kind::Council => format!("gss:E06{:06}", 900_000 + number),
            Kind::Police => format!("police:{}", 9_000 + number),
            Kind::Health => format!("ods:Z{:05}", 90_000 + number),
            Kind::School => format!("gias:{}", 990_000 + number),
            Kind::Charity => format!("charity:{}", 9_990_000 + number),
        };
        self.agencies.push(Agency { code, kind });
        number
    }

    pub(crate) fn get(&self, number: AgencyNumber) -> &Agency {
        &self.agencies[number as usize]
    }

    pub(crate) fn code(&self, number: AgencyNumber) -> &str {
        &self.get(number).code
    }

    pub(crate) const fn localities(&self) -> u32 {
        self.localities
    }

    /// The agencies of one locality.
    pub(crate) fn locality(&self, locality: u32) -> std::ops::Range<AgencyNumber> {
        locality * SIZE..((locality + 1) * SIZE).min(self.members)
    }

    /// The locality that an agency works in.
    pub(crate) const fn locality_number(agency: AgencyNumber) -> u32 {
        agency / SIZE
    }

    /// The agencies of an agency's own locality.
    pub(crate) fn locality_of(&self, agency: AgencyNumber) -> std::ops::Range<AgencyNumber> {
        self.locality(Self::locality_number(agency))
    }

    /// The agency of this kind in the agency's locality; its first agency where there is none.
    pub(crate) fn neighbour(&self, agency: AgencyNumber, kind: Kind) -> AgencyNumber {
        let mut members = self.locality_of(agency);
        let first = members.start;
        members.find(|number| self.get(*number).kind == kind).unwrap_or(first)
    }

    /// One of the councils elsewhere; other numbers below `ELSEWHERE` are other councils.
    pub(crate) const fn elsewhere(&self, number: u32) -> AgencyNumber {
        self.elsewhere + number % ELSEWHERE
    }
}
