import Foundation
import XCTest

/// Every scenario of the project, through the facade.
final class ScenarioTests: XCTestCase {
    func testScenarios() async throws {
        let stage = try Stage.running()
        let scenarios = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../../../tests/scenarios").standardized
        let files = try FileManager.default
            .contentsOfDirectory(at: scenarios, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.path < $1.path }
        XCTAssertFalse(files.isEmpty, "no scenarios")
        for file in files {
            let directory = try temporaryDirectory()
            do {
                try await play(file, Verbs(Player(stage: stage, directory: directory)))
                print("scenario passed: \(file.lastPathComponent)")
            } catch {
                XCTFail("\(file.lastPathComponent): \(error)")
            }
        }
    }

    private func play(_ file: URL, _ verbs: Verbs) async throws {
        let content = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        let scenario = Step(try XCTUnwrap(content as? [String: Any]))
        let name: String = try scenario.required("name")
        let steps: [[String: Any]] = try scenario.required("steps")
        for (index, fields) in steps.enumerated() {
            do {
                try await verbs.perform(Step(fields))
            } catch {
                throw Unexpected("\(name), step \(index + 1), \(fields): \(error)")
            }
        }
    }
}

extension XCTestCase {
    /// A new directory that goes with the test.
    func temporaryDirectory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        addTeardownBlock { try FileManager.default.removeItem(at: directory) }
        return directory
    }
}
