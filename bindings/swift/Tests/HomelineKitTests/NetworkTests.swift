import Foundation
import XCTest

@testable import HomelineKit

/// What Network.framework says, and when Homeline is told. The framework is not here.
final class NetworkTests: XCTestCase {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)
    private let wifi = NetworkPath(status: .satisfied, interfaces: ["en0"])
    private let cell = NetworkPath(
        status: .satisfied, isExpensive: true, interfaces: ["pdp_ip0"])
    private let gone = NetworkPath(status: .unsatisfied)

    func testARouteIsNoProofOfANetwork() {
        XCTAssertEqual(wifi.network, .unvalidated)
        XCTAssertEqual(NetworkPath(status: .requiresConnection).network, .unvalidated)
        XCTAssertEqual(gone.network, .disconnected)
        XCTAssertEqual(wifi.cost, .free)
        XCTAssertEqual(cell.cost, .metered)
        let saving = NetworkPath(status: .satisfied, isConstrained: true)
        XCTAssertEqual(saving.cost, .metered)
    }

    func testEachNewNetworkIsToldOnce() {
        var changes = PathChanges()
        XCTAssertEqual(changes.saw(wifi, now: at(0)), .tell)
        XCTAssertEqual(changes.saw(wifi, now: at(60)), .nothing)
        XCTAssertEqual(changes.since, at(0))
        XCTAssertEqual(changes.saw(cell, now: at(120)), .tell)
        XCTAssertEqual(changes.since, at(120))
        XCTAssertEqual(changes.saw(gone, now: at(180)), .nothing)
        XCTAssertEqual(changes.saw(cell, now: at(240)), .tell)
    }

    func testFlappingNetworkIsToldLaterAndNotForgotten() {
        var changes = PathChanges()
        XCTAssertEqual(changes.saw(wifi, now: at(0)), .tell)
        XCTAssertEqual(changes.saw(gone, now: at(1)), .nothing)
        XCTAssertEqual(changes.saw(wifi, now: at(2)), .tellAt(at(5)))
        XCTAssertEqual(changes.saw(cell, now: at(3)), .tellAt(at(5)))
        XCTAssertEqual(changes.wake(now: at(5)), .tell)
        XCTAssertEqual(changes.wake(now: at(5)), .nothing)
    }

    func testNetworkThatIsGoneByThenIsNotTold() {
        var changes = PathChanges()
        _ = changes.saw(wifi, now: at(0))
        XCTAssertEqual(changes.saw(cell, now: at(1)), .tellAt(at(5)))
        XCTAssertEqual(changes.saw(gone, now: at(2)), .nothing)
        XCTAssertEqual(changes.wake(now: at(5)), .nothing)
    }

    func testClockThatGoesBackDoesNotSilenceIt() {
        var changes = PathChanges()
        _ = changes.saw(wifi, now: at(0))
        XCTAssertEqual(changes.saw(cell, now: at(-86_400)), .tell)
    }

    func testAdviceFollowsTheNetwork() async throws {
        let home = try await openHome(channels: true)
        let report = try await home.sos.press(SosRequest(kind: .medical))
        let offline = try await home.sos.nextSteps(
            report: report, conditions: gone.conditions(since: Date(), canSendText: true))
        XCTAssertEqual(offline.first?.action, .callLocalEmergency)
        XCTAssertFalse(offline.contains { $0.action == .sendByData })
        XCTAssertTrue(offline.contains { $0.action == .sendSms })
        let online = try await home.sos.nextSteps(
            report: report, conditions: cell.conditions(since: Date(), canSendText: false))
        let data = try XCTUnwrap(online.first { $0.action == .sendByData })
        XCTAssertEqual(data.cautions, [.metered])
        XCTAssertFalse(online.contains { $0.action == .sendSms })
    }

    private func at(_ seconds: TimeInterval) -> Date { start.addingTimeInterval(seconds) }
}
