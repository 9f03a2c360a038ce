import Foundation
import HomelineKit

/// Zones of documents; they need no phone.
struct PaperVerbs {
    var all: [String: Verb] {
        ["read_mrz": read, "scan_mrz": scan]
    }

    private func read(_ step: Step) async throws {
        let mrz = try readMrz(text: step.required("text"))
        try step.expect("format", snake(mrz.format))
        try step.expect("document_code", mrz.documentCode)
        try step.expect("issuing_state", mrz.issuingState)
        try step.expect("number", mrz.number)
        try step.expect("nationality", mrz.nationality)
        try step.expect("surname", mrz.surname)
        try step.expect("given_names", mrz.givenNames)
        try step.expect("birth_date", day(mrz.birthDate))
        try step.expect("sex", snake(mrz.sex))
        try step.expect("expiry_date", day(mrz.expiryDate))
        try step.expect("optional_data", mrz.optionalData)
    }

    /// `YYYY-MM-DD`, with 0 for what is unknown.
    private func day(_ date: MrzDate) -> String {
        let (year, month, day) = (Int(date.year ?? 0), Int(date.month ?? 0), Int(date.day ?? 0))
        return String(format: "%04d-%02d-%02d", year, month, day)
    }

    private func scan(_ step: Step) async throws {
        let scan = try scanMrz(text: step.required("text"))
        try expect(scan.faults.map(\.field), is: step.required("faults"))
        try expect(scan.suggestion, is: step.optional("suggestion"))
    }
}
