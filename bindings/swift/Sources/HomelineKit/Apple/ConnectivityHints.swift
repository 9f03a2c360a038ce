// Tells Homeline of the network, as Network.framework sees it. Nothing here decides: that
// is `NetworkPath` and `PathChanges`.
#if canImport(Network)
    import Foundation
    import Network

    /// Watches the network: each new one is told to Homeline, at most once in five seconds,
    /// and its cost to the attachments. Keep it as long as the app runs.
    ///
    /// ```swift
    /// let hints = ConnectivityHints(home) { Task { await background.inFront() } }
    /// ```
    public actor ConnectivityHints {
        private let home: Homeline
        private let changed: @Sendable () -> Void
        private let monitor = NWPathMonitor()
        private var changes = PathChanges()
        private var watching: Task<Void, Never>?

        /// - Parameter changed: after each new network; call `sync` there.
        public init(_ home: Homeline, changed: @escaping @Sendable () -> Void) {
            self.home = home
            self.changed = changed
        }

        /// Begins to watch. Once more changes nothing.
        public func start() {
            guard watching == nil else { return }
            let (paths, continuation) = AsyncStream.makeStream(of: NetworkPath.self)
            monitor.pathUpdateHandler = { continuation.yield(NetworkPath($0)) }
            monitor.start(queue: DispatchQueue(label: "org.homeline.path"))
            watching = Task { [weak self] in
                for await path in paths { await self?.saw(path) }
            }
        }

        /// Ends it for good: a monitor does not start again.
        public func stop() {
            monitor.cancel()
            watching?.cancel()
        }

        /// The network of now, for `Conditions`; `nil` before iOS has told.
        public var path: NetworkPath? { changes.path }

        /// Since when the phone is on it.
        public var since: Date? { changes.since }

        private func saw(_ path: NetworkPath) async {
            let step = changes.saw(path, now: Date())
            try? await home.attachments.linkIs(path.cost)
            await follow(step)
        }

        private func follow(_ step: PathChanges.Step) async {
            switch step {
            case .nothing:
                return
            case .tell:
                // A full disk must not keep the pass from being tried.
                try? await home.networkChanged()
                changed()
            case .tellAt(let date):
                Task { [weak self] in
                    let wait = max(0, date.timeIntervalSinceNow)
                    try? await Task.sleep(nanoseconds: UInt64(wait * 1_000_000_000))
                    await self?.wake()
                }
            }
        }

        private func wake() async {
            await follow(changes.wake(now: Date()))
        }
    }

    extension NetworkPath {
        /// From what iOS says.
        init(_ path: NWPath) {
            let status: Status =
                switch path.status {
                case .satisfied: .satisfied
                case .requiresConnection: .requiresConnection
                default: .unsatisfied
                }
            self.init(
                status: status, isExpensive: path.isExpensive,
                isConstrained: path.isConstrained,
                interfaces: path.availableInterfaces.map(\.name))
        }
    }
#endif
