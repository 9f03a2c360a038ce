//! Who helps: missions and the districts they serve, local emergency numbers, and the
//! one answer that a traveler in need is shown.
//!
//! Everything here is a pure function of what it is given; packs bring the data (a
//! [`Mission`] and an [`EmergencyNumbers`] are items of packs, JSON each), and the
//! caller keeps them. There are two questions about a mission, with two answers:
//!
//! * Which one is *responsible* for a place: the ministry's signed districts say it, not
//!   the map. A polygon or circle beats a region, a region beats a country.
//! * Which one is *nearest*: the great circle says it, and no border counts.
//!
//! Where they differ both are shown. Near a border there are several candidate
//! countries; then there are several responsible missions, the most likely first.
//!
//! [`help_at`] puts it together in the order in which help comes: local emergency
//! numbers, the responsible mission, the nearest one, the ministry's hotline, and what a
//! consulate can and cannot do. It never fails: with nothing known at all it still has the
//! hotline, the number that any mobile phone connects to an emergency service, and the
//! text. Each part says how old it is.

mod directory;
mod help;
mod mission;
mod numbers;
mod view;
mod words;

pub use directory::Directory;
pub use help::{
    CallFrom, Help, HelpSources, HotlineNumber, MobileEmergency, PROTECTION, PackTimes, help_at,
};
pub use mission::{Mission, MissionPhone, MissionPlace};
pub use numbers::{EmergencyNumber, EmergencyNumbers, NumbersBook};
pub use view::{AsOf, LocalMission, LocalMissionPhone, LocalNumber, LocalNumbers};
pub use words::{EmergencyService, MissionKind, PhonePurpose};
