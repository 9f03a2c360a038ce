//! The networks that a seed chooses from.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use homeline_tests::certs::{Authority, foreign_server};
use homeline_tests::chance::Chance;
use homeline_tests::hostile::{Answer, HostileServer};
use homeline_tests::middle::{Act, Middle};
use homeline_tests::proxy::{Fault, Faults, Link, PAST_THE_HANDSHAKE, Then, Way};
use rustls::ServerConfig;

/// What stands between all phones of a thread and their ministries.
pub(crate) struct World {
    pub(crate) middle: Middle,
    /// A root that the phones trust beside the ministry's own.
    pub(crate) root: Vec<u8>,
    portal: Arc<ServerConfig>,
    impostor: HostileServer,
}

impl World {
    pub(crate) fn new() -> Self {
        let authority = Authority::new().unwrap();
        let answer = Answer::Fixed {
            status: 200,
            headers: vec![("content-type".into(), "application/json".into())],
            body: b"{}".to_vec(),
        };
        Self {
            middle: Middle::start(&authority).unwrap(),
            root: authority.der().to_vec(),
            portal: authority.server().unwrap(),
            impostor: HostileServer::start(foreign_server().unwrap(), answer).unwrap(),
        }
    }
}

/// The processes that a fault may kill, told by their ids.
#[derive(Clone, Default)]
pub(crate) struct Targets(Arc<Mutex<(Option<u32>, Option<u32>)>>);

impl Targets {
    pub(crate) fn set(&self, phone: Option<u32>, ministry: Option<u32>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (phone, ministry);
    }

    /// A fault that kills one of them, where it stands.
    fn kill(&self, whom: Whom) -> Then {
        let targets = self.clone();
        Then::Do(Arc::new(move || {
            let mut ids = targets.0.lock().unwrap_or_else(PoisonError::into_inner);
            let id = match whom {
                Whom::Phone => ids.0.take(),
                Whom::Ministry => ids.1.take(),
            };
            if let Some(id) = id {
                let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            }
        }))
    }
}

#[derive(Clone, Copy)]
enum Whom {
    Phone,
    Ministry,
}

/// A network with the longest pass that makes sense on it.
pub(crate) struct Network {
    pub(crate) link: Link,
    pub(crate) deadline_ms: u64,
    pub(crate) words: String,
}

/// A pass that can end by itself.
const WHOLE: u64 = 3_000;
/// One that will have to be ended.
const SHORT: u64 = 250;

impl Network {
    fn new(link: Link, deadline_ms: u64, words: impl Into<String>) -> Self {
        Self {
            link,
            deadline_ms,
            words: words.into(),
        }
    }

    /// The next network of a journey. `origin` and `tls_root` are the ministry's.
    pub(crate) fn choose(
        chance: &mut Chance,
        world: &World,
        targets: &Targets,
        (origin, tls_root): (&str, &[u8]),
    ) -> Self {
        match chance.below(16) {
            0 => Self::new(Link::Up, WHOLE, "up"),
            1 => Self::new(Link::Down, WHOLE, "down"),
            2 => Self::new(Link::BlackHole, SHORT, "black hole"),
            3 => {
                let after_upstream_bytes = PAST_THE_HANDSHAKE + chance.below(3_000);
                let link = Link::SwallowAnswers {
                    after_upstream_bytes,
                };
                Self::new(link, WHOLE, "answers swallowed")
            }
            4 => {
                let down_bytes = chance.below(6_000);
                let link = Link::CutAfter { down_bytes };
                Self::new(link, WHOLE, format!("cut after {down_bytes} down"))
            }
            5 => Self::new(Link::Portal(Arc::clone(&world.portal)), WHOLE, "portal"),
            6 => Self::new(
                Link::Through(world.impostor.addr()),
                WHOLE,
                "wrong certificate",
            ),
            7..=10 => {
                let acts: Vec<Act> = (0..1 + chance.below(5))
                    .map(|_| chance.one_of(&Act::ALL).at(chance.below(1_500)))
                    .collect();
                let words = format!("middle box: {acts:?}");
                world.middle.stand_before(origin, tls_root, acts).unwrap();
                Self::new(Link::Through(world.middle.addr()), WHOLE, words)
            }
            _ => {
                let faults: Vec<Fault> = (0..1 + chance.below(3))
                    .map(|_| fault(chance, targets))
                    .collect();
                let silent = faults.iter().any(|it| matches!(it.then, Then::Silence));
                let words = format!("{faults:?}");
                let deadline_ms = if silent { SHORT } else { WHOLE };
                Self::new(Link::Faulty(Faults::new(faults)), deadline_ms, words)
            }
        }
    }
}

/// A fault of one connection. A whole one moves 1 to 10 KB each way.
fn fault(chance: &mut Chance, targets: &Targets) -> Fault {
    let after = match chance.below(4) {
        0 => 0,
        1 => chance.below(1_000),
        _ => chance.below(8_000),
    };
    let then = match chance.below(9) {
        0 => Then::Reset,
        1 => Then::Close,
        2 => Then::Silence,
        3 => Then::Flip,
        4 => Then::Wait(Duration::from_millis(40)),
        5 | 6 => targets.kill(Whom::Phone),
        _ => targets.kill(Whom::Ministry),
    };
    Fault {
        way: *chance.one_of(&[Way::Up, Way::Down]),
        after,
        then,
    }
}
