//! The closed lists of words that items use, each open at its end: a word that this
//! version does not know is kept and shown as it is, since the ministry's next pack may
//! bring one.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum,
        )]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$case_doc])* $case,)+
            /// A word that this version does not know.
            Other {
                /// As the ministry has it.
                word: String,
            },
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$case,)+
                    _ => Self::Other { word },
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$case => $word.into(),)+
                    $name::Other { word } => word,
                }
            }
        }
    };
}

words! {
    /// What a mission is. The order is that of rank: where two serve the same place, the
    /// first is responsible.
    MissionKind {
        /// An embassy, or a mission to an organisation that does its work.
        Embassy = "embassy",
        /// A consulate general.
        ConsulateGeneral = "consulate_general",
        /// A consulate.
        Consulate = "consulate",
        /// A liaison, visa or representative office.
        Office = "office",
    }
}

words! {
    /// What a phone of a mission is for, in the order in which somebody in need wants them.
    PhonePurpose {
        /// Consular protection, for emergencies.
        Emergency = "emergency",
        /// Consular services: passports, notarisation.
        Consular = "consular",
        /// The switchboard.
        Reception = "reception",
    }
}

words! {
    /// Who answers a local emergency number.
    EmergencyService {
        /// All services, or an operator who connects to them: 112, 911, 999.
        General = "general",
        /// The police.
        Police = "police",
        /// Ambulance and emergency doctors.
        Ambulance = "ambulance",
        /// The fire brigade.
        Fire = "fire",
        /// Rescue at sea.
        CoastGuard = "coast_guard",
        /// Rescue in the mountains.
        MountainRescue = "mountain_rescue",
        /// Police for visitors, often in foreign languages.
        TouristPolice = "tourist_police",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_nobody_knows_is_kept() {
        for (word, kind) in [
            ("embassy", MissionKind::Embassy),
            ("consulate_general", MissionKind::ConsulateGeneral),
            (
                "space_station",
                MissionKind::Other {
                    word: "space_station".into(),
                },
            ),
        ] {
            let json = format!("{word:?}");
            assert_eq!(serde_json::from_str::<MissionKind>(&json).unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), json);
        }
    }

    #[test]
    fn the_order_is_that_of_rank() {
        assert!(MissionKind::Embassy < MissionKind::ConsulateGeneral);
        assert!(MissionKind::Office < MissionKind::from("unheard of".to_owned()));
        assert!(PhonePurpose::Emergency < PhonePurpose::Reception);
    }
}
