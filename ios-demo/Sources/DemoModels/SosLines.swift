// A report in words: what is proved of it, what that rests on, and what to try next. Each
// line says no more than its evidence does.
import HomelineKit

extension SosKind {
    /// It in words.
    public var line: Line {
        switch self {
        case .medical: Line("sos_kind_medical")
        case .crime: Line("sos_kind_crime")
        case .accident: Line("sos_kind_accident")
        case .disaster: Line("sos_kind_disaster")
        case .conflict: Line("sos_kind_conflict")
        case .detained: Line("sos_kind_detained")
        case .lost: Line("sos_kind_lost")
        case .other: Line("sos_kind_other")
        }
    }
}

extension Channel {
    var line: Line {
        switch self {
        case .https: Line("channel_https")
        case .datagram: Line("channel_datagram")
        case .sms: Line("channel_sms")
        case .relay: Line("channel_relay")
        }
    }
}

extension ReportState {
    /// The status line.
    public var line: Line {
        switch self {
        case .countdown(let untilMs): Line("sos_status_countdown", .time(untilMs))
        case .stored: Line("sos_status_stored")
        case .handed(let channel): Line("sos_status_handed", .line(channel.line))
        case .received(let caseId?, let ms): Line("sos_status_received", .text(caseId), .time(ms))
        case .received(nil, let ms): Line("sos_status_received_no_case", .time(ms))
        case .acknowledged(let caseId, let mission, let officer, let ms):
            Line(
                "sos_status_acknowledged", .text(caseId), .text(officer), .text(mission),
                .time(ms))
        case .closed(let caseId, let ms): Line("sos_status_closed", .text(caseId), .time(ms))
        case .cancelled(nil): Line("sos_status_cancelled_waiting")
        case .cancelled(let ms?): Line("sos_status_cancelled_known", .time(ms))
        case .parked(let status, _): Line("sos_status_parked", .number(Int64(status)))
        }
    }
}

extension ReportEvent {
    /// A line of the evidence, its time first.
    public var line: Line {
        Line("sos_evidence_line", .time(wallMs), .line(repeated))
    }

    private var repeated: Line {
        guard times > 1 else { return evidence.line }
        return Line(
            "sos_evidence_times", .line(evidence.line), .number(Int64(times)),
            .time(lastWallMs))
    }
}

extension Evidence {
    var line: Line {
        switch self {
        case .countdownStarted: Line("evidence_countdown")
        case .stored: Line("evidence_stored")
        case .attempt(let channel, let result, _):
            Line("evidence_attempt", .line(channel.line), .line(result.line))
        case .sms(let part, let result): result.line(part)
        case .receipt, .compactReceipt: Line("evidence_receipt")
        case .updateReceipt: Line("evidence_update_receipt")
        case .updateStored: Line("evidence_update_stored")
        case .cancelStored: Line("evidence_cancel_stored")
        case .cancelReceipt: Line("evidence_cancel_receipt")
        case .caseNews(.acknowledged, _, let mission, let officer, _):
            Line("evidence_case_acknowledged", .text(officer), .text(mission))
        case .caseNews(.closed, _, _, _, _): Line("evidence_case_closed")
        case .refused(let status, _): Line("evidence_refused", .number(Int64(status)))
        case .triedAgain: Line("evidence_tried_again")
        }
    }
}

extension SmsResult {
    fileprivate func line(_ part: UInt32) -> Line {
        switch self {
        case .sent: Line("evidence_sms_sent", .number(Int64(part)))
        case .delivered: Line("evidence_sms_delivered", .number(Int64(part)))
        case .noService, .radioOff, .limitExceeded, .failed:
            Line("evidence_sms_failed", .number(Int64(part)))
        }
    }
}

extension AttemptResult {
    fileprivate var line: Line {
        switch self {
        case .noConnection: Line("attempt_no_connection")
        case .notTrusted: Line("attempt_not_trusted")
        case .noAnswer: Line("attempt_no_answer")
        case .notTheMinistry: Line("attempt_not_the_ministry")
        case .busy: Line("attempt_busy")
        case .notAuthorized: Line("attempt_not_authorized")
        case .badReceipt: Line("attempt_bad_receipt")
        case .keyRetired: Line("attempt_key_retired")
        }
    }
}

extension NextStep {
    /// It in words; `now` is the phone's clock, milliseconds UTC.
    func row(now: Int64) -> StepRow {
        StepRow(
            action: action, line: action.line, why: why.line,
            from: fromMs > now ? Line("next_from", .time(fromMs)) : nil,
            cautions: cautionLines)
    }

    private var cautionLines: [Line] {
        cautions.map {
            switch $0 {
            case .metered: Line("caution_metered")
            case .roaming: Line("caution_roaming")
            case .batteryLow: Line("caution_battery_low")
            }
        }
    }
}

extension NextAction {
    fileprivate var line: Line {
        switch self {
        case .callLocalEmergency: Line("next_action_call_local")
        case .callHotline: Line("next_action_call_hotline")
        case .sendByData: Line("next_action_data")
        case .sendDatagram: Line("next_action_datagram")
        case .sendSms: Line("next_action_sms")
        case .handToNeighbour: Line("next_action_neighbour")
        case .signInAtPortal: Line("next_action_portal")
        }
    }
}

extension StepReason {
    fileprivate var line: Line {
        switch self {
        case .helpOnTheSpot: Line("why_help_on_the_spot")
        case .dataAvailable: Line("why_data_available")
        case .ministryBusy: Line("why_ministry_busy")
        case .noNetwork: Line("why_no_network")
        case .portalInTheWay: Line("why_portal")
        case .tlsBlocked: Line("why_tls_blocked")
        case .noAnswerByData: Line("why_no_answer")
        case .dataNotAccepted: Line("why_not_accepted")
        case .networkInDoubt: Line("why_network_in_doubt")
        case .satelliteThin: Line("why_satellite_thin")
        case .batteryLow: Line("why_battery_low")
        case .neighbourNear: Line("why_neighbour_near")
        case .noProofYet: Line("why_no_proof")
        case .refused: Line("why_refused")
        case .wholeReportWaits: Line("why_whole_report_waits")
        case .cancellationWaits: Line("why_cancellation_waits")
        }
    }
}
