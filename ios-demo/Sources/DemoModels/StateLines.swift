// The words for what is wrong: states of the record and of the outbox, errors of a call.
import HomelineKit

/// What stands above every screen while something does not work, and what to do about it.
public struct Banner: Hashable, Sendable {
    /// A button beside it.
    public enum Action: Hashable, Sendable {
        /// `startNewRecord`
        case startNew
        /// `dismissRecoveries`
        case dismiss
    }

    public let line: Line
    public let action: Action?

    /// Everything to be said about a state, the worst first.
    public static func all(_ state: HomeState) -> [Banner] {
        var all: [Banner] = []
        if case .unavailable(let problem) = state.outbox {
            all.append(
                Banner(
                    line: Line("state_outbox_unavailable", .line(problem.line)), action: nil))
        }
        switch state.record {
        case .open: break
        case .locked: all.append(Banner(line: Line("state_locked"), action: nil))
        case .keyLost: all.append(Banner(line: Line("state_key_lost"), action: .startNew))
        case .updateNeeded:
            all.append(Banner(line: Line("state_update_needed"), action: nil))
        case .unavailable(let problem):
            all.append(
                Banner(line: Line("state_unavailable", .line(problem.line)), action: nil))
        case .closed: all.append(Banner(line: Line("state_closed"), action: nil))
        }
        if let last = state.recovered.last {
            all.append(
                Banner(line: Line("state_recovered", .time(last.atMs)), action: .dismiss))
        }
        return all
    }
}

extension StorageProblem {
    /// It in words.
    public var line: Line {
        switch self {
        case .full: Line("problem_full")
        case .noPermission: Line("problem_no_permission")
        case .damaged: Line("problem_damaged")
        case .tooNew: Line("problem_too_new")
        case .busy: Line("problem_busy")
        case .io: Line("problem_io")
        }
    }
}

extension Line {
    /// What to say of an error. Of an input that is wrong, `field` says where.
    public init(_ error: any Error) {
        switch error as? HomelineError {
        case .Invalid(let field, let problem, _):
            self = Line(Self.invalid(field, problem))
        case .NotStored(let problem, _):
            self = Line("sos_not_stored", .line(problem.line))
        case .Locked: self = Line("state_locked")
        case .KeyLost: self = Line("state_key_lost")
        case .Storage(let problem): self = Line("state_unavailable", .line(problem.line))
        case .NotFound: self = Line("error_not_found")
        case .Closed: self = Line("state_closed")
        case .Bug, nil: self = Line("error_bug")
        }
    }

    private static func invalid(_ field: String, _ problem: Problem) -> String {
        if field == "consent.guardian" { return "me_consent_guardian" }
        switch problem {
        case .empty: return "invalid_empty"
        case .tooLong: return "invalid_too_long"
        case .tooMany: return "invalid_too_many"
        case .duplicate: return "invalid_duplicate"
        default: return field.lowercased().hasSuffix("phone") ? "invalid_phone" : "invalid_other"
        }
    }
}

extension HomelineError {
    /// The dotted name of the field that is wrong.
    var field: String? {
        if case .Invalid(let field, _, _) = self { field } else { nil }
    }
}
