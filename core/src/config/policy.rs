//! Every limit and every time-out of the library, each with its reason.

use std::time::Duration;

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
    /// Positions sealed into one envelope: about 25 KB of JSON.
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
    /// Largest file of a track that is read: about four times what `import_points`
    /// of a common program take.
    pub(crate) import_bytes: usize,
    /// Points in a file of a track: a parser builds about 700 bytes for each, so
    /// 70 MB at most.
    pub(crate) import_points: usize,
    /// Elements or values in a file for each point that it may have: a time, three
    /// numbers and some properties.
    pub(crate) import_values_per_point: usize,
    /// Elements in each other: real files have six; a parser keeps each open one.
    pub(crate) import_depth: usize,
    /// Namespaces in force at a time: real files have ten; a parser copies all of
    /// them for each element.
    pub(crate) import_namespaces: usize,
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
        fixes_per_envelope: 256,
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
        import_bytes: 32 * 1024 * 1024,
        import_points: 100_000,
        import_values_per_point: 12,
        import_depth: 64,
        import_namespaces: 32,
        lock: Duration::from_secs(5),
    };
}
