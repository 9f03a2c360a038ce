import Foundation
import XCTest

@testable import HomelineKit

/// What is done with the time that iOS gives: the arithmetic as tables, the pass with the
/// real library and the real ministry. iOS itself is not here.
final class BackgroundTests: XCTestCase {
    private let now = Date(timeIntervalSince1970: 1_700_000_000)

    func testPassEndsBeforeItsBudget() {
        for budget in BackgroundBudget.allCases {
            XCTAssertEqual(budget.deadline(spent: .zero), budget.total - budget.margin)
        }
        XCTAssertEqual(BackgroundBudget.refresh.deadline(spent: .seconds(10)), .seconds(15))
        XCTAssertEqual(BackgroundBudget.leavingForeground.deadline(spent: .zero), .seconds(4))
    }

    func testNoPassBeginsThatCouldDoNothing() {
        XCTAssertEqual(BackgroundBudget.refresh.deadline(spent: .seconds(23)), .seconds(2))
        XCTAssertNil(BackgroundBudget.refresh.deadline(spent: .seconds(24)))
        XCTAssertNil(BackgroundBudget.leavingForeground.deadline(spent: .seconds(90)))
    }

    func testNextDateIsWhatTheOutcomeSaysWithinWhatIsEverGranted() {
        let table: [(nextMs: Int64?, seconds: TimeInterval)] = [
            (nil, 4 * 3600), (0, 60), (-5, 60), (90_000, 90), (86_400_000, 4 * 3600),
        ]
        for row in table {
            let wish = BackgroundWish(after: outcome(nextMs: row.nextMs), now: now)
            XCTAssertEqual(wish.refreshAfter, now.addingTimeInterval(row.seconds))
            XCTAssertNil(wish.processingAfter)
        }
    }

    func testLongTaskIsAskedForOnlyWhereSomethingWaits() {
        let waits = BackgroundWish(after: outcome(waiting: 1), now: now)
        XCTAssertEqual(waits.processingAfter, waits.refreshAfter)
        let photo = BackgroundWish(after: outcome(attachments: 1), now: now)
        XCTAssertEqual(photo.processingAfter, photo.refreshAfter)
    }

    func testPassSendsAReportAndClosesTheFiles() async throws {
        let home = try await openHome()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        _ = try await home.pause()
        let wish = await pass(home).run(began: .now)
        XCTAssertNil(wish.processingAfter)
        let closed = try await home.state()
        XCTAssertEqual(closed.record, .closed)
        XCTAssertEqual(try Stage.running().cases(of: report).count, 1)
        _ = try await home.reopen()
        let health = try await home.health()
        XCTAssertEqual(health.activity, .active)
        XCTAssertNotNil(health.nextWakeMs)
    }

    func testPressAfterAPassIsStoredThoughTheFilesAreClosed() async throws {
        let home = try await openHome()
        _ = await pass(home).run(began: .now)
        let report = try await home.sos.press(SosRequest(kind: .lost))
        let status = try await home.sos.status(report: report)
        XCTAssertEqual(status.state, .stored)
    }

    func testFilesStayOpenForATravelerWhoIsLooking() async throws {
        let home = try await openHome()
        _ = await pass(home, isInFront: true).run(began: .now)
        let state = try await home.state()
        XCTAssertEqual(state.record, .open)
    }

    func testOfflineAsksForTheLongTaskToo() async throws {
        let home = try await openHome()
        _ = try await home.sos.press(SosRequest(kind: .medical))
        try Stage.running().link("down")
        let wish = await pass(home).run(began: .now)
        XCTAssertNotNil(wish.processingAfter)
    }

    func testExpirationClosesTheFilesAndTheReportWaits() async throws {
        let home = try await openHome()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        let pass = pass(home)
        let work = Task { await pass.run(began: .now) }
        work.cancel()
        _ = await work.value
        let closed = try await home.state()
        XCTAssertEqual(closed.record, .closed)
        _ = try await home.reopen()
        _ = try await home.sync(deadline: .seconds(20))
        XCTAssertEqual(try Stage.running().cases(of: report).count, 1)
    }

    func testBudgetThatIsSpentClosesTheFilesWithoutAPass() async throws {
        let home = try await openHome()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        _ = await pass(home).run(began: .now - .seconds(60))
        let closed = try await home.state()
        XCTAssertEqual(closed.record, .closed)
        XCTAssertEqual(try Stage.running().cases(of: report).count, 0)
    }

    private func pass(_ home: Homeline, isInFront: Bool = false) -> BackgroundPass {
        BackgroundPass(home: home, budget: .refresh, cause: .schedule) { isInFront }
    }

    private func outcome(
        waiting: UInt32 = 0, attachments: UInt32 = 0, nextMs: Int64? = nil
    ) -> SyncOutcome {
        SyncOutcome(
            sent: 0, duplicates: 0, waiting: waiting, parked: 0, attachments: attachments,
            withoutConsent: false, changes: 0, stopped: .done, nextMs: nextMs)
    }
}
