import Foundation
import HomelineKit

/// Who plays a scenario: the phones in it, and what it has given a name to.
final class Player {
    let stage: Stage
    private let directory: URL
    private var phones: [String: Phone] = [:]
    private var current = ""
    /// Ids and texts by the names that the scenario gave them.
    private var names: [String: String] = [:]

    init(stage: Stage, directory: URL) throws {
        self.stage = stage
        self.directory = directory
        try take("")
    }

    /// Takes the phone of that name in hand; the others stay as they are.
    func take(_ name: String) throws {
        if phones[name] == nil {
            let files = directory.appendingPathComponent("phone-\(name)")
            try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
            phones[name] = try Phone(stage: stage, directory: files)
        }
        current = name
    }

    /// The phone in hand.
    func phone() throws -> Phone {
        guard let phone = phones[current] else { throw Unexpected("no phone") }
        return phone
    }

    func home() throws -> Homeline {
        try phone().home()
    }

    /// Keeps an id or a text under the name that the step has for it, if any.
    func keep(_ value: String, as step: Step) throws {
        if let name: String = try step.optional("as") { keep(value, named: name) }
    }

    func keep(_ value: String, named name: String) {
        names[name] = value
    }

    /// What the step names under `key`.
    func named(_ step: Step, _ key: String) throws -> String {
        try named(step.required(key))
    }

    func named(_ name: String) throws -> String {
        guard let value = names[name] else { throw Unexpected("nothing is called \(name)") }
        return value
    }
}
