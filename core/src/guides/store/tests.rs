//! What a search finds, in which order, and that nothing typed breaks it.

use proptest::prelude::*;

use super::*;
use crate::packs::first;
use crate::registration::Date;

fn database(guides: &[Guide]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    create(&connection).unwrap();
    replace_all(&connection, guides).unwrap();
    connection
}

fn guide(id: &str, situation: &str, countries: &[&str], texts: &[(&str, &str, &str)]) -> Guide {
    let text = |(language, title, body): &(&str, &str, &str)| {
        let text = GuideText {
            title: (*title).into(),
            body: (*body).into(),
        };
        ((*language).into(), text)
    };
    Guide {
        id: id.into(),
        situation: situation.into(),
        countries: countries.iter().map(|code| (*code).into()).collect(),
        updated: "2026-11-25".into(),
        texts: texts.iter().map(text).collect(),
    }
}

fn wanted(languages: &[&str], countries: &[&str], situation: Option<&str>) -> GuideWanted {
    let all = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
    GuideWanted {
        languages: all(languages),
        countries: all(countries),
        situation: situation.map(Into::into),
    }
}

fn found(connection: &Connection, query: &str, wanted: &GuideWanted) -> Vec<String> {
    let hits = search(connection, query, wanted, 100).unwrap();
    hits.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn the_engine_has_what_the_index_needs() {
    let connection = Connection::open_in_memory().unwrap();
    let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
    let options: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(options.contains(&"ENABLE_FTS5".to_owned()), "{options:?}");
    assert!(options.contains(&"HAS_CODEC".to_owned()), "{options:?}");
}

#[test]
fn words_of_one_two_and_more_characters_are_found_and_others_are_not() {
    let connection = database(&first::guides());
    let chinese = wanted(&["zh-Hans"], &[], None);
    for (query, first_hit) in [
        ("护", Some("lost-passport")),
        ("护照", Some("lost-passport")),
        ("护照丢失", Some("lost-passport")),
        ("地震", Some("disaster")),
        ("海啸", Some("disaster")),
        ("余震", Some("disaster")),
        ("大出血", Some("ill")),
        ("狂犬病", Some("ill")),
        ("心肺复苏", Some("ill")),
        ("维也纳领事关系公约", Some("detained")),
        ("报案证明", Some("robbed")),
        ("抢", Some("robbed")),
        // It is nowhere but at the end of a run.
        ("鼻", Some("disaster")),
        // Both characters are there, the word is not.
        ("照护", None),
        ("潜水艇", None),
        // Traditional characters are not converted.
        ("護照", None),
        // A sentence: no guide has it, some have its words.
        ("我的护照被偷了怎么办", Some("lost-passport")),
    ] {
        let ids = found(&connection, query, &chinese);
        assert_eq!(
            ids.first().map(String::as_str),
            first_hit,
            "{query} {ids:?}"
        );
    }
}

#[test]
fn latin_words_are_found_by_their_beginnings_and_without_marks() {
    let cafe = guide(
        "cafe",
        "x",
        &[],
        &[("fr", "Le Café Zürich", "où est-il, l’été ?")],
    );
    let mixed = guide(
        "mixed",
        "x",
        &[],
        &[("zh-Hans", "SOS求助按钮", "按下SOS，然后等待 iPhone 震动")],
    );
    let mut guides = first::guides();
    guides.extend([cafe, mixed]);
    let connection = database(&guides);
    let english = wanted(&["en"], &[], None);
    for (query, first_hit) in [
        ("passport", Some("lost-passport")),
        ("Passp", Some("lost-passport")),
        ("PASSPORT LOST", Some("lost-passport")),
        ("resuscitation", Some("ill")),
        ("cafe", Some("cafe")),
        ("CAFÉ zur", Some("cafe")),
        ("cafe\u{301}", Some("cafe")),
        ("l'ete", Some("cafe")),
        ("ＳＯＳ求助", Some("mixed")),
        ("iphone 震动", Some("mixed")),
        ("sos按钮", Some("mixed")),
        // Only the last word is a beginning.
        ("pass lost", None),
        ("assport", None),
        ("submarine", None),
    ] {
        let strict = Query::new(query, &Policy::STANDARD).unwrap().all;
        let numbers = matches(&connection, &strict, &english).unwrap();
        let ids: Vec<String> = numbers
            .iter()
            .map(|number| Item::read(&connection, *number).unwrap().id)
            .collect();
        assert_eq!(
            ids.first().map(String::as_str),
            first_hit,
            "{query} {ids:?}"
        );
    }
}

/// The same words in all of them: what differs decides.
#[test]
fn language_country_situation_and_title_decide_in_this_order() {
    let (zh, en) = ("zh-Hans", "en");
    let connection = database(&[
        guide("body", "x", &[], &[(zh, "别的", "护照")]),
        guide("title", "x", &[], &[(zh, "护照", "别的")]),
        guide(
            "here",
            "x",
            &["TR", "GE"],
            &[(zh, "别的", "护照别的别的别的")],
        ),
        guide("there", "x", &["JP"], &[(zh, "护照", "护照")]),
        guide("english", "x", &["TR"], &[(en, "护照", "护照")]),
        guide("crime", "crime", &[], &[(zh, "别的", "护照")]),
    ]);
    let rows: [(&[&str], Option<&str>, &[&str]); 4] = [
        (
            &["TR"],
            None,
            &["here", "title", "body", "crime", "there", "english"],
        ),
        (
            &["TR"],
            Some("crime"),
            &["here", "title", "crime", "body", "there", "english"],
        ),
        (
            &["jp"],
            None,
            &["there", "title", "body", "crime", "here", "english"],
        ),
        (
            &[],
            Some("x"),
            &["title", "body", "crime", "there", "here", "english"],
        ),
    ];
    for (countries, situation, expected) in rows {
        let ids = found(&connection, "护照", &wanted(&[zh], countries, situation));
        // Equals are in the order of their ids.
        let mut same = ids.clone();
        if situation.is_none() {
            same.sort_by_key(|id| expected.iter().position(|it| it == id));
        }
        assert_eq!(ids, same, "{countries:?} {situation:?}");
        assert_eq!(ids.len(), expected.len());
        assert_eq!(
            ids.first().map(String::as_str),
            expected.first().copied(),
            "{ids:?}"
        );
        assert_eq!(ids.last().map(String::as_str), Some("english"), "{ids:?}");
    }
    // The situation lifts one of equals.
    let plain = found(&connection, "护照", &wanted(&[zh], &[], None));
    let lifted = found(&connection, "护照", &wanted(&[zh], &[], Some("crime")));
    let at = |ids: &[String], id: &str| ids.iter().position(|it| it == id).unwrap();
    assert!(at(&plain, "body") < at(&plain, "crime"));
    assert!(at(&lifted, "crime") < at(&lifted, "body"));
}

#[test]
fn a_guide_is_shown_once_in_the_language_of_the_reader() {
    let connection = database(&first::guides());
    // Found by its English text, shown in Chinese; and the other way round.
    for (query, language, title) in [
        ("rabies", "zh-CN", "生病或受伤怎么办"),
        ("狂犬病", "en-US", "Ill or injured"),
        ("狂犬病", "ug", "Ill or injured"),
    ] {
        let hits = search(&connection, query, &wanted(&[language], &[], None), 9).unwrap();
        assert_eq!(hits.len(), 1, "{query}");
        assert_eq!(hits[0].title, title);
    }
    let hits = search(&connection, "112 OR police", &wanted(&["en"], &[], None), 2).unwrap();
    assert_eq!(hits.len(), 2);
}

#[test]
fn the_line_that_was_meant_is_shown() {
    let connection = database(&first::guides());
    let chinese = wanted(&["zh-Hans"], &[], None);
    let hits = search(&connection, "海啸", &chinese, 1).unwrap();
    assert!(hits[0].excerpt.contains("海啸"), "{}", hits[0].excerpt);
    let hits = search(&connection, "护照被偷了去报失", &chinese, 1).unwrap();
    assert!(hits[0].excerpt.contains("报失"), "{}", hits[0].excerpt);
    let listed = list(&connection, &wanted(&["en"], &[], Some("medical")), 9).unwrap();
    assert!(
        listed[0].excerpt.starts_with("In an emergency call"),
        "{}",
        listed[0].excerpt
    );
    assert!(listed[0].excerpt.chars().count() <= Policy::STANDARD.guide_excerpt_chars);
}

#[test]
fn guides_are_listed_by_situation_and_country_and_read_one_by_one() {
    let mut guides = first::guides();
    guides.push(guide(
        "tr",
        "medical",
        &["TR"],
        &[("en", "Zzz", "in Türkiye")],
    ));
    guides.push(guide(
        "jp",
        "medical",
        &["JP"],
        &[("en", "Aaa", "in Japan")],
    ));
    let connection = database(&guides);
    let ids = |countries: &[&str], situation| -> Vec<String> {
        let hits = list(&connection, &wanted(&["en"], countries, situation), 100).unwrap();
        hits.into_iter().map(|hit| hit.id).collect()
    };
    assert_eq!(ids(&["TR"], Some("medical")), ["tr", "ill"]);
    assert_eq!(ids(&["GE"], Some("medical")), ["ill"]);
    assert_eq!(ids(&[], Some("medical")), ["ill", "jp", "tr"]);
    assert_eq!(ids(&[], Some("flood")), [""; 0]);
    assert_eq!(ids(&[], None).len(), guides.len());

    let now = Date::parse("2026-11-26").unwrap().begins_ms();
    let view = get(&connection, "ill", &["zh-Hans".into()], Some(5), now)
        .unwrap()
        .unwrap();
    assert_eq!(
        (view.language.as_str(), view.as_of.pack_ms),
        ("zh-Hans", Some(5))
    );
    assert_eq!(
        view,
        first::guide("ill")
            .unwrap()
            .view(&["zh-Hans".into()], Some(5), now)
            .unwrap()
    );
    assert_eq!(get(&connection, "none", &[], None, now).unwrap(), None);
}

#[test]
fn a_guide_may_have_more_languages_than_there_is_room_for() {
    let tags: Vec<String> = (0..70)
        .map(|at| {
            format!(
                "q{}{}",
                char::from(b'a' + at / 26),
                char::from(b'a' + at % 26)
            )
        })
        .collect();
    let texts: Vec<(&str, &str, &str)> = tags
        .iter()
        .map(|tag| (tag.as_str(), tag.as_str(), "火山"))
        .collect();
    let connection = database(&[
        guide("many", "x", &[], &texts),
        guide("zero", "x", &[], &[("en", "火山", "b")]),
    ]);
    for (tag, shown) in [
        ("qaa", "qaa"),
        ("qcl", "qcl"),
        ("qcm", "qaa"),
        ("zh", "qaa"),
    ] {
        let hits = search(&connection, "火山", &wanted(&[tag], &[], None), 9).unwrap();
        let many = hits.iter().find(|hit| hit.id == "many").unwrap();
        assert_eq!((many.title.as_str(), hits.len()), (shown, 2), "{tag}");
    }
}

#[test]
fn new_guides_take_the_place_of_the_old_ones() {
    let connection = database(&first::guides());
    let chinese = wanted(&["zh-Hans"], &[], None);
    replace_all(
        &connection,
        &[guide("one", "x", &[], &[("zh-Hans", "火山", "灰")])],
    )
    .unwrap();
    assert_eq!(found(&connection, "护照", &chinese), [""; 0]);
    assert_eq!(found(&connection, "火山", &chinese), ["one"]);
    replace_all(&connection, &[]).unwrap();
    assert_eq!(found(&connection, "火山", &chinese), [""; 0]);
    // A half is never seen: what is rolled back was never there.
    connection.execute_batch("BEGIN").unwrap();
    replace_all(&connection, &first::guides()).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(found(&connection, "护照", &chinese), [""; 0]);
    let integrity = "INSERT INTO guide_index (guide_index) VALUES ('integrity-check')";
    connection.execute_batch(integrity).unwrap();
}

#[test]
fn hostile_queries_are_words() {
    let connection = database(&first::guides());
    let anyone = wanted(&[], &[], None);
    for query in [
        "",
        " ",
        "\"",
        "\"\"",
        "*",
        "护照*",
        "\"护照",
        "护照\" OR \"",
        "NEAR(护照 丢失, 1)",
        "title:护照",
        "-护照",
        "^护照",
        "{title body}: 护照",
        "a AND",
        "NOT",
        "AND OR NOT",
        "(",
        ")",
        "'; DROP TABLE guide_item; --",
        "\0",
        "护\0照",
        "\u{feff}",
        "\u{301}",
        "\u{d7ff}\u{10ffff}",
        "%",
        "_",
        "\\",
        "？！。",
        "👩‍👩‍👧",
    ] {
        search(&connection, query, &anyone, 10).unwrap();
    }
    // Operators are not obeyed: both words are looked for.
    assert_eq!(
        found(&connection, "护照 NOT 护照", &anyone),
        found(&connection, "护照 NOT", &anyone)
    );
    for long in [
        "护照".repeat(500_000),
        "passport ".repeat(120_000),
        "\"".repeat(1_000_000),
    ] {
        search(&connection, &long, &anyone, 10).unwrap();
    }
    assert_eq!(search(&connection, "护照", &anyone, 0).unwrap(), []);
    assert!(
        search(&connection, "护", &anyone, usize::MAX)
            .unwrap()
            .len()
            > 1
    );
}

proptest! {
    #[test]
    fn any_string_is_a_search(query in ".{0,40}", other in "[\"*(){}^:+ \\-a-z护照丢失NEAROTD]{0,40}") {
        thread_local!(static CONNECTION: Connection = database(&first::guides()));
        CONNECTION.with(|connection| {
            let anyone = wanted(&["zh"], &["TR"], Some("crime"));
            for query in [query, other] {
                search(connection, &query, &anyone, 10).unwrap();
            }
        });
    }

    /// Whatever stands in a text is found by any two characters of it.
    #[test]
    fn every_pair_of_a_text_is_found(body in "[丢失护照报警怎么办]{2,20}", at in any::<proptest::sample::Index>()) {
        let connection = database(&[guide("one", "x", &[], &[("zh", "题", &body)])]);
        let pairs: Vec<String> = body.chars().collect::<Vec<_>>().windows(2).map(String::from_iter).collect();
        let pair = &pairs[at.index(pairs.len())];
        prop_assert_eq!(found(&connection, pair, &wanted(&[], &[], None)), ["one"]);
    }
}
