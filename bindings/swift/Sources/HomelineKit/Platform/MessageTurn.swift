// Text messages on iOS: the traveler must press send, each time. What the composer
// answers, and what comes of it.
import Foundation

/// Where a report stands with its text message.
public enum MessageTurn: Sendable, Equatable {
    /// Show the composer with this part: nothing has left the phone, and nothing will
    /// unless the traveler presses send.
    case waitsForTraveler(SmsPart)
    /// Not before this moment, milliseconds UTC.
    case later(fromMs: Int64)
    /// Nothing to send by text message, and why.
    case impossible(SmsObstacle)
    /// All parts were sent as often as it is worth; this is no proof that they arrived.
    case finished
    /// This device sends no text messages: a tablet, no SIM, a restriction.
    case unavailable

    /// What to do with `plan` on a device that `canSend`.
    public init(plan: SmsPlan, canSend: Bool) {
        if let obstacle = plan.obstacle {
            self = .impossible(obstacle)
        } else if !canSend {
            self = .unavailable
        } else if let part = plan.parts.first(where: { $0.next == .sendNow }) {
            self = .waitsForTraveler(part)
        } else if let fromMs = plan.parts.compactMap(\.waitsUntil).min() {
            self = .later(fromMs: fromMs)
        } else {
            self = .finished
        }
    }
}

extension SmsPart {
    fileprivate var waitsUntil: Int64? {
        if case .wait(let untilMs) = next { untilMs } else { nil }
    }
}

/// How the composer was closed: `MessageComposeResult`, with its numbers.
public enum MessageAnswer: Int, Sendable, CaseIterable {
    /// The traveler closed it: nothing left the phone, and the report waits as before.
    case cancelled
    /// The phone took the message. Apple's words are "queued or sent": it is no evidence
    /// that it left, still less that it arrived.
    case sent
    /// The phone could not send it.
    case failed

    /// What `smsResult` is told; `nil`: nothing, for nothing happened.
    public var result: SmsResult? {
        switch self {
        case .cancelled: nil
        case .sent: .sent
        case .failed: .failed
        }
    }
}

extension SmsAbility {
    /// iOS tells neither roaming nor service, only whether a composer can be shown.
    public init(canSendText: Bool) {
        self = canSendText ? .possible : .noPermission
    }
}
