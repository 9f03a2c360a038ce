import Foundation
import Homeline

/// What the verbs of the scenarios do; `tests/scenarios` speaks them.
final class Verbs {
    private let stage: Stage
    private let phone: Phone
    /// Ids of the reports by the names that the scenario gave them.
    private var reports: [String: String] = [:]

    init(stage: Stage, phone: Phone) {
        self.stage = stage
        self.phone = phone
    }

    /// Does what the step says, and throws unless it ends as the step says.
    func perform(_ step: Step) throws {
        if let field: String = try step.optional("invalid") {
            let error = try failure(of: step)
            guard case .Invalid(field, let problem, _) = error else {
                throw Unexpected("\(error)")
            }
            try expect(snake(problem), is: step.required("problem"))
        } else if let name: String = try step.optional("error") {
            try expect(snake(failure(of: step)), is: name)
        } else {
            try act(step)
        }
        let neverRead = step.neverRead
        if !neverRead.isEmpty { throw Unexpected("keys that no verb knows: \(neverRead)") }
    }

    private func failure(of step: Step) throws -> HomelineError {
        do {
            try act(step)
        } catch let error as HomelineError {
            return error
        }
        throw Unexpected("no error")
    }

    private func act(_ step: Step) throws {
        let verb: String = try step.required("do")
        switch verb {
        case "link": try stage.link(step.required("to"))
        case "open", "reopen_from_disk":
            try phone.open()
            try expect(snake(phone.home().state().record), is: step.required("record"))
        case "reopen":
            try expect(snake(phone.home().reopen().record), is: step.required("record"))
        case "lock_record": phone.vault.setRecordLocked(true)
        case "unlock_record": phone.vault.setRecordLocked(false)
        case "register": try register(step.child("traveler"))
        case "traveler": try traveler(step)
        case "add_contact": try addContact(step)
        case "contacts":
            try expect(phone.home().contacts().list().count, is: step.required("count"))
        case "consent": try consent(step)
        case "record_fix": try recordFix(step)
        case "press": try press(step)
        case "cancel": try phone.home().sos().cancel(report: report(step))
        case "status": try status(step)
        case "network_changed": try phone.home().networkChanged()
        case "sync": try sync(step)
        case "desk": try desk(step)
        case "acknowledge": try acknowledge(step)
        default: throw Unexpected("unknown verb \(verb)")
        }
    }

    private func register(_ traveler: Step) throws {
        let name: String = try traveler.required("kind")
        let kind: TravelerKind =
            switch name {
            case "short_trip": .shortTrip
            case "long_stay": .longStay
            case "student": .student(school: try traveler.required("school"))
            case "posted_worker": .postedWorker(employer: try traveler.required("employer"))
            case "crew": .crew()
            default: throw Unexpected("unknown kind \(name)")
            }
        let number: String? = try traveler.optional("document")
        let given = Traveler(
            name: try traveler.required("name"),
            kind: kind,
            phone: try traveler.optional("phone"),
            documents: number.map { [TravelDocument(number: $0)] } ?? [])
        try phone.home().registration().save(traveler: given)
    }

    private func traveler(_ step: Step) throws {
        guard let traveler = try phone.home().registration().traveler() else {
            throw Unexpected("no traveler")
        }
        try check(traveler.name, ifGiven: "name", in: step)
        try check(traveler.phone, ifGiven: "phone", in: step)
        try check(traveler.documents.first?.number, ifGiven: "document", in: step)
    }

    private func addContact(_ step: Step) throws {
        let contact = Contact(
            name: try step.required("name"),
            phone: try step.required("phone"),
            relation: try named(step.required("relation")))
        _ = try phone.home().contacts().add(contact: contact)
    }

    private func consent(_ step: Step) throws {
        try phone.home().consents().give(
            purpose: named(step.required("purpose")),
            textVersion: step.required("text_version"))
    }

    private func recordFix(_ step: Step) throws {
        let fix = Fix(
            position: .wgs84(
                latitude: try step.required("latitude"),
                longitude: try step.required("longitude")),
            timeMs: Int64(Date().timeIntervalSince1970 * 1000),
            accuracyM: try step.optional("accuracy_m"),
            source: .gnss)
        try phone.home().whereabouts().record(fix: fix)
    }

    private func press(_ step: Step) throws {
        let request = SosRequest(
            kind: try named(step.required("kind")),
            note: try step.required("note"),
            countdownS: try step.optional("countdown_s") ?? 0)
        let report = try phone.home().sos().press(request: request)
        if let other: String = try step.optional("same_as") {
            try expect(report, is: reports[other] ?? "nothing")
        }
        reports[try step.required("as")] = report
    }

    private func status(_ step: Step) throws {
        let status = try phone.home().sos().status(report: report(step))
        try expect(snake(status.state), is: step.required("state"))
        try check(status.attempts, ifGiven: "attempts", in: step)
        if case .acknowledged(_, _, let officer, _) = status.state {
            try check(officer, ifGiven: "officer", in: step)
        }
        if case .cancelled(let knownAtMinistryMs) = status.state {
            try check(knownAtMinistryMs != nil, ifGiven: "known_at_ministry", in: step)
        }
    }

    private func sync(_ step: Step) throws {
        let outcome = try phone.home().sync(deadlineMs: 20_000)
        try expect(snake(outcome.stopped), is: step.required("stopped"))
        try check(outcome.waiting, ifGiven: "waiting", in: step)
        try check(outcome.parked, ifGiven: "parked", in: step)
    }

    private func desk(_ step: Step) throws {
        let cases = try stage.cases(of: report(step))
        try expect(cases.count, is: step.required("cases"))
        try check(cases.first?.state, ifGiven: "state", in: step)
        try check(cases.first?.kind, ifGiven: "kind", in: step)
        try check(cases.first?.traveler?.name, ifGiven: "traveler", in: step)
        try check(cases.first?.contacts.count, ifGiven: "contacts", in: step)
    }

    private func acknowledge(_ step: Step) throws {
        guard let first = try stage.cases(of: report(step)).first else {
            throw Unexpected("no case")
        }
        try stage.acknowledge(
            first.id, officer: step.required("officer"), mission: step.required("mission"))
    }

    private func report(_ step: Step) throws -> String {
        let name: String = try step.required("of")
        guard let report = reports[name] else { throw Unexpected("no report \(name)") }
        return report
    }

    private func check<T: Equatable>(_ actual: T?, ifGiven key: String, in step: Step) throws {
        guard let expected: T = try step.optional(key) else { return }
        try expect(actual, is: expected)
    }
}
