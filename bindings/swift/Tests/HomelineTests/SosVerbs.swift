import Homeline

/// A press, and what this phone knows of it.
struct SosVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "press": press,
            "cancel": { try player.home().sos().cancel(report: player.named($0, "of")) },
            "status": status,
        ]
    }

    private func press(_ step: Step) throws {
        let request = SosRequest(
            kind: try named(step.required("kind")),
            note: try step.required("note"),
            countdownS: try step.optional("countdown_s") ?? 0)
        let report = try player.home().sos().press(request: request)
        if let other: String = try step.optional("same_as") {
            try expect(report, is: player.named(other))
        }
        try player.keep(report, as: step)
    }

    private func status(_ step: Step) throws {
        let status = try player.home().sos().status(report: player.named(step, "of"))
        try step.expect("state", snake(status.state))
        try step.expect("attempts", status.attempts)
        if case .acknowledged(_, _, let officer, _) = status.state {
            try step.expect("officer", officer)
        }
        if case .cancelled(let knownAtMinistryMs) = status.state {
            try step.expect("known_at_ministry", knownAtMinistryMs != nil)
        }
    }
}
