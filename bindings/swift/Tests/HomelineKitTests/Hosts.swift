import Foundation
import HomelineKit

/// Text that must not come back: what a host's error says is not ours to show.
let secret = "passport E12345678"

/// An error that no protocol declares.
struct HostFailure: Error {
    let text = secret
}

/// A vault that fails for every key.
final class FailingVault: KeyVault {
    private let failure: any Error

    init(_ failure: any Error) { self.failure = failure }

    func wrap(purpose: KeyPurpose, secret: Data) throws -> Data { throw failure }

    func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data { throw failure }
}

/// A network that fails, and counts how often it was asked.
final class FailingTransport: Transport, @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var exchanges: Int { lock.withLock { count } }

    func exchange(request: HttpRequest) throws -> HttpResponse {
        lock.withLock { count += 1 }
        throw HostFailure()
    }

    func cancel() throws -> Bool { throw HostFailure() }
}

/// A listener that fails, and remembers what it was told.
final class FailingListener: ChangeListener, @unchecked Sendable {
    private let lock = NSLock()
    private var topics: [Topic] = []

    var told: [Topic] { lock.withLock { topics } }

    func changed(topic: Topic) throws {
        lock.withLock { topics.append(topic) }
        throw HostFailure()
    }
}

/// The system's clocks, the one on the wall moved.
final class ShiftedClock: Clock, @unchecked Sendable {
    private let lock = NSLock()
    private var shiftMs: Int64 = 0

    func shiftWall(ms: Int64) {
        lock.withLock { shiftMs = ms }
    }

    func read() -> ClockReading {
        ClockReading(
            wallMs: Int64(Date().timeIntervalSince1970 * 1000) + lock.withLock { shiftMs },
            monotonicMs: Int64(ProcessInfo.processInfo.systemUptime * 1000),
            bootId: "boot")
    }
}
