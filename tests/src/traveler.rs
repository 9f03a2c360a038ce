//! A traveler in a process of its own, so that it can really be killed.
//!
//! The child reads commands and writes answers, one JSON object a line. It is
//! the real library on real files; nothing in here decides for it. A binary
//! becomes the child by calling [`serve`]; the parent holds a [`Traveler`].

mod abroad;

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use homeline::Homeline;
use homeline::contacts::{Contact, Relation};
use homeline::health::WakeCause;
use homeline::packs::PackName;
use homeline::reference::Place;
use homeline::registration::{MedicalCard, Purpose, Traveler as Registered, Trip};
use homeline::sos::{
    AttachmentInfo, AttachmentState, AttachmentStatus, OnRepeat, ReportStatus, SosKind, SosRequest,
};
use homeline::whereabouts::{Fix, FixSource, Position, TrackFormat};
use serde::{Deserialize, Serialize};

use crate::clock::MovedClock;
use crate::judge::Claim;
use crate::operation::{self, Operation};
use crate::stage::{self, Values};
use crate::vault::LockableVault;

/// What the parent asks for.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Ask {
    /// Opens Homeline; the answer's `text` is the state of the record.
    Open {
        /// Where the ministry is.
        values: Values,
        /// The phone's files.
        directory: PathBuf,
        /// Whether the phone has not been unlocked yet.
        locked: bool,
    },
    /// Registers, with consent to send it.
    Register {
        /// Who.
        traveler: Registered,
        /// Whom to call.
        contacts: Vec<Contact>,
    },
    /// Saves the medical card.
    Card {
        /// The card.
        card: MedicalCard,
    },
    /// Saves a trip.
    Trip {
        /// The trip.
        trip: Trip,
    },
    /// The registration card; `text` is its QR text, empty while there is none.
    RegistrationCard,
    /// Records positions.
    Record {
        /// In order.
        fixes: Vec<Fix>,
    },
    /// Presses SOS; the answer's `text` is the report, `ms` what it took.
    Press {
        /// The kind of emergency.
        kind: SosKind,
        /// What the traveler writes.
        note: String,
    },
    /// Presses with a countdown; the answer's `text` is the report.
    Countdown {
        /// What the traveler writes.
        note: String,
        /// How long.
        seconds: u32,
    },
    /// A better position of a report.
    Update {
        /// The report.
        report: String,
        /// Another number is another place.
        number: u32,
    },
    /// Takes a report back.
    Cancel {
        /// The report.
        report: String,
    },
    /// Presses until killed, printing the id of each report when its press has
    /// returned.
    PressForever,
    /// Tells that the network has changed, then runs one pass; `text` is why it
    /// ended.
    Sync,
    /// One pass of at most so many milliseconds; `text` is why it ended, `number`
    /// what still waits, `lines` what was parked.
    Pass {
        /// The deadline.
        deadline_ms: u64,
    },
    /// Moves the clocks of the phone, before `Open` too: the time that passes, and
    /// what somebody sets the wall clock ahead by.
    Clock {
        /// Both clocks.
        pass_ms: i64,
        /// The wall clock alone; back where it is negative.
        set_ms: i64,
    },
    /// What the phone says of each report: `lines` are `judge::Claim` in JSON.
    Claims,
    /// Status of a report; `text` is the state, `number` its attempts.
    Status {
        /// The report.
        report: String,
    },
    /// Unlocks the phone; `text` is the state of the record.
    Unlock,
    /// Closes the files.
    Pause,
    /// Contacts: `number` is how many.
    Contacts,
    /// The arrival notice; `text` is the country, `number` 1 where it is new, `lines` what
    /// it says. It counts as shown then.
    Arrival,
    /// Who helps where the phone is; `lines` in the order of help.
    Help,
    /// `number` is the version of the pack of alerts that serves.
    AlertsVersion,
    /// Encrypts the record anew.
    Rotate,
    /// Adds a contact, records a fix and encrypts the record anew until killed,
    /// printing `contact N`, `fix N` or `rotated N` when each has returned.
    RotateForever {
        /// The first number.
        from: u32,
    },
    /// Changes to the vault whose key is in this file, made if there is none.
    ChangeVault {
        /// The file.
        key: PathBuf,
    },
    /// Exports everything; `text` is for machines, `lines` are the summary for
    /// people and the track as GPX.
    Export,
    /// Erases everything; `text` is the state of the record.
    Erase,
    /// Does one thing that writes; the number makes it another thing each time.
    Operate {
        /// What.
        what: Operation,
        /// Which.
        number: u32,
    },
    /// Everything that is held; `text` is JSON.
    Held,
    /// Takes a bundle of another phone; `number` is how many parcels are new.
    Carry {
        /// The file with it.
        bundle: PathBuf,
    },
    /// `number` is how many parcels are carried, `text` how many have gone.
    Carried,
    /// `text` is what became of the request to the ministry to erase.
    EraseRequest,
    /// Attaches a file to a report; `text` is the attachment.
    Attach {
        /// The report.
        report: String,
        /// The file.
        path: PathBuf,
    },
    /// Attachments of a report; each of `lines` is one with its state.
    Attachments {
        /// The report.
        report: String,
    },
}

/// What the child answers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// The answer in words.
    pub text: String,
    /// What it took, milliseconds.
    pub ms: f64,
    /// A number, see [`Ask`].
    pub number: u64,
    /// Lines to show.
    pub lines: Vec<String>,
}

/// A child process that is a traveler's phone.
pub struct Traveler {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Traveler {
    /// Starts `program` with `arguments`; it must call [`serve`].
    pub fn start(program: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("no pipe to the traveler");
        Ok(Self {
            input: child.stdin.take().ok_or_else(missing)?,
            output: BufReader::new(child.stdout.take().ok_or_else(missing)?),
            child,
        })
    }

    /// Id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks, without waiting for an answer.
    pub fn say(&mut self, ask: &Ask) -> io::Result<()> {
        let line = serde_json::to_string(ask)?;
        writeln!(self.input, "{line}")?;
        self.input.flush()
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, ask: &Ask) -> io::Result<Told> {
        self.say(ask)?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(io::Error::other)
    }

    /// Lets the process end by itself, and waits for that.
    pub fn end(mut self) -> io::Result<()> {
        drop(self.input);
        self.child.wait().map(|_| ())
    }

    /// Kills the process with SIGKILL, and returns every whole line that it had
    /// printed and nobody had read.
    pub fn kill(mut self) -> io::Result<Vec<String>> {
        self.child.kill()?;
        self.child.wait()?;
        let mut rest = String::new();
        io::Read::read_to_string(&mut self.output, &mut rest)?;
        let whole = rest
            .rfind('\n')
            .map_or("", |end| rest.get(..end).unwrap_or(""));
        Ok(whole.lines().map(str::to_owned).collect())
    }
}

/// The child's side: answers until its input closes.
pub fn serve() -> io::Result<()> {
    let mut phone: Option<Phone> = None;
    let clock = Arc::new(MovedClock::new());
    let stdin = io::stdin();
    let mut out = io::stdout();
    for line in stdin.lock().lines() {
        let ask: Ask = serde_json::from_str(&line?)?;
        // An error is an answer too: its `Debug` holds nothing personal.
        let told = answer(&mut phone, &clock, ask).unwrap_or_else(|error| Told {
            text: format!("error: {error:?}"),
            ..Told::default()
        });
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
        out.flush()?;
    }
    Ok(())
}

struct Phone {
    directory: PathBuf,
    home: Arc<Homeline>,
    vault: Arc<LockableVault>,
}

fn answer(phone: &mut Option<Phone>, clock: &Arc<MovedClock>, ask: Ask) -> homeline::Result<Told> {
    if let Ask::Open {
        values,
        directory,
        locked,
    } = ask
    {
        *phone = None;
        let vault = LockableVault::open(&directory.join("vault.key"), locked)?;
        let config = stage::config(&values, &directory.join("files"));
        let clock = Arc::<MovedClock>::clone(clock);
        let home = Homeline::open(
            config,
            Arc::<LockableVault>::clone(&vault),
            None,
            Some(clock),
        )?;
        let text = format!("{:?}", home.state()?.record);
        *phone = Some(Phone {
            directory,
            home,
            vault,
        });
        return Ok(Told {
            text,
            ..Told::default()
        });
    }
    if let Ask::Clock { pass_ms, set_ms } = ask {
        clock.pass(pass_ms);
        clock.set_ahead(set_ms);
        return Ok(Told::default());
    }
    let Some(phone) = phone else {
        return Err(homeline::HomelineError::Closed);
    };
    match ask {
        Ask::Open { .. } | Ask::Clock { .. } => Ok(Told::default()),
        Ask::Pass { deadline_ms } => {
            phone.home.network_changed()?;
            let outcome = phone.home.sync(deadline_ms)?;
            Ok(Told {
                text: format!("{:?}", outcome.stopped),
                number: u64::from(outcome.waiting),
                lines: vec![String::new(); usize::try_from(outcome.parked).unwrap_or(usize::MAX)],
                ..Told::default()
            })
        }
        Ask::Claims => claims(&phone.home),
        Ask::Register { traveler, contacts } => {
            phone.home.registration().save(traveler)?;
            for contact in contacts {
                phone.home.contacts().add(contact)?;
            }
            for purpose in [Purpose::Register, Purpose::Whereabouts] {
                let text = "2026-01".to_owned();
                phone.home.consents().give(purpose, text)?;
            }
            Ok(Told::default())
        }
        Ask::Card { card } => {
            phone.home.registration().save_medical_card(card)?;
            Ok(Told::default())
        }
        Ask::Trip { trip } => {
            phone.home.trips().save(trip)?;
            Ok(Told::default())
        }
        Ask::RegistrationCard => {
            let card = phone.home.registration().card()?;
            Ok(Told {
                text: card.map(|card| card.text).unwrap_or_default(),
                ..Told::default()
            })
        }
        Ask::Record { fixes } => {
            phone.home.whereabouts().record_all(fixes)?;
            Ok(Told::default())
        }
        Ask::Press { kind, note } => {
            let mut request = SosRequest::new(kind);
            request.note = note;
            let begin = Instant::now();
            let text = phone.home.sos().press(request)?;
            Ok(Told {
                text,
                ms: begin.elapsed().as_secs_f64() * 1_000.0,
                ..Told::default()
            })
        }
        Ask::Countdown { note, seconds } => {
            let mut request = SosRequest::new(SosKind::Other);
            request.note = note;
            request.countdown_s = seconds;
            Ok(Told {
                text: phone.home.sos().press(request)?,
                ..Told::default()
            })
        }
        Ask::Update { report, number } => {
            phone
                .home
                .sos()
                .update_position(report, numbered(number).1)?;
            Ok(Told::default())
        }
        Ask::Cancel { report } => {
            phone.home.sos().cancel(report)?;
            Ok(Told::default())
        }
        Ask::PressForever => press_forever(&phone.home),
        Ask::Sync => {
            phone.home.network_changed()?;
            phone.home.woke(WakeCause::Foreground, None)?;
            let begin = Instant::now();
            let outcome = phone.home.sync(30_000)?;
            Ok(Told {
                text: format!("{:?}", outcome.stopped),
                ms: begin.elapsed().as_secs_f64() * 1_000.0,
                number: u64::from(outcome.sent),
                ..Told::default()
            })
        }
        Ask::Status { report } => Ok(status(&phone.home.sos().status(report)?)),
        Ask::Attach { report, path } => {
            let about = AttachmentInfo {
                media_type: "image/jpeg".into(),
                name: None,
                send_over: None,
            };
            let path = path.to_string_lossy().into_owned();
            let begin = Instant::now();
            let text = phone.home.attachments().attach_file(report, path, about)?;
            Ok(Told {
                text,
                ms: begin.elapsed().as_secs_f64() * 1_000.0,
                ..Told::default()
            })
        }
        Ask::Attachments { report } => {
            let list = phone.home.attachments().list(report)?;
            Ok(Told {
                lines: list.iter().map(attachment).collect(),
                ..Told::default()
            })
        }
        Ask::Export => {
            let export = phone.home.export()?;
            let whereabouts = phone.home.whereabouts();
            let gpx = whereabouts.export_track(TrackFormat::Gpx, 0, i64::MAX)?;
            Ok(Told {
                text: export.json,
                lines: vec![export.summary, String::from_utf8_lossy(&gpx).into_owned()],
                ..Told::default()
            })
        }
        Ask::Carry { bundle } => {
            let import = phone.home.relay().import(std::fs::read(bundle)?)?;
            Ok(Told {
                number: import.taken.into(),
                ..Told::default()
            })
        }
        Ask::Carried => {
            let status = phone.home.relay().status()?;
            Ok(Told {
                number: status.carried.into(),
                text: format!("{} {}", status.passed_on, status.refused),
                ..Told::default()
            })
        }
        Ask::EraseRequest => Ok(Told {
            text: format!("{:?}", phone.home.state()?.erase_request),
            ..Told::default()
        }),
        Ask::Erase => {
            let begin = Instant::now();
            let state = phone.home.erase()?;
            Ok(Told {
                text: format!("{:?}", state.record),
                ms: begin.elapsed().as_secs_f64() * 1_000.0,
                ..Told::default()
            })
        }
        Ask::Unlock => {
            phone.vault.set_locked(false);
            let state = phone.home.reopen()?;
            Ok(Told {
                text: format!("{:?}", state.record),
                ..Told::default()
            })
        }
        Ask::Pause => {
            phone.home.pause()?;
            Ok(Told::default())
        }
        Ask::Contacts => Ok(Told {
            number: u64::try_from(phone.home.contacts().list()?.len()).unwrap_or(u64::MAX),
            ..Told::default()
        }),
        Ask::Arrival => {
            let notice = phone.home.alerts().arrival()?;
            phone.home.alerts().arrival_shown()?;
            Ok(notice.as_ref().map(abroad::arrival).unwrap_or_default())
        }
        Ask::Help => Ok(Told {
            lines: abroad::help(&phone.home.help_at(Place::Here)),
            ..Told::default()
        }),
        Ask::AlertsVersion => {
            let packs = phone.home.packs().list()?;
            let alerts = packs.iter().find(|pack| pack.name == PackName::Alerts);
            Ok(Told {
                number: alerts.map_or(0, |pack| pack.version),
                ..Told::default()
            })
        }
        Ask::Rotate => {
            phone.home.rotate_key()?;
            Ok(Told::default())
        }
        Ask::RotateForever { from } => rotate_forever(&phone.home, from),
        Ask::ChangeVault { key } => {
            phone.home.change_vault(LockableVault::open(&key, false)?)?;
            Ok(Told::default())
        }
        Ask::Operate { what, number } => Ok(Told {
            text: operation::operate(&phone.home, &phone.directory, what, number)?,
            ..Told::default()
        }),
        Ask::Held => Ok(Told {
            text: operation::held(&phone.home)?,
            ..Told::default()
        }),
    }
}

/// The contact and the fix of a number, as `Ask::RotateForever` makes them.
pub fn numbered(number: u32) -> (Contact, Fix) {
    let contact = Contact {
        name: format!("contact {number}"),
        phone: "+86 139 0013 9000".into(),
        relation: Relation::Friend,
        ..Contact::default()
    };
    let fix = Fix {
        accuracy_m: Some(5.0),
        ..Fix::new(
            Position::Wgs84 {
                latitude: 41.0,
                longitude: 29.0 + f64::from(number) * 1e-4,
            },
            1_767_225_600_000 + i64::from(number) * 60_000,
            FixSource::Gnss,
        )
    };
    (contact, fix)
}

fn rotate_forever(home: &Homeline, from: u32) -> ! {
    let mut out = io::stdout();
    for number in from.. {
        let (contact, fix) = numbered(number);
        // A record takes a hundred contacts.
        let full = home.contacts().list().is_ok_and(|list| list.len() >= 90);
        let done = (full
            || home
                .contacts()
                .add(contact)
                .is_ok_and(|_| writeln!(out, "contact {number}").is_ok()))
            && home
                .whereabouts()
                .record(fix)
                .is_ok_and(|()| writeln!(out, "fix {number}").is_ok())
            && home
                .rotate_key()
                .is_ok_and(|_| writeln!(out, "rotated {number}").is_ok());
        if !done || out.flush().is_err() {
            break;
        }
    }
    // The parent sees a child that ended by itself, and fails.
    std::process::exit(1);
}

fn claims(home: &Homeline) -> homeline::Result<Told> {
    let mut lines = Vec::new();
    for summary in home.sos().reports()? {
        let claim = Claim::of(&home.sos().status(summary.report)?);
        lines.push(serde_json::to_string(&claim).unwrap_or_default());
    }
    Ok(Told {
        lines,
        ..Told::default()
    })
}

fn press_forever(home: &Homeline) -> ! {
    let mut request = SosRequest::new(SosKind::Other);
    request.on_repeat = Some(OnRepeat::NewReport);
    let mut out = io::stdout();
    loop {
        let printed = home
            .sos()
            .press(request.clone())
            .is_ok_and(|id| writeln!(out, "{id}").and_then(|()| out.flush()).is_ok());
        if !printed {
            // The parent sees a child that ended by itself, and fails.
            std::process::exit(1);
        }
    }
}

fn attachment(one: &AttachmentStatus) -> String {
    let state = match &one.state {
        AttachmentState::Waiting => "waiting",
        AttachmentState::Sending { .. } => "sending",
        AttachmentState::Paused { .. } => "paused",
        AttachmentState::Received { .. } => "received",
        AttachmentState::Parked { .. } => "parked",
    };
    format!("{} {state}", one.attachment)
}

fn status(status: &ReportStatus) -> Told {
    Told {
        text: crate::words::state(&status.state),
        number: u64::from(status.attempts),
        lines: status.events.iter().map(crate::words::event).collect(),
        ms: 0.0,
    }
}
