//! HTML to plain text: tags go, paragraphs and list items become lines, entities their
//! characters. For the pages of a government, not for the web: no scripts, no styles, no
//! layout.

/// Tags after which a new line begins.
const LINES: [&str; 12] = [
    "p", "br", "li", "ul", "ol", "div", "tr", "table", "h1", "h2", "h3", "h4",
];

/// The text of `html`, of at most `bytes` in UTF-8; cut between characters.
pub(super) fn plain(html: &str, bytes: usize) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        push(&mut text, before);
        let Some((tag, behind)) = after.split_once('>') else {
            rest = "";
            break;
        };
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if LINES.contains(&name.to_ascii_lowercase().as_str()) {
            text.push('\n');
        }
        rest = behind;
    }
    push(&mut text, rest);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    cut(lines.join("\n"), bytes)
}

/// Adds text in which white space counts as one space.
fn push(to: &mut String, text: &str) {
    let known = |name: &str| match name {
        "nbsp" => Some("\u{a0}"),
        name => quick_xml::escape::resolve_predefined_entity(name),
    };
    let text = quick_xml::escape::unescape_with(text, known).unwrap_or(text.into());
    for c in text.chars() {
        match c.is_whitespace() {
            true if to.ends_with(char::is_whitespace) => {}
            true => to.push(' '),
            false => to.push(c),
        }
    }
}

/// The first characters of a text, of at most `bytes` in UTF-8.
pub(super) fn cut(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or_default());
    text
}
