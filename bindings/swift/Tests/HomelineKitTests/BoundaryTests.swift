import Foundation
import HomelineKit
import XCTest

/// What a failure on one side of the boundary is on the other.
final class BoundaryTests: XCTestCase {
    func testDefectOfTheLibraryIsATypedErrorAndTheLibraryGoesOn() async throws {
        let home = try await open()
        XCTAssertThrowsError(try home.blocking.faultPanic()) { error in
            XCTAssertEqual(error as? HomelineError, .Bug(place: "Homeline::fault_panic"))
        }
        try await assertStored(home)
    }

    func testLockedVaultLocksTheRecordAndNotTheSos() async throws {
        let home = try await open(vault: FailingVault(VaultError.Locked))
        let record = try await home.state().record
        XCTAssertEqual(record, .locked)
        try await assertReceived(home, press(home))
    }

    func testVaultThatThrowsAnythingElseCountsAsLockedAndItsWordsStayOutside() async throws {
        let home = try await open(vault: FailingVault(HostFailure()))
        let record = try await home.state().record
        XCTAssertEqual(record, .locked)
        do {
            _ = try await home.registration.traveler()
            XCTFail("read while locked")
        } catch {
            XCTAssertEqual(error as? HomelineError, .Locked)
            XCTAssertFalse("\(error) \(error.localizedDescription)".contains(secret))
        }
        try await assertStored(home)
    }

    func testListenerThatThrowsDoesNotUndoAPress() async throws {
        let home = try await open()
        let listener = FailingListener()
        try home.blocking.setListener(listener: listener)
        try await assertStored(home)
        XCTAssertEqual(listener.told, [.sos])
    }

    func testTransportThatThrowsIsNoNetworkAndTheReportIsKept() async throws {
        let transport = FailingTransport()
        let home = try await open(transport: transport)
        let report = try await press(home)
        let outcome = try await home.sync(deadline: .seconds(20))
        XCTAssertEqual(outcome.stopped, .offline)
        XCTAssertGreaterThan(outcome.waiting, 0)
        XCTAssertEqual(transport.exchanges, 1)
        let status = try await home.sos.status(report: report)
        XCTAssertEqual(status.attempts, 1)
        XCTAssertFalse("\(status)".contains(secret))
    }

    func testReportIsReceivedThoughTheClockWentBackThreeYearsAfterThePress() async throws {
        let clock = ShiftedClock()
        let home = try await open(clock: clock)
        let report = try await press(home)
        clock.shiftWall(ms: -3 * 365 * 86_400_000)
        try await assertReceived(home, report)
    }

    private func open(
        vault: (any KeyVault)? = nil,
        transport: (any Transport)? = nil,
        clock: (any Clock)? = nil
    ) async throws -> Homeline {
        let directory = try temporaryDirectory()
        let key = directory.appendingPathComponent("vault.key")
        return try await Homeline.open(
            config: Stage.running().config(directory: directory.appendingPathComponent("home")),
            vault: vault ?? FileVault.open(path: key.path),
            transport: transport,
            clock: clock)
    }

    private func press(_ home: Homeline) async throws -> String {
        try await home.sos.press(SosRequest(kind: .medical))
    }

    private func assertStored(_ home: Homeline) async throws {
        let report = try await press(home)
        let state = try await home.sos.status(report: report).state
        XCTAssertEqual(state, .stored)
    }

    private func assertReceived(_ home: Homeline, _ report: String) async throws {
        let stage = try Stage.running()
        try stage.link("up")
        let stopped = try await home.sync(deadline: .seconds(20)).stopped
        XCTAssertEqual(stopped, .done)
        let state = try await home.sos.status(report: report).state
        XCTAssertEqual(snake(state), "received")
        XCTAssertEqual(try stage.cases(of: report).count, 1)
    }
}
