//! How many datagrams a source, and all sources together, may bring. Pure.
//!
//! Token buckets by prefix: a source address costs nothing to forge, but a prefix
//! holds what one customer of a network has, and opening a packet costs about as
//! much as a TLS handshake. What is over is dropped without a word; the phone sends
//! again, and has other channels.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// A second of one prefix. An operator's address may stand for thousands of phones
/// (RFC 6888), and after an earthquake they all press at once.
const SOURCE: Rate = Rate {
    a_second: 50.0,
    at_once: 500.0,
};
/// A second of all together: what one store commits.
const ALL: Rate = Rate {
    a_second: 500.0,
    at_once: 2_000.0,
};
/// Prefixes that are remembered: 1 MB. Forged sources must not fill the memory.
const PREFIXES: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Rate {
    a_second: f64,
    at_once: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Self {
            tokens: rate.at_once,
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * rate.a_second).min(rate.at_once);
        self.at = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

/// The rates of now.
pub(super) struct Rates {
    all: Bucket,
    /// What is not remembered by itself.
    others: Bucket,
    sources: HashMap<u64, Bucket>,
}

impl Rates {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            all: Bucket::full(ALL, now),
            others: Bucket::full(ALL, now),
            sources: HashMap::new(),
        }
    }

    /// Whether a packet of `source` may be opened now. One that its own prefix is
    /// refused takes nothing from the others.
    pub(super) fn allows(&mut self, source: IpAddr, now: Instant) -> bool {
        let prefix = prefix(source);
        if !self.sources.contains_key(&prefix) && self.sources.len() >= PREFIXES {
            // Those that are full again need not be remembered.
            self.sources.retain(|_, bucket| {
                bucket.fill(SOURCE, now);
                bucket.tokens < SOURCE.at_once
            });
        }
        let room = self.sources.len() < PREFIXES || self.sources.contains_key(&prefix);
        let of_source = if room {
            self.sources
                .entry(prefix)
                .or_insert_with(|| Bucket::full(SOURCE, now))
                .take(SOURCE, now)
        } else {
            self.others.take(ALL, now)
        };
        of_source && self.all.take(ALL, now)
    }
}

/// The first 24 bits of an IPv4 address, the first 48 of an IPv6 one.
fn prefix(source: IpAddr) -> u64 {
    match source.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address) >> 8),
        // Above all of the others.
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> 80;
            u64::try_from(bits).unwrap_or(0) | 1 << 63
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn allowed(rates: &mut Rates, source: IpAddr, packets: u32, now: Instant) -> u32 {
        (0..packets)
            .map(|_| u32::from(rates.allows(source, now)))
            .sum()
    }

    #[test]
    fn a_prefix_has_its_share_and_does_not_take_that_of_others() {
        let now = Instant::now();
        let mut rates = Rates::new(now);
        let flood = ip("203.0.113.7");
        assert_eq!(allowed(&mut rates, flood, 10_000, now), 500);
        assert_eq!(allowed(&mut rates, ip("203.0.113.99"), 10, now), 0);
        assert_eq!(allowed(&mut rates, ip("203.0.114.7"), 10, now), 10);
        assert_eq!(allowed(&mut rates, ip("2001:db8:1:2::1"), 10_000, now), 500);
        assert_eq!(allowed(&mut rates, ip("2001:db8:1:3::1"), 10, now), 0);
        assert_eq!(allowed(&mut rates, ip("2001:db8:2::1"), 10, now), 10);
        // The same source written as IPv6.
        assert_eq!(allowed(&mut rates, ip("::ffff:203.0.113.7"), 10, now), 0);
        let later = now + Duration::from_secs(1);
        assert_eq!(allowed(&mut rates, flood, 10_000, later), 50);
    }

    #[test]
    fn forged_sources_are_bounded_together_and_do_not_fill_the_memory() {
        let now = Instant::now();
        let mut rates = Rates::new(now);
        let forged = |n: u32| IpAddr::from((n << 8).to_be_bytes());
        let through: u32 = (0..50_000)
            .map(|n| u32::from(rates.allows(forged(n), now)))
            .sum();
        assert_eq!(through, 2_000);
        assert!(rates.sources.len() <= PREFIXES);
        // A second later they are forgotten, and a new source is let in.
        let later = now + Duration::from_secs(2);
        assert!(rates.allows(ip("198.51.100.1"), later));
        assert!(rates.sources.len() < 10);
    }
}
