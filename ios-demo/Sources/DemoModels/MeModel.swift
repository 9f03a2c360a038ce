// The Me screen: registration, contacts, consents, and the traveler's own data.
import Foundation
import HomelineKit
import Observation

/// Why the traveler is abroad, as the form asks it.
public enum KindOfStay: String, Sendable, CaseIterable, Identifiable {
    case shortTrip, longStay, student, postedWorker, crew

    public var id: Self { self }

    public var line: Line {
        switch self {
        case .shortTrip: Line("me_kind_short_trip")
        case .longStay: Line("me_kind_long_stay")
        case .student: Line("me_kind_student")
        case .postedWorker: Line("me_kind_posted_worker")
        case .crew: Line("me_kind_crew")
        }
    }
}

/// The form of the registration. What it does not ask for is kept as it was.
public struct TravelerForm: Sendable, Equatable {
    public var name = ""
    public var latinName = ""
    public var phone = ""
    public var birthDate = ""
    public var kind = KindOfStay.shortTrip
    /// School or employer, where the kind has one.
    public var place = ""

    public init() {}

    init(_ traveler: Traveler) {
        name = traveler.name
        latinName = traveler.latinName ?? ""
        phone = traveler.phone ?? ""
        birthDate = traveler.birthDate ?? ""
        switch traveler.kind {
        case .shortTrip: kind = .shortTrip
        case .longStay: kind = .longStay
        case .student(let school, _, _): (kind, place) = (.student, school)
        case .postedWorker(let employer, _, _): (kind, place) = (.postedWorker, employer)
        case .crew: kind = .crew
        }
    }

    func traveler(over old: Traveler?) -> Traveler {
        Traveler(
            name: name, kind: travelerKind(old?.kind), phone: phone.isEmpty ? nil : phone,
            documents: old?.documents ?? [], latinName: latinName.isEmpty ? nil : latinName,
            birthDate: birthDate.isEmpty ? nil : birthDate, nationality: old?.nationality,
            languages: old?.languages ?? [], email: old?.email)
    }

    private func travelerKind(_ old: TravelerKind?) -> TravelerKind {
        switch (kind, old) {
        case (.shortTrip, _): .shortTrip
        case (.longStay, _): .longStay
        case (.student, .student(_, let programme, let guardian)):
            .student(school: place, programme: programme, guardian: guardian)
        case (.student, _): .student(school: place)
        case (.postedWorker, .postedWorker(_, let project, let liaison)):
            .postedWorker(employer: place, project: project, liaison: liaison)
        case (.postedWorker, _): .postedWorker(employer: place)
        case (.crew, .crew(let vessel)): .crew(vessel: vessel)
        case (.crew, _): .crew()
        }
    }
}

/// A consent as a switch.
public struct ConsentRow: Hashable, Sendable, Identifiable {
    public let purpose: Purpose
    public let line: Line
    public let state: Line
    public let isGiven: Bool
    public var id: Purpose { purpose }
}

@MainActor
@Observable
public final class MeModel {
    /// Names the wording of the consents (`me_consent_*`), the same in both demos: a change
    /// of the words is a new version.
    public static let textVersion = "2026-11-26"

    public var form = TravelerForm()
    public private(set) var isRegistered = false
    public private(set) var card: Line?
    public private(set) var cardText: String?
    public private(set) var contacts: [SavedContact] = []
    public private(set) var consents: [ConsentRow] = []
    public private(set) var eraseState: Line?
    /// What the last button came to.
    public private(set) var notice: Line?
    /// The dotted name of the field that is wrong, and what is.
    public private(set) var wrongField: String?
    public private(set) var wrong: Line?

    /// Whether positions may leave the phone outside an SOS: only then does the app ask for
    /// them in the background.
    public var sendsWhereabouts: Bool {
        consents.contains {
            $0.isGiven && ($0.purpose == .whereabouts || $0.purpose == .whereaboutsInCrisis)
        }
    }

    private let home: Homeline
    private let language: String
    private var saved: Traveler?
    /// The request to the ministry waits before all else is gone: "erased" is not said before.
    private var isErasing = false

    /// - Parameter language: that the consents are shown in (BCP 47).
    public init(_ home: Homeline, language: String) {
        self.home = home
        self.language = language
    }

    /// Asks anew for everything on the screen. What is half typed stays.
    public func refresh() async {
        guard !isErasing else { return }
        do {
            let state = try await home.state()
            guard !isErasing else { return }
            eraseState = state.eraseRequest.line
            let traveler = try await home.registration.traveler()
            if traveler != saved || !isRegistered { take(traveler) }
            let card = try await home.registration.card()
            self.card = card.map { Line("me_card", .text($0.card.number)) }
            cardText = card?.text
            contacts = try await home.contacts.list()
            consents = try await rows()
        } catch {
            if !isErasing { notice = Line(error) }
        }
    }

    /// Saves the form.
    public func save() async {
        await attempt(Line("saved")) {
            try await self.home.registration.save(self.form.traveler(over: self.saved))
        }
    }

    /// Adds a contact; `true` where it was taken, so that its form may be emptied.
    public func add(name: String, phone: String, relation: Relation) async -> Bool {
        await attempt(Line("saved")) {
            _ = try await self.home.contacts.add(
                Contact(name: name, phone: phone, relation: relation))
        }
    }

    public func remove(_ contact: SavedContact) async {
        await attempt(nil) { try await self.home.contacts.remove(id: contact.id) }
    }

    /// Gives or takes back a consent.
    public func set(_ purpose: Purpose, given: Bool) async {
        await attempt(nil) {
            if given {
                try await self.home.consents.giveAs(
                    ConsentGiven(
                        purpose: purpose, textVersion: Self.textVersion,
                        language: self.language))
            } else {
                try await self.home.consents.withdraw(purpose)
            }
        }
    }

    /// Writes everything about the traveler to a file that the app then hands on; `nil`:
    /// there is none, and `notice` says why.
    public func export(to directory: URL) async -> URL? {
        let file = directory.appendingPathComponent("homeline.json")
        do {
            _ = try await home.exportTo(path: file.path)
            notice = Line("me_export_done")
            return file
        } catch HomelineError.Storage {
            notice = Line("me_export_failed")
        } catch {
            notice = Line(error)
        }
        return nil
    }

    /// Erases everything, for good. The screen has asked before.
    public func erase() async {
        await attempt(nil) {
            self.isErasing = true
            defer { self.isErasing = false }
            try await self.home.erase()
        }
    }

    @discardableResult
    private func attempt(_ done: Line?, _ body: () async throws -> Void) async -> Bool {
        (notice, wrong, wrongField) = (nil, nil, nil)
        do {
            try await body()
            await refresh()
            notice = notice ?? done
            return true
        } catch {
            wrongField = (error as? HomelineError)?.field
            if wrongField == nil { notice = Line(error) } else { wrong = Line(error) }
            return false
        }
    }

    private func take(_ traveler: Traveler?) {
        if let traveler {
            form = TravelerForm(traveler)
        } else if isRegistered {
            form = TravelerForm()  // erased
        }
        saved = traveler
        isRegistered = traveler != nil
    }

    private func rows() async throws -> [ConsentRow] {
        let ledger = try await home.consents.list()
        var rows: [ConsentRow] = []
        for purpose in Purpose.allCases {
            let given = ledger.last {
                $0.purpose == purpose && $0.subject == nil && $0.withdrawnMs == nil
            }
            let isInForce = try await home.consents.inForce(purpose)
            rows.append(
                ConsentRow(
                    purpose: purpose, line: purpose.line,
                    state: (isInForce ? given?.line : nil) ?? Line("me_consent_not_given"),
                    isGiven: isInForce))
        }
        return rows
    }
}

extension Purpose {
    fileprivate var line: Line {
        switch self {
        case .register: Line("me_consent_register")
        case .whereabouts: Line("me_consent_whereabouts")
        case .whereaboutsInCrisis: Line("me_consent_crisis")
        case .family: Line("me_consent_family")
        case .employerOrSchool: Line("me_consent_employer")
        case .media: Line("me_consent_media")
        case .medical: Line("me_consent_medical")
        }
    }
}

extension Consent {
    fileprivate var line: Line {
        Line("me_consent_given", .time(givenMs), .text(textVersion))
    }
}

extension EraseRequest {
    fileprivate var line: Line? {
        switch self {
        case .absent: nil
        case .waiting: Line("me_erase_waiting")
        case .received(let ms): Line("me_erase_received", .time(ms))
        case .refused: Line("me_erase_refused")
        }
    }
}

extension Relation {
    /// It in words.
    public var line: Line {
        switch self {
        case .parent: Line("relation_parent")
        case .partner: Line("relation_partner")
        case .child: Line("relation_child")
        case .sibling: Line("relation_sibling")
        case .relative: Line("relation_relative")
        case .friend: Line("relation_friend")
        case .employer: Line("relation_employer")
        case .school: Line("relation_school")
        case .other: Line("relation_other")
        }
    }
}
