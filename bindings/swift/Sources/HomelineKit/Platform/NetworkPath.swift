// What Network.framework says of the network, and what Homeline is told of it.
import Foundation

/// An `NWPath`, as far as Homeline looks at it.
public struct NetworkPath: Sendable, Equatable {
    /// `NWPath.Status`
    public enum Status: Sendable, CaseIterable {
        case satisfied, unsatisfied, requiresConnection
    }

    public var status: Status
    /// Cellular, or a personal hotspot.
    public var isExpensive: Bool
    /// Low data mode.
    public var isConstrained: Bool
    /// Names of the interfaces in order of preference: another list is another network.
    public var interfaces: [String]

    public init(
        status: Status, isExpensive: Bool = false, isConstrained: Bool = false,
        interfaces: [String] = []
    ) {
        self.status = status
        self.isExpensive = isExpensive
        self.isConstrained = isConstrained
        self.interfaces = interfaces
    }

    /// iOS says that there is a route, never that anything answered over it: so a network
    /// is at best `unvalidated`. A captive portal shows at the next pass of `sync`.
    public var network: NetworkState {
        status == .unsatisfied ? .disconnected : .unvalidated
    }

    /// For `Conditions` and `Attachments.linkIs`.
    public var cost: DataCost {
        isExpensive || isConstrained ? .metered : .free
    }

    /// What the steps of a report are computed from. iOS tells nothing of satellites,
    /// neighbours or voice: those cases rule nothing out.
    public func conditions(
        since: Date?, canSendText: Bool, batteryPercent: UInt8? = nil
    ) -> Conditions {
        Conditions(
            network: network,
            networkSinceMs: since?.millisecondsUTC,
            cost: cost,
            sms: SmsAbility(canSendText: canSendText),
            smsAttemptsLeft: nil,
            satellite: .absent,
            neighbours: .absent,
            voice: .possible,
            batteryPercent: batteryPercent)
    }
}

/// When `networkChanged` is called: once for each network that comes, and no more often
/// than a phone at the edge of a cell deserves. A value: time comes as an argument.
public struct PathChanges: Sendable, Equatable {
    /// What to do now.
    public enum Step: Sendable, Equatable {
        /// Nothing: no network, or the same one.
        case nothing
        /// Call `networkChanged`.
        case tell
        /// Call `wake(now:)` at that moment: the last call was just now.
        case tellAt(Date)
    }

    /// Least time between two calls: an SOS is due at once after each of them.
    public static let pause: TimeInterval = 5

    /// The path that was seen last; `nil` before the first.
    public private(set) var path: NetworkPath?
    /// Since when the phone is on it.
    public private(set) var since: Date?
    private var toldAt: Date?
    private var owes = false

    public init() {}

    /// iOS has told of a path.
    public mutating func saw(_ new: NetworkPath, now: Date) -> Step {
        let old = path
        path = new
        let isOther = old?.interfaces != new.interfaces || old?.network != new.network
        if isOther { since = now }
        if new.network == .disconnected {
            owes = false
            return .nothing
        }
        if isOther { owes = true }
        return wake(now: now)
    }

    /// The moment of `tellAt` has come.
    public mutating func wake(now: Date) -> Step {
        guard owes else { return .nothing }
        // A clock that went back must not silence it.
        if let toldAt, toldAt <= now, now.timeIntervalSince(toldAt) < Self.pause {
            return .tellAt(toldAt.addingTimeInterval(Self.pause))
        }
        owes = false
        toldAt = now
        return .tell
    }
}
