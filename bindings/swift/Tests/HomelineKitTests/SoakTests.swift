import Foundation
import HomelineKit
import XCTest

/// Calls and openings without end: what was given to the library comes back, and memory stays. A
/// few of them here; `tests/run figures` makes 100,000 calls and 1,000 openings.
final class SoakTests: XCTestCase {
    private let calls = count("HOMELINE_SOAK_CALLS") ?? 2_000
    private let opens = count("HOMELINE_SOAK_OPENS") ?? 20

    func testWhatTheLibraryWasGivenComesBack() async throws {
        let directory = try temporaryDirectory()
        for round in 0..<opens {
            let home = try await open(in: directory, place: round % 10, vaults: Counted.self)
            for await _ in home.changes(.sos) { break }
            _ = try await home.sos.press(SosRequest(kind: .medical))
        }
        // The last object may go a moment after its last use.
        for _ in 0..<100 where Counted.alive > 0 { try await Task.sleep(for: .milliseconds(20)) }
        XCTAssertEqual(Counted.alive, 0, "vaults that the library, or the facade, still holds")
        XCTAssertEqual(Counted.made, opens)
    }

    func testMemoryStays() async throws {
        let home = try await open(in: temporaryDirectory(), place: 0, vaults: LockableVault.self)
        let report = try await home.sos.press(SosRequest(kind: .medical))
        func some(_ count: Int) async throws {
            for _ in 0..<count / 3 {
                _ = try await home.sos.status(report: report)
                _ = try await home.state()
                _ = try await home.contacts.list()
            }
        }
        try await some(calls / 4)
        let before = try resident()
        try await some(calls)
        let growth = Double(try resident() - before) / 1_024
        print("{\"name\": \"swift_soak_growth_mb\", \"value\": \(growth)}")
    }

    private func open(in directory: URL, place: Int, vaults: any Wrapping.Type) async throws
        -> Homeline
    {
        let phone = directory.appendingPathComponent("phone-\(place)")
        try FileManager.default.createDirectory(at: phone, withIntermediateDirectories: true)
        let key = try FileVault.open(path: phone.appendingPathComponent("vault.key").path)
        let config = try Stage.running().config(directory: phone.appendingPathComponent("home"))
        return try await Homeline.open(config: config, vault: vaults.init(key))
    }

    /// Resident memory of this process, in KB.
    private func resident() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return try XCTUnwrap(line.flatMap { Int($0.filter(\.isNumber)) })
    }
}

private func count(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init)
}

private protocol Wrapping: KeyVault {
    init(_ vault: any KeyVault)
}

extension LockableVault: Wrapping {}

/// A vault that counts how many of its kind there are.
private final class Counted: Wrapping {
    private static let lock = NSLock()
    nonisolated(unsafe) private static var counts = (made: 0, alive: 0)

    static var made: Int { lock.withLock { counts.made } }
    static var alive: Int { lock.withLock { counts.alive } }

    private let vault: any KeyVault

    init(_ vault: any KeyVault) {
        self.vault = vault
        Self.lock.withLock { Self.counts = (Self.counts.made + 1, Self.counts.alive + 1) }
    }

    deinit { Self.lock.withLock { Self.counts.alive -= 1 } }

    func wrap(purpose: KeyPurpose, secret: Data) throws -> Data {
        try vault.wrap(purpose: purpose, secret: secret)
    }

    func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data {
        try vault.unwrap(purpose: purpose, wrapped: wrapped)
    }
}
