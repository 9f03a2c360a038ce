import Foundation
import HomelineKit

/// A person, as the scenarios write one.
func person(_ step: Step) throws -> Traveler {
    let birthDate: String? = try step.optional("birth_date")
    let age: Int? = try step.optional("age")
    return Traveler(
        name: try step.required("name"),
        kind: try kind(step),
        phone: try step.optional("phone"),
        documents: try step.children("documents").map(document),
        latinName: try step.optional("latin_name"),
        birthDate: birthDate ?? age.map(yearOfBirth),
        nationality: try step.optional("nationality"),
        languages: try step.texts("languages"),
        email: try step.optional("email"))
}

private func kind(_ step: Step) throws -> TravelerKind {
    let name: String = try step.required("kind")
    switch name {
    case "short_trip": return .shortTrip
    case "long_stay": return .longStay
    case "student":
        return .student(
            school: try step.required("school"),
            programme: try step.optional("programme"),
            guardian: try step.optionalChild("guardian").map(reachable))
    case "posted_worker":
        return .postedWorker(
            employer: try step.required("employer"),
            project: try step.optional("project"),
            liaison: try step.optionalChild("liaison").map(reachable))
    case "crew": return .crew(vessel: try step.optional("vessel"))
    default: throw Unexpected("unknown kind \(name)")
    }
}

/// In place of a date of birth: somebody of about so many years.
private func yearOfBirth(_ age: Int) -> String {
    String(Calendar(identifier: .gregorian).component(.year, from: Date()) - age)
}

private func reachable(_ step: Step) throws -> Reachable {
    Reachable(name: try step.required("name"), phone: try step.optional("phone"))
}

private func document(_ step: Step) throws -> TravelDocument {
    let kind: String? = try step.optional("kind")
    return TravelDocument(
        number: try step.required("number"),
        mrz: try step.optional("mrz"),
        kind: try kind.map { try named($0) },
        issuingState: try step.optional("issuing_state"),
        expiryDate: try step.optional("expiry_date"))
}
