import Foundation
import HomelineKit
import XCTest

/// The code of the article "From nothing to a press", as it stands there.
final class GuideTests: XCTestCase {
    func testGuideWorksAsWritten() async throws {
        let stage = try Stage.running()
        try stage.link("up")
        let directory = try temporaryDirectory()
        let config = try stage.config(directory: directory.appendingPathComponent("home"))
        let vault = try FileVault.open(path: directory.appendingPathComponent("key").path)
        // GUIDE
        let home = try await Homeline.open(config: config, vault: vault)

        let state = try await home.state()
        if state.record != .open { print("the record waits: \(state.record)") }

        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        _ = try await home.contacts.add(
            Contact(name: "王芳", phone: "+8613900139000", relation: .parent))

        let help = await home.helpAt(.country(code: "TR"))
        let police = help.numbers.first?.numbers.first { $0.service == .police }

        let report = try await home.sos.press(SosRequest(kind: .medical, note: "摔伤了"))
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        let fix = Fix(position: here, timeMs: Date().millisecondsUTC, accuracyM: 12, source: .gnss)
        try await home.sos.updatePosition(report: report, fix: fix)

        for await _ in home.changes(.sos) {
            let status = try await home.sos.status(report: report)
            if case .received(let caseId, _) = status.state { print("case \(caseId ?? "")") }
            break
        }

        let outcome = try await home.sync(deadline: .seconds(30))
        if outcome.stopped == .offline { print("again in \(outcome.nextMs ?? 0) ms") }
        // GUIDE
        XCTAssertEqual(police?.number, "155")
        XCTAssertEqual(outcome.stopped, .done)
        XCTAssertEqual(try stage.cases(of: report).first?.traveler?.name, "李伟")
    }

    func testArticleSaysWhatRuns() throws {
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let marker = "        // GUIDE\n"
        let runs = source.components(separatedBy: marker)[1].split(separator: "\n")
            .map { $0.dropFirst(8) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let article = try String(
            contentsOf: package.appendingPathComponent(
                "Sources/HomelineKit/HomelineKit.docc/FromNothingToAPress.md"),
            encoding: .utf8)
        let parts = article.components(separatedBy: "```")
        let says = stride(from: 1, to: parts.count, by: 2)
            .flatMap { parts[$0].split(separator: "\n").dropFirst() }
        XCTAssertEqual(says, runs)
    }
}
