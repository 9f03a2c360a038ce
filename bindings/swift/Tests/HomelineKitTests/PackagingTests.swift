import Foundation
import XCTest

@testable import HomelineKit

/// What goes with the library into an app: the privacy manifest, and how its files lie.
final class PackagingTests: XCTestCase {
    private struct Manifest: Decodable {
        struct Access: Decodable {
            let api: String
            let reasons: [String]

            enum CodingKeys: String, CodingKey {
                case api = "NSPrivacyAccessedAPIType"
                case reasons = "NSPrivacyAccessedAPITypeReasons"
            }
        }

        struct Collected: Decodable {
            let type: String
            let linked: Bool
            let tracking: Bool
            let purposes: [String]

            enum CodingKeys: String, CodingKey {
                case type = "NSPrivacyCollectedDataType"
                case linked = "NSPrivacyCollectedDataTypeLinked"
                case tracking = "NSPrivacyCollectedDataTypeTracking"
                case purposes = "NSPrivacyCollectedDataTypePurposes"
            }
        }

        let tracking: Bool
        let domains: [String]
        let accesses: [Access]
        let collected: [Collected]

        enum CodingKeys: String, CodingKey {
            case tracking = "NSPrivacyTracking"
            case domains = "NSPrivacyTrackingDomains"
            case accesses = "NSPrivacyAccessedAPITypes"
            case collected = "NSPrivacyCollectedDataTypes"
        }
    }

    func testPrivacyManifestTravelsWithTheLibraryAndSaysWhatItDoes() throws {
        let file = Bundle.main.bundleURL
            .appendingPathComponent("Homeline_HomelineKit.resources")
            .appendingPathComponent("PrivacyInfo.xcprivacy")
        let manifest = try PropertyListDecoder().decode(
            Manifest.self, from: Data(contentsOf: file))
        XCTAssertFalse(manifest.tracking)
        XCTAssertEqual(manifest.domains, [])
        let reasons = manifest.accesses.map { [$0.api] + $0.reasons }
        let category = "NSPrivacyAccessedAPICategory"
        XCTAssertEqual(
            reasons, [["\(category)FileTimestamp", "C617.1"], ["\(category)DiskSpace", "E174.1"]])
        let prefix = "NSPrivacyCollectedDataType"
        for collected in manifest.collected {
            XCTAssertTrue(collected.type.hasPrefix(prefix))
            XCTAssertTrue(collected.linked)
            XCTAssertFalse(collected.tracking)
            XCTAssertEqual(collected.purposes, ["\(prefix)PurposeAppFunctionality"])
        }
        let types = Set(manifest.collected.map { String($0.type.dropFirst(prefix.count)) })
        XCTAssertEqual(types.count, manifest.collected.count)
        XCTAssertTrue(
            types.isSuperset(of: [
                "Name", "PhoneNumber", "EmailAddress", "Contacts", "Health",
                "PreciseLocation", "DeviceID",
            ]))
    }

    /// Each file that the library makes is looked at here: a new one must be placed.
    func testOnlyTheRecordWaitsForTheFirstUnlock() async throws {
        let directory = try temporaryDirectory()
        let home = try await openHome(in: directory)
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        let report = try await home.sos.press(SosRequest(kind: .medical))
        _ = try await home.attachments.attachBytes(
            report: report, bytes: Data(repeating: 1, count: 1000),
            info: AttachmentInfo(mediaType: "audio/mp4"))
        _ = try await home.sync(deadline: .seconds(20))
        let files = try FileManager.default.contentsOfDirectory(
            atPath: directory.appendingPathComponent("home").path)
        let classes = Dictionary(grouping: files) { ProtectionClass.ofFile($0) }
            .mapValues { Set($0.map { $0.prefix { $0 != "." } }) }
        XCTAssertEqual(classes[.untilFirstUnlock], ["record"])
        let open = try XCTUnwrap(classes[.open])
        XCTAssertTrue(open.isSuperset(of: ["device", "outbox"]))
        XCTAssertTrue(open.isSubset(of: ["device", "outbox", "packs", "attachments"]), "\(open)")
    }
}
