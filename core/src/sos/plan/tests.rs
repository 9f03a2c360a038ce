//! The rules as tables, and what holds for all of them.

use NextAction as A;
use StepReason as R;

use super::*;

const NOW_MS: i64 = 1_790_000_000_000;
const POLICY: Policy = Policy::STANDARD;

fn conditions() -> Conditions {
    Conditions {
        network: NetworkState::Validated,
        network_since_ms: Some(NOW_MS - 600_000),
        cost: DataCost::Free,
        sms: SmsAbility::Possible,
        sms_attempts_left: None,
        satellite: SatelliteLink::Absent,
        neighbours: Neighbours::Absent,
        voice: VoiceAbility::Possible,
        battery_percent: Some(80),
    }
}

fn facts(kind: SosKind) -> Facts {
    Facts {
        state: ReportState::Stored,
        kind: Some(kind),
        next_attempt_ms: Some(NOW_MS),
        datagram: Offered::Yes,
        sms: Offered::Yes,
        sms_next: SmsNext::SendNow,
    }
}

fn attempt(channel: Channel, result: AttemptResult, times: u32) -> ReportEvent {
    event(Evidence::Attempt {
        channel,
        result,
        carried: true,
    })
    .times(times)
}

fn event(evidence: Evidence) -> ReportEvent {
    ReportEvent {
        wall_ms: NOW_MS - 60_000,
        monotonic_ms: 0,
        boot_id: "b".into(),
        times: 1,
        last_wall_ms: NOW_MS - 60_000,
        evidence,
    }
}

impl ReportEvent {
    fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

fn steps(
    facts: &Facts,
    events: &[ReportEvent],
    change: impl FnOnce(&mut Conditions),
) -> Vec<NextStep> {
    let mut conditions = conditions();
    change(&mut conditions);
    next_steps(facts, events, &conditions, NOW_MS, &POLICY)
}

fn told(steps: &[NextStep]) -> Vec<(NextAction, StepReason)> {
    steps.iter().map(|step| (step.action, step.why)).collect()
}

const LOCAL: (A, R) = (A::CallLocalEmergency, R::HelpOnTheSpot);
const HOTLINE: (A, R) = (A::CallHotline, R::NoProofYet);

#[test]
fn the_network_decides_what_comes_first() {
    type Row = (NetworkState, Vec<(A, R)>);
    let rows: [Row; 4] = [
        (
            NetworkState::Validated,
            vec![LOCAL, (A::SendByData, R::DataAvailable), HOTLINE],
        ),
        (
            NetworkState::Unvalidated,
            vec![
                LOCAL,
                (A::SendByData, R::DataAvailable),
                (A::SendDatagram, R::NetworkInDoubt),
                (A::SendSms, R::NetworkInDoubt),
                HOTLINE,
            ],
        ),
        (
            NetworkState::Captive,
            vec![
                LOCAL,
                (A::SignInAtPortal, R::PortalInTheWay),
                (A::SendDatagram, R::PortalInTheWay),
                (A::SendSms, R::PortalInTheWay),
                HOTLINE,
            ],
        ),
        (
            NetworkState::Disconnected,
            vec![LOCAL, (A::SendSms, R::NoNetwork), HOTLINE],
        ),
    ];
    for (network, expected) in rows {
        let steps = steps(&facts(SosKind::Medical), &[], |now| now.network = network);
        assert_eq!(told(&steps), expected, "{network:?}");
        assert!(steps.iter().all(|step| step.from_ms <= NOW_MS));
    }
}

#[test]
fn what_data_came_to_decides_what_goes_beside_it() {
    type Row = (AttemptResult, Option<R>, Option<R>);
    let rows: [Row; 8] = [
        (
            AttemptResult::NoConnection,
            Some(R::NoAnswerByData),
            Some(R::NoAnswerByData),
        ),
        (
            AttemptResult::NoAnswer,
            Some(R::NoAnswerByData),
            Some(R::NoAnswerByData),
        ),
        (
            AttemptResult::Busy { status: 503 },
            Some(R::MinistryBusy),
            Some(R::MinistryBusy),
        ),
        (AttemptResult::NotTrusted, None, Some(R::TlsBlocked)),
        (
            AttemptResult::NotTheMinistry { status: 200 },
            None,
            Some(R::TlsBlocked),
        ),
        (
            AttemptResult::NotTheMinistry { status: 0 },
            None,
            Some(R::TlsBlocked),
        ),
        (AttemptResult::BadReceipt, None, Some(R::TlsBlocked)),
        (
            AttemptResult::NotAuthorized { status: 401 },
            None,
            Some(R::DataNotAccepted),
        ),
    ];
    for (result, data, short) in rows {
        let mut facts = facts(SosKind::Accident);
        facts.next_attempt_ms = Some(NOW_MS + 40_000);
        let steps = steps(&facts, &[attempt(Channel::Https, result, 1)], |_| ());
        let mut expected = vec![LOCAL];
        expected.extend(data.map(|why| (A::SendByData, why)));
        expected.extend(short.map(|why| (A::SendDatagram, why)));
        expected.extend(short.map(|why| (A::SendSms, why)));
        expected.push(HOTLINE);
        assert_eq!(told(&steps), expected, "{result:?}");
        for step in steps {
            let due_ms = if step.action == A::SendByData {
                NOW_MS + 40_000
            } else {
                NOW_MS
            };
            assert_eq!(step.from_ms, due_ms, "{result:?} {:?}", step.action);
        }
    }
}

#[test]
fn an_attempt_on_another_network_proves_nothing_now() {
    let blocked = [attempt(Channel::Https, AttemptResult::NotTrusted, 3)];
    let fresh = vec![LOCAL, (A::SendByData, R::DataAvailable), HOTLINE];
    let after = |since_ms| {
        told(&steps(&facts(SosKind::Crime), &blocked, |now| {
            now.network_since_ms = since_ms;
        }))
    };
    assert_eq!(after(Some(NOW_MS - 30_000)), fresh);
    assert_ne!(after(Some(NOW_MS - 90_000)), fresh);
    // Where the host does not say, for a while.
    assert_ne!(after(None), fresh);
    let mut old = blocked.clone();
    old[0].last_wall_ms = NOW_MS - POLICY.plan_memory_ms - 1;
    assert_eq!(
        told(&steps(&facts(SosKind::Crime), &old, |now| now
            .network_since_ms =
            None)),
        fresh
    );
    let again = [blocked[0].clone(), event(Evidence::TriedAgain)];
    assert_eq!(told(&steps(&facts(SosKind::Crime), &again, |_| ())), fresh);
}

#[test]
fn a_datagram_is_advised_until_it_is_proved_useless_here() {
    let advised = |result, times| {
        let events = [
            attempt(Channel::Https, AttemptResult::NotTrusted, 1),
            ReportEvent {
                last_wall_ms: NOW_MS - 1_000,
                ..attempt(Channel::Datagram, result, times)
            },
        ];
        steps(&facts(SosKind::Medical), &events, |_| ())
            .into_iter()
            .find(|step| step.action == A::SendDatagram)
            .map(|step| step.from_ms)
    };
    let again_ms = NOW_MS - 1_000 + POLICY.datagram_again_ms;
    let most = POLICY.datagram_attempts;
    assert_eq!(advised(AttemptResult::NoAnswer, 1), Some(again_ms));
    // Each wait is twice the one before.
    let last_ms = NOW_MS - 1_000 + (POLICY.datagram_again_ms << (most - 2));
    assert_eq!(advised(AttemptResult::NoAnswer, most - 1), Some(last_ms));
    assert_eq!(advised(AttemptResult::NoAnswer, most), None);
    for useless in [
        AttemptResult::NoConnection,
        AttemptResult::NotTheMinistry { status: 0 },
        AttemptResult::BadReceipt,
        AttemptResult::NotTrusted,
    ] {
        assert_eq!(advised(useless, 1), None, "{useless:?}");
    }
    let mut not_offered = facts(SosKind::Medical);
    not_offered.datagram = Offered::No;
    let steps = steps(&not_offered, &[], |now| now.network = NetworkState::Captive);
    assert!(steps.iter().all(|step| step.action != A::SendDatagram));
}

#[test]
fn a_satellite_carries_one_packet_where_there_is_no_network() {
    let steps = steps(&facts(SosKind::Disaster), &[], |now| {
        now.network = NetworkState::Disconnected;
        now.satellite = SatelliteLink::Thin;
    });
    assert_eq!(
        told(&steps),
        [
            LOCAL,
            (A::SendDatagram, R::SatelliteThin),
            (A::SendSms, R::NoNetwork),
            HOTLINE
        ]
    );
}

#[test]
fn an_sms_needs_a_sim_a_permission_service_a_number_and_an_attempt_left() {
    let advised = |offered, change: fn(&mut Conditions)| {
        let mut facts = facts(SosKind::Medical);
        facts.sms = offered;
        let steps = steps(&facts, &[], |now| {
            now.network = NetworkState::Disconnected;
            change(now);
        });
        steps.into_iter().find(|step| step.action == A::SendSms)
    };
    assert!(advised(Offered::Yes, |_| ()).is_some_and(|step| step.cautions.is_empty()));
    let roaming = advised(Offered::Yes, |now| now.sms = SmsAbility::Roaming).unwrap();
    assert_eq!(roaming.cautions, [StepCaution::Roaming]);
    assert!(advised(Offered::Yes, |now| now.sms_attempts_left = Some(1)).is_some());
    for cannot in [
        advised(Offered::No, |_| ()),
        advised(Offered::Yes, |now| now.sms = SmsAbility::NoSim),
        advised(Offered::Yes, |now| now.sms = SmsAbility::NoPermission),
        advised(Offered::Yes, |now| now.sms = SmsAbility::NoService),
        advised(Offered::Yes, |now| now.sms_attempts_left = Some(0)),
    ] {
        assert_eq!(cannot, None);
    }
    // One that was handed to the phone is given time to arrive, and not sent for ever.
    let after = |sms_next| {
        let facts = Facts {
            sms_next,
            ..facts(SosKind::Medical)
        };
        let steps = steps(&facts, &[], |now| now.network = NetworkState::Disconnected);
        let sms = steps.iter().find(|step| step.action == A::SendSms);
        sms.map(|step| step.from_ms)
    };
    let until_ms = NOW_MS + 600_000;
    assert_eq!(after(SmsNext::SendNow), Some(NOW_MS));
    assert_eq!(after(SmsNext::Wait { until_ms }), Some(until_ms));
    assert_eq!(after(SmsNext::Enough), None);
}

#[test]
fn another_phone_is_asked_where_data_is_in_doubt() {
    let near = |network| {
        let steps = steps(&facts(SosKind::Medical), &[], |now| {
            now.neighbours = Neighbours::Near;
            now.network = network;
        });
        told(&steps).contains(&(A::HandToNeighbour, R::NeighbourNear))
    };
    assert!(near(NetworkState::Disconnected) && near(NetworkState::Captive));
    assert!(!near(NetworkState::Validated));
}

#[test]
fn an_empty_battery_sends_what_costs_least_first() {
    let steps = steps(&facts(SosKind::Medical), &[], |now| {
        now.battery_percent = Some(POLICY.battery_low_percent);
    });
    assert_eq!(
        told(&steps),
        [
            LOCAL,
            (A::SendDatagram, R::BatteryLow),
            (A::SendSms, R::BatteryLow),
            (A::SendByData, R::DataAvailable),
            HOTLINE
        ]
    );
    assert_eq!(steps[3].cautions, [StepCaution::BatteryLow]);
}

#[test]
fn who_is_called_follows_the_kind_and_what_the_phone_can() {
    for (kind, first, last) in [
        (
            Some(SosKind::Medical),
            A::CallLocalEmergency,
            A::CallHotline,
        ),
        (Some(SosKind::Crime), A::CallLocalEmergency, A::CallHotline),
        (
            Some(SosKind::Accident),
            A::CallLocalEmergency,
            A::CallHotline,
        ),
        (
            Some(SosKind::Disaster),
            A::CallLocalEmergency,
            A::CallHotline,
        ),
        (None, A::CallLocalEmergency, A::CallHotline),
        (
            Some(SosKind::Conflict),
            A::SendByData,
            A::CallLocalEmergency,
        ),
        (Some(SosKind::Lost), A::SendByData, A::CallLocalEmergency),
        (Some(SosKind::Other), A::SendByData, A::CallLocalEmergency),
        (Some(SosKind::Detained), A::SendByData, A::CallHotline),
    ] {
        let facts = Facts {
            kind,
            ..facts(SosKind::Other)
        };
        let steps = steps(&facts, &[], |_| ());
        assert_eq!(steps.first().unwrap().action, first, "{kind:?}");
        assert_eq!(steps.last().unwrap().action, last, "{kind:?}");
    }
    for voice in [VoiceAbility::EmergencyOnly, VoiceAbility::Impossible] {
        let steps = steps(&facts(SosKind::Medical), &[], |now| now.voice = voice);
        assert!(steps.iter().all(|step| step.action != A::CallHotline));
        assert_eq!(steps[0].action, A::CallLocalEmergency);
    }
}

fn received() -> ReportState {
    ReportState::Received {
        case_id: None,
        received_ms: 1,
    }
}

#[test]
fn after_a_receipt_only_the_rest_goes_by_data() {
    let with = |state, next_attempt_ms| Facts {
        state,
        next_attempt_ms,
        ..facts(SosKind::Medical)
    };
    let acknowledged = ReportState::Acknowledged {
        case_id: "C".into(),
        mission: "M".into(),
        officer: "O".into(),
        at_ms: 1,
    };
    let unknown = ReportState::Cancelled {
        known_at_ministry_ms: None,
    };
    for (state, why) in [
        (received(), R::WholeReportWaits),
        (acknowledged, R::WholeReportWaits),
        (unknown, R::CancellationWaits),
    ] {
        let waiting = steps(&with(state.clone(), Some(NOW_MS + 5)), &[], |_| ());
        assert_eq!(told(&waiting), [(A::SendByData, why)]);
        assert_eq!(waiting[0].from_ms, NOW_MS + 5);
        assert_eq!(steps(&with(state.clone(), None), &[], |_| ()), []);
        let offline = steps(&with(state, Some(NOW_MS)), &[], |now| {
            now.network = NetworkState::Disconnected;
        });
        assert_eq!(offline, []);
    }
    let over = [
        ReportState::Closed {
            case_id: "C".into(),
            at_ms: 1,
        },
        ReportState::Cancelled {
            known_at_ministry_ms: Some(1),
        },
    ];
    for state in over {
        assert_eq!(steps(&with(state, Some(NOW_MS)), &[], |_| ()), []);
    }
}

#[test]
fn a_refused_report_goes_short_or_by_voice_and_a_countdown_waits() {
    let refused = Facts {
        state: ReportState::Parked {
            status: 422,
            reason: "about:blank".into(),
        },
        next_attempt_ms: None,
        ..facts(SosKind::Medical)
    };
    assert_eq!(
        told(&steps(&refused, &[], |_| ())),
        [
            LOCAL,
            (A::SendDatagram, R::Refused),
            (A::SendSms, R::Refused),
            (A::CallHotline, R::Refused)
        ]
    );
    let counting = Facts {
        state: ReportState::Countdown {
            until_ms: NOW_MS + 9_000,
        },
        ..facts(SosKind::Medical)
    };
    let steps = steps(&counting, &[], |_| ());
    assert_eq!(
        (steps[0].action, steps[0].from_ms),
        (A::CallLocalEmergency, NOW_MS)
    );
    assert_eq!(
        (steps[1].action, steps[1].from_ms),
        (A::SendByData, NOW_MS + 9_000)
    );
}

#[test]
fn a_clock_that_went_back_does_not_put_a_step_off_for_ever() {
    let mut ahead = attempt(Channel::Relay, AttemptResult::NoAnswer, 1);
    ahead.last_wall_ms = NOW_MS + 400 * 86_400_000;
    let steps = steps(&facts(SosKind::Medical), &[ahead], |now| {
        now.network = NetworkState::Disconnected;
        now.neighbours = Neighbours::Near;
    });
    let mut steps = steps.iter();
    let relay = steps.find(|step| step.action == A::HandToNeighbour);
    assert!(relay.unwrap().from_ms <= NOW_MS + POLICY.relay_again_ms);
}

/// All that a phone may be in, times all that data and the datagram came to.
#[test]
fn whatever_the_conditions_no_useless_channel_and_the_call_first() {
    let results = [
        None,
        Some(AttemptResult::NoConnection),
        Some(AttemptResult::NotTrusted),
        Some(AttemptResult::NoAnswer),
        Some(AttemptResult::NotTheMinistry { status: 200 }),
        Some(AttemptResult::Busy { status: 503 }),
        Some(AttemptResult::NotAuthorized { status: 401 }),
        Some(AttemptResult::BadReceipt),
    ];
    let mut seen = 0;
    for network in [
        NetworkState::Disconnected,
        NetworkState::Captive,
        NetworkState::Unvalidated,
        NetworkState::Validated,
    ] {
        for sms in [
            SmsAbility::Possible,
            SmsAbility::Roaming,
            SmsAbility::NoSim,
            SmsAbility::NoService,
        ] {
            for satellite in [SatelliteLink::Absent, SatelliteLink::Thin] {
                for battery in [None, Some(3), Some(90)] {
                    for (https, datagram) in results
                        .iter()
                        .flat_map(|h| results.iter().map(move |d| (h, d)))
                    {
                        let events: Vec<ReportEvent> =
                            [(Channel::Https, https), (Channel::Datagram, datagram)]
                                .into_iter()
                                .filter_map(|(channel, result)| {
                                    Some(attempt(channel, (*result)?, 1))
                                })
                                .collect();
                        let steps = steps(&facts(SosKind::Medical), &events, |now| {
                            (now.network, now.sms, now.satellite) = (network, sms, satellite);
                            now.battery_percent = battery;
                        });
                        holds(&steps, network, sms, satellite);
                        seen += 1;
                    }
                }
            }
        }
    }
    assert_eq!(seen, 4 * 4 * 2 * 3 * 64);
}

fn holds(steps: &[NextStep], network: NetworkState, sms: SmsAbility, satellite: SatelliteLink) {
    assert_eq!(steps[0].action, A::CallLocalEmergency);
    let mut actions: Vec<NextAction> = steps.iter().map(|step| step.action).collect();
    let all = actions.len();
    actions.dedup();
    assert_eq!(actions.len(), all, "twice: {actions:?}");
    for action in actions {
        match action {
            A::SendByData => assert!(matches!(
                network,
                NetworkState::Validated | NetworkState::Unvalidated
            )),
            A::SendDatagram => {
                assert!(network != NetworkState::Disconnected || satellite == SatelliteLink::Thin)
            }
            A::SendSms => assert!(matches!(sms, SmsAbility::Possible | SmsAbility::Roaming)),
            A::SignInAtPortal => assert_eq!(network, NetworkState::Captive),
            A::CallLocalEmergency | A::CallHotline | A::HandToNeighbour => {}
        }
    }
}
