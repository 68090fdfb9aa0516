//! The room for connections: how many there are at a time, how much of their requests' bodies is held, and who goes when somebody else comes.
//!
//! A ledger that is full must not be shut: somebody who opens connections and says nothing would keep everybody else out. So whoever comes is
//! let in, and those go who have waited longest, of the address that has the most, and those last who have shown a token or had a statement
//! sealed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The most connections at a time, if the process may have twice as many files.
const MOST_CONNECTIONS: usize = 4096;
/// The most that is held of the bodies of all requests together, in bytes.
const MOST_BODY_BYTES: usize = 256 << 20;
/// When it is full, one connection in so many goes, so that they are not counted through for each that comes.
const SHARE_THAT_GOES: usize = 16;
/// How often the log says that somebody has to go.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The most files that the process asks the operating system for.
const MOST_FILES: u64 = 65_536;

/// How many connections there may be: at most half of the files that the process may have, since the ledger must never be out of files.
///
/// Asks the operating system for as many files as the process may ask for.
pub(super) fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let may = limit.maximum.unwrap_or(MOST_FILES).min(MOST_FILES);
    let has = limit.current.unwrap_or(MOST_FILES);
    let raised = Rlimit { current: Some(may), maximum: limit.maximum };
    let files = if has < may && setrlimit(Resource::Nofile, raised).is_ok() { may } else { has };
    let most = usize::try_from(files / 2).unwrap_or(MOST_CONNECTIONS).clamp(1, MOST_CONNECTIONS);
    if most < MOST_CONNECTIONS {
        tracing::warn!(files, most, "few files are allowed to this process, so it takes fewer connections");
    }
    most
}

/// Everybody who is connected.
pub(super) struct Room {
    most: usize,
    most_bytes: usize,
    places: Arc<Semaphore>,
    seated: Mutex<Seated>,
}

#[derive(Default)]
struct Seated {
    /// Counts what happens, so that what is older has the lower number.
    counter: u64,
    /// Bytes of bodies, of all together.
    held: usize,
    by_number: HashMap<u64, Occupant>,
    /// When the log last said that somebody has to go.
    told: Option<Instant>,
}

/// One connection.
struct Occupant {
    /// The address, or the network that one customer is given.
    address: IpAddr,
    /// Whether it has shown a good token, or had a statement sealed.
    known: bool,
    /// When it came, or was last answered.
    since: u64,
    /// Bytes of the body of the request that it is about.
    held: usize,
    leave: Arc<Notify>,
}

/// A place in the room. Whoever is in it gives it back by being dropped.
pub(super) struct Seat {
    room: Arc<Room>,
    number: u64,
    leave: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

/// Put on an answer: the peer has shown a good token, or had a statement sealed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known;

impl Room {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Self::of(most, MOST_BODY_BYTES)
    }

    fn of(most: usize, most_bytes: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most));
        Arc::new(Self { most, most_bytes, places, seated: Mutex::default() })
    }

    /// Takes a place. If there is none, others are told to go, and the first of them is waited for.
    pub(super) async fn take(self: &Arc<Self>, address: IpAddr) -> Seat {
        // Those who were told to go are counted no longer, though they still have their places for a moment.
        if self.seated().by_number.len() >= self.most {
            let mut seated = self.seated();
            seated.make_room((self.most / SHARE_THAT_GOES).max(1));
            seated.tell("there are too many connections: those that waited longest are closed");
        }
        let permit = Arc::clone(&self.places).acquire_owned().await.expect("places are never closed");
        let leave = Arc::new(Notify::new());
        let mut seated = self.seated();
        let number = seated.next();
        let occupant = Occupant {
            address: network(address),
            known: false,
            since: number,
            held: 0,
            leave: Arc::clone(&leave),
        };
        seated.by_number.insert(number, occupant);
        drop(seated);
        Seat { room: Arc::clone(self), number, leave, _permit: permit }
    }

    fn seated(&self) -> MutexGuard<'_, Seated> {
        self.seated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    const fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Tells so many to go: those that come last in the order of their own address, so that the address that has the most gives the most.
    fn make_room(&mut self, count: usize) {
        let mut all: Vec<(u64, IpAddr, bool, u64)> =
            self.by_number.iter().map(|(number, one)| (*number, one.address, one.known, one.since)).collect();
        all.sort_unstable_by_key(|(_, address, known, since)| (*address, !known, u64::MAX - since));
        let mut rank = 0_usize;
        let mut ranked = Vec::with_capacity(all.len());
        for (at, (number, address, known, since)) in all.iter().enumerate() {
            rank = if at > 0 && all[at - 1].1 == *address { rank + 1 } else { 0 };
            ranked.push((rank, !known, u64::MAX - since, *number));
        }
        ranked.sort_unstable_by(|one, other| other.cmp(one));
        ranked.truncate(count);
        for (_, _, _, number) in &ranked {
            self.dismiss(*number);
        }
    }

    /// Says it in the log, but not each time: whoever comes by the thousand should not fill the disk.
    fn tell(&mut self, what: &str) {
        if self.told.is_none_or(|told| told.elapsed() > TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!("{what}");
        }
    }

    /// Tells somebody to go. What it holds counts no longer, since it is about to be dropped.
    fn dismiss(&mut self, number: u64) {
        if let Some(occupant) = self.by_number.remove(&number) {
            self.held -= occupant.held;
            occupant.leave.notify_one();
        }
    }
}

impl Seat {
    /// Completes when the place is wanted for somebody else.
    pub(super) async fn wanted(&self) {
        self.leave.notified().await;
    }

    /// So many more bytes of a body are held. If all together hold too much, those go who hold the most.
    pub(super) fn hold(&self, bytes: usize) {
        let mut seated = self.room.seated();
        let Some(occupant) = seated.by_number.get_mut(&self.number) else { return };
        occupant.held += bytes;
        seated.held += bytes;
        while seated.held > self.room.most_bytes {
            let most = seated.by_number.iter().max_by_key(|(_, one)| (one.held > 0 && !one.known, one.held));
            let Some(number) = most.map(|(number, _)| *number) else { return };
            seated.dismiss(number);
            seated.tell(
                "there is too much of unfinished requests: the connection that holds the most is closed",
            );
        }
    }

    /// A request is answered, and nothing of it is held any more.
    pub(super) fn answered(&self, known: bool) {
        let mut seated = self.room.seated();
        let since = seated.next();
        let Some(occupant) = seated.by_number.get_mut(&self.number) else { return };
        (occupant.since, occupant.known) = (since, occupant.known || known);
        let held = std::mem::take(&mut occupant.held);
        seated.held -= held;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.seated().dismiss(self.number);
    }
}

/// What counts as one address: of IPv6 the first 64 bits, since whoever has one address there has all of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    async fn is_wanted(seat: &Seat) -> bool {
        tokio::time::timeout(Duration::ZERO, seat.wanted()).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_has_the_most_and_has_waited_longest_makes_room() {
        let room = Room::new(5);
        let quiet = room.take(address(1)).await;
        let (first, known, last) =
            (room.take(address(2)).await, room.take(address(2)).await, room.take(address(2)).await);
        let answered = room.take(address(2)).await;
        known.answered(true);
        answered.answered(false);
        let coming = tokio::spawn({
            let room = Arc::clone(&room);
            async move { room.take(address(3)).await }
        });
        first.wanted().await;
        for seat in [&quiet, &known, &last, &answered] {
            assert!(!is_wanted(seat).await);
        }
        assert!(!coming.is_finished(), "it waits until the other has gone");
        drop(first);
        let coming = coming.await.expect("a place");
        // Full again: now the one that never asked for anything, though it came last.
        room.seated().make_room(1);
        assert!(is_wanted(&last).await);
        room.seated().make_room(1);
        assert!(is_wanted(&answered).await);
        drop((quiet, known, last, answered, coming));
        assert!(room.seated().by_number.is_empty());
        assert_eq!(room.places.available_permits(), 5);
    }

    #[tokio::test]
    async fn whoever_holds_the_most_goes_when_all_together_hold_too_much() {
        let room = Room::of(3, 100);
        let (known, much, little) =
            (room.take(address(1)).await, room.take(address(2)).await, room.take(address(3)).await);
        known.answered(true);
        known.hold(50);
        much.hold(30);
        little.hold(20);
        assert!(!is_wanted(&much).await);
        little.hold(1);
        assert!(is_wanted(&much).await && !is_wanted(&known).await && !is_wanted(&little).await);
        assert_eq!(room.seated().held, 71);
        much.hold(1000);
        little.answered(false);
        assert_eq!(room.seated().held, 50, "what was answered is held no longer");
        // A known one that holds too much by itself goes too.
        known.hold(60);
        assert!(is_wanted(&known).await);
        assert_eq!(room.seated().held, 0);
    }

    #[test]
    fn a_network_is_one_address() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
