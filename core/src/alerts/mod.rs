//! What is dangerous here, and what to do: the ministry's alerts on the phone, with no
//! network and without telling anybody where the traveler is.
//!
//! Everything but [`Alerts`] and what is below it (`service`, `arrivals`, `store`) is a pure
//! function of its arguments. The way from a message to a screen:
//!
//! 1. [`Alert::read`] takes an item of a pack: one that has a name is kept, whatever else
//!    is odd about it. [`read_alerts`] does the same with a list.
//! 2. [`resolve()`] says the [`AlertState`] of each, at the best time known: in force,
//!    ahead, expired, superseded, cancelled, or no actual danger at all.
//! 3. [`AlertIndex`] finds those of a place, of a country and of a coming stay.
//! 4. [`at_place`] makes of them what a host shows: the level by the ministry's
//!    [`LevelScale`], the alerts with the most important first, in the traveler's
//!    language.
//! 5. [`plan()`] decides what is notified and how loudly, from what was shown and read
//!    before; [`step`] decides when somebody has arrived in a country.

mod alert;
mod arrival;
mod arrivals;
mod level;
mod matching;
mod plan;
mod resolve;
mod service;
mod store;
mod values;
mod view;

pub use alert::{Alert, AlertReference, ReadAlerts, read_alerts};
pub use arrival::{ArrivalEvent, ArrivalState, LocatedFix, alerts_of_arrival, step};
pub use arrivals::ArrivalNotice;
pub use level::{Level, LevelRank, LevelScale, LocalLevel};
pub use matching::{AlertIndex, StayAlerts};
pub use plan::{
    AlertLoudness, AlertNews, AlertRead, Concerned, NotificationPlan, PlanState, PlannedAlert, plan,
};
pub use resolve::{AlertState, resolve};
pub use service::{Alerts, TripAlerts};
pub use values::{
    AlertCategory, AlertCertainty, AlertKind, AlertSeverity, AlertStatus, AlertUrgency,
};
pub use view::{LocalAlert, PlaceAlerts, Resolved, at_place, views};
