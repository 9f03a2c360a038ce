//! Every limit and every time-out of the library, each with its reason.

use std::time::Duration;

/// How densely a mode of recording keeps positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thinning {
    /// A move of so many metres is kept...
    pub(crate) distance_m: f64,
    /// ...where the fix is at least so sharp.
    pub(crate) accuracy_m: f64,
    /// Whatever it is, one is kept each so often.
    pub(crate) time_ms: i64,
    /// Nothing for longer than this is a hole in the record.
    pub(crate) gap_ms: i64,
}

/// The limits in force. There is one set; it is a struct so that each number
/// stands once and pure functions can be tested with others.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// A second tap on the same button within this time is the same press: a
    /// hand in fear taps twice.
    pub(crate) same_press_ms: i64,
    /// Longest countdown before a report may be sent; also tells a countdown from
    /// a clock that went back.
    pub(crate) countdown_ms: i64,
    /// Longest note of a report, in characters. What is longer is cut and marked:
    /// a press is never refused for its text, and the whole must stay one request.
    pub(crate) note_chars: usize,
    /// Longest name, address or other text of the record, in characters.
    pub(crate) text_chars: usize,
    /// Positions before the last that a report carries, to show a direction.
    pub(crate) recent_positions: usize,
    /// The standing envelope is renewed when the last position in it is older...
    pub(crate) standing_age_ms: i64,
    /// ...or farther away than this: a search area that a team can still walk.
    pub(crate) standing_distance_m: f64,
    /// Positions sealed into one envelope: four blocks, about 5 KB.
    pub(crate) fixes_per_envelope: u32,
    /// Envelopes in one request; the ministry's own limit may be lower.
    pub(crate) batch_envelopes: u32,
    /// Bytes of sealed envelopes in one request: 15 s on a link of 128 kbit/s.
    pub(crate) batch_bytes: usize,
    /// Envelopes that may fail by themselves in a pass before it is the service
    /// that fails.
    pub(crate) skipped_envelopes: usize,
    /// `pause` waits so long for a running pass: an app has 5 s to be suspended.
    pub(crate) pause: Duration,
    /// No single request takes longer than this, whatever the deadline: a link
    /// that carries nothing for so long is better tried anew.
    pub(crate) request: Duration,
    /// Time to reach the ministry (TCP and TLS): three lost first packets.
    pub(crate) connect: Duration,
    /// Largest response body that is read.
    pub(crate) response_bytes: usize,
    /// First ceiling of the wait after a failure (full jitter below it).
    pub(crate) backoff_first_ms: i64,
    /// Last ceiling for the SOS lane: the traveler waits.
    pub(crate) backoff_sos_ms: i64,
    /// Last ceiling for all other lanes: the battery pays.
    pub(crate) backoff_other_ms: i64,
    /// Longest `Retry-After` obeyed for an SOS; for others the ceiling is a day.
    pub(crate) retry_after_sos_ms: i64,
    /// Longest `Retry-After` obeyed for other lanes.
    pub(crate) retry_after_other_ms: i64,
    /// A due time farther ahead than this means that the clock went back.
    pub(crate) due_horizon_ms: i64,
    /// The service document is fetched anew after this time.
    pub(crate) service_age_ms: i64,
    /// Pages of the change feed read in one pass.
    pub(crate) change_pages: usize,
    /// No airliner is faster over ground: 1,350 km/h, with the strongest jet stream
    /// behind it (a Boeing 787 was seen at 1,289 km/h in 2019).
    pub(crate) airliner_mps: f64,
    /// So many fixes in a row, a jump and those that agree with it, are believed:
    /// a glitch of a receiver or a cell repeats itself once, seldom twice.
    pub(crate) jump_agree: usize,
    /// Radius of a fix that has none: a cell in a town.
    pub(crate) unknown_accuracy_m: f64,
    /// How far one place lies apart in two datums: GCJ-02 up to 700 m, BD-09 up to
    /// 700 m more.
    pub(crate) datum_shift_m: f64,
    /// A fix is from the future when it is ahead of the best time known by this:
    /// clocks set by hand are off by minutes.
    pub(crate) future_ms: i64,
    /// Fixes within this time are of one moment, and the sharpest of them counts:
    /// a platform gives one of the network and one of the receiver.
    pub(crate) same_moment_ms: i64,
    /// The host decides what to record; half an hour of nothing is a hole: two
    /// wake-ups of Android's quarter of an hour missed.
    pub(crate) everything: Thinning,
    /// In the background. 500 m is what the platforms call significant; four
    /// wake-ups of a quarter of an hour missed are a hole.
    pub(crate) significant_change: Thinning,
    /// A check-in: a search can follow 100 m, and a lodge is 200 m sharp.
    pub(crate) check_in: Thinning,
    /// A rescue: 10 m is what a receiver can tell; sharper than 50 m, or every
    /// half minute.
    pub(crate) active_sos: Thinning,
    /// The newest positions stay in rows; older ones are packed.
    pub(crate) rows_kept: u32,
    /// Positions packed into one block.
    pub(crate) block_fixes: u32,
    /// A block spans no more than this, so that the blocks of a day are found
    /// without a look at all of them.
    pub(crate) block_span_ms: i64,
    /// Blocks packed at a time: 2,048 positions take about 10 ms.
    pub(crate) blocks_at_once: u32,
    /// Wait for a lock that another process of the host holds, at most.
    pub(crate) lock: Duration,
}

impl Policy {
    /// The limits that the library ships with.
    pub(crate) const STANDARD: Self = Self {
        same_press_ms: 1_000,
        countdown_ms: 60_000,
        note_chars: 4_000,
        text_chars: 500,
        recent_positions: 5,
        standing_age_ms: 15 * 60_000,
        standing_distance_m: 500.0,
        fixes_per_envelope: 1_024,
        batch_envelopes: 64,
        batch_bytes: 256 * 1024,
        skipped_envelopes: 3,
        pause: Duration::from_secs(2),
        request: Duration::from_secs(30),
        connect: Duration::from_secs(15),
        response_bytes: 1024 * 1024,
        backoff_first_ms: 2_000,
        backoff_sos_ms: 60_000,
        backoff_other_ms: 30 * 60_000,
        retry_after_sos_ms: 5 * 60_000,
        retry_after_other_ms: 24 * 3_600_000,
        due_horizon_ms: 25 * 3_600_000,
        service_age_ms: 24 * 3_600_000,
        change_pages: 20,
        airliner_mps: 375.0,
        jump_agree: 3,
        unknown_accuracy_m: 1_000.0,
        datum_shift_m: 1_400.0,
        future_ms: 10 * 60_000,
        same_moment_ms: 2_000,
        everything: Thinning {
            distance_m: 0.0,
            accuracy_m: f64::INFINITY,
            time_ms: 0,
            gap_ms: 30 * 60_000,
        },
        significant_change: Thinning {
            distance_m: 500.0,
            accuracy_m: 1_000.0,
            time_ms: 15 * 60_000,
            gap_ms: 60 * 60_000,
        },
        check_in: Thinning {
            distance_m: 100.0,
            accuracy_m: 200.0,
            time_ms: 5 * 60_000,
            gap_ms: 20 * 60_000,
        },
        active_sos: Thinning {
            distance_m: 10.0,
            accuracy_m: 50.0,
            time_ms: 30_000,
            gap_ms: 3 * 60_000,
        },
        rows_kept: 1_024,
        block_fixes: 256,
        block_span_ms: 31 * 24 * 3_600_000,
        blocks_at_once: 8,
        lock: Duration::from_secs(5),
    };
}
