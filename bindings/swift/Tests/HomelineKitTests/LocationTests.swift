import Foundation
import XCTest

@testable import HomelineKit

/// What CoreLocation says, and what the record makes of it. CoreLocation is not here.
final class LocationTests: XCTestCase {
    private let now = Date()

    func testWhatIsNotKnownIsLeftOut() throws {
        let fix = try XCTUnwrap(sample().fix())
        XCTAssertEqual(fix.position, .wgs84(latitude: 41.0082, longitude: 28.9784))
        XCTAssertEqual(fix.accuracyM, 12)
        XCTAssertEqual(fix.source, .fused)
        XCTAssertNil(fix.altitudeM)
        XCTAssertNil(fix.speedMps)
        XCTAssertNil(fix.headingDeg)
        XCTAssertNil(fix.confidencePercent)
        XCTAssertNil(fix.origin)
    }

    func testWhatIsKnownIsKept() throws {
        var whole = sample()
        (whole.altitude, whole.verticalAccuracy) = (-3, 4)
        (whole.speed, whole.course, whole.isSimulated) = (0, 0, false)
        let fix = try XCTUnwrap(whole.fix(batteryPercent: 40))
        XCTAssertEqual(fix.altitudeM, -3)
        XCTAssertEqual(fix.speedMps, 0)
        XCTAssertEqual(fix.headingDeg, 0)
        XCTAssertEqual(fix.batteryPercent, 40)
        XCTAssertEqual(fix.origin, .device)
    }

    func testNoPositionMakesNoFix() {
        var wrong = sample()
        wrong.horizontalAccuracy = -1
        XCTAssertNil(wrong.fix())
        for (latitude, longitude) in [(91.0, 0.0), (0, -180.5), (.nan, 0), (0, .infinity)] {
            wrong = sample()
            (wrong.latitude, wrong.longitude) = (latitude, longitude)
            XCTAssertNil(wrong.fix())
        }
    }

    func testVisitCountsFromTheLastMomentThatIsKnown() throws {
        let arrival = now.addingTimeInterval(-3600)
        let table: [(Date, Date, Date?)] = [
            (arrival, now, now), (arrival, .distantFuture, arrival),
            (.distantPast, now, now), (.distantPast, .distantFuture, nil),
        ]
        for (from, to, expected) in table {
            let visit = VisitSample(
                latitude: 41, longitude: 28, horizontalAccuracy: 50, arrival: from,
                departure: to)
            XCTAssertEqual(visit.fix()?.timeMs, expected?.millisecondsUTC)
        }
    }

    func testDateBeyondAllCalendarsIsCut() {
        XCTAssertEqual(Date(timeIntervalSince1970: 1e30).millisecondsUTC, .max)
        XCTAssertEqual(Date(timeIntervalSince1970: -1e30).millisecondsUTC, .min)
        XCTAssertEqual(Date(timeIntervalSince1970: 1.5).millisecondsUTC, 1500)
    }

    func testEveryAnswerOfThePlatformHasAState() {
        let table: [(LocationAccess, GapCause?, PermissionState, PermissionState)] = [
            (access(.notDetermined), .noPermission, .notAsked, .notAsked),
            (access(.restricted), .noPermission, .unavailable, .unavailable),
            (access(.denied), .noPermission, .denied, .denied),
            (access(.whenInUse), nil, .granted, .denied),
            (access(.whenInUse, reduced: true), nil, .limited, .denied),
            (access(.always), nil, .granted, .granted),
            (access(.always, reduced: true), nil, .limited, .limited),
            (access(.always, on: false), .locationOff, .granted, .granted),
        ]
        for (access, gap, inFront, always) in table {
            XCTAssertEqual(access.gap, gap)
            XCTAssertEqual(access.isAllowed, gap == nil)
            XCTAssertEqual(access.permissions.map(\.state), [inFront, always])
        }
        XCTAssertEqual(LocationAccess.Authorization.allCases.map(\.rawValue), [0, 1, 2, 3, 4])
        XCTAssertEqual(
            (0...3).map(LocationAccess.gap), [.noSignal, .noPermission, .noSignal, nil])
    }

    func testRecordTakesAllOfItAndFlagsWhatAnAppMadeUp() async throws {
        let home = try await openHome()
        var made = sample()
        made.isSimulated = true
        made.time = now.addingTimeInterval(-60)
        let fixes = [made, sample()].compactMap { $0.fix() }
        try await home.whereabouts.recordAll(fixes: fixes)
        let all = try await home.whereabouts.list(fromMs: 0, toMs: .max, limit: 10)
        XCTAssertEqual(all.map(\.flags), [[.mock], []])
        let last = try await home.whereabouts.last()
        XCTAssertEqual(last?.fix.timeMs, now.millisecondsUTC)
    }

    func testRefusedPositionIsToldAndAPressGoesOn() async throws {
        let home = try await openHome()
        let refused = access(.denied)
        try await home.reportPermissions(reports: refused.permissions)
        try await home.whereabouts.noteGap(try XCTUnwrap(refused.gap))
        let health = try await home.health()
        XCTAssertEqual(health.permissions, refused.permissions)
        let report = try await home.sos.press(SosRequest(kind: .lost))
        let status = try await home.sos.status(report: report)
        XCTAssertEqual(status.state, .stored)
    }

    func testPositionThatComesAfterThePressFollowsItsReport() async throws {
        let home = try await openHome()
        let report = try await home.sos.press(SosRequest(kind: .lost))
        try await home.sos.updatePosition(report: report, fix: XCTUnwrap(sample().fix()))
        _ = try await home.sync(deadline: .seconds(20))
        let position = try XCTUnwrap(Stage.running().cases(of: report).first?.position)
        XCTAssertEqual(position.latitude, 41.0082, accuracy: 1e-5)
    }

    private func sample() -> LocationSample {
        LocationSample(
            latitude: 41.0082, longitude: 28.9784, horizontalAccuracy: 12, time: now)
    }

    private func access(
        _ authorization: LocationAccess.Authorization, reduced: Bool = false, on: Bool = true
    ) -> LocationAccess {
        LocationAccess(
            servicesEnabled: on, authorization: authorization, isReduced: reduced)
    }
}
