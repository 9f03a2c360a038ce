//! A country comes back: a simulation of a million phones that get their network
//! back within a minute, and of a ministry that can take so many requests a second.
//!
//! Every wait of a phone and every reading of an answer is the core's own function
//! (`homeline::simulation`); the requests that a phone makes are those of a real
//! pass, as read from its code. The clock is a number, and a seed repeats
//! a run to the request. In the same run and under the same ministry, naive peers.

mod ministry;
pub mod plot;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use homeline::simulation::{Busy, Urgency, busy_wait_ms, return_wait_ms, service_age_ms};

use crate::chance::Chance;
use ministry::Ministry;
pub use ministry::Says;

/// Milliseconds between an answer and the next request of the same pass.
const ROUND_TRIP_MS: u64 = 300;
/// A run that is not through after so long has collapsed.
const LONGEST_MS: u64 = 4 * 3_600_000;

/// A storm.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many phones come back.
    pub phones: u32,
    /// Within so many milliseconds.
    pub within_ms: u32,
    /// After so many milliseconds without a network.
    pub outage_ms: u32,
    /// Of a thousand phones, how many have an SOS waiting.
    pub sos_per_mille: u32,
    /// Of a thousand phones, how many have an edit of the registration waiting,
    /// beside the positions that all have.
    pub edits_per_mille: u32,
    /// Of a thousand phones, how many find their service document too old.
    pub stale_per_mille: u32,
    /// Requests that the ministry takes in a second.
    pub capacity: u32,
    /// Repeats the run.
    pub seed: u64,
}

impl Storm {
    /// The storm of the figures: a million phones within a minute after four hours,
    /// 1 % with an SOS, and a ministry for 5,000 requests a second.
    pub fn million() -> Self {
        let outage_ms = 4 * 3_600_000;
        // They were fetched at any time of the day before.
        let stale = i64::from(outage_ms) * 1_000 / service_age_ms();
        Self {
            phones: 1_000_000,
            within_ms: 60_000,
            outage_ms,
            sos_per_mille: 10,
            edits_per_mille: 100,
            stale_per_mille: u32::try_from(stale).unwrap_or(1_000),
            capacity: 5_000,
            seed: 1,
        }
    }

    /// The same in small, with as many phones for each request that is taken.
    pub fn small() -> Self {
        Self {
            phones: 50_000,
            capacity: 250,
            ..Self::million()
        }
    }
}

/// How phones pace themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// As this library does.
    Homeline,
    /// As this library does on a host that never says that the network is back: only
    /// the ministry's answers hold the crowd.
    HomelineUntold,
    /// At once, and again after so many milliseconds, all alike.
    Fixed(u32),
    /// At once, and again after a time that doubles up to so many milliseconds.
    Doubling(u32),
}

/// How a run went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Offered requests of each second, those turned away included.
    pub offered: Vec<u32>,
    /// The most that was offered in a second, as a share of the capacity.
    pub peak_ratio: f64,
    /// All requests.
    pub requests: u64,
    /// Of these, turned away.
    pub refused: u64,
    /// From the return of a phone's network until its SOS was taken, the longest,
    /// seconds.
    pub sos_p100_s: f64,
    /// The median of that.
    pub sos_p50_s: f64,
    /// From the first phone's return until the last SOS was taken, seconds.
    pub last_sos_s: f64,
    /// From the first phone's return until every phone was through, seconds; `None`:
    /// not within four hours.
    pub through_s: Option<f64>,
}

impl Peer {
    /// Milliseconds until it comes again after `failures` in a row.
    fn wait_ms(self, urgency: Urgency, failures: u8, busy: &ministry::Answer, random: u32) -> u64 {
        let failures = u32::from(failures);
        let wait = match self {
            Self::Fixed(every_ms) => i64::from(every_ms),
            Self::Doubling(longest_ms) => {
                (1_000_i64 << failures.saturating_sub(1).min(20)).min(i64::from(longest_ms))
            }
            Self::Homeline | Self::HomelineUntold => {
                let busy = Busy {
                    status: 503,
                    content_type: "application/problem+json",
                    retry_after: &busy.retry_after,
                    body: &busy.body,
                };
                busy_wait_ms(urgency, failures, &busy, random).unwrap_or_default()
            }
        };
        u64::try_from(wait).unwrap_or_default()
    }
}

/// A request of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Sos,
    /// The feed, in the pass that sent the SOS.
    News,
    Edit,
    Positions,
    Service,
    Changes,
}

/// A phone: what it still has to ask for, a bit each, and its failures in a row.
#[derive(Clone, Copy)]
struct Phone {
    returned_ms: u32,
    /// Ordinary requests are held until then.
    held_until_ms: u64,
    todo: u8,
    sos_failures: u8,
    failures: u8,
}

impl Phone {
    /// The next request of its pass, in the order of a pass.
    fn next(self) -> Option<Ask> {
        [
            Ask::Sos,
            Ask::News,
            Ask::Edit,
            Ask::Positions,
            Ask::Service,
            Ask::Changes,
        ]
        .into_iter()
        .find(|ask| self.todo & bit(*ask) != 0)
    }
}

fn bit(ask: Ask) -> u8 {
    match ask {
        Ask::Sos => 1,
        Ask::Edit => 2,
        Ask::Positions => 4,
        Ask::Service => 8,
        Ask::Changes => 16,
        Ask::News => 32,
    }
}

/// Chance in 32 bits, as the core draws it.
struct Dice(Chance);

impl Dice {
    fn roll(&mut self) -> u32 {
        u32::try_from(self.0.bits() >> 32).unwrap_or_default()
    }

    fn below(&mut self, limit: u32) -> u32 {
        let scaled = (u64::from(self.roll()) * u64::from(limit)) >> 32;
        u32::try_from(scaled).unwrap_or_default()
    }
}

/// One run.
struct Run {
    peer: Peer,
    dice: Dice,
    phones: Vec<Phone>,
    /// When which phone acts next, milliseconds: the time above, the number below.
    agenda: BinaryHeap<Reverse<u64>>,
    offered: Vec<u32>,
    requests: u64,
    sos_waits_ms: Vec<u32>,
    last_sos_ms: u64,
}

/// Runs `storm` with phones that pace themselves as `peer`, and a ministry that says
/// `says` when it is busy.
pub fn run(storm: &Storm, peer: Peer, says: Says) -> Outcome {
    let mut run = Run::new(storm, peer);
    let mut ministry = Ministry::new(storm.capacity, says);
    let mut now_ms = 0;
    while let Some(Reverse(next)) = run.agenda.pop() {
        now_ms = next >> 24;
        if now_ms > LONGEST_MS {
            break;
        }
        let number = usize::try_from(next & 0xff_ffff).unwrap_or_default();
        if let Some(at_ms) = run.step(number, now_ms, &mut ministry) {
            run.agenda.push(entry(at_ms, number));
        }
    }
    run.outcome(storm, &ministry, now_ms)
}

fn entry(at_ms: u64, number: usize) -> Reverse<u64> {
    Reverse(at_ms << 24 | u64::try_from(number).unwrap_or_default())
}

impl Run {
    fn new(storm: &Storm, peer: Peer) -> Self {
        let mut dice = Dice(Chance::new(storm.seed));
        let phones: Vec<Phone> = (0..storm.phones)
            .map(|_| Phone::new(storm, peer, &mut dice))
            .collect();
        let agenda = phones
            .iter()
            .enumerate()
            .map(|(number, phone)| entry(u64::from(phone.returned_ms), number))
            .collect();
        Self {
            peer,
            dice,
            phones,
            agenda,
            offered: Vec::new(),
            requests: 0,
            sos_waits_ms: Vec::new(),
            last_sos_ms: 0,
        }
    }

    /// One phone acts; when it acts again.
    fn step(&mut self, number: usize, now_ms: u64, ministry: &mut Ministry) -> Option<u64> {
        let phone = *self.phones.get(number)?;
        let ask = phone.next()?;
        // A held pass sends its reports, and reads the answer to them.
        if now_ms < phone.held_until_ms && !matches!(ask, Ask::Sos | Ask::News) {
            return Some(phone.held_until_ms);
        }
        self.count(now_ms);
        let answer = ministry.ask(now_ms);
        if let Some(busy) = answer {
            return Some(self.turned_away(number, ask, now_ms, &busy));
        }
        let phone = self.phones.get_mut(number)?;
        phone.todo &= !bit(ask);
        if ask == Ask::Sos {
            phone.sos_failures = 0;
            let waited = now_ms.saturating_sub(u64::from(phone.returned_ms));
            self.sos_waits_ms
                .push(u32::try_from(waited).unwrap_or(u32::MAX));
            self.last_sos_ms = now_ms;
        }
        Some(now_ms + ROUND_TRIP_MS)
    }

    /// When a phone that was turned away comes again.
    fn turned_away(
        &mut self,
        number: usize,
        ask: Ask,
        now_ms: u64,
        busy: &ministry::Answer,
    ) -> u64 {
        let (random, other) = (self.dice.roll(), self.dice.roll());
        let peer = self.peer;
        let Some(phone) = self.phones.get_mut(number) else {
            return now_ms;
        };
        if ask == Ask::Sos {
            phone.sos_failures = phone.sos_failures.saturating_add(1);
        }
        // Passes that failed, in a row.
        phone.failures = phone.failures.saturating_add(1);
        let ordinary_ms = peer.wait_ms(Urgency::Ordinary, phone.failures, busy, other);
        if matches!(peer, Peer::Homeline | Peer::HomelineUntold) {
            phone.held_until_ms = phone.held_until_ms.max(now_ms + ordinary_ms);
        }
        match ask {
            Ask::Sos => now_ms + peer.wait_ms(Urgency::Sos, phone.sos_failures, busy, random),
            _ => now_ms + ordinary_ms,
        }
    }

    fn count(&mut self, now_ms: u64) {
        self.requests += 1;
        let second = usize::try_from(now_ms / 1_000).unwrap_or_default();
        if self.offered.len() <= second {
            self.offered.resize(second + 1, 0);
        }
        if let Some(count) = self.offered.get_mut(second) {
            *count += 1;
        }
    }

    fn outcome(mut self, storm: &Storm, ministry: &Ministry, now_ms: u64) -> Outcome {
        let seconds = |ms: u64| f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1_000.0;
        self.sos_waits_ms.sort_unstable();
        let most = self.offered.iter().max().copied().unwrap_or_default();
        let waiting = self
            .phones
            .iter()
            .any(|phone| phone.todo & bit(Ask::Sos) != 0);
        let of_sos = |ms: u32| match waiting {
            true => f64::INFINITY,
            false => seconds(u64::from(ms)),
        };
        let median = self.sos_waits_ms.get(self.sos_waits_ms.len() / 2);
        Outcome {
            peak_ratio: f64::from(most) / f64::from(storm.capacity),
            requests: self.requests,
            refused: ministry.refused,
            sos_p100_s: of_sos(self.sos_waits_ms.last().copied().unwrap_or_default()),
            sos_p50_s: of_sos(median.copied().unwrap_or_default()),
            last_sos_s: seconds(self.last_sos_ms),
            through_s: (now_ms <= LONGEST_MS).then(|| seconds(now_ms)),
            offered: self.offered,
        }
    }
}

impl Phone {
    fn new(storm: &Storm, peer: Peer, dice: &mut Dice) -> Self {
        let returned_ms = dice.below(storm.within_ms);
        let mut todo = bit(Ask::Positions) | bit(Ask::Changes);
        for (share, ask) in [
            (storm.sos_per_mille, Ask::Sos),
            (storm.edits_per_mille, Ask::Edit),
            (storm.stale_per_mille, Ask::Service),
        ] {
            if dice.below(1_000) < share {
                todo |= bit(ask);
            }
        }
        if todo & bit(Ask::Sos) != 0 {
            todo |= bit(Ask::News);
        }
        let random = dice.roll();
        let held_ms = match peer {
            Peer::Homeline => return_wait_ms(i64::from(storm.outage_ms), random),
            Peer::HomelineUntold | Peer::Fixed(_) | Peer::Doubling(_) => 0,
        };
        Self {
            returned_ms,
            held_until_ms: u64::from(returned_ms) + u64::try_from(held_ms).unwrap_or_default(),
            todo,
            sos_failures: 0,
            failures: 0,
        }
    }
}
