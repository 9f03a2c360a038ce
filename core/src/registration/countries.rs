//! Country codes of two letters.

use crate::error::{HomelineError, Problem, Result};

/// The officially assigned codes of ISO 3166-1 alpha-2, in order.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ \
    BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ \
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY \
    HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY \
    MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
    NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA \
    RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ \
    TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU \
    WF WS YE YT ZA ZM ZW";

/// A country code in capitals, as the standard has it.
pub(crate) fn country(field: &str, text: &str) -> Result<String> {
    let code = text.trim().to_ascii_uppercase();
    if CODES.split(' ').any(|known| known == code) {
        return Ok(code);
    }
    let problem = if code.is_empty() {
        Problem::Empty
    } else {
        Problem::Malformed
    };
    Err(HomelineError::invalid(
        field,
        problem,
        "a country code of two letters (ISO 3166-1), for example TR",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_in_order() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        // ISO 3166-1 has 249 officially assigned codes.
        assert_eq!(codes.len(), 249);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn codes_are_taken_in_any_case_and_nothing_else_is() {
        for (given, kept) in [
            ("TR", Some("TR")),
            (" tr ", Some("TR")),
            ("UK", None),
            ("XK", None),
            ("TUR", None),
            ("T", None),
            ("AD AE", None),
            (" ", None),
            ("中国", None),
        ] {
            assert_eq!(country("f", given).ok().as_deref(), kept, "{given:?}");
        }
    }
}
