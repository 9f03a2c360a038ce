// The Outbox screen: what waits, why, and since when; what was refused; whether the
// library runs at all on this phone.
import Foundation
import HomelineKit
import Observation

/// A report in a list.
public struct ReportRow: Hashable, Sendable, Identifiable {
    public let id: String
    public let kind: Line
    public let pressed: Line?
    public let state: Line
}

/// What the ministry has refused, in words.
public struct ParkedRow: Hashable, Sendable, Identifiable {
    public let id: String
    public let what: Line
    public let line: Line
}

@MainActor
@Observable
public final class OutboxModel {
    public private(set) var waiting = Line("outbox_nothing")
    public private(set) var since: Line?
    public private(set) var isSending = false
    /// What the last pass came to: what it sent, why it ended, when the next one is.
    public private(set) var outcome: [Line] = []
    public private(set) var reports: [ReportRow] = []
    public private(set) var parked: [ParkedRow] = []
    public private(set) var health: [Line] = []
    public private(set) var problem: Line?

    private let home: Homeline
    private let now: @Sendable () -> Int64

    public init(
        _ home: Homeline, now: @escaping @Sendable () -> Int64 = { Date().millisecondsUTC }
    ) {
        self.home = home
        self.now = now
    }

    /// Asks anew for everything on the screen. Works before the first unlock.
    public func refresh() async {
        do {
            let state = try await home.state()
            let health = try await home.health()
            show(state)
            show(health, clockOffsetMs: state.clockOffsetMs)
            reports = try await home.sos.reports().map(\.row)
            parked = try await home.parked().map(\.row)
            problem = nil
        } catch {
            problem = Line(error)
        }
    }

    /// The traveler asks to send now.
    public func send() async {
        guard !isSending else { return }
        isSending = true
        do {
            // Who asks says that the network may be another one.
            try await home.networkChanged()
            show(try await home.sync(deadline: .seconds(60)))
            isSending = false
            await refresh()
        } catch {
            isSending = false
            await refresh()
            problem = Line(error)
        }
    }

    /// Lets a refused item wait again.
    public func tryAgain(_ item: ParkedRow) async {
        do {
            try await home.tryAgain(id: item.id)
            await refresh()
        } catch {
            await refresh()
            problem = Line(error)
        }
    }

    private func show(_ state: HomeState) {
        switch state.outbox {
        case .known(0, _): waiting = Line("outbox_nothing")
        case .known(let count, _): waiting = Line("outbox_waiting", .number(Int64(count)))
        case .unavailable(let problem):
            waiting = Line("state_outbox_unavailable", .line(problem.line))
        }
    }

    private func show(_ health: Health, clockOffsetMs: Int64?) {
        since = health.oldestUnsentMs.map { Line("outbox_since", .time($0)) }
        var lines: [Line] = []
        switch health.activity {
        case .neverWoke: lines.append(Line("outbox_health_never"))
        case .active, .late:
            lines += health.lastWokeMs.map { [Line("outbox_health_woke", .time($0))] } ?? []
        }
        if case .late = health.activity, let expected = health.nextWakeMs {
            lines.append(Line("outbox_health_overdue", .time(expected)))
        }
        lines.append(
            health.lastReceiptMs.map { Line("outbox_health_receipt", .time($0)) }
                ?? Line("outbox_health_no_receipt"))
        lines.append(
            health.lastFixAgeMs.map { Line("outbox_health_position", .age(ms: $0)) }
                ?? Line("outbox_health_no_position"))
        if case .returned = health.pause?.cause { lines.append(Line("outbox_pause_returned")) }
        if health.whereaboutsThinned > 0 {
            lines.append(Line("outbox_thinned", .number(Int64(health.whereaboutsThinned))))
        }
        let minutes = (clockOffsetMs ?? 0) / 60_000
        if minutes != 0 {
            lines.append(Line("outbox_health_clock", .number(abs(minutes))))
        }
        self.health = lines
    }

    private func show(_ outcome: SyncOutcome) {
        var lines = [
            Line(
                "outbox_sync_done", .number(Int64(outcome.sent)),
                .number(Int64(outcome.waiting))),
            outcome.stopped.line,
        ]
        if outcome.withoutConsent { lines.append(Line("outbox_without_consent")) }
        lines.append(
            outcome.nextMs.map { Line("outbox_next", .time(now() + $0)) }
                ?? Line("outbox_next_on_change"))
        self.outcome = lines
    }
}

extension SyncStop {
    fileprivate var line: Line {
        switch self {
        case .done: Line("stop_done")
        case .offline: Line("stop_offline")
        case .notTheMinistry: Line("stop_not_the_ministry")
        case .busy: Line("stop_busy")
        case .notAuthorized: Line("stop_not_authorized")
        case .deadline: Line("stop_deadline")
        case .cancelled: Line("stop_cancelled")
        case .alreadyRunning: Line("stop_already_running")
        }
    }
}

extension ReportSummary {
    fileprivate var row: ReportRow {
        ReportRow(
            id: report, kind: kind?.line ?? Line("outbox_report_kind_unknown"),
            pressed: pressedMs.map { Line("outbox_report_pressed", .time($0)) },
            state: state.line)
    }
}

extension ParkedItem {
    fileprivate var row: ParkedRow {
        let line =
            if let status, let sinceMs {
                Line(
                    "outbox_parked_line", .line(kind.line), .time(sinceMs),
                    .number(Int64(status)))
            } else {
                Line("outbox_parked_line_old", .line(kind.line))
            }
        return ParkedRow(id: id, what: kind.line, line: line)
    }
}

extension ParkedKind {
    fileprivate var line: Line {
        switch self {
        case .report: Line("parked_report")
        case .reportPosition: Line("parked_report_position")
        case .reportCancellation: Line("parked_report_cancellation")
        case .whoCalls: Line("parked_who_calls")
        case .medicalCard: Line("parked_medical_card")
        case .registration: Line("parked_registration")
        case .positions: Line("parked_positions")
        case .group: Line("parked_group")
        case .groupLeave: Line("parked_group_leave")
        case .eraseRequest: Line("parked_erase_request")
        case .attachment: Line("parked_attachment")
        }
    }
}
