//! What the phone says of a place, a line each.

use homeline::alerts::ArrivalNotice;
use homeline::missions::{AsOf, Help, LocalMission, LocalNumbers};

use super::Told;

/// What an arrival notice says, a line each.
pub(super) fn arrival(notice: &ArrivalNotice) -> Told {
    let mut lines = Vec::new();
    if let Some(level) = &notice.level {
        lines.push(format!("level    {}", level.wording.text));
    }
    let headlines = notice.alerts.iter().filter_map(|it| it.headline.as_ref());
    lines.extend(headlines.map(|headline| format!("alert    {}", headline.text)));
    lines.extend(notice.mission.as_ref().map(mission));
    lines.extend(notice.numbers.as_ref().map(numbers));
    lines.extend(
        notice
            .hotline
            .first()
            .map(|it| format!("hotline  {}", it.number)),
    );
    Told {
        text: notice.country.clone(),
        number: u64::from(notice.is_new),
        lines,
        ..Told::default()
    }
}

/// Who helps, a line each, in that order.
pub(super) fn help(help: &Help) -> Vec<String> {
    let mut lines: Vec<String> = help.numbers.iter().map(numbers).collect();
    lines.extend(help.responsible.iter().map(mission));
    if let Some(nearest) = &help.nearest {
        lines.push(format!("nearest: {}", mission(nearest)));
    }
    for line in &help.hotline {
        lines.push(format!("hotline  {} ({:?})", line.number, line.from));
    }
    let guides = help.protection.iter();
    lines.extend(guides.map(|it| format!("guide    {}{}", it.title, age(&it.as_of))));
    lines
}

fn numbers(local: &LocalNumbers) -> String {
    let dialled: Vec<String> = local
        .numbers
        .iter()
        .map(|it| format!("{} {:?}", it.number, it.service))
        .collect();
    let (country, age) = (&local.country, age(&local.as_of));
    format!("local    {country}: {}{age}", dialled.join(", "))
}

fn mission(mission: &LocalMission) -> String {
    let name = mission.name.as_ref().map_or("", |name| name.text.as_str());
    let phone = mission.phones.first().map_or("", |it| it.number.as_str());
    let km = mission.distance_m.unwrap_or_default() / 1_000.0;
    let age = age(&mission.as_of);
    format!("mission  {name}, {phone}, {km:.0} km away{age}")
}

fn age(as_of: &AsOf) -> String {
    let days = as_of.age_ms.map(|ms| ms / (24 * 3_600_000));
    days.map_or_else(String::new, |days| format!(" (checked {days} days ago)"))
}
