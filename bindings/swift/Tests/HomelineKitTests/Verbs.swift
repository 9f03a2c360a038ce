import Foundation
import HomelineKit

/// A verb of the scenarios: it does what the step says, and throws unless all is as
/// it says.
typealias Verb = (Step) async throws -> Void

/// What the verbs of the scenarios do; `tests/scenarios` speaks them.
final class Verbs {
    private let verbs: [String: Verb]

    init(_ player: Player) {
        let all = [
            FlowVerbs(player).all, RecordVerbs(player).all, TripVerbs(player).all,
            GroupVerbs(player).all, PhonesVerbs(player).all, PaperVerbs().all,
            WhereaboutsVerbs(player).all, SosVerbs(player).all, ChannelVerbs(player).all,
            RelayVerbs(player).all, AttachmentVerbs(player).all, AbroadVerbs(player).all,
            AlertVerbs(player).all, DeskVerbs(player).all,
        ]
        verbs = Dictionary(uniqueKeysWithValues: all.joined().map { ($0.key, $0.value) })
    }

    /// Does what the step says, and throws unless it ends as the step says.
    func perform(_ step: Step) async throws {
        if let field: String = try step.optional("invalid") {
            let error = try await failure(of: step)
            guard case .Invalid(field, let problem, _) = error else {
                throw Unexpected("\(error)")
            }
            try expect(snake(problem), is: step.required("problem"))
        } else if let name: String = try step.optional("error") {
            try await expect(snake(failure(of: step)), is: name)
        } else {
            try await act(step)
        }
        let neverRead = step.neverRead
        if !neverRead.isEmpty { throw Unexpected("keys that no verb knows: \(neverRead)") }
    }

    private func failure(of step: Step) async throws -> HomelineError {
        do {
            try await act(step)
        } catch let error as HomelineError {
            return error
        }
        throw Unexpected("no error")
    }

    private func act(_ step: Step) async throws {
        let verb: String = try step.required("do")
        guard let act = verbs[verb] else { throw Unexpected("unknown verb \(verb)") }
        try await act(step)
    }
}
