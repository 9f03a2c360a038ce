import Foundation
import HomelineKit

/// Single packets, text messages, and what to try next.
struct ChannelVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            // One packet, and the wait for its receipt.
            "send_datagram": {
                let outcome = try await sos().sendDatagram(report: player.named($0, "of"))
                try expect(snake(outcome), is: $0.required("outcome"))
            },
            "sms_plan": plan,
            // What the platform says of a part that it was handed.
            "sms_result": {
                try await sos().smsResult(
                    report: player.named($0, "of"), part: $0.required("part"),
                    result: named($0.required("result")))
            },
            "deliver_sms": deliver,
            "sms_received": {
                let answer = try await sos().smsReceived(text: player.named($0, "text"))
                try expect(snake(answer), is: $0.required("answer"))
            },
            "next_steps": nextSteps,
        ]
    }

    private func sos() throws -> Sos {
        try player.home().sos
    }

    /// The text of part 2 of the plan `plan` is kept as `plan 2`.
    private func plan(_ step: Step) async throws {
        let plan = try await sos().smsPlan(report: player.named(step, "of"))
        try expect(plan.obstacle.map { snake($0) }, is: step.optional("obstacle"))
        try expect(plan.parts.map { snake($0.next) }, is: step.required("next"))
        try expect(plan.plain.count <= 70, is: true)
        if let plain: String = try step.optional("plain") {
            try expect(String(plan.plain.prefix(plain.count)), is: plain)
        }
        let name: String? = try step.optional("as")
        for part in plan.parts {
            if part.part == 1 { try expect([Int(part.messages), part.text.count], is: [1, 160]) }
            try expect(part.next == .enough || part.number.hasPrefix("+"), is: true)
            if let name { player.keep(part.text, named: "\(name) \(part.part)") }
        }
    }

    /// The gateway brings a text to the ministry; `as`: the text that comes back.
    private func deliver(_ step: Step) async throws {
        let reply = try player.stage.deliverText(player.named(step, "text"))
        let name: String? = try step.optional("as")
        try expect(!reply.isEmpty, is: name != nil)
        if let name { player.keep(reply, named: name) }
    }

    /// What to try next for a report, the most urgent first.
    private func nextSteps(_ step: Step) async throws {
        let steps = try await sos().nextSteps(
            report: player.named(step, "of"), conditions: conditions(step.child("conditions")))
        try expect(steps.map { snake($0.action) }, is: step.required("actions"))
        try step.expect("why", steps.map { snake($0.why) })
        let inAMinute = nowMs() + 60_000
        try step.expect("later", steps.filter { $0.fromMs > inAMinute }.map { snake($0.action) })
        try step.expect("cautions", steps.flatMap { $0.cautions }.map { snake($0) })
    }

    /// What a scenario does not say is as on a phone in a city, and rules nothing out.
    private func conditions(_ step: Step) throws -> Conditions {
        // The phone has come to this network just now.
        let newNetwork: Bool = try step.optional("new_network") ?? false
        return Conditions(
            network: try step.named("network") ?? .validated,
            networkSinceMs: newNetwork ? nowMs() + 1 : nil,
            cost: try step.named("cost") ?? .free,
            sms: try step.named("sms") ?? .possible,
            smsAttemptsLeft: try step.optional("sms_attempts_left"),
            satellite: try step.named("satellite") ?? SatelliteLink.absent,
            neighbours: try step.named("neighbours") ?? Neighbours.absent,
            voice: try step.named("voice") ?? .possible,
            batteryPercent: try step.optional("battery_percent"))
    }
}

/// Milliseconds UTC.
private func nowMs() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000)
}
