//! The student: what she registers, what the desk has of it on the worst day, and
//! how she takes everything back.

use std::io;

use homeline::contacts::{Contact, Relation, Tell};
use homeline::registration::card::{CardState, verify_card};
use homeline::registration::{
    BloodGroup, MedicalCard, Reachable, Stay, TravelDocument, Traveler as Registered, TravelerKind,
    Trip,
};
use homeline_tests::stage::Network;
use homeline_tests::traveler::{Ask, Traveler};
use serde_json::json;

use crate::story::{Story, day, hold, now_ms};

/// The passport of the story: ICAO Doc 9303, specimen of the state of Utopia.
const MRZ: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                   L898902C36UTO7408122F1204159ZE184226B<<<<<10";

const NAME: &str = "Anna Maria Eriksson";
const SCHOOL: &str = "Karadeniz Teknik Üniversitesi";
const GUARDIAN: &str = "Deniz Kaya";
const MOTHER: &str = "Märta Eriksson";
const ALLERGY: &str = "Penicillin";
const HUT: &str = "Yukarı Kavrun";

/// What is looked for in her files when she has erased everything.
const HERS: [&str; 8] = [
    NAME,
    "L898902C3",
    "+46701234567",
    SCHOOL,
    MOTHER,
    ALLERGY,
    HUT,
    "Fell on the scree",
];

impl Story<'_> {
    pub(crate) fn register(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        let contacts = contacts();
        let languages: Vec<_> = contacts
            .iter()
            .map(|contact| contact.languages.join(" and "))
            .collect();
        traveler.ask(&Ask::Register {
            traveler: student(),
            contacts,
        })?;
        traveler.ask(&Ask::Trip { trip: trip()? })?;
        traveler.ask(&Ask::Card {
            card: medical_card(),
        })?;
        let told = traveler.ask(&Ask::Sync)?;
        hold(told.text == "Done", "the registration reaches the ministry")?;
        self.show.step(
            "registered",
            "A student registers: her studies, her trip, two emergency contacts",
            json!({ "contacts": 2, "stays": 2, "sent": told.number }),
        );
        self.show
            .say("record encrypted; passport number matches its ICAO 9303 check digits");
        self.show.say(&format!(
            "Erasmus at {SCHOOL}; a room in Trabzon, and three days in {HUT}"
        ));
        self.show
            .say(&format!("contacts speak: {}", languages.join(", ")));
        self.show
            .say("medical card kept on the phone, for a medical SOS only");
        self.show
            .say("registration sealed, sent, and proved by a signed receipt");
        Ok(())
    }

    /// The card that came behind the registration, shown with no network.
    pub(crate) fn card(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        self.stage.network(Network::Down);
        let text = traveler.ask(&Ask::RegistrationCard)?.text;
        let keys = vec![self.stage.ministry.receipt_key()];
        let card = verify_card(text.clone(), keys, now_ms()).map_err(io::Error::other)?;
        self.stage.network(Network::Up);
        hold(card.state == CardState::Valid, "the card is valid")?;
        hold(card.name == NAME, "the card is hers")?;
        let foreign = verify_card(text.clone(), vec![vec![7; 32]], now_ms());
        hold(foreign.is_err(), "no other key verifies the card")?;
        self.show.step(
            "card",
            "Her registration card, verified with no network by the ministry's key",
            json!({
                "number": card.number,
                "state": "valid",
                "characters": text.chars().count(),
            }),
        );
        self.show.say(&format!(
            "card     {}  {}, document …{}, valid; QR text of {} characters",
            card.number,
            card.name,
            card.document_end.as_deref().unwrap_or("-"),
            text.chars().count(),
        ));
        Ok(())
    }

    /// What an officer reads beside the medical report, and not beside the other.
    pub(crate) fn desk_reads(&mut self) -> io::Result<()> {
        let cases = self.stage.ministry.cases()?;
        let of = |report: &String| cases.iter().find(|case| case.report.to_string() == *report);
        let medical = self.reports.first().and_then(of);
        let lost = self.reports.get(1).and_then(of);
        let card = medical.and_then(|case| case.medical.as_ref());
        let Some(card) = card.map(|medical| &medical.card) else {
            return hold(false, "a medical press brings the medical card");
        };
        hold(*card == medical_card(), "the whole medical card")?;
        hold(
            lost.is_some_and(|case| case.medical.is_none()),
            "another press brings no medical card",
        )?;
        let registered = medical.and_then(|case| case.stay.as_ref());
        let Some(stay) = registered.and_then(|registered| registered.stay.as_ref()) else {
            return hold(false, "the desk sees where she stays");
        };
        hold(stay.place == HUT, "the excursion, not the room")?;
        let guardian = medical
            .and_then(|case| case.traveler.as_ref())
            .and_then(|traveler| match &traveler.kind {
                TravelerKind::Student { guardian, .. } => guardian.as_ref(),
                _ => None,
            });
        hold(
            guardian.is_some_and(|guardian| guardian.name == GUARDIAN),
            "the desk sees who looks after her",
        )?;
        self.show.step(
            "desk",
            "The duty officer reads what a doctor must know, and where she stays",
            json!({ "medical_card": true, "stay": stay.place, "stay_until": stay.to }),
        );
        self.show.say(&format!(
            "medical  blood group A+, allergic to {}, takes {}",
            card.allergies.join(", "),
            card.medication.join(", "),
        ));
        self.show.say(&format!(
            "stay     {}, {} until {}",
            stay.place,
            stay.lodging.as_deref().unwrap_or("-"),
            stay.to
        ));
        Ok(())
    }

    /// Everything about her, in one call, and her way as another program reads it.
    pub(crate) fn export(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        let told = traveler.ask(&Ask::Export)?;
        let [summary, gpx] = told.lines.as_slice() else {
            return hold(false, "the export has a summary and a track");
        };
        hold(
            HERS.iter().all(|hers| told.text.contains(hers)),
            "the export has everything of hers",
        )?;
        let segments = gpx.matches("<trkseg>").count();
        hold(segments > 0, "the export has her track")?;
        self.show.step(
            "exported",
            "Weeks later, at home, she takes her data with her",
            json!({
                "bytes": told.text.len(),
                "summary_bytes": summary.len(),
                "gpx_bytes": gpx.len(),
                "gpx_segments": segments,
            }),
        );
        self.show.say(&format!(
            "one call: {} bytes of JSON, and a summary of {} bytes to read",
            told.text.len(),
            summary.len()
        ));
        self.show.say(&format!(
            "her way as GPX: {} bytes, {segments} segment(s), no line through a hole",
            gpx.len()
        ));
        Ok(())
    }

    pub(crate) fn erase(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        let before = self.stage.ministry.holdings()?;
        hold(before.positions > 0, "the ministry has her positions")?;
        let told = traveler.ask(&Ask::Erase)?;
        hold(told.text == "Open", "a new and empty record")?;
        let ms = told.ms;
        let (found, bytes) = self.found(traveler)?;
        hold(found == 0, "nothing of hers is in her files")?;
        let told = traveler.ask(&Ask::EraseRequest)?;
        hold(told.text == "Waiting", "the request waits for a network")?;
        traveler.ask(&Ask::Sync)?;
        let told = traveler.ask(&Ask::EraseRequest)?;
        let received = told.text.starts_with("Received");
        hold(received, "the ministry's receipt for the request")?;
        let after = self.stage.ministry.holdings()?;
        hold(after.positions == 0, "the ministry has no position of hers")?;
        hold(
            after.profiles + 1 == before.profiles,
            "the ministry has deleted her registration, and no other",
        )?;
        self.show.step(
            "erased",
            "She erases everything, and the ministry proves that it did the same",
            json!({
                "ms": ms,
                "found": found,
                "bytes_searched": bytes,
                "receipt": received,
                "positions_at_the_ministry": after.positions,
            }),
        );
        self.show.say(&format!(
            "erased in {ms:.0} ms; {} of her texts searched for in {bytes} bytes: {found} found",
            HERS.len()
        ));
        self.show.say(&format!(
            "receipt for the erasure; at the ministry {} positions before, {} now; her cases stay",
            before.positions, after.positions
        ));
        Ok(())
    }

    /// How often anything of hers is found in her phone's files, or in what the
    /// library itself still reads of them; and how many bytes that were.
    fn found(&self, traveler: &mut Traveler) -> io::Result<(usize, usize)> {
        let mut texts = vec![traveler.ask(&Ask::Export)?.text.into_bytes()];
        for file in std::fs::read_dir(self.phone.join("files"))? {
            texts.push(std::fs::read(file?.path())?);
        }
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let needles: Vec<Vec<u8>> = HERS
            .iter()
            .flat_map(|text| [text.as_bytes().to_vec(), wide(text)])
            .collect();
        let count = |bytes: &Vec<u8>| -> usize {
            let times = |needle: &Vec<u8>| {
                bytes
                    .windows(needle.len())
                    .filter(|part| part == needle)
                    .count()
            };
            needles.iter().map(times).sum()
        };
        let bytes = texts.iter().map(Vec::len).sum();
        Ok((texts.iter().map(count).sum(), bytes))
    }
}

fn student() -> Registered {
    Registered {
        name: NAME.into(),
        kind: TravelerKind::Student {
            school: SCHOOL.into(),
            programme: Some("Erasmus, geology".into()),
            guardian: Some(Reachable {
                name: GUARDIAN.into(),
                phone: Some("+90 532 123 45 67".into()),
            }),
        },
        phone: Some("+46 70 123 45 67".into()),
        documents: vec![TravelDocument {
            number: "L898902C3".into(),
            mrz: Some(MRZ.into()),
            ..TravelDocument::default()
        }],
        languages: vec!["sv".into(), "en".into()],
        ..Registered::default()
    }
}

fn contacts() -> Vec<Contact> {
    vec![
        Contact {
            name: MOTHER.into(),
            phone: "+46701234568".into(),
            relation: Relation::Parent,
            languages: vec!["sv".into(), "en".into()],
            may_be_told: vec![Tell::Everything],
            ..Contact::default()
        },
        Contact {
            name: GUARDIAN.into(),
            phone: "+905321234567".into(),
            relation: Relation::Friend,
            languages: vec!["tr".into(), "en".into()],
            may_be_told: vec![Tell::InTrouble],
            ..Contact::default()
        },
    ]
}

/// A term in Trabzon, and an excursion in the middle of it.
fn trip() -> io::Result<Trip> {
    let stay = |place: &str, from, to, lodging: &str| -> io::Result<Stay> {
        Ok(Stay {
            country: "TR".into(),
            place: place.into(),
            from: day(from)?,
            to: day(to)?,
            lodging: Some(lodging.into()),
            companions: Vec::new(),
        })
    };
    Ok(Trip {
        title: Some("Erasmus".into()),
        departs: day(-60)?,
        returns: Some(day(90)?),
        stays: vec![
            stay("Trabzon", -60, 90, "student residence")?,
            stay(HUT, -1, 2, "mountain hut")?,
        ],
    })
}

fn medical_card() -> MedicalCard {
    MedicalCard {
        blood_group: Some(BloodGroup::APositive),
        allergies: vec![ALLERGY.into()],
        medication: vec!["Levothyroxine 50 µg".into()],
        ..MedicalCard::default()
    }
}
