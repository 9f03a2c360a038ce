import Foundation

/// Runs the blocking calls of one `Homeline` on queues, so that no task's thread waits.
///
/// A call that only touches the disk runs to its end once it was asked for, also when its task is
/// cancelled: a press is never dropped because a view went away. Three queues, so that a press
/// waits neither for a long list nor for the network.
final class Runner: Sendable {
    private let sos = DispatchQueue(label: "org.homeline.sos", qos: .userInitiated)
    private let disk = DispatchQueue(label: "org.homeline.disk", qos: .userInitiated)
    /// Concurrent: the library itself runs one pass at a time, and says so to a second caller.
    private let net = DispatchQueue(
        label: "org.homeline.network", qos: .utility, attributes: .concurrent)
    private let blocking: BlockingHomeline

    init(blocking: BlockingHomeline) { self.blocking = blocking }

    /// Opens the files, before there is a runner.
    static func opening<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
        try await run(on: .global(qos: .userInitiated), call)
    }

    /// A call of the SOS.
    func urgent<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
        try await Self.run(on: sos, call)
    }

    /// A call that touches the disk only.
    func local<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
        try await Self.run(on: disk, call)
    }

    /// The same of a call that cannot fail. On the queue of the SOS, since it says who helps.
    func local<T: Sendable>(_ call: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { done in
            sos.async { done.resume(returning: call()) }
        }
    }

    /// A call that waits for the network: a cancellation ends it.
    func network<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
        let pass = Pass { [blocking] in try? blocking.cancelSync() }
        return try await withTaskCancellationHandler {
            try await Self.run(on: net) { try pass.run(call) }
        } onCancel: {
            pass.cancel()
        }
    }

    private static func run<T: Sendable>(
        on queue: DispatchQueue, _ call: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { done in
            queue.async { done.resume(with: Result(catching: call)) }
        }
    }
}

/// A call that may be cancelled before it begins, and while it runs.
private final class Pass: @unchecked Sendable {
    private enum State { case waiting, cancelled, running, ended }

    private let lock = NSLock()
    private var state = State.waiting
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    func run<T>(_ call: () throws -> T) throws -> T {
        try lock.withLock {
            if state == .cancelled { throw CancellationError() }
            state = .running
        }
        defer { lock.withLock { state = .ended } }
        return try call()
    }

    func cancel() {
        let running = lock.withLock {
            if state == .waiting { state = .cancelled }
            return state == .running
        }
        guard running else { return }
        end()
        // Again, for a pass that had not quite begun hears nothing.
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) { self.cancel() }
    }
}
