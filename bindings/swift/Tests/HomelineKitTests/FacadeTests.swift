import Foundation
import HomelineKit
import XCTest

/// What the facade adds to the calls: cancellation, and changes as streams.
final class FacadeTests: XCTestCase {
    func testPressIsStoredThoughItsTaskWasCancelledBeforeItRan() async throws {
        let home = try await open()
        let pressing = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await home.sos.press(SosRequest(kind: .medical))
        }
        pressing.cancel()
        let report = try await pressing.value
        let state = try await home.sos.status(report: report).state
        XCTAssertEqual(state, .stored)
    }

    func testCancelledTaskEndsItsPassAndAPressDoesNotWaitForIt() async throws {
        let network = HangingTransport()
        let home = try await open(transport: network)
        _ = try await home.sos.press(SosRequest(kind: .medical))
        let passing = Task { try await home.sync(deadline: .seconds(600)) }
        await network.begun()
        let second = try await home.sos.press(SosRequest(kind: .detained, note: "another"))
        let state = try await home.sos.status(report: second).state
        XCTAssertEqual(state, .stored)
        passing.cancel()
        let outcome = try await passing.value
        XCTAssertEqual(outcome.stopped, .cancelled)
    }

    func testTaskCancelledBeforeItsPassBeganDoesNotBeginIt() async throws {
        let network = HangingTransport()
        let home = try await open(transport: network)
        _ = try await home.sos.press(SosRequest(kind: .medical))
        let passing = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await home.sync(deadline: .seconds(600))
        }
        passing.cancel()
        do {
            let outcome = try await passing.value
            XCTAssertEqual(outcome.stopped, .cancelled)
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
    }

    func testChangesComeOnceAtTheStartAndOnceAfterEachChange() async throws {
        let home = try await open()
        var topics = home.changes(.sos, .record).makeAsyncIterator()
        let first = [await topics.next(), await topics.next()]
        XCTAssertEqual(Set(first), [.sos, .record])
        _ = try await home.sos.press(SosRequest(kind: .medical))
        let afterPress = await topics.next()
        XCTAssertEqual(afterPress, .sos)
        for second in 0..<50 {
            let place = Position.wgs84(latitude: 1, longitude: 2)
            let fix = Fix(
                position: place, timeMs: Int64(second) * 60_000, accuracyM: 12, source: .gnss)
            try await home.whereabouts.record(fix)
        }
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        let afterSave = await topics.next()
        XCTAssertEqual(afterSave, .record)
    }

    func testStreamOfChangesEndsWithItsTask() async throws {
        let home = try await open()
        let reading = Task {
            var count = 0
            for await _ in home.changes(.sos) { count += 1 }
            return count
        }
        try await Task.sleep(for: .milliseconds(100))
        reading.cancel()
        let count = await reading.value
        XCTAssertLessThanOrEqual(count, 1)
    }

    func testStatusesComeUntilTheReportIsReceived() async throws {
        try Stage.running().link("up")
        let home = try await open()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        async let outcome = home.sync(deadline: .seconds(30))
        var seen: [String] = []
        for try await status in home.statuses(report: report) {
            seen.append(snake(status.state))
            if case .received = status.state { break }
        }
        let stopped = try await outcome.stopped
        XCTAssertEqual(stopped, .done)
        XCTAssertEqual(seen.last, "received")
    }

    func testStatusesOfAReportThatIsNoneEndWithAnError() async throws {
        let home = try await open()
        do {
            for try await _ in home.statuses(report: "01890000-0000-7000-8000-000000000000") {
                XCTFail("a status of nothing")
            }
            XCTFail("no error")
        } catch {
            XCTAssertEqual(snake(error), "not_found")
        }
    }

    private func open(transport: (any Transport)? = nil) async throws -> Homeline {
        let directory = try temporaryDirectory()
        let vault = try FileVault.open(path: directory.appendingPathComponent("vault.key").path)
        return try await Homeline.open(
            config: Stage.running().config(directory: directory.appendingPathComponent("home")),
            vault: vault, transport: transport)
    }
}

/// A network on which nothing ever comes back.
private final class HangingTransport: Transport, @unchecked Sendable {
    private let started = DispatchSemaphore(value: 0)
    private let cancelled = DispatchSemaphore(value: 0)

    func begun() async {
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                self.started.wait()
                done.resume()
            }
        }
    }

    func exchange(request: HttpRequest) throws -> HttpResponse {
        started.signal()
        cancelled.wait()
        throw TransportError.Cancelled
    }

    func cancel() throws -> Bool {
        cancelled.signal()
        return true
    }
}
