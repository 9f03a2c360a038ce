//! Codes of states and nationalities: three letters, as passports have them
//! (ISO 3166-1 alpha-3, and the codes that ICAO Doc 9303-3, section 5, adds).

use crate::error::{HomelineError, Problem, Result};
use crate::validate::ascii;

/// ISO 3166-1 alpha-3, all 249.
const ISO: &str = "\
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN \
BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN \
CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU \
DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR \
GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV \
HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM \
KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA \
MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM \
NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL \
PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE \
SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK \
TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB \
VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE";

/// What ICAO adds: kinds of British nationals, organisations, Kosovo, persons
/// without a nationality, and the state of specimens.
const ICAO: &str = "\
EUE GBD GBN GBO GBP GBS NTZ RKS UNA UNK UNO UTO XBA XCC XCE XCO XDC XEC XES XIM \
XMP XOM XPO XXA XXB XXC XXX";

/// A code as typed, in capitals. Germany's `D`, as passports have it, is `DEU`.
pub(crate) fn code(field: &str, text: &str) -> Result<String> {
    let code = ascii(text.trim()).to_ascii_uppercase();
    let code = if code == "D" { "DEU".to_owned() } else { code };
    let known = code.len() == 3
        && ISO
            .split(' ')
            .chain(ICAO.split(' '))
            .any(|known| known == code);
    if known {
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
        "the three letters that passports have, for example CHN (ISO 3166-1 alpha-3)",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_passports() {
        assert_eq!(ISO.split(' ').count(), 249);
        let rows = [
            ("CHN", Some("CHN")),
            (" tur ", Some("TUR")),
            ("D", Some("DEU")),
            ("ＣＨＮ", Some("CHN")),
            ("XXA", Some("XXA")),
            ("UTO", Some("UTO")),
            ("CN", None),
            ("CHM", None),
            ("CHN ", Some("CHN")),
            ("CHNX", None),
            ("中国", None),
            ("", None),
            ("A B", None),
        ];
        for (given, kept) in rows {
            assert_eq!(code("f", given).ok().as_deref(), kept, "{given:?}");
        }
    }
}
