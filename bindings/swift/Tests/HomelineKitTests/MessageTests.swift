import Foundation
import XCTest

@testable import HomelineKit

/// A text message that the traveler must send. MessageUI's composer is not here: its
/// answers are given by hand.
final class MessageTests: XCTestCase {
    func testAnswersOfTheComposer() {
        XCTAssertEqual(MessageAnswer.allCases.map(\.rawValue), [0, 1, 2])
        XCTAssertEqual(MessageAnswer.allCases.map(\.result), [nil, .sent, .failed])
    }

    func testDeviceWithoutAComposerSaysSo() {
        XCTAssertEqual(SmsAbility(canSendText: true), .possible)
        XCTAssertEqual(SmsAbility(canSendText: false), .noPermission)
    }

    func testUntilTheTravelerPressesSendNothingHasLeft() async throws {
        let (home, report) = try await pressOffline()
        for _ in 0..<2 {  // closed, and shown again
            guard case .waitsForTraveler(let part) = try await turn(home, report) else {
                return XCTFail("nothing to show")
            }
            XCTAssertEqual(part.part, 1)
            XCTAssertNil(MessageAnswer.cancelled.result)
        }
        let status = try await home.sos.status(report: report)
        XCTAssertEqual(status.state, .stored)
    }

    func testSentIsHandedAndOnlyTheReceiptProvesIt() async throws {
        let (home, report) = try await pressOffline()
        guard case .waitsForTraveler(let part) = try await turn(home, report) else {
            return XCTFail("nothing to show")
        }
        try await answer(home, report, part, .sent)
        let handed = try await home.sos.status(report: report)
        XCTAssertEqual(handed.state, .handed(channel: .sms))
        let reply = try Stage.running().deliverText(part.text)
        let answered = try await home.sos.smsReceived(text: reply)
        guard case .receipt(let received, _) = answered else {
            return XCTFail("no receipt")
        }
        XCTAssertEqual(received, report)
    }

    func testFailedMessageWaitsBeforeItIsShownAgain() async throws {
        let (home, report) = try await pressOffline()
        guard case .waitsForTraveler(let part) = try await turn(home, report) else {
            return XCTFail("nothing to show")
        }
        try await answer(home, report, part, .failed)
        let next = try await turn(home, report)
        XCTAssertNotEqual(next, .waitsForTraveler(part))
        let status = try await home.sos.status(report: report)
        XCTAssertEqual(status.state, .stored)
    }

    func testTabletAndCountdownHaveTheirStates() async throws {
        let (home, report) = try await pressOffline()
        let plan = try await home.sos.smsPlan(report: report, sim: 0)
        XCTAssertEqual(MessageTurn(plan: plan, canSend: false), .unavailable)
        let counting = try await home.sos.press(
            SosRequest(kind: .crime, countdownS: 60))
        let early = try await turn(home, counting)
        XCTAssertEqual(early, .impossible(.countingDown))
    }

    private func pressOffline() async throws -> (Homeline, String) {
        let home = try await openHome(channels: true)
        try Stage.running().link("down")
        return (home, try await home.sos.press(SosRequest(kind: .medical)))
    }

    private func turn(_ home: Homeline, _ report: String) async throws -> MessageTurn {
        MessageTurn(plan: try await home.sos.smsPlan(report: report, sim: 0), canSend: true)
    }

    private func answer(
        _ home: Homeline, _ report: String, _ part: SmsPart, _ answer: MessageAnswer
    ) async throws {
        let result = try XCTUnwrap(answer.result)
        try await home.sos.smsResult(report: report, part: part.part, result: result, sim: 0)
    }
}
