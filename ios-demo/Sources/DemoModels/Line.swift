// What the screens say: a key of `Localizable.strings` and what stands in its gaps. The
// models make lines, the app makes words of them in the traveler's language.
import Foundation

/// A line of a screen.
public struct Line: Hashable, Sendable {
    /// What stands in a gap.
    public enum Argument: Hashable, Sendable {
        case text(String)
        case number(Int64)
        case line(Line)
        /// A moment, milliseconds UTC.
        case time(Int64)
        /// A country, two letters of ISO 3166-1.
        case country(String)
        /// Several of them.
        case countries([String])
        /// A moment as words: "5 min ago".
        case age(ms: Int64)
    }

    public let key: String
    public let arguments: [Argument]

    public init(_ key: String, _ arguments: Argument...) {
        self.key = key
        self.arguments = arguments
    }

    /// How long ago something was.
    public static func age(ms: Int64) -> Line {
        let minutes = ms / 60_000
        switch minutes {
        case ..<1: return Line("age_now")
        case ..<60: return Line("age_minutes", .number(minutes))
        case ..<(48 * 60): return Line("age_hours", .number(minutes / 60))
        default: return Line("age_days", .number(minutes / (24 * 60)))
        }
    }
}

/// The words of one language.
public struct Words: Sendable {
    private let lookUp: @Sendable (String) -> String?
    private let locale: Locale
    private let zone: TimeZone

    /// - Parameter lookUp: the text of a key, as it stands in `Localizable.strings`.
    public init(
        locale: Locale, zone: TimeZone = .current,
        lookUp: @escaping @Sendable (String) -> String?
    ) {
        self.lookUp = lookUp
        self.locale = locale
        self.zone = zone
    }

    /// The line in words. A key that the table lacks shows as itself.
    public func callAsFunction(_ line: Line) -> String {
        var text = lookUp(line.key) ?? line.key
        for (index, argument) in line.arguments.enumerated() {
            let word = self.word(argument)
            for form in ["@", "lld", "d"] {
                text = text.replacingOccurrences(of: "%\(index + 1)$\(form)", with: word)
            }
        }
        return text
    }

    /// The words of a key without gaps.
    public func callAsFunction(_ key: String) -> String { self(Line(key)) }

    /// A country's name, or its code where the system has none.
    public func country(_ code: String) -> String {
        locale.localizedString(forRegionCode: code) ?? code
    }

    private func word(_ argument: Line.Argument) -> String {
        switch argument {
        case .text(let text): text
        case .number(let number): String(number)
        case .line(let line): self(line)
        case .time(let ms): time(ms)
        case .country(let code): country(code)
        case .countries(let codes): codes.map(country).joined(separator: " / ")
        case .age(let ms): self(Line.age(ms: ms))
        }
    }

    private func time(_ ms: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = locale
        formatter.timeZone = zone
        formatter.dateStyle = .short
        formatter.timeStyle = .short
        return formatter.string(from: Date(timeIntervalSince1970: TimeInterval(ms) / 1000))
    }
}
