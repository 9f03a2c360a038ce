import Foundation
import HomelineKit
import XCTest

@testable import DemoModels

/// The Outbox screen and the banners, with the real library and the real ministry.
@MainActor
final class OutboxModelTests: XCTestCase, @unchecked Sendable {
    func testFirstStartHasNothing() async throws {
        let model = OutboxModel(try await openHome())
        await model.refresh()
        XCTAssertEqual(model.waiting, Line("outbox_nothing"))
        XCTAssertNil(model.since)
        XCTAssertEqual(model.reports, [])
        XCTAssertEqual(
            model.health,
            [
                Line("outbox_health_never"), Line("outbox_health_no_receipt"),
                Line("outbox_health_no_position"),
            ])
    }

    func testOfflineSaysWhatWaitsSinceWhenAndWhy() async throws {
        let home = try await openHome()
        _ = try await home.sos.press(SosRequest(kind: .crime))
        try Stage.running().link("down")
        let model = OutboxModel(home)
        await model.send()
        XCTAssertEqual(model.waiting.key, "outbox_waiting")
        XCTAssertEqual(model.since?.key, "outbox_since")
        XCTAssertEqual(
            model.outcome.map(\.key), ["outbox_sync_done", "stop_offline", "outbox_next"])
        XCTAssertEqual(model.reports.map(\.kind), [Line("sos_kind_crime")])
        XCTAssertEqual(model.reports.map(\.state), [Line("sos_status_stored")])
    }

    func testSentIsSaidByReceiptsOnly() async throws {
        let home = try await openHome()
        _ = try await home.sos.press(SosRequest(kind: .crime))
        let model = OutboxModel(home)
        await model.send()
        XCTAssertEqual(model.waiting, Line("outbox_nothing"))
        XCTAssertEqual(model.outcome[1], Line("stop_done"))
        XCTAssertTrue(model.health.contains { $0.key == "outbox_health_receipt" })
        XCTAssertEqual(model.reports.first?.state.key, "sos_status_received")
        XCTAssertFalse(model.isSending)
    }

    func testPortalIsNamed() async throws {
        let home = try await openHome()
        _ = try await home.sos.press(SosRequest(kind: .crime))
        try Stage.running().link("portal")
        let model = OutboxModel(home)
        await model.send()
        XCTAssertEqual(model.outcome[1], Line("stop_not_the_ministry"))
    }

    func testEveryBadStateHasWords() async {
        let table: [(RecordState, String, Banner.Action?)] = [
            (.locked, "state_locked", nil),
            (.keyLost, "state_key_lost", .startNew),
            (.updateNeeded(file: 9, known: 8), "state_update_needed", nil),
            (.unavailable(problem: .full), "state_unavailable", nil),
            (.closed, "state_closed", nil),
        ]
        for (record, key, action) in table {
            let banners = Banner.all(state(record))
            XCTAssertEqual(banners.map(\.line.key), [key])
            XCTAssertEqual(banners.map(\.action), [action])
        }
        XCTAssertEqual(Banner.all(state(.open)), [])
        let worst = state(.unavailable(problem: .io), outbox: .unavailable(problem: .full))
        XCTAssertEqual(
            Banner.all(worst).map(\.line.key), ["state_outbox_unavailable", "state_unavailable"])
    }

    func testRecordThatIsLockedHasItsBannerAndAPressWorks() async throws {
        let directory = try temporaryDirectory()
        let first = try await openHome(in: directory)
        _ = try await first.pause()
        let model = AppModel(
            try await openHome(in: directory, vault: LockedVault()), language: "en")
        await model.refresh(.sync)
        XCTAssertEqual(model.banners.map(\.line), [Line("state_locked")])
        XCTAssertEqual(model.me.notice, Line("state_locked"))
        await model.sos.press()
        XCTAssertNotNil(model.sos.report)
        XCTAssertNil(model.sos.notStored)
    }

    func testLostKeyBeginsANewRecordOnlyWhenAsked() async throws {
        let directory = try temporaryDirectory()
        let first = try await openHome(in: directory)
        _ = try await first.pause()
        let other = try FileVault.open(
            path: directory.appendingPathComponent("other.key").path)
        let model = AppModel(
            try await openHome(in: directory, vault: other), language: "en")
        await model.refresh(.record)
        XCTAssertEqual(model.banners.map(\.action), [.startNew])
        await model.perform(.startNew)
        XCTAssertEqual(model.banners, [])
    }

    func testScreensFollowWhatHappens() async throws {
        let home = try await openHome()
        let model = AppModel(home, language: "en")
        let following = Task { await model.follow() }
        let report = try await home.sos.press(SosRequest(kind: .lost))
        try await wait { model.sos.report?.id == report && !model.outbox.reports.isEmpty }
        _ = try await home.sync(deadline: .seconds(20))
        try await wait { model.sos.report?.line.key == "sos_status_received" }
        following.cancel()
    }

    private func state(
        _ record: RecordState, outbox: Waiting = .known(waiting: 0, parked: 0)
    ) -> HomeState {
        HomeState(
            record: record, outbox: outbox, setAside: [], recovered: [], clockOffsetMs: nil,
            eraseRequest: .absent)
    }
}

/// As a phone that was not unlocked since it was started.
private final class LockedVault: KeyVault {
    func wrap(purpose: KeyPurpose, secret: Data) throws -> Data { throw VaultError.Locked }
    func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data { throw VaultError.Locked }
}
