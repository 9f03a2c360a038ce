import Foundation
import HomelineKit

/// The network, the phones, and what happens to Homeline as a whole.
struct FlowVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "link": { try player.stage.link($0.required("to")) },
            "phone": { try player.take($0.required("name")) },
            // Two clocks are no nearer to each other than a request takes.
            "wait": { Thread.sleep(forTimeInterval: try $0.required("ms") / 1000) },
            "open": open,
            "reopen_from_disk": open,
            "reopen": { try await record($0, player.home().reopen()) },
            "lock_record": { _ in try player.phone().vault.setRecordLocked(true) },
            "unlock_record": { _ in try player.phone().vault.setRecordLocked(false) },
            "network_changed": { _ in try await player.home().networkChanged() },
            "sync": sync,
            "export": export,
            "erase": { try await record($0, player.home().erase()) },
            "erase_request": {
                try await expect(snake(player.home().state().eraseRequest), is: $0.required("state"))
            },
        ]
    }

    private func open(_ step: Step) async throws {
        try player.phone().open(
            channels: step.optional("channels") ?? false, languages: step.texts("languages"))
        try await record(step, player.home().state())
    }

    private func record(_ step: Step, _ state: HomeState) throws {
        try expect(snake(state.record), is: step.required("record"))
    }

    private func sync(_ step: Step) async throws {
        let outcome = try await player.home().sync(deadline: .seconds(20))
        try expect(snake(outcome.stopped), is: step.required("stopped"))
        try step.expect("sent", outcome.sent)
        try step.expect("waiting", outcome.waiting)
        try step.expect("parked", outcome.parked)
        try step.expect("without_consent", outcome.withoutConsent)
    }

    private func export(_ step: Step) async throws {
        let export = try await player.home().export()
        for text in try step.texts("contains") where !export.json.contains(text) {
            throw Unexpected("no \(text)")
        }
        for text in try step.texts("lacks") where (export.json + export.summary).contains(text) {
            throw Unexpected(text)
        }
        for text in try step.texts("summary") where !export.summary.contains(text) {
            throw Unexpected("no \(text) in the summary")
        }
    }
}
