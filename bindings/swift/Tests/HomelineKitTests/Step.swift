import Foundation

/// One step of a scenario, or an object in it. It knows which of its keys were
/// read: one that nobody asked for is an expectation that nobody checked.
final class Step {
    private let fields: [String: Any]
    private var unread: Set<String>
    private var children: [Step] = []

    init(_ fields: [String: Any]) {
        self.fields = fields
        unread = Set(fields.keys)
    }

    /// Keys that were never read, those of objects inside included.
    var neverRead: Set<String> {
        children.reduce(unread) { $0.union($1.neverRead) }
    }

    /// The value of `key`, which must be there.
    func required<T>(_ key: String) throws -> T {
        guard let value: T = try optional(key) else { throw Unexpected("no \(key)") }
        return value
    }

    /// The value of `key`, if it is there.
    func optional<T>(_ key: String) throws -> T? {
        unread.remove(key)
        guard let value = fields[key] else { return nil }
        guard let typed = value as? T else { throw Unexpected("\(key) is not \(T.self)") }
        return typed
    }

    /// The case that the value of `key` names, if it is there.
    func named<T: CaseIterable>(_ key: String) throws -> T? {
        let name: String? = try optional(key)
        return try name.map { try HomelineKitTests.named($0) }
    }

    /// The texts of a list; none where it is not there.
    func texts(_ key: String) throws -> [String] {
        try optional(key) ?? []
    }

    func child(_ key: String) throws -> Step {
        guard let child = try optionalChild(key) else { throw Unexpected("no \(key)") }
        return child
    }

    func optionalChild(_ key: String) throws -> Step? {
        guard let fields: [String: Any] = try optional(key) else { return nil }
        return childOf(fields)
    }

    /// The objects of a list; none where it is not there.
    func children(_ key: String) throws -> [Step] {
        let list: [[String: Any]]? = try optional(key)
        return (list ?? []).map(childOf)
    }

    /// Throws where the step says something else; what it does not say is free.
    func expect<T: Equatable>(_ key: String, _ actual: T?) throws {
        guard let expected: T = try optional(key) else { return }
        if actual != expected {
            throw Unexpected("\(key): expected \(expected), got \(String(describing: actual))")
        }
    }

    private func childOf(_ fields: [String: Any]) -> Step {
        let child = Step(fields)
        children.append(child)
        return child
    }
}
