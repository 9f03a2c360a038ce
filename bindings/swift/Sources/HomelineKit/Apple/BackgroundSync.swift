// Runs `sync` when iOS lets the app run: in front, just after it, and in the background.
// What a stretch of time allows is decided in `BackgroundBudget` and `BackgroundPass`.
#if canImport(BackgroundTasks) && os(iOS)
    import BackgroundTasks
    import Foundation
    import UIKit

    /// Sends what waits, whenever iOS gives the app time.
    ///
    /// `Info.plist` names both tasks in `BGTaskSchedulerPermittedIdentifiers`, and
    /// `UIBackgroundModes` has `fetch` and `processing`. iOS promises no time at all: an app
    /// that the traveler swiped away, or a phone in low power mode, runs nothing. What
    /// waits then waits until the app is opened; `health` says since when.
    ///
    /// ```swift
    /// let background = BackgroundSync(home)
    /// background.register()      // before didFinishLaunching returns
    /// ```
    @MainActor
    public final class BackgroundSync {
        /// The short task's name in `Info.plist`.
        public static let refreshTask = "org.homeline.refresh"
        /// The long task's name in `Info.plist`.
        public static let processingTask = "org.homeline.processing"

        private let open: @Sendable () async throws -> Homeline
        private var leaving: Task<Void, Never>?

        /// - Parameter open: gives the one `Homeline` of the app, and opens it where iOS has
        ///   started the app for this alone.
        public init(open: @escaping @Sendable () async throws -> Homeline) {
            self.open = open
        }

        /// For an app that opens Homeline as its first step.
        public convenience init(_ home: Homeline) {
            self.init { home }
        }

        /// Tells iOS what to run. To be called before `didFinishLaunching` returns, at each
        /// start; `false`: a name is missing in `Info.plist`.
        public func register() -> Bool {
            let tasks: [(String, BackgroundBudget)] = [
                (Self.refreshTask, .refresh), (Self.processingTask, .processing),
            ]
            return tasks.allSatisfy { name, budget in
                // On the main queue: the closure belongs to the main actor.
                BGTaskScheduler.shared.register(forTaskWithIdentifier: name, using: .main) {
                    self.run($0, budget)
                }
            }
        }

        /// The app has come to the front: the files open, and a pass runs.
        ///
        /// Errors: those of `open`; what the pass meets is in its outcome.
        public func inFront() async throws -> SyncOutcome {
            let home = try await open()
            _ = try? await home.reopen()
            try? await home.woke(.foreground, nextInMs: nil)
            return try await home.sync(deadline: .seconds(60))
        }

        /// The app leaves the front: a last short pass, then the files close. iOS is asked
        /// for the next time.
        public func leavesFront() {
            let began = ContinuousClock.now
            let application = UIApplication.shared
            let granted = application.beginBackgroundTask(withName: "homeline") { [weak self] in
                self?.leaving?.cancel()
            }
            leaving = Task {
                await pass(.leavingForeground, cause: nil, began: began)
                application.endBackgroundTask(granted)
            }
        }

        /// Asks iOS for time as soon as may be: after a press, where the app may be closed
        /// before the receipt is here.
        public func pressed() {
            ask(BackgroundWish(soonFrom: Date()))
        }

        private func run(_ task: BGTask, _ budget: BackgroundBudget) {
            let began = ContinuousClock.now
            let work = Task {
                let done = await pass(budget, cause: .schedule, began: began)
                task.setTaskCompleted(success: done)
            }
            // Whatever thread iOS calls it on.
            task.expirationHandler = { @Sendable in work.cancel() }
        }

        /// `false`: Homeline did not open.
        @discardableResult
        private func pass(
            _ budget: BackgroundBudget, cause: WakeCause?, began: ContinuousClock.Instant
        ) async -> Bool {
            guard let home = try? await open() else {
                ask(BackgroundWish(soonFrom: Date()))
                return false
            }
            let pass = BackgroundPass(home: home, budget: budget, cause: cause) {
                await MainActor.run { UIApplication.shared.applicationState == .active }
            }
            ask(await pass.run(began: began))
            return true
        }

        private func ask(_ wish: BackgroundWish) {
            let refresh = BGAppRefreshTaskRequest(identifier: Self.refreshTask)
            refresh.earliestBeginDate = wish.refreshAfter
            // Fails where the traveler has switched background refresh off, and in the
            // simulator: then the next pass is at the next start.
            try? BGTaskScheduler.shared.submit(refresh)
            guard let after = wish.processingAfter else {
                BGTaskScheduler.shared.cancel(taskRequestWithIdentifier: Self.processingTask)
                return
            }
            let processing = BGProcessingTaskRequest(identifier: Self.processingTask)
            processing.requiresNetworkConnectivity = true
            processing.earliestBeginDate = after
            try? BGTaskScheduler.shared.submit(processing)
        }
    }
#endif
