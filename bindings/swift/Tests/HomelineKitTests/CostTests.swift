import Foundation
import HomelineKit
import XCTest

/// What a call costs through the facade, printed as JSON for `tests/run figures`: the same calls,
/// as often, as in `core/examples/figures.rs` and `CostTest.kt`. Here it runs with a few rounds,
/// against the library without optimisation, so that it keeps working; nothing of it is asserted.
final class CostTests: XCTestCase {
    private let rounds =
        ProcessInfo.processInfo.environment["HOMELINE_COST_ROUNDS"].flatMap(Int.init) ?? 5

    func testWhatAPressAStatusAndAListOfAThousandFixesCost() async throws {
        let directory = try temporaryDirectory()
        let vault = try FileVault.open(path: directory.appendingPathComponent("vault.key").path)
        let config = try Stage.running().config(directory: directory.appendingPathComponent("home"))
        let home = try await Homeline.open(config: config, vault: vault)
        let request = SosRequest(kind: .medical, onRepeat: .newReport)
        let report = try await home.sos.press(request)
        let fixes = (0..<1_000).map { minute in
            let place = Position.wgs84(latitude: 41, longitude: 29 + Double(minute) / 1_000)
            return Fix(position: place, timeMs: Int64(minute) * 60_000, source: .gnss)
        }
        try await home.whereabouts.recordAll(fixes: fixes)
        show("swift_press_us", try await median(rounds) { _ = try await home.sos.press(request) })
        show(
            "swift_status_us",
            try await median(rounds * 10) { _ = try await home.sos.status(report: report) })
        show(
            "swift_list1000_us",
            try await median(rounds) {
                let list = try await home.whereabouts.list(fromMs: 0, toMs: .max, limit: 1_000)
                XCTAssertEqual(list.count, 1_000)
            })
    }

    private func median(_ rounds: Int, _ call: () async throws -> Void) async throws -> Double {
        let warmUp = self.rounds < 100 ? 1 : 20
        var samples: [Double] = []
        for round in 0..<warmUp + rounds {
            let began = DispatchTime.now().uptimeNanoseconds
            try await call()
            let took = Double(DispatchTime.now().uptimeNanoseconds - began) / 1_000
            if round >= warmUp { samples.append(took) }
        }
        return samples.sorted()[rounds / 2]
    }

    private func show(_ name: String, _ value: Double) {
        print("{\"name\": \"\(name)\", \"value\": \(value)}")
    }
}
