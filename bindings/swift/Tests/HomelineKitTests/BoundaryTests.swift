import Foundation
import HomelineKit
import XCTest

/// What a failure on one side of the boundary is on the other.
final class BoundaryTests: XCTestCase {
    func testDefectOfTheLibraryIsATypedErrorAndTheLibraryGoesOn() throws {
        let home = try open()
        XCTAssertThrowsError(try home.faultPanic()) { error in
            XCTAssertEqual(error as? HomelineError, .Bug(place: "Homeline::fault_panic"))
        }
        try assertStored(home)
    }

    func testLockedVaultLocksTheRecordAndNotTheSos() throws {
        let home = try open(vault: FailingVault(VaultError.Locked))
        XCTAssertEqual(try home.state().record, .locked)
        try assertReceived(home, press(home))
    }

    func testVaultThatThrowsAnythingElseCountsAsLockedAndItsWordsStayOutside() throws {
        let home = try open(vault: FailingVault(HostFailure()))
        XCTAssertEqual(try home.state().record, .locked)
        XCTAssertThrowsError(try home.registration().traveler()) { error in
            XCTAssertEqual(error as? HomelineError, .Locked)
            XCTAssertFalse("\(error) \(error.localizedDescription)".contains(secret))
        }
        try assertStored(home)
    }

    func testListenerThatThrowsDoesNotUndoAPress() throws {
        let home = try open()
        let listener = FailingListener()
        try home.setListener(listener: listener)
        try assertStored(home)
        XCTAssertEqual(listener.told, [.sos])
    }

    func testTransportThatThrowsIsNoNetworkAndTheReportIsKept() throws {
        let transport = FailingTransport()
        let home = try open(transport: transport)
        let report = try press(home)
        let outcome = try home.sync(deadlineMs: 20_000)
        XCTAssertEqual(outcome.stopped, .offline)
        XCTAssertGreaterThan(outcome.waiting, 0)
        XCTAssertEqual(transport.exchanges, 1)
        let status = try home.sos().status(report: report)
        XCTAssertEqual(status.attempts, 1)
        XCTAssertFalse("\(status)".contains(secret))
    }

    func testReportIsReceivedThoughTheClockWentBackThreeYearsAfterThePress() throws {
        let clock = ShiftedClock()
        let home = try open(clock: clock)
        let report = try press(home)
        clock.shiftWall(ms: -3 * 365 * 86_400_000)
        try assertReceived(home, report)
    }

    private func open(
        vault: (any KeyVault)? = nil,
        transport: (any Transport)? = nil,
        clock: (any Clock)? = nil
    ) throws -> Homeline {
        let directory = try temporaryDirectory()
        let key = directory.appendingPathComponent("vault.key")
        return try Homeline.open(
            config: Stage.running().config(directory: directory.appendingPathComponent("home")),
            vault: vault ?? FileVault.open(path: key.path),
            transport: transport,
            clock: clock)
    }

    private func press(_ home: Homeline) throws -> String {
        try home.sos().press(request: SosRequest(kind: .medical))
    }

    private func assertStored(_ home: Homeline) throws {
        let report = try press(home)
        XCTAssertEqual(try home.sos().status(report: report).state, .stored)
    }

    private func assertReceived(_ home: Homeline, _ report: String) throws {
        let stage = try Stage.running()
        try stage.link("up")
        XCTAssertEqual(try home.sync(deadlineMs: 20_000).stopped, .done)
        let state = try home.sos().status(report: report).state
        XCTAssertEqual(snake(state), "received")
        XCTAssertEqual(try stage.cases(of: report).count, 1)
    }
}
