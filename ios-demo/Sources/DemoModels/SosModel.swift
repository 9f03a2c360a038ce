// The SOS screen: whom to call first, the press, the countdown, and what is proved of the
// report.
import Foundation
import HomelineKit
import Observation

/// A number to call, and what it is.
public struct CallRow: Hashable, Sendable, Identifiable {
    public let line: Line
    public let number: String
    public var id: [String] { [line.key, number] }
}

/// The numbers of one country.
public struct LocalRows: Hashable, Sendable, Identifiable {
    /// Two letters of ISO 3166-1.
    public let country: String
    public let rows: [CallRow]
    /// How old they are.
    public let age: Line
    public var id: String { country }
}

/// A step that is advised, in words.
public struct StepRow: Hashable, Sendable {
    public let action: NextAction
    public let line: Line
    public let why: Line
    /// Not before then; `nil`: now.
    public let from: Line?
    public let cautions: [Line]
}

/// A report as the screen shows it.
public struct ReportView: Hashable, Sendable {
    public let id: String
    public let state: ReportState
    public let line: Line
    public let evidence: [Line]
    public let nextAttempt: Line?
    public let steps: [StepRow]

    /// End of the countdown, milliseconds UTC; `nil` where it does not count.
    public var countsDownToMs: Int64? {
        if case .countdown(let untilMs) = state { untilMs } else { nil }
    }

    /// Whether the traveler may take it back.
    public var canCancel: Bool {
        switch state {
        case .countdown, .stored, .handed, .received, .acknowledged: true
        case .closed, .cancelled, .parked: false
        }
    }
}

/// A press that could not be stored: the one time that only a call helps.
public struct NotStored: Hashable, Sendable {
    public let line: Line
    public let call: [String]
}

@MainActor
@Observable
public final class SosModel {
    /// In these seconds `cancel` leaves nothing behind.
    public static let countdownSeconds: UInt32 = 5

    public private(set) var local: [LocalRows] = []
    /// Where no local number is known.
    public private(set) var mobile: Line?
    public private(set) var hotline: [CallRow] = []
    public private(set) var report: ReportView?
    public private(set) var notStored: NotStored?
    public private(set) var isSending = false
    public private(set) var problem: Line?
    public var kind = SosKind.medical
    public var note = ""
    /// What the platform says of the phone; the app keeps it current.
    public var conditions = Conditions(
        network: .unvalidated, cost: .free, sms: .noPermission, satellite: .absent,
        neighbours: .absent, voice: .possible)

    private var mobileNumber: String?
    private let home: Homeline
    private let now: @Sendable () -> Int64

    /// - Parameter now: the phone's clock, milliseconds UTC.
    public init(
        _ home: Homeline, now: @escaping @Sendable () -> Int64 = { Date().millisecondsUTC }
    ) {
        self.home = home
        self.now = now
    }

    /// Asks anew for everything on the screen.
    public func refresh() async {
        show(await home.helpAt(.here))
        guard notStored == nil else { return }
        do {
            if report == nil {
                // The app was ended after a press: its report is still on the screen.
                guard let last = try await home.sos.reports().first, last.state.isOpen
                else { return }
                try await show(last.report)
            } else if let id = report?.id {
                try await show(id)
            }
            problem = nil
        } catch HomelineError.NotFound {
            report = nil  // cancelled in its countdown, or erased
        } catch {
            problem = Line(error)
        }
    }

    /// The button was held. When this returns, the report is on disk, or `notStored` says
    /// whom to call.
    public func press(fix: Fix? = nil, batteryPercent: UInt8? = nil) async {
        let request = SosRequest(
            kind: kind, note: note, fix: fix, batteryPercent: batteryPercent,
            countdownS: Self.countdownSeconds)
        do {
            let id = try await home.sos.press(request)
            notStored = nil
            note = ""
            try await show(id)
        } catch HomelineError.NotStored(let problem, let call) {
            notStored = NotStored(
                line: Line("sos_not_stored", .line(problem.line)), call: call)
        } catch {
            problem = Line(error)
        }
    }

    /// A position that came after the press.
    public func update(_ fix: Fix) async {
        guard let id = report?.id else { return }
        await attempt { try await self.home.sos.updatePosition(report: id, fix: fix) }
    }

    /// In the countdown it leaves nothing; later the ministry learns of it.
    public func cancel() async {
        guard let report else { return }
        await attempt { try await self.home.sos.cancel(report: report.id) }
    }

    /// Lets a refused report wait again.
    public func tryAgain() async {
        guard let id = report?.id else { return }
        await attempt { try await self.home.sos.tryAgain(report: id) }
    }

    /// Tries to send: after the countdown, and whenever the traveler asks for it.
    public func send() async {
        guard !isSending else { return }
        isSending = true
        defer { isSending = false }
        await attempt { _ = try await self.home.sync(deadline: .seconds(60)) }
    }

    /// The next press is another report; this one goes on by itself.
    public func startNew() {
        report = nil
        notStored = nil
        problem = nil
    }

    /// Seconds until it is sent, for "Sends in 3 s"; `nil` where nothing counts.
    public func secondsLeft() -> Int64? {
        guard let until = report?.countsDownToMs else { return nil }
        return max(0, (until - now() + 999) / 1000)
    }

    /// The number that a step means; `nil` where it is no call.
    public func number(for action: NextAction) -> String? {
        switch action {
        case .callLocalEmergency: local.first?.rows.first?.number ?? mobileNumber
        case .callHotline: hotline.first?.number
        case .sendByData, .sendDatagram, .sendSms, .handToNeighbour, .signInAtPortal: nil
        }
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
            problem = nil
        } catch {
            problem = Line(error)
        }
        await refresh()
    }

    private func show(_ help: Help) {
        local = help.numbers.map { numbers in
            LocalRows(
                country: numbers.country,
                rows: numbers.numbers.map { CallRow(line: $0.service.line, number: $0.number) },
                age: numbers.asOf.line)
        }
        mobile =
            help.numbers.isEmpty
            ? Line("sos_local_unknown", .text(help.mobile.numbers.joined(separator: ", ")))
            : nil
        mobileNumber = help.mobile.numbers.first
        hotline = help.hotline.map { CallRow(line: $0.from.line, number: $0.number) }
    }

    private func show(_ id: String) async throws {
        let status = try await home.sos.status(report: id)
        let steps = try await home.sos.nextSteps(report: id, conditions: conditions)
        report = ReportView(
            id: id, state: status.state, line: status.state.line,
            evidence: status.events.map(\.line),
            nextAttempt: status.nextAttemptMs.map {
                $0 <= now() ? Line("sos_next_attempt_now") : Line("sos_next_attempt", .time($0))
            },
            steps: steps.map { $0.row(now: now()) })
    }
}

extension ReportState {
    /// Whether the traveler still waits for something.
    var isOpen: Bool {
        switch self {
        case .closed, .cancelled: false
        case .countdown, .stored, .handed, .received, .acknowledged, .parked: true
        }
    }
}

extension CallFrom {
    fileprivate var line: Line {
        switch self {
        case .home: Line("sos_hotline_home")
        case .abroad: Line("sos_hotline_abroad")
        }
    }
}

extension EmergencyService {
    fileprivate var line: Line {
        switch self {
        case .general: Line("sos_service_general")
        case .police: Line("sos_service_police")
        case .ambulance: Line("sos_service_ambulance")
        case .fire: Line("sos_service_fire")
        case .coastGuard: Line("sos_service_coast_guard")
        case .mountainRescue: Line("sos_service_mountain_rescue")
        case .touristPolice: Line("sos_service_tourist_police")
        // The ministry's own word: no table has it.
        case .other(let word): Line(word)
        }
    }
}

extension AsOf {
    /// How old it is.
    var line: Line {
        ageMs.map { Line("here_age", .age(ms: $0)) } ?? Line("here_age_unknown")
    }
}
