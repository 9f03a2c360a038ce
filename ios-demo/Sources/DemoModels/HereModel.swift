// The Here screen: which country, how dangerous, who helps, what to do. All of it is on the
// phone and needs no network.
import Foundation
import HomelineKit
import Observation

/// An alert in words; its texts are the ministry's.
public struct AlertRow: Hashable, Sendable, Identifiable {
    public let id: String
    public let headline: String
    public let text: [String]
    public let level: Line?
    public let sent: Line
    public let until: Line
}

/// A mission in words.
public struct MissionRow: Hashable, Sendable, Identifiable {
    public let id: String
    public let name: String
    public let address: String?
    /// "Nearest mission" where it is not the responsible one.
    public let title: Line
    public let distance: Line?
    public let phones: [CallRow]
    public let age: Line
}

/// What is said of the traveler's own position.
public enum Locating: Sendable {
    case idle, looking
    /// No permission: the country of the trip, or the traveler's choice, serves.
    case refused
    /// Allowed, and no position came.
    case nothing

    public var line: Line? {
        switch self {
        case .idle: nil
        case .looking: Line("here_locating")
        case .refused: Line("here_position_refused")
        case .nothing: Line("here_position_none")
        }
    }
}

@MainActor
@Observable
public final class HereModel {
    public private(set) var country: String?
    public private(set) var basis = Line("here_basis_nowhere")
    /// Near a border, or disputed: all that it may be.
    public private(set) var candidates: Line?
    public private(set) var level = Line("here_level_none")
    public private(set) var alerts: [AlertRow] = []
    public private(set) var asOf = Line("here_alerts_never")
    public private(set) var arrival: Line?
    public private(set) var missions: [MissionRow] = []
    public private(set) var guides: [GuideHit] = []
    public private(set) var article: GuideArticle?
    public private(set) var locating = Locating.idle
    public private(set) var problem: Line?
    public var query = ""

    private let home: Homeline
    private let now: @Sendable () -> Int64

    public init(
        _ home: Homeline, now: @escaping @Sendable () -> Int64 = { Date().millisecondsUTC }
    ) {
        self.home = home
        self.now = now
    }

    /// Asks anew for everything on the screen.
    public func refresh() async {
        show(await home.helpAt(.here))
        do {
            show(try await home.alerts.at(.here))
            problem = nil
        } catch {
            problem = Line(error)
        }
        // Before the first unlock nobody knows where the traveler was: no notice, no error.
        let notice = try? await home.alerts.arrival()
        arrival = notice.flatMap {
            $0.isNew ? Line("here_arrival_title", .country($0.country)) : nil
        }
        await search()
    }

    /// The traveler has read the arrival notice.
    public func arrivalSeen() async {
        await attempt { try await self.home.alerts.arrivalShown() }
    }

    /// Finds guides; without a word, all for this place.
    public func search() async {
        let words = query.trimmingCharacters(in: .whitespaces)
        do {
            let found =
                words.isEmpty
                ? try await home.guides.list(.here, situation: nil)
                : try await home.guides.search(query: words, place: .here, situation: nil)
            // What was typed meanwhile has a search of its own.
            if words == query.trimmingCharacters(in: .whitespaces) { guides = found }
        } catch {
            problem = Line(error)
        }
    }

    /// Opens a guide.
    public func read(_ guide: GuideHit) async {
        do {
            article = try await home.guides.read(id: guide.id)
        } catch {
            problem = Line(error)
        }
    }

    /// Closes it.
    public func closeArticle() { article = nil }

    /// Asks `source` for a position and records it. It stays on the phone without a
    /// consent; `access`: what the platform allows now.
    public func locate(
        access: LocationAccess, source: @MainActor () async -> Fix?
    ) async {
        guard access.isAllowed else {
            locating = .refused
            return
        }
        locating = .looking
        guard let fix = await source() else {
            locating = .nothing
            return
        }
        locating = .idle
        await attempt { try await self.home.whereabouts.record(fix) }
    }

    /// Fetches what the ministry has published since.
    public func fetch() async {
        await attempt { _ = try await self.home.sync(deadline: .seconds(60)) }
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
            await refresh()
        } catch {
            await refresh()
            problem = Line(error)
        }
    }

    private func show(_ help: Help) {
        country = help.countries.first
        basis = help.basis.line
        candidates =
            help.countries.count > 1
            ? Line("here_candidates", .countries(help.countries)) : nil
        missions = help.responsible.map { $0.row(title: "here_mission_title") }
        if let nearest = help.nearest {
            missions.append(nearest.row(title: "here_mission_nearest"))
        }
    }

    private func show(_ place: PlaceAlerts) {
        level = place.level?.line ?? Line("here_level_none")
        alerts = place.alerts.map(\.row)
        asOf =
            place.asOfMs.map { Line("here_alerts_as_of", .time($0), .age(ms: now() - $0)) }
            ?? Line("here_alerts_never")
    }
}

extension PlaceBasis {
    fileprivate var line: Line {
        switch self {
        case .given: Line("here_basis_position_unknown_age")
        case .lastPosition(let age?): Line("here_basis_position", .age(ms: age))
        case .lastPosition(nil): Line("here_basis_position_unknown_age")
        case .stay: Line("here_basis_stay")
        case .nowhere: Line("here_basis_nowhere")
        }
    }
}

extension LocalLevel {
    fileprivate var line: Line {
        guard let step else { return Line("here_level_unranked", .text(wording.text)) }
        return Line(
            "here_level", .text(wording.text), .number(Int64(step)), .number(Int64(steps)))
    }
}

extension LocalAlert {
    fileprivate var row: AlertRow {
        AlertRow(
            id: "\(sender) \(identifier) \(sentMs)",
            headline: headline?.text ?? identifier,
            text: [description?.text, instruction?.text].compactMap { $0 },
            level: level?.line,
            sent: Line("here_alert_sent", .time(sentMs)),
            until: until)
    }

    private var until: Line {
        if case .ahead(let fromMs) = state { return Line("here_alert_ahead", .time(fromMs)) }
        return expiresMs.map { Line("here_alert_until", .time($0)) } ?? Line("here_alert_open")
    }
}

extension LocalMission {
    fileprivate func row(title: String) -> MissionRow {
        MissionRow(
            id: id, name: name?.text ?? id, address: address?.text, title: Line(title),
            distance: distanceM.map {
                Line("here_mission_distance", .number(Int64(($0 / 1000).rounded())))
            },
            phones: phones.map { CallRow(line: $0.purpose.line, number: $0.number) },
            age: asOf.line)
    }
}

extension PhonePurpose {
    fileprivate var line: Line {
        switch self {
        case .emergency: Line("here_phone_emergency")
        case .consular: Line("here_phone_consular")
        case .reception: Line("here_phone_reception")
        case .other(let word): Line(word)
        }
    }
}
