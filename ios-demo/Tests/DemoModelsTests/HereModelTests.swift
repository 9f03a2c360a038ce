import Foundation
import HomelineKit
import XCTest

@testable import DemoModels

/// The Here screen with the real library and the real ministry.
@MainActor
final class HereModelTests: XCTestCase, @unchecked Sendable {
    func testFirstStartInFlightModeSaysThatNothingIsKnown() async throws {
        let model = HereModel(try await openHome())
        await model.refresh()
        XCTAssertEqual(model.basis, Line("here_basis_nowhere"))
        XCTAssertNil(model.country)
        XCTAssertEqual(model.asOf, Line("here_alerts_never"))
        XCTAssertNil(model.arrival)
        XCTAssertNil(model.problem)
    }

    func testArrivalIsToldOnceWithNoNetwork() async throws {
        let home = try await openHome()
        try await beIn(home, latitude: 41.0082, longitude: 28.9784)
        let model = HereModel(home)
        await model.refresh()
        XCTAssertEqual(model.country, "TR")
        XCTAssertEqual(model.basis.key, "here_basis_position")
        XCTAssertEqual(model.arrival, Line("here_arrival_title", .country("TR")))
        await model.arrivalSeen()
        XCTAssertNil(model.arrival)
        XCTAssertEqual(model.level, Line("here_level_none"))
    }

    func testNearABorderAllCountriesAreNamed() async throws {
        let home = try await openHome()
        // Basel, at the corner of three countries.
        try await beIn(home, latitude: 47.5896, longitude: 7.5890)
        let model = HereModel(home)
        await model.refresh()
        guard case .countries(let codes) = model.candidates?.arguments.first else {
            return XCTFail("one country only")
        }
        XCTAssertTrue(Set(codes).isSuperset(of: ["CH", "FR", "DE"]))
    }

    func testMinistrysAlertsAndMissionAreShownWithTheirAge() async throws {
        let stage = try Stage.running()
        try stage.publish("levels", [Self.level])
        try stage.publish("alerts", [Self.alert])
        try stage.publish("missions", [Self.mission])
        let home = try await openHome(languages: ["en"])
        try await beIn(home, latitude: 41.0082, longitude: 28.9784)
        let model = HereModel(home)
        await model.fetch()
        XCTAssertEqual(model.alerts.map(\.headline), ["Earthquake near Istanbul"])
        XCTAssertEqual(model.alerts.first?.until, Line("here_alert_open"))
        XCTAssertEqual(
            model.level, Line("here_level", .text("Be alert"), .number(1), .number(1)))
        XCTAssertEqual(model.asOf.key, "here_alerts_as_of")
        XCTAssertEqual(model.missions.map(\.name), ["Consulate General in Istanbul"])
        XCTAssertEqual(
            model.missions.first?.phones.map(\.number), ["+902125550100"])
        XCTAssertEqual(model.missions.first?.title, Line("here_mission_title"))
    }

    func testGuidesAreFoundWithNoNetwork() async throws {
        let model = HereModel(try await openHome(languages: ["zh-Hans"]))
        await model.refresh()
        XCTAssertFalse(model.guides.isEmpty)
        model.query = "护照"
        await model.search()
        let first = try XCTUnwrap(model.guides.first)
        await model.read(first)
        XCTAssertEqual(model.article?.id, first.id)
        model.query = "qqqq"
        await model.search()
        XCTAssertEqual(model.guides, [])
    }

    func testRefusedPositionSaysSoAndAsksNobody() async throws {
        let model = HereModel(try await openHome())
        let refused = LocationAccess(
            servicesEnabled: true, authorization: .denied, isReduced: false)
        await model.locate(access: refused) {
            XCTFail("the source was asked")
            return nil
        }
        XCTAssertEqual(model.locating.line, Line("here_position_refused"))
    }

    func testPositionIsRecordedAndNoneIsSaid() async throws {
        let model = HereModel(try await openHome())
        let allowed = LocationAccess(
            servicesEnabled: true, authorization: .whenInUse, isReduced: false)
        await model.locate(access: allowed) { nil }
        XCTAssertEqual(model.locating.line, Line("here_position_none"))
        let sample = LocationSample(
            latitude: 41.0082, longitude: 28.9784, horizontalAccuracy: 20, time: Date())
        await model.locate(access: allowed) { sample.fix() }
        XCTAssertNil(model.locating.line)
        XCTAssertEqual(model.country, "TR")
    }

    private func beIn(_ home: Homeline, latitude: Double, longitude: Double) async throws {
        try await home.whereabouts.record(
            Fix(
                position: .wgs84(latitude: latitude, longitude: longitude),
                timeMs: Date().millisecondsUTC, accuracyM: 12, source: .gnss))
    }

    private static let level: [String: Any] = [
        "id": "be_alert", "rank": 10, "wording": ["zh-Hans": "注意安全", "en": "Be alert"],
    ]

    private static let alert: [String: Any] = [
        "identifier": "quake", "sender": "mfa", "sent_ms": 1_735_689_600_000,
        "status": "actual", "type": "alert", "level": "be_alert",
        "areas": [["countries": ["TR"]]], "headline": ["en": "Earthquake near Istanbul"],
    ]

    private static let mission: [String: Any] = [
        "id": "tr-istanbul", "kind": "consulate_general", "country": "TR",
        "names": ["en": "Consulate General in Istanbul"],
        "position": ["lat": 41.09, "lon": 29.05],
        "phones": [["purpose": "emergency", "number": "+902125550100"]],
        "district": ["countries": ["TR"]], "checked_ms": 1_795_564_800_000,
        "source": "made up for a test",
    ]
}
