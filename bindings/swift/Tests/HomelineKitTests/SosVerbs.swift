import HomelineKit

/// A press, and what this phone knows of it.
struct SosVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "press": press,
            "cancel": { try await player.home().sos.cancel(report: player.named($0, "of")) },
            "status": status,
            // This phone's own reports, the newest first.
            "reports": {
                let states = try await player.home().sos.reports().map { snake($0.state) }
                try expect(states, is: $0.required("states"))
            },
            "parked": parked,
            "try_again": tryAgain,
        ]
    }

    private func press(_ step: Step) async throws {
        let request = SosRequest(
            kind: try named(step.required("kind")),
            note: try step.required("note"),
            countdownS: try step.optional("countdown_s") ?? 0)
        let report = try await player.home().sos.press(request)
        if let other: String = try step.optional("same_as") {
            try expect(report, is: player.named(other))
        }
        try player.keep(report, as: step)
    }

    private func status(_ step: Step) async throws {
        let status = try await player.home().sos.status(report: player.named(step, "of"))
        try step.expect("state", snake(status.state))
        try step.expect("attempts", status.attempts)
        try step.expect("receipts", status.events.compactMap { receipt($0.evidence) })
        if case .handed(let channel) = status.state {
            try step.expect("channel", snake(channel))
        }
        if case .parked(_, let reason) = status.state { try step.expect("reason", reason) }
        if case .acknowledged(_, _, let officer, _) = status.state {
            try step.expect("officer", officer)
        }
        if case .cancelled(let knownAtMinistryMs) = status.state {
            try step.expect("known_at_ministry", knownAtMinistryMs != nil)
        }
    }

    /// What proves the report: `full`, or by which channel its short form went.
    private func receipt(_ evidence: Evidence) -> String? {
        switch evidence {
        case .receipt: "full"
        case .compactReceipt(let channel, _, _, _): snake(channel)
        default: nil
        }
    }

    /// What the ministry has refused, in the order in which it was made.
    private func parked(_ step: Step) async throws {
        let parked = try await player.home().parked()
        try expect(parked.map { snake($0.kind) }, is: step.required("kinds"))
        let status: UInt16? = try step.optional("status")
        let reason: String? = try step.optional("reason")
        for item in parked {
            try expect(item.sinceMs != nil, is: true)
            if let status { try expect(item.status, is: status) }
            if let reason { try expect(item.reason, is: reason) }
        }
    }

    /// The parked item of that kind waits again.
    private func tryAgain(_ step: Step) async throws {
        let kind: String = try step.required("kind")
        let parked = try await player.home().parked()
        guard let item = parked.first(where: { snake($0.kind) == kind }) else {
            throw Unexpected("no \(kind) is parked")
        }
        try await player.home().tryAgain(id: item.id)
    }
}
