// One pass of `sync` while the app is not in front, from the open files to the closed
// ones. iOS freezes an app in the middle of whatever it does, and ends one that holds a
// lock on a file then: so the files are closed before the time is over.
import Foundation

/// A pass within a `BackgroundBudget`.
struct BackgroundPass: Sendable {
    let home: Homeline
    let budget: BackgroundBudget
    /// Why iOS runs the app; `nil`: it runs already, and goes.
    let cause: WakeCause?
    /// Whether the traveler is looking by now: then the files stay open.
    let isInFront: @Sendable () async -> Bool

    /// iOS promises nothing. A day without a single run is what `health` calls late.
    static let expectedWithin: Duration = .seconds(24 * 3600)

    /// Runs it; `began` is when iOS gave the time. Cancelling its task ends the pass early,
    /// and the files are closed all the same. Returns what to ask iOS for next.
    func run(began: ContinuousClock.Instant) async -> BackgroundWish {
        // The outcome of each step is in `health` and `state`: none of them may keep the
        // files from being closed.
        _ = try? await home.reopen()
        if let cause {
            let next = Self.expectedWithin.components.seconds * 1000
            try? await home.woke(cause, nextInMs: next)
        }
        var wish = BackgroundWish(soonFrom: Date())
        if let deadline = budget.deadline(spent: began.duration(to: .now)), !Task.isCancelled,
            let outcome = try? await home.sync(deadline: deadline)
        {
            wish = BackgroundWish(after: outcome, now: Date())
        }
        if await !isInFront() { _ = try? await home.pause() }
        return wish
    }
}
