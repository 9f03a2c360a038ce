//! The enumerations of the Common Alerting Protocol 1.2 (OASIS, section 3.2).
//!
//! In JSON they are its words in small letters. Read in any case; a word that the phone
//! has never heard of, or anything else in its place, is `Unknown` and never a reason to
//! lose the alert. The order of each enumeration is that of importance, the least first.

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::Lenient;

macro_rules! cap_values {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$case_doc:meta])* $case:ident = $($word:literal)|+,)+
    })+) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            uniffi::Enum,
        )]
        #[serde(rename_all = "lowercase")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$case_doc])* $case,)+
        }

        impl $name {
            /// The value of a word in any case; `Unknown` for one that is none.
            pub fn of(word: &str) -> Self {
                let word = word.trim();
                let is = |known: &[&str]| known.iter().any(|it| it.eq_ignore_ascii_case(word));
                $(if is(&[$($word),+]) {
                    return Self::$case;
                })+
                Self::default()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = Lenient::<String>::deserialize(from)?.known();
                Ok(Self::of(word.as_deref().unwrap_or_default()))
            }
        }
    )+};
}

cap_values! {
    /// Whether a message is meant. Only what says `Actual` is shown as a danger.
    AlertStatus {
        /// Another status: not shown as actual, for it does not say that it is.
        #[default]
        Unknown = "unknown",
        /// A draft.
        Draft = "draft",
        /// A technical test.
        Test = "test",
        /// A message between systems.
        System = "system",
        /// An exercise.
        Exercise = "exercise",
        /// To be acted upon.
        Actual = "actual",
    }

    /// What a message does (`msgType`).
    AlertKind {
        /// Another type: taken as an alert, since it warns of something.
        #[default]
        Unknown = "unknown",
        /// A first message.
        Alert = "alert",
        /// Takes the place of what it references.
        Update = "update",
        /// Ends what it references.
        Cancel = "cancel",
        /// An acknowledgement between systems: tells of no danger.
        Ack = "ack",
        /// A rejection between systems (`Error`): tells of no danger.
        #[serde(rename = "error")]
        Fault = "error",
    }

    /// What kind of danger.
    AlertCategory {
        /// Another one.
        #[default]
        Other = "other",
        /// Geophysical: earthquakes, landslides.
        Geo = "geo",
        /// Weather, floods included.
        Met = "met",
        /// General emergency and public safety.
        Safety = "safety",
        /// Law enforcement, military, internal security.
        Security = "security",
        /// Rescue and recovery.
        Rescue = "rescue",
        /// Fire.
        Fire = "fire",
        /// Medical and public health.
        Health = "health",
        /// Pollution and other environmental dangers.
        Env = "env",
        /// Transport.
        Transport = "transport",
        /// Utilities, telecommunication and other infrastructure.
        Infra = "infra",
        /// Chemical, biological, radiological, nuclear or high-yield explosive.
        Cbrne = "cbrne",
    }

    /// How soon one should act.
    AlertUrgency {
        /// No more.
        Past = "past",
        /// Not known.
        #[default]
        Unknown = "unknown",
        /// In the near future.
        Future = "future",
        /// Within the next hour.
        Expected = "expected",
        /// At once.
        Immediate = "immediate",
    }

    /// How great the threat to life or property is.
    AlertSeverity {
        /// Minimal or none.
        Minor = "minor",
        /// Not known: above the least, below all others.
        #[default]
        Unknown = "unknown",
        /// Possible.
        Moderate = "moderate",
        /// Significant.
        Severe = "severe",
        /// Extraordinary.
        Extreme = "extreme",
    }

    /// How sure it is. CAP 1.0 says "Very Likely" for `Likely`.
    AlertCertainty {
        /// Not expected to occur.
        Unlikely = "unlikely",
        /// Not known.
        #[default]
        Unknown = "unknown",
        /// At most 50 %.
        Possible = "possible",
        /// More than 50 %.
        Likely = "likely" | "very likely",
        /// It has occurred or goes on.
        Observed = "observed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_written_in_small_letters() {
        for (json, severity, written) in [
            (r#""Extreme""#, AlertSeverity::Extreme, r#""extreme""#),
            (r#"" severe ""#, AlertSeverity::Severe, r#""severe""#),
            (r#""apocalyptic""#, AlertSeverity::Unknown, r#""unknown""#),
            (r#""""#, AlertSeverity::Unknown, r#""unknown""#),
            ("null", AlertSeverity::Unknown, r#""unknown""#),
            ("7", AlertSeverity::Unknown, r#""unknown""#),
            (r#"{"a":["b"]}"#, AlertSeverity::Unknown, r#""unknown""#),
        ] {
            let read: AlertSeverity = serde_json::from_str(json).unwrap();
            assert_eq!(read, severity, "{json}");
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
        assert_eq!(AlertCertainty::of("Very Likely"), AlertCertainty::Likely);
        assert_eq!(AlertKind::of("Error"), AlertKind::Fault);
        assert_eq!(
            serde_json::to_string(&AlertKind::Fault).unwrap(),
            r#""error""#
        );
    }

    #[test]
    fn the_order_is_that_of_importance() {
        assert!(AlertSeverity::Extreme > AlertSeverity::Severe);
        assert!(AlertSeverity::Unknown > AlertSeverity::Minor);
        assert!(AlertUrgency::Immediate > AlertUrgency::Expected);
        assert!(AlertUrgency::Unknown > AlertUrgency::Past);
        assert!(AlertCertainty::Observed > AlertCertainty::Likely);
    }
}
