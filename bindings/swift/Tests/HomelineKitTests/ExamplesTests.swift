import Foundation
import HomelineKit
import XCTest

/// The example of each class: what stands between the marks is in its documentation.
final class ExamplesTests: XCTestCase {
    private func open() async throws -> Homeline {
        let stage = try Stage.running()
        try stage.link("up")
        let directory = try temporaryDirectory()
        let vault = try FileVault.open(path: directory.appendingPathComponent("vault.key").path)
        let files = directory.appendingPathComponent("home")
        return try await Homeline.open(config: stage.config(directory: files), vault: vault)
    }

    /// The day in so many days, as the library takes it.
    private func day(_ days: Double) -> String {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withFullDate]
        return format.string(from: Date(timeIntervalSinceNow: days * 86_400))
    }

    func testSos() async throws {
        let home = try await open()
        // Example: Sos
        let report = try await home.sos.press(SosRequest(kind: .medical, note: "摔伤了"))
        _ = try await home.sync(deadline: .seconds(30))
        let status = try await home.sos.status(report: report)
        print(status.state)  // received: proved by a signed receipt
        // End
        XCTAssertEqual(snake(status.state), "received")
    }

    func testRegistration() async throws {
        let home = try await open()
        // Example: Registration
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        let saved = try await home.registration.traveler()
        // End
        XCTAssertEqual(saved?.name, "李伟")
    }

    func testContacts() async throws {
        let home = try await open()
        // Example: Contacts
        let mother = Contact(name: "王芳", phone: "+8613900139000", relation: .parent)
        let id = try await home.contacts.add(mother)
        try await home.contacts.moveTo(id: id, position: 0)  // the first to be called
        let contacts = try await home.contacts.list()
        // End
        XCTAssertEqual(contacts.map(\.contact.name), ["王芳"])
    }

    func testWhereabouts() async throws {
        let home = try await open()
        // Example: Whereabouts
        let here = Position.wgs84(latitude: 41.0082, longitude: 28.9784)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        try await home.whereabouts.record(
            Fix(position: here, timeMs: now, accuracyM: 12, source: .gnss))
        let last = try await home.whereabouts.last()  // with its age
        // End
        XCTAssertEqual(last?.fix.position, here)
    }

    func testAlerts() async throws {
        let home = try await open()
        // Example: Alerts
        let here = try await home.alerts.at(.here)  // the level and the alerts, as of when
        try await home.alerts.markRead(
            alerts: here.alerts.map {
                AlertReference(sender: $0.sender, identifier: $0.identifier, sentMs: $0.sentMs)
            })
        let arrived = try await home.alerts.arrival()  // isNew once, after a border
        // End
        XCTAssertTrue(here.alerts.isEmpty)
        XCTAssertNil(arrived)
    }

    func testAttachments() async throws {
        let home = try await open()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        let photo = Data([1, 2, 3])
        // Example: Attachments
        let info = AttachmentInfo(mediaType: "image/jpeg")
        _ = try await home.attachments.attachBytes(report: report, bytes: photo, info: info)
        _ = try await home.sync(deadline: .seconds(30))  // sealed, and sent after the report
        let sent = try await home.attachments.list(report: report)
        // End
        XCTAssertEqual(sent.count, 1)
    }

    func testConsents() async throws {
        let home = try await open()
        // Example: Consents
        try await home.consents.give(.whereabouts, textVersion: "2026-1")  // of the text shown
        let given = try await home.consents.inForce(.whereabouts)
        try await home.consents.withdraw(.whereabouts)
        // End
        XCTAssertTrue(given)
    }

    func testDependents() async throws {
        let home = try await open()
        let today = day(0)
        // Example: Dependents
        let child = Traveler(name: "李小明", kind: .shortTrip)
        let agreed = Agreement(way: .guardian, date: today)
        _ = try await home.dependents.save(
            Dependent(person: child, capacity: .guardian, agreed: agreed))
        let travelAlong = try await home.dependents.list()
        // End
        XCTAssertEqual(travelAlong.map(\.person.name), ["李小明"])
    }

    func testGroups() async throws {
        let home = try await open()
        // Example: Groups
        let group = try await home.groups.create(GroupDetails(name: "丝路团", kind: .tour))
        let invitation = try await home.groups.invitation(group: group)  // text, or a QR code
        let read = try await home.groups.readInvitation(text: invitation)  // on another phone
        // End
        XCTAssertEqual(read.details.name, "丝路团")
    }

    func testGuides() async throws {
        let home = try await open()
        // Example: Guides
        let found = try await home.guides.search(query: "护照", place: .here)  // any length
        if let first = found.first {
            let guide = try await home.guides.read(id: first.id)
            print(guide.title, guide.body)
        }
        // End
        XCTAssertEqual(found.first?.id, "lost-passport")
    }

    func testPacks() async throws {
        let home = try await open()
        let shipped = try Stage.running().packFile("missions")
        // Example: Packs
        _ = try await home.packs.add(file: shipped)  // signed; the app brings it along
        let packs = try await home.packs.list()  // with their versions and ages
        // End
        XCTAssertFalse(packs.isEmpty)
    }

    func testPhones() async throws {
        let home = try await open()
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        // Example: Phones
        let code = try await home.phones.linkCode()  // read by the traveler's other phone
        let phones = try await home.phones.list()
        // End
        XCTAssertFalse(code.isEmpty)
        XCTAssertTrue(phones.isEmpty)
    }

    func testRelay() async throws {
        let home = try await open()
        _ = try await home.sos.press(SosRequest(kind: .medical))
        // Example: Relay
        let parcel = try await home.relay.export()  // sealed; for another phone to carry
        _ = try await home.relay.import(bundle: parcel)  // on that phone
        let carried = try await home.relay.status()
        // End
        XCTAssertFalse(parcel.isEmpty)
        print(carried)
    }

    func testTrips() async throws {
        let home = try await open()
        let (first, last) = (day(0), day(7))
        // Example: Trips
        let stay = Stay(country: "TR", place: "İstanbul", from: first, to: last)
        _ = try await home.trips.save(Trip(departs: first, returns: last, stays: [stay]))
        let today = try await home.trips.currentStay()
        // End
        XCTAssertEqual(today?.stay?.country, "TR")
    }

    func testHomeline() async throws {
        let home = try await open()
        let report = try await home.sos.press(SosRequest(kind: .medical))
        // Example: Homeline
        let outcome = try await home.sync(deadline: .seconds(30))  // offline? outcome.stopped
        for try await status in home.statuses(report: report) {
            if case .received = status.state { break }
        }
        // End
        XCTAssertEqual(outcome.stopped, .done)
    }
}
