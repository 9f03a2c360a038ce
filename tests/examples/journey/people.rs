//! The others: a family of three on one phone, and a tour group of twenty that is
//! made with no network.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use homeline::error::Problem;
use homeline::health::WakeCause;
use homeline::registration::groups::{AddOutcome, GroupDetails, GroupKind};
use homeline::registration::{
    Agreement, AgreementWay, Capacity, ConsentGiven, Dependent, Guardian, Purpose, TravelDocument,
    Traveler as Registered,
};
use homeline::sos::{SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::stage::{self, Network, Values};
use homeline_tests::vault::LockableVault;
use serde_json::json;

use crate::story::{Story, day, desk_line, hold, now_ms};

const TEXT: &str = "2026-11";
/// Family names of the members that have a phone.
const MEMBERS: [&str; 19] = [
    "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨",
    "朱", "秦", "许",
];

impl Story<'_> {
    /// Somebody else's phone.
    pub(crate) fn phone(&self, name: &str) -> io::Result<Arc<Homeline>> {
        phone(self.stage.values(), &self.base.join(name))
    }

    /// The members' phones, each with its owner registered. They are started side
    /// by side: a first start mostly waits for the disk.
    fn members(&self) -> io::Result<Vec<Arc<Homeline>>> {
        let (values, base) = (self.stage.values(), &self.base);
        std::thread::scope(|scope| {
            let starting: Vec<_> = (1..)
                .zip(MEMBERS)
                .map(|(number, family_name)| {
                    scope.spawn(move || {
                        let directory = base.join(format!("tour/member{number:02}"));
                        let member = phone(values, &directory)?;
                        let passport = format!("E3000{number:04}");
                        let who = person(&format!("{family_name}静"), &passport);
                        member.registration().save(who).map_err(failed)?;
                        Ok(member)
                    })
                })
                .collect();
            let phones = starting.into_iter().map(|phone| {
                let panicked = |_| io::Error::other("a phone panicked");
                phone.join().map_err(panicked)?
            });
            phones.collect()
        })
    }

    pub(crate) fn family(&mut self) -> io::Result<()> {
        let home = self.phone("family")?;
        let mother = person("王芳", "E20000001");
        home.registration().save(mother).map_err(failed)?;
        let child = Dependent {
            person: Registered {
                birth_date: Some(day(-(9 * 365 + 100))?),
                ..person("李小雨", "E20000003")
            },
            capacity: Capacity::Guardian,
            agreed: agreed(AgreementWay::Guardian)?,
            id: None,
        };
        let partner = Dependent {
            person: person("李伟", "E20000002"),
            capacity: Capacity::Other,
            agreed: agreed(AgreementWay::InPerson)?,
            id: None,
        };
        // What a child of nine says herself is no consent.
        let alone = Dependent {
            agreed: agreed(AgreementWay::InPerson)?,
            ..child.clone()
        };
        let refused = home.dependents().save(alone);
        hold(
            matches!(refused, Err(HomelineError::Invalid { ref field, .. })
                if field.starts_with("dependent.")),
            "a child of nine is registered on a guardian's word only",
        )?;
        home.dependents().save(partner).map_err(failed)?;
        let child = home.dependents().save(child).map_err(failed)?;
        consent(&home)?;
        let guardian = Guardian {
            name: "王芳".into(),
            relation: "mother".into(),
        };
        home.consents()
            .give_as(ConsentGiven {
                purpose: Purpose::Register,
                text_version: TEXT.into(),
                language: "zh-Hans".into(),
                guardian: Some(guardian),
                subject: Some(child),
            })
            .map_err(failed)?;
        let envelopes = sync(&home)?;
        hold(envelopes == 1, "a family is one envelope")?;
        self.show.step(
            "family",
            "A mother registers her family: her husband, and a child of nine",
            json!({ "people": 3, "envelopes": envelopes, "child_alone": "refused" }),
        );
        self.show
            .say("the child on her guardian's word: on the child's own it is refused");
        self.show
            .say(&format!("three people, {envelopes} envelope, one receipt"));
        self.family_calls(&home)
    }

    fn family_calls(&mut self, home: &Homeline) -> io::Result<()> {
        let place = Position::Wgs84 {
            latitude: 41.005_4,
            longitude: 28.976_8,
        };
        let mut request = SosRequest::new(SosKind::Accident);
        request.people = Some(3);
        request.fix = Some(Fix {
            accuracy_m: Some(9.0),
            ..Fix::new(place, now_ms(), FixSource::Fused)
        });
        let report = home.sos().press(request).map_err(failed)?;
        self.count.presses += 1;
        sync(home)?;
        let cases = self.stage.ministry.cases()?;
        let case = cases.iter().find(|case| case.report.to_string() == report);
        self.reports.push(report);
        let Some(case) = case else {
            return hold(false, "the family's SOS is a case");
        };
        let mut people: Vec<&str> = case.traveler.iter().map(|who| who.name.as_str()).collect();
        people.extend(case.dependents.iter().map(|who| who.person.name.as_str()));
        hold(
            people == ["王芳", "李伟", "李小雨"],
            "the desk sees all three",
        )?;
        let guarded = case
            .dependents
            .iter()
            .any(|who| who.agreed.way == AgreementWay::Guardian);
        hold(guarded, "the desk sees on whose word the child is here")?;
        self.show.step(
            "family_sos",
            "A car accident: the mother presses, the desk sees all three",
            json!({ "people": people.len(), "documents": 3 }),
        );
        self.show.say(&desk_line(case));
        self.show.say(&format!("         {}", people.join(", ")));
        Ok(())
    }

    /// A group from a leader's phone and those of the members, none of which has a
    /// network.
    pub(crate) fn tour(&mut self) -> io::Result<()> {
        let leader = self.phone("tour/leader")?;
        let groups = leader.groups();
        let herself = person("林导", "E30000000");
        leader.registration().save(herself).map_err(failed)?;
        consent(&leader)?;
        hold(sync(&leader)? == 1, "the leader's own registration")?;
        self.stage.network(Network::Down);
        let details = GroupDetails {
            name: "黑海之旅".into(),
            kind: GroupKind::Tour,
            agency: Some("环球旅行社".into()),
            first_day: Some(day(0)?),
            last_day: Some(day(9)?),
        };
        let group = groups.create(details).map_err(failed)?;
        let invitation = groups.invitation(group.clone()).map_err(failed)?;

        let begin = Instant::now();
        let phones = self.members()?;
        let started_ms = begin.elapsed().as_secs_f64() * 1_000.0;
        let mut texts = Texts::default();
        let mut members = Vec::new();
        let bar = self.show.progress(20);
        let begin = Instant::now();
        for member in phones {
            let entry = member.groups().join(invitation.clone(), TEXT.into());
            let entry = entry.map_err(failed)?;
            let outcome = groups.add(entry.clone()).map_err(failed)?;
            hold(
                matches!(outcome, AddOutcome::Added { .. }),
                "each member is taken in",
            )?;
            texts.longest_entry = texts.longest_entry.max(entry.chars().count());
            members.push((member, entry));
            bar.inc(1);
        }
        let child = Registered {
            birth_date: Some(day(-(6 * 365))?),
            ..person("许小宝", "E30000020")
        };
        let outcome = groups.add_by_hand(group.clone(), child).map_err(failed)?;
        hold(
            matches!(outcome, AddOutcome::Added { .. }),
            "a child without a phone is taken in by hand",
        )?;
        bar.finish_and_clear();
        let made_ms = begin.elapsed().as_secs_f64() * 1_000.0;
        let count = |group: &str| groups.members(group.to_owned()).map(|all| all.len());
        hold(count(&group) == Ok(20), "twenty are in")?;

        // One scans twice, one leaves and is not brought back by the old text.
        let (Some((_, twice)), Some((leaver, old))) = (members.get(6), members.get(11)) else {
            return hold(false, "nineteen phones");
        };
        let outcome = groups.add(twice.clone()).map_err(failed)?;
        hold(
            matches!(outcome, AddOutcome::AlreadyIn { .. }),
            "a text that is shown twice adds nobody",
        )?;
        let leave = leaver.groups().leave(group.clone()).map_err(failed)?;
        let outcome = groups.add(leave.clone()).map_err(failed)?;
        hold(
            matches!(outcome, AddOutcome::Left { member: Some(_) }),
            "a member leaves by a text of her own",
        )?;
        let replayed = groups.add(old.clone());
        hold(
            matches!(
                replayed,
                Err(HomelineError::Invalid {
                    problem: Problem::Stale,
                    ..
                })
            ),
            "an old text does not bring her back",
        )?;
        hold(count(&group) == Ok(19), "nineteen are in")?;
        texts.invitation = invitation.chars().count();
        texts.leave = leave.chars().count();
        self.show.step(
            "tour_offline",
            "A tour group of twenty is made on a bus with no network",
            json!({
                "phones": members.len() + 1,
                "by_hand": 1,
                "came": 20,
                "left": 1,
                "members": 19,
                "invitation_characters": texts.invitation,
                "entry_characters": texts.longest_entry,
                "leave_characters": texts.leave,
                "phones_started_ms": started_ms,
                "made_ms": made_ms,
            }),
        );
        self.show.say(&format!(
            "QR texts: the invitation has {} characters, an entry at most {}, a leave {}",
            texts.invitation, texts.longest_entry, texts.leave
        ));
        self.show.say(&format!(
            "19 phones join and a child by hand in {made_ms:.0} ms; the phones' first start took {started_ms:.0} ms"
        ));
        self.show
            .say("one entry shown twice: in once; one leaves, and her old entry is refused");
        self.upload(&leader, &group)
    }

    fn upload(&mut self, leader: &Homeline, group: &str) -> io::Result<()> {
        let stopped = leader.sync(5_000).map_err(failed)?.stopped;
        hold(stopped == SyncStop::Offline, "there is no network")?;
        self.stage.network(Network::Up);
        let envelopes = sync(leader)?;
        hold(envelopes == 1, "a group is one envelope")?;
        hold(sync(leader)? == 0, "and it is sent once")?;
        let views = self.stage.ministry.groups()?;
        let view = views.iter().find(|view| view.id.to_string() == group);
        let Some(view) = view else {
            return hold(false, "the ministry has the group");
        };
        let signed = view.members.iter().filter(|member| member.signed).count();
        hold(
            (view.members.len(), signed) == (19, 18) && view.unverified == 0,
            "the ministry counts nineteen, eighteen by their own signature",
        )?;
        hold(view.left == 1, "the ministry knows who left")?;
        self.show.step(
            "tour_uploaded",
            "The bus reaches a town: one envelope, and the ministry counts right",
            json!({
                "envelopes": envelopes,
                "members": view.members.len(),
                "signed": signed,
                "left": view.left,
            }),
        );
        self.show.say(&format!(
            "desk     {}, {}: {} people, {signed} by their own signature, {} left",
            view.name,
            view.agency.as_deref().unwrap_or("-"),
            view.members.len(),
            view.left
        ));
        Ok(())
    }
}

/// A phone whose files are in a directory.
fn phone(values: &Values, directory: &Path) -> io::Result<Arc<Homeline>> {
    std::fs::create_dir_all(directory)?;
    let vault = LockableVault::open(&directory.join("vault.key"), false).map_err(failed)?;
    let config = stage::config(values, &directory.join("files"));
    Homeline::open(config, vault, None, None).map_err(failed)
}

/// How many characters the QR codes of a group hold.
#[derive(Default)]
struct Texts {
    invitation: usize,
    longest_entry: usize,
    leave: usize,
}

pub(crate) fn person(name: &str, passport: &str) -> Registered {
    Registered {
        name: name.into(),
        documents: vec![TravelDocument {
            number: passport.into(),
            ..TravelDocument::default()
        }],
        ..Registered::default()
    }
}

fn agreed(way: AgreementWay) -> io::Result<Agreement> {
    Ok(Agreement {
        way,
        date: day(-1)?,
    })
}

fn consent(home: &Homeline) -> io::Result<()> {
    home.consents()
        .give(Purpose::Register, TEXT.into())
        .map_err(failed)
}

/// A pass to its end; returns how many envelopes it has sent.
pub(crate) fn sync(home: &Homeline) -> io::Result<u32> {
    home.network_changed().map_err(failed)?;
    home.woke(WakeCause::Foreground, None).map_err(failed)?;
    let outcome = home.sync(30_000).map_err(failed)?;
    hold(
        outcome.stopped == SyncStop::Done && outcome.waiting == 0,
        "the pass comes to its end",
    )?;
    Ok(outcome.sent)
}

pub(crate) fn failed(error: HomelineError) -> io::Error {
    io::Error::other(error)
}
