//! A report as one plain Chinese sentence: for a person who reads it, where nothing
//! can be sealed or the traveler wants to write to somebody else.
//!
//! At most 70 characters, which is one text message in UCS-2 (3GPP TS 23.038). The
//! position is in decimal degrees of WGS 84, so that any map finds it, and the time
//! is Beijing's: readers are at home.

use time::{OffsetDateTime, UtcOffset};

use crate::geo::{Datum, position_in};
use crate::sos::SosKind;
use crate::sync::protocol::AgedFix;
use crate::whereabouts::FixFlag;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// The sentence of a report, as far as it can be read.
pub(super) fn sentence(
    kind: Option<SosKind>,
    people: Option<u32>,
    position: Option<&AgedFix>,
    pressed_ms: i64,
) -> String {
    let people = match people {
        Some(people @ 2..=9_999) => format!("{people}人"),
        _ => String::new(),
    };
    format!(
        "【求助】{}{people}，{}，{}",
        kind.map_or("紧急情况", word),
        place(position),
        beijing(pressed_ms)
    )
}

fn word(kind: SosKind) -> &'static str {
    match kind {
        SosKind::Medical => "受伤或患病",
        SosKind::Crime => "遭遇侵害",
        SosKind::Accident => "发生事故",
        SosKind::Disaster => "遭遇灾害",
        SosKind::Conflict => "遭遇战乱",
        SosKind::Detained => "被拘留",
        SosKind::Lost => "迷路或失联",
        SosKind::Other => "紧急情况",
    }
}

fn place(position: Option<&AgedFix>) -> String {
    let known = position
        .filter(|aged| !aged.flags.contains(&FixFlag::Mock))
        .and_then(|aged| {
            Some((
                position_in(aged.fix.position, Datum::Wgs84).ok()?,
                aged.age_ms,
            ))
        });
    match known {
        Some((at, age_ms)) => {
            let (latitude, longitude) = at.degrees();
            format!("位置{latitude:.5},{longitude:.5}（{}）", age(age_ms))
        }
        None => "位置不明".into(),
    }
}

fn age(age_ms: Option<i64>) -> String {
    match age_ms {
        None => "时间不明".into(),
        Some(ms) if ms < MINUTE_MS => "当时".into(),
        Some(ms) if ms < 2 * HOUR_MS => format!("{}分钟前", ms / MINUTE_MS),
        Some(ms) if ms < 48 * HOUR_MS => format!("{}小时前", ms / HOUR_MS),
        Some(ms) => format!("{}天前", (ms / (24 * HOUR_MS)).min(9_999)),
    }
}

fn beijing(ms: i64) -> String {
    let zone = UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC);
    match OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000)) {
        Ok(at) => {
            let at = at.to_offset(zone);
            let (month, day) = (u8::from(at.month()), at.day());
            format!(
                "北京时间{month}月{day}日{:02}:{:02}",
                at.hour(),
                at.minute()
            )
        }
        Err(_) => "时间不明".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::{Fix, FixSource, Position};

    fn aged(position: Position, age_ms: Option<i64>) -> AgedFix {
        AgedFix {
            fix: Fix::new(position, 0, FixSource::Gnss),
            age_ms,
            flags: Vec::new(),
        }
    }

    const ISTANBUL: Position = Position::Wgs84 {
        latitude: 41.01,
        longitude: 28.97,
    };

    #[test]
    fn it_says_what_where_and_when() {
        let fix = aged(ISTANBUL, Some(5 * MINUTE_MS));
        assert_eq!(
            sentence(
                Some(SosKind::Medical),
                Some(2),
                Some(&fix),
                1_790_000_000_000
            ),
            "【求助】受伤或患病2人，位置41.01000,28.97000（5分钟前），北京时间9月21日22:13"
        );
        assert_eq!(
            sentence(None, None, None, 1_790_000_000_000),
            "【求助】紧急情况，位置不明，北京时间9月21日22:13"
        );
    }

    #[test]
    fn the_position_is_what_any_map_finds_and_not_made_up() {
        let beijing = Position::Gcj02 {
            latitude: 39.908_722,
            longitude: 116.397_499,
        };
        let said = sentence(None, None, Some(&aged(beijing, None)), 0);
        assert!(
            said.contains("位置39.90732,116.39126（时间不明）"),
            "{said}"
        );
        let mut made_up = aged(ISTANBUL, Some(0));
        made_up.flags.push(FixFlag::Mock);
        assert!(sentence(None, None, Some(&made_up), 0).contains("位置不明"));
    }

    #[test]
    fn it_is_one_text_message_whatever_it_says() {
        let far = Position::Wgs84 {
            latitude: -89.123_456,
            longitude: -179.123_456,
        };
        for kind in [SosKind::Medical, SosKind::Lost, SosKind::Other] {
            for age_ms in [
                None,
                Some(0),
                Some(119 * MINUTE_MS),
                Some(47 * HOUR_MS),
                Some(i64::MAX),
            ] {
                for pressed_ms in [i64::MIN, 0, 1_796_000_000_000, i64::MAX] {
                    let said = sentence(
                        Some(kind),
                        Some(9_999),
                        Some(&aged(far, age_ms)),
                        pressed_ms,
                    );
                    let length = said.encode_utf16().count();
                    assert!(length <= 70, "{length}: {said}");
                }
            }
        }
    }
}
