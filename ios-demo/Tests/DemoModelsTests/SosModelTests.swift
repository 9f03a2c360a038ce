import Foundation
import HomelineKit
import XCTest

@testable import DemoModels

/// The SOS screen with the real library and the real ministry.
@MainActor
final class SosModelTests: XCTestCase, @unchecked Sendable {
    func testPressIsStoredCountsDownAndIsReceivedByProof() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        model.note = "摔伤了"
        await model.press()
        let pressed = try XCTUnwrap(model.report)
        XCTAssertNotNil(pressed.countsDownToMs)
        XCTAssertEqual(pressed.line.key, "sos_status_countdown")
        XCTAssertEqual(pressed.evidence.map(\.what), ["evidence_countdown"])
        let left = try XCTUnwrap(model.secondsLeft())
        XCTAssertTrue((1...5).contains(left))
        XCTAssertEqual(model.note, "")
        try await wait { try await home.sos.status(report: pressed.id).state == .stored }
        await model.send()
        let received = try XCTUnwrap(model.report)
        guard case .received(let caseId?, let ms) = received.state else {
            return XCTFail("not received")
        }
        XCTAssertEqual(
            received.line, Line("sos_status_received", .text(caseId), .time(ms)))
        XCTAssertEqual(received.evidence.last?.what, "evidence_receipt")
        XCTAssertEqual(try Stage.running().cases(of: pressed.id).first?.note, "摔伤了")
    }

    func testCancelInTheCountdownLeavesNothing() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        await model.press()
        let id = try XCTUnwrap(model.report?.id)
        await model.cancel()
        XCTAssertNil(model.report)
        XCTAssertNil(model.problem)
        await model.send()
        XCTAssertEqual(try Stage.running().cases(of: id).count, 0)
    }

    func testPressedTwiceIsOneReport() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        await model.press()
        let first = model.report?.id
        await model.press()
        XCTAssertEqual(model.report?.id, first)
        let reports = try await home.sos.reports()
        XCTAssertEqual(reports.count, 1)
    }

    func testOfflineSaysThatNothingHasLeftAndWhatToTry() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        let id = try await storedReport(home)
        try Stage.running().link("down")
        await model.refresh()
        await model.send()
        let report = try XCTUnwrap(model.report)
        XCTAssertEqual(report.id, id)
        XCTAssertEqual(report.line, Line("sos_status_stored"))
        XCTAssertEqual(report.evidence.map(\.what), ["evidence_stored", "evidence_attempt"])
        XCTAssertNotNil(report.nextAttempt)
        XCTAssertEqual(report.steps.first?.action, .callLocalEmergency)
        XCTAssertTrue(report.canCancel)
    }

    func testPortalIsNeverTakenForTheMinistry() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        _ = try await storedReport(home)
        try Stage.running().link("portal")
        await model.refresh()
        await model.send()
        let report = try XCTUnwrap(model.report)
        XCTAssertNotEqual(report.line.key, "sos_status_received_no_case")
        XCTAssertNotEqual(report.line.key, "sos_status_received")
    }

    func testOfficerWhoTookTheCaseIsNamed() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        let id = try await storedReport(home)
        await model.refresh()
        await model.send()
        let stage = try Stage.running()
        let opened = try XCTUnwrap(stage.cases(of: id).first)
        try stage.acknowledge(opened.id, officer: "王芳", mission: "伊斯坦布尔")
        await model.send()
        let report = try XCTUnwrap(model.report)
        guard case .acknowledged(_, _, _, let ms) = report.state else {
            return XCTFail("not acknowledged")
        }
        XCTAssertEqual(
            report.line,
            Line(
                "sos_status_acknowledged", .text(opened.id), .text("王芳"),
                .text("伊斯坦布尔"), .time(ms)))
    }

    func testTakenBackIsSaidAndKnownOnlyByProof() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        _ = try await storedReport(home)
        await model.refresh()
        await model.send()
        await model.cancel()
        XCTAssertEqual(model.report?.line, Line("sos_status_cancelled_waiting"))
        XCTAssertEqual(model.report?.canCancel, false)
        await model.send()
        XCTAssertEqual(model.report?.line.key, "sos_status_cancelled_known")
    }

    func testReportOfAnEndedAppIsOnTheScreenAgain() async throws {
        let directory = try temporaryDirectory()
        var home = try await openHome(in: directory)
        let id = try await storedReport(home)
        _ = try await home.pause()
        home = try await openHome(in: directory)
        let model = SosModel(home)
        await model.refresh()
        XCTAssertEqual(model.report?.id, id)
    }

    func testWithoutAPlaceTheMobileNumberAndTheHotlineAreThere() async throws {
        let model = SosModel(try await openHome())
        await model.refresh()
        XCTAssertEqual(model.local, [])
        XCTAssertEqual(model.mobile?.key, "sos_local_unknown")
        XCTAssertEqual(model.number(for: .callLocalEmergency), "112")
        let stage = try Stage.running()
        XCTAssertEqual(
            Set(model.hotline.map(\.number)),
            [stage.hotlineFromHome, stage.hotlineFromAbroad])
    }

    func testLocalNumbersComeWithThePosition() async throws {
        let home = try await openHome()
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        try await home.whereabouts.record(
            Fix(
                position: here, timeMs: Date().millisecondsUTC, accuracyM: 12,
                source: .gnss))
        let model = SosModel(home)
        await model.refresh()
        XCTAssertEqual(model.local.map(\.country), ["TR"])
        XCTAssertFalse(try XCTUnwrap(model.local.first).rows.isEmpty)
        XCTAssertNil(model.mobile)
        XCTAssertEqual(model.number(for: .callLocalEmergency), model.local[0].rows[0].number)
        XCTAssertEqual(
            model.number(for: .callHotline), try Stage.running().hotlineFromAbroad)
        XCTAssertNil(model.number(for: .sendByData))
        XCTAssertEqual(model.hotline.first?.line, Line("sos_hotline_abroad"))
    }

    func testPressThatCannotBeStoredSaysWhomToCall() async throws {
        let directory = try temporaryDirectory()
        let home = try await openHome(in: directory)
        _ = try await home.pause()
        // In place of a disk that fails: the outbox's file is a directory now.
        let outbox = directory.appendingPathComponent("home/outbox.db")
        for file in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: outbox.path + file)
        }
        try FileManager.default.createDirectory(at: outbox, withIntermediateDirectories: false)
        let model = SosModel(home)
        await model.press()
        let notStored = try XCTUnwrap(model.notStored)
        XCTAssertEqual(notStored.line.key, "sos_not_stored")
        XCTAssertTrue(notStored.call.contains(try Stage.running().hotlineFromAbroad))
        XCTAssertNil(model.report)
    }

    func testPositionThatComesLaterFollowsTheReport() async throws {
        let home = try await openHome()
        let model = SosModel(home)
        let id = try await storedReport(home)
        await model.refresh()
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        await model.update(
            Fix(
                position: here, timeMs: Date().millisecondsUTC, accuracyM: 12,
                source: .gnss))
        await model.send()
        XCTAssertNotNil(try Stage.running().cases(of: id).first?.position)
    }

    /// A report that does not count down.
    private func storedReport(_ home: Homeline) async throws -> String {
        try await home.sos.press(SosRequest(kind: .medical))
    }
}

extension Line {
    /// What an evidence line tells, without its times.
    var what: String {
        guard case .line(let line) = arguments.last ?? .text(""), key == "sos_evidence_line"
        else { return arguments.compactMap(\.inner).first?.what ?? key }
        return line.key == "sos_evidence_times" ? line.what : line.key
    }
}

extension Line.Argument {
    fileprivate var inner: Line? {
        if case .line(let line) = self { line } else { nil }
    }
}

extension XCTestCase {
    /// Waits until the library says so; the test fails after twenty seconds.
    @MainActor
    func wait(until holds: () async throws -> Bool) async throws {
        for _ in 0..<200 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        XCTFail("it never came")
    }
}
