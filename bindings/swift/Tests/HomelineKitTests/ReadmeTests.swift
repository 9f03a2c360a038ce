import Foundation
import HomelineKit
import XCTest

/// The Swift of the README, as it stands there (a Rust test compares them).
final class ReadmeTests: XCTestCase {
    func testTenLinesPressAnSos() throws {
        let stage = try Stage.running()
        try stage.link("up")
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        let config = try stage.config(directory: directory.appendingPathComponent("home"))
        let path = directory.appendingPathComponent("vault.key").path
        // README
        let home = try Homeline.open(config: config, vault: FileVault.open(path: path))
        try home.registration().save(traveler: Traveler(name: "李伟", kind: .shortTrip))
        let contact = Contact(name: "王芳", phone: "+8613900139000", relation: .parent)
        _ = try home.contacts().add(contact: contact)
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let fix = Fix(position: here, timeMs: now, accuracyM: 12, source: .gnss)
        try home.whereabouts().record(fix: fix)

        let report = try home.sos().press(request: SosRequest(kind: .medical, note: "摔伤了"))
        print(try home.sos().status(report: report).state)  // stored: on disk
        let outcome = try home.sync(deadlineMs: 30_000)  // being offline is an outcome, no error
        print(try home.sos().status(report: report).state)  // received: a signed receipt
        // README
        XCTAssertEqual(outcome.stopped, .done)
        guard case .received = try home.sos().status(report: report).state else {
            return XCTFail("not received")
        }
    }
}
