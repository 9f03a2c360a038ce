// The time that iOS gives an app that is not in front, and what of it a pass of
// `sync` may use. Plain arithmetic: `BackgroundSync` obeys it.
import Foundation

/// A stretch of background time, by how iOS hands it out.
public enum BackgroundBudget: Sendable, CaseIterable {
    /// `BGAppRefreshTask`: about 30 seconds.
    case refresh
    /// `BGProcessingTask`: minutes, mostly at night and on a charger. Apple names no
    /// number, so no more than five minutes are counted on.
    case processing
    /// `beginBackgroundTask` when the app leaves the front. Thirty seconds are usual, five
    /// are what may be relied on.
    case leavingForeground

    /// What iOS gives.
    var total: Duration {
        switch self {
        case .refresh: .seconds(30)
        case .processing: .seconds(300)
        case .leavingForeground: .seconds(5)
        }
    }

    /// What stays for closing the files and for saying that the task is done. iOS ends an
    /// app that is late, and gives it less time from then on.
    var margin: Duration {
        self == .leavingForeground ? .seconds(1) : .seconds(5)
    }

    /// Below this a pass only opens a connection and gives up.
    static let shortestPass: Duration = .seconds(2)

    /// The deadline of a pass, where `spent` of the budget is gone already; `nil`: do not
    /// begin one.
    public func deadline(spent: Duration) -> Duration? {
        let left = total - margin - spent
        return left < Self.shortestPass ? nil : left
    }
}

/// What to ask of `BGTaskScheduler` after a pass. iOS promises none of it: it is a wish.
public struct BackgroundWish: Sendable, Equatable {
    /// The short task: not before this moment.
    public let refreshAfter: Date
    /// The long task, with a network: not before this moment; absent where nothing waits
    /// that thirty seconds might not do.
    public let processingAfter: Date?

    /// Alerts and news of a case are fetched this often, if iOS lets us.
    static let longest: TimeInterval = 4 * 3600
    /// Sooner is never granted.
    static let shortest: TimeInterval = 60

    /// From what the pass said.
    public init(after outcome: SyncOutcome, now: Date) {
        let wanted = outcome.nextMs.map { TimeInterval($0) / 1000 } ?? Self.longest
        let wait = min(max(wanted, Self.shortest), Self.longest)
        refreshAfter = now.addingTimeInterval(wait)
        let waits = outcome.waiting > 0 || outcome.attachments > 0
        processingAfter = waits ? refreshAfter : nil
    }

    /// After a press, or where no pass could begin: as soon as may be.
    public init(soonFrom now: Date) {
        refreshAfter = now.addingTimeInterval(Self.shortest)
        processingAfter = refreshAfter
    }
}
