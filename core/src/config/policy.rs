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
    /// Emergency contacts: nobody calls more, and each is in every profile.
    pub(crate) contacts: usize,
    /// Contacts in the standing envelope, the first ones: an officer calls one
    /// after the other, and an SOS must stay about 1 KB on a bad link.
    pub(crate) standing_contacts: usize,
    /// Travel documents of one person: two nationalities, with old passports, visas
    /// and cards.
    pub(crate) documents: usize,
    /// Characters of a document's number: the longest of a zone has 22.
    pub(crate) document_number_chars: usize,
    /// People whom one phone registers by hand: a class or a crew. A profile of them
    /// all is about 200 KB; a roster beyond is a group.
    pub(crate) dependents: usize,
    /// Bytes of a registration as it is sent, whole: a ministry takes requests of
    /// 2 MB, and base64 adds a third.
    pub(crate) registration_bytes: usize,
    /// Languages of one person.
    pub(crate) languages: usize,
    /// Below this age a guardian agrees in place of the child: article 31 of China's
    /// Personal Information Protection Law (article 8 of the GDPR says 13 to 16).
    pub(crate) age_of_consent: u16,
    /// Positions before the last that a report carries, to show a direction.
    pub(crate) recent_positions: usize,
    /// The standing envelope is renewed when the last position in it is older...
    pub(crate) standing_age_ms: i64,
    /// ...or farther away than this: a search area that a team can still walk.
    pub(crate) standing_distance_m: f64,
    /// Positions sealed into one envelope: four blocks, about 5 KB.
    pub(crate) fixes_per_envelope: u32,
    /// Bytes of positions that wait in the outbox, at most: about a million of them,
    /// months without a network. More are thinned.
    pub(crate) whereabouts_waiting_bytes: u64,
    /// Envelopes in one request; the ministry's own limit may be lower.
    pub(crate) batch_envelopes: u32,
    /// Bytes of sealed envelopes in one request: a quarter of a second on a link
    /// of 1 Mbit/s, whose next request may carry an SOS.
    pub(crate) batch_bytes: usize,
    /// Of a request on a link that is slow: no less, for each costs some 400 bytes
    /// of headers.
    pub(crate) batch_bytes_least: usize,
    /// A request that took longer than this is followed by one of half its size...
    pub(crate) request_slow_ms: i64,
    /// ...and one that was faster than this by one of twice its size: two round
    /// trips of a satellite link.
    pub(crate) request_fast_ms: i64,
    /// Requests in flight in one pass, each on its own connection: with a loss of
    /// 5 % one connection fills a tenth of a link of 1 Mbit/s. A report may be one
    /// more.
    pub(crate) in_flight: usize,
    /// Bytes of a file in one chunk. An SOS waits for one chunk at most: half a second
    /// at 1 Mbit/s; and a link that breaks every 20 s brings one through at 27 kbit/s,
    /// as the poorest cell has.
    pub(crate) attachment_chunk_bytes: usize,
    /// Largest file that is attached: a minute of video in full HD. Its manifest, 32
    /// bytes a chunk, is 90 KB then, a third of a request.
    pub(crate) attachment_bytes: u64,
    /// Attachments of one report: what an officer can look through.
    pub(crate) attachments_per_report: u32,
    /// Up to here an attachment is small: a minute of speech. The traveler's general
    /// wish to spare metered links does not hold for it.
    pub(crate) small_attachment_bytes: u64,
    /// The count of chunks handed over is written down after so many: each costs a
    /// sync, and after a kill the ministry is asked anyway.
    pub(crate) upload_note_chunks: u32,
    /// While chunks are sent, new data of the record is looked for so often. What is in
    /// the outbox already, above all a press, goes before the next chunk.
    pub(crate) upload_look_ms: i64,
    /// While chunks are sent, the change feed is read so often: the traveler waits for
    /// the officer's word.
    pub(crate) upload_feed_ms: i64,
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
    /// Header fields of a response: the ministry sends five, and each proxy on the
    /// way a few of its own.
    pub(crate) response_headers: usize,
    /// Bytes of them all, each counted as RFC 9113 (section 6.5.2) does: 32 more than
    /// its name and value. A ministry's are about 400; there is room for the largest
    /// cookie that somebody in between may set, 4 KB, three times.
    pub(crate) response_header_bytes: u32,
    /// First ceiling of the wait after a failure (full jitter below it).
    pub(crate) backoff_first_ms: i64,
    /// Last ceiling for the SOS lane: the traveler waits.
    pub(crate) backoff_sos_ms: i64,
    /// Last ceiling for answers and messages: a person waits, nobody's life does.
    pub(crate) backoff_people_ms: i64,
    /// Last ceiling for all other lanes: the battery pays.
    pub(crate) backoff_other_ms: i64,
    /// Longest `Retry-After` obeyed for an SOS; for others the ceiling is a day.
    pub(crate) retry_after_sos_ms: i64,
    /// Longest `Retry-After` obeyed for answers and messages.
    pub(crate) retry_after_people_ms: i64,
    /// Longest `Retry-After` obeyed for other lanes.
    pub(crate) retry_after_other_ms: i64,
    /// Longest spread obeyed for an SOS when the ministry asks all to stand by: each
    /// draws its share of it.
    pub(crate) stand_by_sos_ms: i64,
    /// Longest spread obeyed for all other lanes: with a ministry that takes 5,000
    /// requests a second, 18 million phones.
    pub(crate) stand_by_other_ms: i64,
    /// A cut shorter than this is one phone's own, a lift or a change of cells: when
    /// it ends nothing waits.
    pub(crate) return_grace_ms: i64,
    /// After a longer cut everything but an SOS waits a random share of it, and of
    /// this at most: a million phones that make three requests each come at 5,000
    /// requests a second.
    pub(crate) return_spread_ms: i64,
    /// A due time farther ahead than this means that the clock went back.
    pub(crate) due_horizon_ms: i64,
    /// The service document is fetched anew after this time.
    pub(crate) service_age_ms: i64,
    /// A link code is scanned within this time: two phones lie side by side. How
    /// much later it may arrive is `registration::link::GRACE_MS`.
    pub(crate) link_code_ms: i64,
    /// What was merged from another phone is told for so long.
    pub(crate) merged_kept_ms: i64,
    /// Pages of the change feed read in one pass.
    pub(crate) change_pages: usize,
    /// A wake is late when it is overdue by more than this: platforms put jobs
    /// off for hours to save the battery.
    pub(crate) wake_grace_ms: i64,
    /// Stays of one trip: a stay a day for half a year. The profile must stay one
    /// request.
    pub(crate) stays: usize,
    /// Trips kept, closed ones included.
    pub(crate) trips: usize,
    /// Companions of one stay: a coach.
    pub(crate) companions: usize,
    /// Characters of one stay in all: those names, and an address.
    pub(crate) stay_chars: usize,
    /// Stays that the standing envelope holds: it goes beside a report on the
    /// thinnest link, and a phone may stay locked for a few stays.
    pub(crate) standing_stays: usize,
    /// Characters of a medical card in all: it goes beside a report, too.
    pub(crate) medical_chars: usize,
    /// A phone seen at home within this time after the day of departure is a
    /// traveler whose plane was late.
    pub(crate) home_after_departure_ms: i64,
    /// A sighting of the same country within this time says nothing new.
    pub(crate) seen_step_ms: i64,
    /// A question is not asked again within this time after a confirmation.
    pub(crate) ask_again_ms: i64,
    /// A trip of which nothing was heard for so long is asked about.
    pub(crate) silence_ms: i64,
    /// A registration that was not confirmed for so long is asked about: an
    /// address lasts a term or a season.
    pub(crate) confirm_ms: i64,
    /// Months that a document must be valid beyond a trip: what many borders ask.
    pub(crate) document_months: i64,
    /// Days before the expiry of a document at which it is noticed: those six
    /// months, and three to renew it through a mission.
    pub(crate) document_days: i64,
    /// A trip that begins within so many days is urgent.
    pub(crate) trip_soon_days: i64,
    /// Longest text in which a token (a QR code's text) is looked for: twice what
    /// the largest QR code holds, for the words and line ends around it.
    pub(crate) token_bytes: usize,
    /// Longest name that a token carries, in bytes of UTF-8: 64 Chinese
    /// characters, where a passport has room for 39 letters. What is longer is cut:
    /// the token must stay a QR code of version 20 at level M, 970 characters.
    pub(crate) token_name_bytes: usize,
    /// Longest name of a group, of its agency, of a document's number or of a
    /// consent text's version, in bytes: 30 Chinese characters, for the same reason.
    pub(crate) token_text_bytes: usize,
    /// An invitation to a group is good for so long: a roster takes weeks, and a
    /// photo of the code that got around must not be good for ever.
    pub(crate) invitation_ms: i64,
    /// Members of one group: about 200 KB in one envelope.
    pub(crate) group_members: usize,
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
    /// The service document is fetched anew after this time where the traveler
    /// sends positions in a crisis only: a crisis is told by it.
    pub(crate) service_age_in_crisis_ms: i64,
    /// How long each class of data is kept.
    pub(crate) keep: Keep,
    /// Rows of a class that one pass of retention deletes: some 50 ms of a phone.
    pub(crate) expire_rows: u32,
    /// A clock that is ahead of the last one believed by more than this has
    /// jumped: two days, so that a weekend without the app is none.
    pub(crate) clock_jump_ms: i64,
    /// A jump is believed once it is seen again after this time: on another day.
    pub(crate) clock_proof_ms: i64,
    /// `erase` waits so long for a running pass to end.
    pub(crate) erase_wait: Duration,
    /// Parts of a note by text message, of three messages each: about 360 Chinese
    /// characters. What is longer comes by HTTPS.
    pub(crate) sms_text_parts: u8,
    /// Messages of one SIM in a day: a report with a long note, twice. Abroad each
    /// costs, and operators block a SIM that sends hundreds.
    pub(crate) sms_per_day: u32,
    /// A part is sent so often at most: a network that takes it three times has it.
    pub(crate) sms_sends: usize,
    /// A part is tried so often at most, failures included.
    pub(crate) sms_tries: usize,
    /// A sent part is not repeated before: gateways deliver within minutes, and the
    /// receipt is a text message too.
    pub(crate) sms_repeat_ms: i64,
    /// A part that failed is not repeated before: coverage comes and goes as one walks.
    pub(crate) sms_retry_ms: i64,
    /// After the platform's own limit: Android counts 30 messages in 30 minutes.
    pub(crate) sms_limit_ms: i64,
    /// Longest text that can be a receipt: one message, and what gateways add.
    pub(crate) sms_answer_bytes: usize,
    /// A border is looked for so far around a place: 5 km, an hour on foot. Within that
    /// a phone soon roams into the other country's network.
    pub(crate) border_look_m: f64,
    /// More than this a position is not taken to be off: a cell at sea reaches 35 km,
    /// and a larger circle would have half a continent as candidates.
    pub(crate) country_accuracy_m: f64,
    /// Largest file of boundaries of a ministry: three times what is built in.
    pub(crate) boundaries_bytes: usize,
    /// Positions in an export that is held in memory: about 3 MB of text.
    pub(crate) export_fixes: u32,
    /// What an attempt proves of a network holds for so long, where the host does
    /// not say since when the phone is on it: a walk to the next cell.
    pub(crate) plan_memory_ms: i64,
    /// Datagrams of one report without an answer before the channel counts as
    /// closed on this network: at 20 % loss each way, three in four get through,
    /// and all five fail once in 200.
    pub(crate) datagram_attempts: u32,
    /// First wait between two datagrams of one report; it doubles. Longer than any
    /// satellite's round trip.
    pub(crate) datagram_again_ms: i64,
    /// Longest wait between two datagrams of one report: a packet a minute is less
    /// than the HTTPS attempt beside it.
    pub(crate) datagram_again_most_ms: i64,
    /// A round of datagrams takes no longer: so much a pass is longer, and HTTPS
    /// later, on a bad day. Two round trips of a satellite phone, about 1.5 s each.
    pub(crate) datagram_wait: Duration,
    /// What has no receipt by then is sent once more in the same round.
    pub(crate) datagram_resend: Duration,
    /// Longest name look-up for a datagram.
    pub(crate) datagram_look_up: Duration,
    /// Bytes of one packet to the ministry: it fits the smallest link there is.
    pub(crate) datagram_bytes: usize,
    /// Reports in one round of a pass: a person in need presses a few times.
    pub(crate) datagrams_of_pass: u32,
    /// Answers read in one round: those that prove nothing are thrown away, but not
    /// without end.
    pub(crate) datagram_answers: usize,
    /// Packets whose late receipts are still believed.
    pub(crate) datagrams_remembered: usize,
    /// Another phone that took the report is given so long to find a network.
    pub(crate) relay_again_ms: i64,
    /// At this charge a phone has minutes left.
    pub(crate) battery_low_percent: u8,
    /// Points of one polygon of an area; more are thinned. The outline of a country that
    /// is 10,000 km long is drawn to a kilometre with so many.
    pub(crate) area_vertices: usize,
    /// Bytes of one alert in JSON: the outline of a country, and texts in twenty
    /// languages.
    pub(crate) alert_bytes: usize,
    /// Bytes of one text of an alert, in one language: a whole page of travel advice.
    pub(crate) alert_text_bytes: usize,
    /// Alerts at a time: at a kilobyte each, 20 MB of memory.
    pub(crate) alerts: usize,
    /// A fix that is faster was taken in flight: no train carries passengers at more than
    /// 350 km/h but on a magnet.
    pub(crate) airborne_mps: f64,
    /// One fix so far from every border is an arrival. What is nearer may be the wrong side
    /// of it: a cell reaches over, and a position by network is off by kilometres.
    pub(crate) arrival_border_m: f64,
    /// Nearer, two fixes in one country so far apart are. A road or a train through a corner
    /// of it is out again, and a platform gives one each quarter of an hour.
    pub(crate) arrival_dwell_ms: i64,
    /// Who comes back to a country within this time works across its border.
    pub(crate) arrival_again_ms: i64,
    /// After so long without a sign a country is new again, and its notice, too.
    pub(crate) arrival_forget_ms: i64,
    /// Alerts of an arrival notice: what fits on a locked screen.
    pub(crate) arrival_alerts: usize,
    /// Fixes that are looked at for an arrival in one piece: about 1 MB...
    pub(crate) arrival_fixes: u32,
    /// ...and pieces of one look: 40,000 fixes, a month of one a minute.
    pub(crate) arrival_pieces: usize,
    /// That an alert was read is remembered so long after the phone has lost it: the
    /// ministry may publish it again.
    pub(crate) alert_read_ms: i64,
    /// What is carried for other phones.
    pub(crate) carry: Carry,
    /// Bytes of a pack: the borders of the world have 1.3 MB, a thousand alerts with
    /// outlines of a hundred corners 2 MB. It is held in memory while it is read.
    pub(crate) pack_bytes: u64,
    /// Packs in one list: there are six names.
    pub(crate) packs: usize,
    /// Where the change feed does not say whether there are new packs, they are asked
    /// for so often.
    pub(crate) packs_age_ms: i64,
    /// After a failure they are not asked for again before; and that there are none
    /// newer is written down so often.
    pub(crate) packs_retry_ms: i64,
    /// Bytes of one item of a pack: a mission whose district has 10,000 vertices, twenty
    /// times what the shape of a province needs.
    pub(crate) item_bytes: usize,
    /// Characters of a search in the guides: a long sentence; more is cut.
    pub(crate) guide_query_chars: usize,
    /// Terms of a search: what a sentence has; each costs a look into the index.
    pub(crate) guide_query_terms: usize,
    /// Guides found, at most: nobody in need reads more.
    pub(crate) guide_hits: usize,
    /// Characters of a guide shown with a hit: two lines of a phone.
    pub(crate) guide_excerpt_chars: usize,
}

/// Limits of what this phone carries for others, whatever a bundle says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carry {
    /// Parcels held at a time: half a megabyte.
    pub(crate) parcels: u32,
    /// Parcels taken from one bundle, and put into one: 128 KB, a second of a slow
    /// radio, and some 10 ms of the disk that a press may have to wait for.
    pub(crate) bundle_parcels: usize,
    /// Phones that pass a parcel on after the first: from one valley to the next
    /// few meetings are enough, and each one doubles the copies.
    pub(crate) hops: u8,
    /// Days that one phone carries a parcel: a trek comes out of its valley by then.
    pub(crate) days: u8,
    /// Ids of parcels that were here: 16 times what is held, 150 KB.
    pub(crate) seen: u32,
    /// Parcels in one request to the ministry: 44 KB, 3 s on a link of 128 kbit/s,
    /// so that a press waits no longer for its turn.
    pub(crate) request_parcels: u32,
    /// After a failure that is not the network's, carried parcels wait so long:
    /// the ministry knows no relay, or has had enough of this phone's.
    pub(crate) retry_ms: i64,
    /// Bytes of a bundle in one QR text: with its header 924 characters, version 20
    /// at level M holds 970.
    pub(crate) qr_bytes: usize,
    /// Texts of one bundle: a minute of patience.
    pub(crate) qr_texts: u8,
    /// Bundles that are being scanned at a time: a text of another phone in
    /// between does no harm.
    pub(crate) qr_bundles: usize,
}

/// How long each class of data is kept on the phone, in days. A host may keep
/// less, see `Homeline::keep_at_most`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Positions: a semester, or a season of work, can be looked back at; longer
    /// a profile of movement would serve nobody but a thief.
    pub(crate) positions_days: u32,
    /// SOS reports with their evidence: three years, the general limitation
    /// period (Civil Code of the PRC, art. 188), so that the traveler can prove
    /// when help was asked for.
    pub(crate) reports_days: u32,
    /// Trips that are closed: a year, so that the next one can be made from it.
    pub(crate) trips_days: u32,
    /// Consents that were taken back: three years, to prove that what left under
    /// them had a ground.
    pub(crate) consents_days: u32,
    /// That an envelope was delivered: a month, until nobody asks for it.
    pub(crate) delivered_days: u32,
}

impl Policy {
    /// The limits that the library ships with.
    pub(crate) const STANDARD: Self = Self {
        same_press_ms: 1_000,
        countdown_ms: 60_000,
        note_chars: 4_000,
        text_chars: 500,
        contacts: 100,
        standing_contacts: 5,
        documents: 20,
        document_number_chars: 40,
        dependents: 200,
        registration_bytes: 1_200_000,
        languages: 20,
        age_of_consent: 14,
        recent_positions: 5,
        standing_age_ms: 15 * 60_000,
        standing_distance_m: 500.0,
        fixes_per_envelope: 1_024,
        whereabouts_waiting_bytes: 8 * 1024 * 1024,
        batch_envelopes: 64,
        batch_bytes: 32 * 1024,
        batch_bytes_least: 4 * 1024,
        request_slow_ms: 8_000,
        request_fast_ms: 1_300,
        in_flight: 4,
        attachment_chunk_bytes: 64 * 1024,
        attachment_bytes: 100 * 1024 * 1024,
        attachments_per_report: 20,
        small_attachment_bytes: 256 * 1024,
        upload_note_chunks: 16,
        upload_look_ms: 1_000,
        upload_feed_ms: 30_000,
        skipped_envelopes: 3,
        pause: Duration::from_secs(2),
        request: Duration::from_secs(30),
        connect: Duration::from_secs(15),
        response_bytes: 1024 * 1024,
        response_headers: 64,
        response_header_bytes: 16 * 1024,
        backoff_first_ms: 2_000,
        backoff_sos_ms: 60_000,
        backoff_people_ms: 5 * 60_000,
        backoff_other_ms: 30 * 60_000,
        retry_after_sos_ms: 5 * 60_000,
        retry_after_people_ms: 3_600_000,
        retry_after_other_ms: 24 * 3_600_000,
        stand_by_sos_ms: 15_000,
        stand_by_other_ms: 3_600_000,
        return_grace_ms: 30_000,
        return_spread_ms: 10 * 60_000,
        due_horizon_ms: 25 * 3_600_000,
        service_age_ms: 24 * 3_600_000,
        link_code_ms: 3_600_000,
        merged_kept_ms: 90 * 24 * 3_600_000,
        change_pages: 20,
        wake_grace_ms: 4 * 3_600_000,
        stays: 200,
        trips: 100,
        companions: 60,
        stay_chars: 1_000,
        standing_stays: 5,
        medical_chars: 4_000,
        home_after_departure_ms: 24 * 3_600_000,
        seen_step_ms: 15 * 60_000,
        ask_again_ms: 7 * 24 * 3_600_000,
        silence_ms: 30 * 24 * 3_600_000,
        confirm_ms: 90 * 24 * 3_600_000,
        document_months: 6,
        document_days: 270,
        trip_soon_days: 60,
        token_bytes: 2 * 4_296,
        token_name_bytes: 192,
        token_text_bytes: 90,
        invitation_ms: 30 * 24 * 3_600_000,
        group_members: 500,
        import_bytes: 32 * 1024 * 1024,
        import_points: 100_000,
        import_values_per_point: 12,
        import_depth: 64,
        import_namespaces: 32,
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
        service_age_in_crisis_ms: 15 * 60_000,
        keep: Keep {
            positions_days: 180,
            reports_days: 3 * 366,
            trips_days: 366,
            consents_days: 3 * 366,
            delivered_days: 30,
        },
        expire_rows: 5_000,
        clock_jump_ms: 48 * 3_600_000,
        clock_proof_ms: 20 * 3_600_000,
        erase_wait: Duration::from_secs(10),
        sms_text_parts: 3,
        sms_per_day: 20,
        sms_sends: 3,
        sms_tries: 20,
        sms_repeat_ms: 10 * 60_000,
        sms_retry_ms: 60_000,
        sms_limit_ms: 30 * 60_000,
        sms_answer_bytes: 400,
        border_look_m: 5_000.0,
        country_accuracy_m: 50_000.0,
        boundaries_bytes: 4_500_000,
        export_fixes: 50_000,
        plan_memory_ms: 10 * 60_000,
        datagram_attempts: 5,
        datagram_again_ms: 3_000,
        datagram_again_most_ms: 60_000,
        datagram_wait: Duration::from_millis(3_500),
        datagram_resend: Duration::from_millis(1_600),
        datagram_look_up: Duration::from_secs(2),
        datagram_bytes: 200,
        datagrams_of_pass: 8,
        datagram_answers: 256,
        datagrams_remembered: 64,
        relay_again_ms: 15 * 60_000,
        battery_low_percent: 5,
        area_vertices: 10_000,
        alert_bytes: 1024 * 1024,
        alert_text_bytes: 64 * 1024,
        alerts: 20_000,
        airborne_mps: 100.0,
        arrival_border_m: 5_000.0,
        arrival_dwell_ms: 10 * 60_000,
        arrival_again_ms: 24 * 3_600_000,
        arrival_forget_ms: 30 * 24 * 3_600_000,
        arrival_alerts: 3,
        arrival_fixes: 2_000,
        arrival_pieces: 20,
        alert_read_ms: 366 * 24 * 3_600_000,
        carry: Carry {
            parcels: 256,
            bundle_parcels: 64,
            hops: 5,
            days: 7,
            seen: 4_096,
            request_parcels: 16,
            retry_ms: 30 * 60_000,
            qr_bytes: 564,
            qr_texts: 64,
            qr_bundles: 4,
        },
        pack_bytes: 4 * 1024 * 1024,
        packs: 32,
        packs_age_ms: 12 * 3_600_000,
        packs_retry_ms: 10 * 60_000,
        item_bytes: 256 * 1024,
        guide_query_chars: 200,
        guide_query_terms: 48,
        guide_hits: 100,
        guide_excerpt_chars: 80,
    };
}
