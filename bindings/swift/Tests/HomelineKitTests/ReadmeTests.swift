import Foundation
import HomelineKit
import XCTest

/// The Swift of the README, as it stands there (a Rust test compares them).
final class ReadmeTests: XCTestCase {
    func testTenLinesPressAnSos() async throws {
        let stage = try Stage.running()
        try stage.link("up")
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        let config = try stage.config(directory: directory.appendingPathComponent("home"))
        let path = directory.appendingPathComponent("vault.key").path
        // README
        let home = try await Homeline.open(config: config, vault: FileVault.open(path: path))
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        let mother = Contact(name: "王芳", phone: "+8613900139000", relation: .parent)
        _ = try await home.contacts.add(mother)
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let fix = Fix(position: here, timeMs: now, accuracyM: 12, source: .gnss)
        try await home.whereabouts.record(fix)

        let report = try await home.sos.press(SosRequest(kind: .medical, note: "摔伤了"))
        print(try await home.sos.status(report: report).state)  // stored: on disk
        let outcome = try await home.sync(deadline: .seconds(30))  // offline is an outcome
        print(try await home.sos.status(report: report).state)  // received: a signed receipt
        // README
        XCTAssertEqual(outcome.stopped, .done)
        guard case .received = try await home.sos.status(report: report).state else {
            return XCTFail("not received")
        }
    }
}
