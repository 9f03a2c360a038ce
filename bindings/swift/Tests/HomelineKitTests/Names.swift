/// The name of an enum's case, as the scenarios write it.
func snake(_ value: some Any) -> String {
    let name = String(describing: value).prefix { $0 != "(" }
    return name.enumerated().map { index, letter in
        letter.isUppercase && index > 0 ? "_\(letter.lowercased())" : letter.lowercased()
    }.joined()
}

/// The case that the scenarios call `name`.
func named<T: CaseIterable>(_ name: String) throws -> T {
    guard let value = T.allCases.first(where: { snake($0) == name }) else {
        throw Unexpected("no \(T.self) is called \(name)")
    }
    return value
}

/// Throws unless the two are equal.
func expect<T: Equatable>(_ actual: T, is expected: T) throws {
    if actual != expected { throw Unexpected("expected \(expected), got \(actual)") }
}
