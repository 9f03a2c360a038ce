import Foundation
import HomelineKit

/// Where the traveler is.
struct WhereaboutsVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "mode": { try await expect(snake(whereabouts().mode()), is: $0.required("mode")) },
            "set_mode": { try await whereabouts().setMode(named($0.required("mode"))) },
            "record_fix": recordFix,
            "note_gap": { try await whereabouts().noteGap(named($0.required("cause"))) },
            // Without a place: there is none to show.
            "last_fix": {
                let last = try await whereabouts().last()
                let expected = try Degrees($0)
                try expect(last.map { Degrees($0.fix.position).micro }, is: expected?.micro)
            },
            "track": track,
            "position_in": convert,
        ]
    }

    private func whereabouts() throws -> Whereabouts {
        try player.home().whereabouts
    }

    private func recordFix(_ step: Step) async throws {
        let seconds: Int64 = try step.optional("seconds_ago") ?? 0
        let days: Int64 = try step.optional("days_ago") ?? 0
        let ago = seconds + days * 86_400
        let origin: String? = try step.optional("origin")
        let fix = Fix(
            position: .wgs84(
                latitude: try step.required("latitude"),
                longitude: try step.required("longitude")),
            timeMs: Int64(Date().timeIntervalSince1970 * 1000) - ago * 1000,
            accuracyM: try step.optional("accuracy_m"),
            source: .gnss,
            origin: try origin.map { try named($0) })
        try await whereabouts().record(fix)
    }

    /// `fix` with its flags, or `gap` with its cause.
    private func track(_ step: Step) async throws {
        let items = try await whereabouts().track(fromMs: 0, toMs: .max, limit: 100).map { item in
            switch item {
            case .fix(let fix): (["fix"] + fix.flags.map { snake($0) }).joined(separator: " ")
            case .gap(let gap): "gap \(snake(gap.cause))"
            }
        }
        try expect(items, is: step.required("items"))
    }

    /// How far the numbers move, to a metre; 0: not by the last bit.
    private func convert(_ step: Step) async throws {
        guard let given = try Degrees(step) else { throw Unexpected("no place") }
        let (latitude, longitude) = (given.latitude, given.longitude)
        let datum: Datum = try named(step.required("of"))
        let position: Position =
            switch datum {
            case .wgs84: .wgs84(latitude: latitude, longitude: longitude)
            case .gcj02: .gcj02(latitude: latitude, longitude: longitude)
            case .bd09: .bd09(latitude: latitude, longitude: longitude)
            }
        let moved = Degrees(
            try positionIn(position: position, datum: named(step.required("to"))))
        let movedM: Double = try step.required("moved_m")
        try expect(given.metres(to: moved).rounded(), is: movedM)
        try expect(moved == given, is: movedM == 0)
    }
}

/// Degrees, in whatever datum.
struct Degrees: Equatable {
    let latitude: Double
    let longitude: Double

    /// The place that the step says, if it says one.
    init?(_ step: Step) throws {
        let latitude: Double? = try step.optional("latitude")
        let longitude: Double? = try step.optional("longitude")
        guard let latitude, let longitude else { return nil }
        self.init(latitude, longitude)
    }

    init(_ position: Position) {
        switch position {
        case .wgs84(let latitude, let longitude), .gcj02(let latitude, let longitude),
            .bd09(let latitude, let longitude):
            self.init(latitude, longitude)
        }
    }

    init(_ latitude: Double, _ longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }

    /// Millionths of a degree, as the record keeps them.
    var micro: String { String(format: "%.6f %.6f", latitude, longitude) }

    func metres(to other: Degrees) -> Double {
        let degreeM = 111_195.0
        let north = (other.latitude - latitude) * degreeM
        let east = (other.longitude - longitude) * degreeM * cos(latitude * .pi / 180)
        return hypot(north, east)
    }
}
