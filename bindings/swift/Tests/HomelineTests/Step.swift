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

    func child(_ key: String) throws -> Step {
        let child = Step(try required(key))
        children.append(child)
        return child
    }
}
