import Foundation
import HomelineKit
import XCTest

@testable import DemoModels

/// The Me screen with the real library and the real ministry.
@MainActor
final class MeModelTests: XCTestCase, @unchecked Sendable {
    func testRegistrationIsSavedAndReadAgain() async throws {
        let home = try await openHome()
        let model = try await registered(home)
        XCTAssertTrue(model.isRegistered)
        XCTAssertEqual(model.notice, Line("saved"))
        let again = MeModel(home, language: "en")
        await again.refresh()
        XCTAssertEqual(again.form, model.form)
        XCTAssertEqual(again.form.place, "Boğaziçi")
    }

    func testFieldThatIsWrongIsNamedAndWhatWasTypedStays() async throws {
        let model = MeModel(try await openHome(), language: "en")
        await model.refresh()
        model.form.name = "李伟"
        model.form.phone = "call me"
        await model.save()
        XCTAssertEqual(model.wrongField, "traveler.phone")
        XCTAssertEqual(model.wrong, Line("invalid_phone"))
        XCTAssertEqual(model.form.phone, "call me")
        XCTAssertFalse(model.isRegistered)
        model.form.name = " "
        model.form.phone = ""
        await model.save()
        XCTAssertEqual(model.wrong, Line("invalid_empty"))
    }

    func testWhatTheFormDoesNotAskForIsKept() async throws {
        let home = try await openHome()
        try await home.registration.save(
            Traveler(
                name: "李伟", kind: .student(school: "Boğaziçi", programme: "MSc"),
                email: "liwei@example.org"))
        let model = MeModel(home, language: "en")
        await model.refresh()
        model.form.phone = "+8613900139000"
        await model.save()
        let traveler = try await home.registration.traveler()
        XCTAssertEqual(traveler?.email, "liwei@example.org")
        XCTAssertEqual(traveler?.kind, .student(school: "Boğaziçi", programme: "MSc"))
    }

    func testNothingOfTheRegistrationLeavesWithoutTheConsent() async throws {
        let home = try await openHome()
        let model = try await registered(home)
        XCTAssertEqual(model.consents.count, Purpose.allCases.count)
        XCTAssertFalse(model.consents.contains(where: \.isGiven))
        let kept = try await home.sync(deadline: .seconds(20))
        XCTAssertTrue(kept.withoutConsent)
        await model.set(.register, given: true)
        let row = try XCTUnwrap(model.consents.first { $0.purpose == .register })
        XCTAssertTrue(row.isGiven)
        XCTAssertEqual(row.state.key, "me_consent_given")
        let given = try await home.consents.list().last
        XCTAssertEqual(given?.textVersion, MeModel.textVersion)
        XCTAssertEqual(given?.language, "zh-Hans")
        let sent = try await home.sync(deadline: .seconds(20))
        XCTAssertFalse(sent.withoutConsent)
        XCTAssertGreaterThan(sent.sent, 0)
        await model.set(.register, given: false)
        XCTAssertEqual(
            model.consents.first { $0.purpose == .register }?.state,
            Line("me_consent_not_given"))
    }

    func testPositionsInTheBackgroundFollowTheConsent() async throws {
        let model = try await registered(try await openHome())
        await model.set(.register, given: true)
        XCTAssertFalse(model.sendsWhereabouts)
        await model.set(.whereaboutsInCrisis, given: true)
        XCTAssertTrue(model.sendsWhereabouts)
        await model.set(.whereaboutsInCrisis, given: false)
        XCTAssertFalse(model.sendsWhereabouts)
    }

    func testChildNeedsAGuardianAndIsToldSo() async throws {
        let home = try await openHome()
        let model = try await registered(home)
        let year = Calendar(identifier: .gregorian).component(.year, from: Date()) - 10
        model.form.birthDate = "\(year)-01-01"
        await model.save()
        await model.set(.register, given: true)
        XCTAssertEqual(model.wrong, Line("me_consent_guardian"))
        XCTAssertFalse(model.consents.contains(where: \.isGiven))
    }

    func testContactsComeAndGo() async throws {
        let model = MeModel(try await openHome(), language: "en")
        let refused = await model.add(name: "王芳", phone: "x", relation: .parent)
        XCTAssertFalse(refused)
        XCTAssertEqual(model.wrong, Line("invalid_phone"))
        let taken = await model.add(name: "王芳", phone: "+8613900139000", relation: .parent)
        XCTAssertTrue(taken)
        XCTAssertEqual(model.contacts.map(\.contact.name), ["王芳"])
        await model.remove(try XCTUnwrap(model.contacts.first))
        XCTAssertEqual(model.contacts, [])
    }

    func testExportWritesAllOfItToAFile() async throws {
        let model = try await registered(try await openHome())
        let written = await model.export(to: try temporaryDirectory())
        let file = try XCTUnwrap(written)
        let json = try String(contentsOf: file, encoding: .utf8)
        XCTAssertTrue(json.contains("李伟"))
        XCTAssertEqual(model.notice, Line("me_export_done"))
    }

    func testExportThatCannotBeWrittenSaysSo() async throws {
        let model = try await registered(try await openHome())
        let nowhere = try temporaryDirectory().appendingPathComponent("not/there")
        let written = await model.export(to: nowhere)
        XCTAssertNil(written)
        XCTAssertEqual(model.notice, Line("me_export_failed"))
    }

    func testEraseIsFinalHereAtOnceAndAtTheMinistryByProof() async throws {
        let home = try await openHome()
        let model = try await registered(home)
        await model.set(.register, given: true)
        _ = try await home.sync(deadline: .seconds(20))
        await model.erase()
        XCTAssertEqual(model.form, TravelerForm())
        XCTAssertFalse(model.isRegistered)
        XCTAssertEqual(model.eraseState, Line("me_erase_waiting"))
        _ = try await home.sync(deadline: .seconds(20))
        await model.refresh()
        XCTAssertEqual(model.eraseState?.key, "me_erase_received")
    }

    private func registered(_ home: Homeline) async throws -> MeModel {
        let model = MeModel(home, language: "zh-Hans")
        await model.refresh()
        model.form.name = "李伟"
        model.form.kind = .student
        model.form.place = "Boğaziçi"
        await model.save()
        return model
    }
}
