use std::io::Write as _;
use std::path::Path;

use homeline::alerts::{
    AlertCategory, AlertCertainty, AlertKind, AlertSeverity, AlertState, AlertStatus, AlertUrgency,
    resolve,
};
use homeline::geo::{Spot, Wgs84};

use super::*;

/// A file of `../shared/data`. Where the folder is not there, says so and is `None`.
fn shared(path: &str) -> Option<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    let read = std::fs::read(file).ok();
    if read.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIP {path}: no ../shared/data here");
    }
    read
}

fn spot(latitude: f64, longitude: f64) -> Spot {
    Spot {
        point: Wgs84::new(latitude, longitude).ok(),
        ..Spot::default()
    }
}

/// The real files: what each becomes, or why it is refused. Three are broken on purpose:
/// `canada_errors` and `noaa_errors` have an empty `references`, and `invalid` has no `scope`.
#[test]
fn the_real_files_are_read_or_refused_with_the_reason() {
    let (mut read, mut refused) = (0, 0);
    for (file, expected) in [
        ("australia", Ok("tag:www.rfs.nsw.gov.au2011-10-06:40184")),
        ("canada", Ok("2.49.0.1.124.6bddbc91.2012")),
        (
            "earthquake",
            Ok("USGS-earthquakes-us2010apcd.6.20100831T000925.496Z"),
        ),
        (
            "no_optional_fields",
            Ok("USGS-earthquakes-us2010apcd.6.20100831T000925.496Z"),
        ),
        ("canada_errors", Err("references: empty")),
        ("invalid", Err("scope: missing")),
        ("noaa_errors", Err("references: empty")),
    ] {
        let Some(xml) = shared(&format!("cap/{file}.cap")) else {
            return;
        };
        let outcome = read_file(&xml).map_err(|refusal| refusal.to_string());
        let found = outcome.as_ref().map(|alert| alert.identifier.as_str());
        assert_eq!(found.map_err(String::as_str), expected, "{file}");
        read += usize::from(outcome.is_ok());
        refused += usize::from(outcome.is_err());
    }
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{{\"cap_files_read\": {read}, \"cap_files_refused\": {refused}}}"
    )
    .unwrap();
}

/// What is wrong in `noaa_errors` behind its first fault is found too.
#[test]
fn each_fault_of_a_broken_file_is_found() {
    let Some(xml) = shared("cap/noaa_errors.cap") else {
        return;
    };
    let mut xml = String::from_utf8(xml).unwrap();
    for (fault, mended, next) in [
        ("<references></references>", "", "urgency: empty"),
        (
            "<urgency></urgency>",
            "<urgency>Expected</urgency>",
            "severity: empty",
        ),
        (
            "<severity></severity>",
            "<severity>Minor</severity>",
            "certainty: empty",
        ),
        (
            "<certainty></certainty>",
            "<certainty>Likely</certainty>",
            "polygon: \"+40.85,-118.09,\" where it takes pairs",
        ),
        ("-118.09,", "-118.09", "polygon: empty"),
        ("<polygon></polygon>", "", ""),
    ] {
        assert!(xml.contains(fault), "{fault}");
        xml = xml.replace(fault, mended);
        let outcome = read_cap(xml.as_bytes()).map_err(|refusal| refusal.to_string());
        match outcome {
            Err(reason) => assert!(!next.is_empty() && reason.contains(next), "{reason}"),
            Ok(alert) => {
                assert_eq!(next, "", "{fault}");
                assert!(alert.covers(&spot(41.0, -117.6)));
            }
        }
    }
}

#[test]
fn a_message_keeps_what_it_says() {
    let Some(xml) = shared("cap/canada.cap") else {
        return;
    };
    let alert = read_cap(&xml).unwrap();
    assert_eq!(alert.kind, AlertKind::Update);
    assert_eq!(alert.status, AlertStatus::Actual);
    assert_eq!(alert.sent_ms, 1_336_000_864_000);
    assert_eq!(alert.references.len(), 2);
    assert_eq!(alert.references[1].identifier, "2.49.0.1.124.60f31a3a.2012");
    assert_eq!(alert.references[1].sent_ms, Some(1_335_995_721_000));
    assert_eq!(alert.categories, [AlertCategory::Met]);
    assert_eq!(alert.severity, AlertSeverity::Minor);
    assert_eq!(alert.urgency, AlertUrgency::Past);
    assert_eq!(alert.certainty, AlertCertainty::Observed);
    assert_eq!(alert.headline.0["en-CA"], "severe thunderstorm watch");
    assert_eq!(alert.expires_ms, Some(1_336_004_400_000));
    // Windsor, Ontario, and not Toronto.
    assert!(alert.covers(&spot(42.2, -82.9)));
    assert!(!alert.covers(&spot(43.65, -79.38)));
    // It goes to a phone and comes back as it is.
    let json = serde_json::to_vec(&alert).unwrap();
    assert_eq!(Alert::read(&json).unwrap(), alert);
}

#[test]
fn circles_are_in_kilometres_and_no_wider_for_their_codes() {
    let Some(xml) = shared("cap/australia.cap") else {
        return;
    };
    let alert = read_cap(&xml).unwrap();
    assert!(alert.covers(&spot(-35.39, 147.3)));
    assert!(!alert.covers(&spot(-35.39, 147.4)));
    let elsewhere = Spot {
        regions: vec!["AU-NSW".into()],
        ..Spot::default()
    };
    assert!(!alert.covers(&elsewhere));
    assert!(alert.description.0["en-AU"].contains("\nSTATUS: Out of Control\n"));
}

const HEAD: &str = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a</identifier>
<sender>s</sender><sent>2026-05-01T12:00:00+08:00</sent><status>Actual</status>
<msgType>Alert</msgType><scope>Public</scope>"#;
const INFO: &str = "<category>Met</category><event>Storm</event><urgency>Future</urgency>\
<severity>Minor</severity><certainty>Possible</certainty>";

fn info(more: &str) -> String {
    format!("{HEAD}<info>{INFO}{more}</info></alert>")
}

fn area(more: &str) -> String {
    info(&format!("<area><areaDesc>x</areaDesc>{more}</area>"))
}

#[test]
fn blocks_in_languages_are_one_alert() {
    let second = INFO.replace("Storm", "风暴").replace("Minor", "Severe");
    let xml = format!(
        "{HEAD}<info>{INFO}<expires>2026-05-01T13:00:00Z</expires><instruction>Stay in\
         </instruction></info><info><language>zh-Hans</language>{second}\
         <headline>大风暴</headline><expires>2026-05-01T14:00:00Z</expires></info></alert>"
    );
    let alert = read_cap(xml.as_bytes()).unwrap();
    assert_eq!(alert.headline.0["en-US"], "Storm");
    assert_eq!(alert.headline.0["zh-Hans"], "大风暴");
    assert_eq!(alert.instruction.0.len(), 1);
    assert_eq!(alert.severity, AlertSeverity::Severe);
    assert_eq!(alert.urgency, AlertUrgency::Future);
    assert_eq!(alert.expires_ms, Some(1_777_644_000_000));
    assert_eq!(alert.sent_ms, 1_777_608_000_000);
    // One block alone keeps the least value.
    assert_eq!(
        read_cap(info("").as_bytes()).unwrap().severity,
        AlertSeverity::Minor
    );
}

#[test]
fn codes_count_where_nothing_is_drawn() {
    let code = |kind: &str, value: &str| {
        format!("<geocode><valueName>{kind}</valueName><value>{value}</value></geocode>")
    };
    let iso = "http://www.iso.org/iso/country_codes.html";
    let xml = area(&(code(iso, "AU-NSW") + &code("ISO 3166-1", "NZ") + &code("FIPS6", "032013")));
    let alert = read_cap(xml.as_bytes()).unwrap();
    assert_eq!(alert.areas[0].regions, ["AU-NSW", "FIPS6:032013"]);
    assert_eq!(alert.areas[0].countries, ["NZ"]);
    let old = area("<geocode>fips6=32013</geocode>").replace("cap:1.2", "cap:1.1");
    let alert = read_cap(old.as_bytes()).unwrap();
    assert_eq!(alert.areas[0].regions, ["fips6:32013"]);
}

#[test]
fn versions_and_prefixes_are_understood() {
    let old = info("").replace(
        "urn:oasis:names:tc:emergency:cap:1.2",
        "http://www.incident.com/cap/1.0",
    );
    let old = old
        .replace("<category>Met</category>", "")
        .replace("Possible", "Very Likely");
    assert_eq!(
        read_cap(old.as_bytes()).unwrap().certainty,
        AlertCertainty::Likely
    );
    // Other namespaces are passed over, whatever they say.
    let signed = info("").replace(
        "</alert>",
        "<x:Signature xmlns:x=\"urn:x\"><x:scope>Private</x:scope><scope>Private</scope>\
         </x:Signature></alert>",
    );
    assert!(read_cap(signed.as_bytes()).is_ok());
    let escaped = info("<headline>A &amp; B &#x6D2A;<![CDATA[ <C>]]></headline>");
    let alert = read_cap(escaped.as_bytes()).unwrap();
    assert_eq!(alert.headline.0["en-US"], "A & B 洪 <C>");
}

#[test]
fn what_is_wrong_is_named() {
    let no = |text: &str| HEAD.replace(text, "") + "</alert>";
    let say = |from: &str, to: &str| info("").replace(from, to);
    let deep = format!("{HEAD}{}</alert>", "<info>".repeat(40));
    let attributes = format!("{HEAD}<info x=\"{}\"/></alert>", "x".repeat(5_000));
    let many = format!("{HEAD}{}</alert>", "<note/>".repeat(60_000));
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY b \"{}\">]>{}",
        "x".repeat(99),
        info("&b;")
    );
    for (xml, reason) in [
        (no("<identifier>a</identifier>"), "identifier: missing"),
        (
            no("<sent>2026-05-01T12:00:00+08:00</sent>"),
            "sent: missing",
        ),
        (say("<sender>s</sender>", "<sender/>"), "sender: empty"),
        (say(">a<", ">a b<"), "identifier: \"a b\" where"),
        (
            say("</sender>", "</sender><sender>t</sender>"),
            "sender: more than once",
        ),
        (say("+08:00", ""), "sent: \"2026-05-01T12:00:00\" where"),
        (say("2026-05-01", "2026-13-01"), "sent: "),
        (say("Actual", "Real"), "status: \"Real\" where"),
        (say("Alert<", "Warn<"), "msgType: "),
        (say("Alert<", "Update<"), "references: missing"),
        (say("Public", "Private"), "scope: not for the public"),
        (say("Public", "All"), "scope: \"All\""),
        (say("Met", "Weather"), "category: \"Weather\""),
        (say("<category>Met</category>", ""), "category: missing"),
        (say("Minor", "Small"), "severity: \"Small\""),
        (say("<event>Storm</event>", ""), "event: missing"),
        (info("<expires>noon</expires>"), "expires: \"noon\""),
        (info("<area/>"), "areaDesc: missing"),
        (area("<polygon>1,2 3,4</polygon>"), "polygon: \"1,2 3,4\""),
        (area("<polygon>1,2 3,4 95,6</polygon>"), "polygon: \"95,6\""),
        (
            area("<polygon>1,2 3,4 NaN,6</polygon>"),
            "polygon: \"NaN,6\"",
        ),
        (area("<circle>1,2</circle>"), "circle: \"1,2\""),
        (area("<circle>1,2 -5</circle>"), "circle: "),
        (area("<circle>1,2 inf</circle>"), "circle: "),
        (area("<circle>1,200 5</circle>"), "circle: \"1,200\""),
        (say("cap:1.2", "cap:9"), "document: not a message"),
        ("<alert/>".into(), "document: not a message"),
        (String::new(), "document: not well-formed"),
        ("plain".into(), "document: not well-formed"),
        (HEAD.into(), "document: not well-formed"),
        (say("</info>", ""), "document: not well-formed"),
        (info("") + "<alert/>", "document: not a message"),
        (bomb, "document: a document type declaration"),
        (info("<headline>&b;</headline>"), "document: the entity &b;"),
        (
            info("<headline>&#0;</headline>"),
            "document: not well-formed",
        ),
        (deep, "document: more than 16 elements in each other"),
        (attributes, "document: more than 4096 bytes of attributes"),
        (many, "document: more than 50000 elements"),
        (
            info("") + &" ".repeat(xml::BYTES),
            "document: more than 1048576 bytes",
        ),
    ] {
        let shown: String = xml.chars().take(300).collect();
        let found = read_cap(xml.as_bytes()).map_err(|refusal| refusal.to_string());
        let found = found.err().unwrap_or_default();
        assert!(found.contains(reason), "{shown}: {found}");
    }
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><alert>\xe9</alert>";
    assert!(
        read_cap(latin)
            .unwrap_err()
            .to_string()
            .contains("not UTF-8")
    );
}

#[test]
fn travel_advice_is_an_alert_and_its_withdrawal_a_cancel() {
    let files = ["full-country", "withdrawn-full-country"];
    let pages = files.map(|file| shared(&format!("advisories/{file}.json")));
    let [Some(page), Some(withdrawn)] = pages else {
        return;
    };
    let (advice, cancel) = (read_file(&page).unwrap(), read_file(&withdrawn).unwrap());
    assert_eq!(advice.areas[0].countries, ["AL"]);
    assert_eq!(advice.level.as_deref(), Some("be_alert"));
    assert_eq!(advice.headline.0["en"], "Albania travel advice");
    let text = &advice.description.0["en"];
    assert!(text.starts_with("Summary\nThe main opposition party has called"));
    assert!(text.contains("\nSafety and security\nCrime\nPublic security") && !text.contains('<'));
    assert_eq!(advice.sent_ms, 1_487_086_941_000);
    assert_eq!(cancel.kind, AlertKind::Cancel);
    assert_eq!(
        cancel.description.0["en"],
        "This information has been archived as it is now out of date."
    );
    // On a phone that has both, whichever came first, there is no danger left.
    let by = cancel.identifier.clone();
    let states = resolve(&[cancel, advice.clone()], 1_500_000_000_000);
    assert_eq!(
        states,
        [AlertState::NotActual, AlertState::Cancelled { by }]
    );
    let mut out = std::io::stdout();
    writeln!(out, "{{\"advice_files_read\": {}}}", files.len()).unwrap();
}

#[test]
fn the_status_of_a_country_is_its_level() {
    let page = |statuses: &str, slug: &str| {
        format!(
            r#"{{"schema_name":"travel_advice","content_id":"c","locale":"en","title":"T",
            "public_updated_at":"2026-05-01T00:00:00Z","details":{{"country":{{"slug":"{slug}"}},
            "alert_status":{statuses}}}}}"#
        )
    };
    for (statuses, level) in [
        ("[]", "be_alert"),
        (
            r#"["avoid_all_but_essential_travel_to_parts"]"#,
            "take_precautions",
        ),
        (r#"["avoid_all_travel_to_parts"]"#, "travel_with_care"),
        (
            r#"["avoid_all_travel_to_parts","avoid_all_but_essential_travel_to_whole_country"]"#,
            "travel_with_care",
        ),
        (
            r#"["avoid_all_travel_to_whole_country","avoid_all_travel_to_parts"]"#,
            "do_not_travel",
        ),
        (
            r#"["evacuate","avoid_all_travel_to_whole_country"]"#,
            "evacuate",
        ),
    ] {
        let alert = read_travel_advice(page(statuses, "turkey").as_bytes()).unwrap();
        assert_eq!(alert.level.as_deref(), Some(level), "{statuses}");
        assert_eq!(alert.areas[0].countries, ["TR"]);
    }
    let alert = read_travel_advice(page("[]", "atlantis").as_bytes()).unwrap();
    assert_eq!(alert.areas[0].regions, ["gov.uk:atlantis"]);
    for (json, reason) in [
        (page("7", "turkey"), "document: not well-formed"),
        (
            page("[]", "turkey").replace("travel_advice", "guide"),
            "schema_name: ",
        ),
        (
            page("[]", "turkey").replace("\"c\"", "\"\""),
            "content_id: empty",
        ),
        (
            page("[]", "turkey").replace("2026-05-01", "soon"),
            "public_updated_at: ",
        ),
        ("{}".into(), "document: not well-formed"),
    ] {
        let refusal = read_travel_advice(json.as_bytes()).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn html_becomes_lines() {
    for (html, text) in [
        ("<p>A&amp;B</p>\n\n<p>C&nbsp;D</p>", "A&B\nC D"),
        (
            "<ul><li>one</li><li><a href=\"x>\">two</a></li></ul>",
            "one\n\">two",
        ),
        ("a  \n b<br/>c", "a b\nc"),
        ("a < b", "a"),
        ("&unknown;", "&unknown;"),
        ("", ""),
    ] {
        assert_eq!(plain::plain(html, 100), text, "{html}");
    }
    assert_eq!(plain::plain("洪水", 4), "洪");
}
