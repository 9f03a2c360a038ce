import Foundation

/// What a platform does its own way: opening, a pass with its deadline, and changes as a stream.
/// The rest of `Homeline` is generated from the library's own description.
extension Homeline {
    /// Opens the files in `config.directory`, or makes them. A vault that is locked or has lost its
    /// key is no error: `state()` says `locked` or `keyLost`, and a press works.
    ///
    /// - Parameters:
    ///   - config: The ministry, its keys, and where the files are.
    ///   - vault: Keeps the keys: `KeychainVault` on Apple's platforms.
    ///   - transport: How bytes leave; the built-in HTTPS where absent.
    ///   - clock: The clocks; the system's where absent.
    /// - Throws: `HomelineError.Invalid` for a config that cannot be, `.Storage` where no file can
    ///   be made.
    public static func open(
        config: Config,
        vault: any KeyVault,
        transport: (any Transport)? = nil,
        clock: (any Clock)? = nil
    ) async throws -> Homeline {
        try await Runner.opening {
            let blocking = try BlockingHomeline.open(
                config: config, vault: vault, transport: transport, clock: clock)
            let home = Homeline(blocking: blocking)
            try blocking.setListener(listener: home.feed)
            return home
        }
    }

    /// Runs one pass of at most `deadline` over the network. Being offline is an outcome, not an
    /// error. A cancelled task ends the pass, which then returns what it came to; what it has sent
    /// and proved stays so.
    ///
    /// - Throws: `HomelineError` as the blocking call; `CancellationError` where the task was
    ///   cancelled before the pass began.
    public func sync(deadline: Duration) async throws -> SyncOutcome {
        let (seconds, attoseconds) = deadline.components
        let deadlineMs = UInt64(max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
        return try await runner.network { [blocking] in try blocking.sync(deadlineMs: deadlineMs) }
    }

    /// Ends a running pass of `sync`, whoever began it. What it has sent and proved stays so.
    public func cancelSync() async throws {
        try await runner.urgent { [blocking] in try blocking.cancelSync() }
    }

    /// What changes, after its commit: of `topics`, or of all where none is named. Each topic comes
    /// once at the start, so that a reader who renders on each has no gap, and then after each
    /// change; changes that come faster than they are read come as one.
    ///
    /// A listener that is set on `blocking` takes the place of this one.
    public func changes(_ topics: Topic...) -> AsyncStream<Topic> {
        let reader = feed.reader(of: topics.isEmpty ? Topic.allCases : topics)
        return AsyncStream {
            await reader.next()
        } onCancel: {
            reader.end()
        }
    }

    /// The status of a report now, and after each change of it.
    ///
    /// - Throws: `HomelineError.NotFound`, from the stream, where there is no such report.
    public func statuses(report: String) -> AsyncThrowingStream<ReportStatus, any Error> {
        let reader = feed.reader(of: [.sos])
        let last = Last<ReportStatus>()
        return AsyncThrowingStream { [sos] in
            while await reader.next() != nil {
                let status = try await sos.status(report: report)
                if await last.becomes(status) { return status }
            }
            return nil
        }
    }
}

/// The value that a stream has given last.
private actor Last<Value: Equatable & Sendable> {
    private var value: Value?

    /// Takes a value; whether it is another than before.
    func becomes(_ value: Value) -> Bool {
        defer { self.value = value }
        return self.value != value
    }
}
