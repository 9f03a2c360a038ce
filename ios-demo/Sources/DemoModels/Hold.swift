// Hold to press: two seconds of a finger that stays, so that a pocket presses nothing.
import Foundation

/// The state of the button. A value: time comes as an argument, in seconds of any clock
/// that only goes forward.
public struct Hold: Sendable, Equatable {
    /// How long to hold, seconds.
    public static let seconds: TimeInterval = 2

    /// What the button says.
    public enum Phase: Sendable, Equatable {
        case up
        /// From 0 to 1.
        case holding(progress: Double)
        case releasedTooSoon
        case pressed
    }

    public private(set) var phase = Phase.up
    private var since: TimeInterval?

    public init() {}

    /// A finger is on the button. Once more while it is there changes nothing.
    public mutating func touch(at now: TimeInterval) {
        guard since == nil else { return }
        since = now
        phase = .holding(progress: 0)
    }

    /// Time has passed; `true` once: press now.
    public mutating func hold(at now: TimeInterval) -> Bool {
        guard let since, phase != .pressed else { return false }
        let progress = (now - since) / Self.seconds
        if progress >= 1 {
            phase = .pressed
            return true
        }
        phase = .holding(progress: max(0, progress))
        return false
    }

    /// The finger is gone.
    public mutating func release(at now: TimeInterval) -> Bool {
        let presses = hold(at: now)
        if case .holding = phase { phase = .releasedTooSoon }
        since = nil
        return presses
    }

    /// The line on the button.
    public var line: Line {
        switch phase {
        case .up, .pressed: Line("sos_hold")
        case .holding: Line("sos_holding")
        case .releasedTooSoon: Line("sos_released")
        }
    }
}
