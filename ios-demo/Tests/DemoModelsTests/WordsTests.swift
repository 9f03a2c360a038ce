import Foundation
import XCTest

@testable import DemoModels

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The words of the app: the same as the Android demo's, and all that the models say.
final class WordsTests: XCTestCase {
    private let languages = ["values": "en", "values-zh": "zh-Hans"]

    func testBothDemosSayTheSame() throws {
        for (folder, language) in languages {
            let android = try androidWords(folder)
            let ios = try iosWords(language)
            XCTAssertGreaterThan(android.count, 100)
            XCTAssertEqual(Set(android.keys), Set(ios.keys), language)
            for (key, text) in android { XCTAssertEqual(ios[key], text, key) }
        }
    }

    func testEveryGapIsThereInEachLanguage() throws {
        let english = try iosWords("en")
        let chinese = try iosWords("zh-Hans")
        for (key, text) in english {
            XCTAssertEqual(gaps(text), gaps(try XCTUnwrap(chinese[key])), key)
        }
    }

    func testEveryLineOfTheAppHasWords() throws {
        let words = try iosWords("en")
        var used = Set<String>()
        for folder in ["Sources/DemoModels", "App"] {
            let files = FileManager.default.enumerator(
                at: demo.appendingPathComponent(folder), includingPropertiesForKeys: nil)
            for case let file as URL in try XCTUnwrap(files) where file.pathExtension == "swift" {
                let source = try String(contentsOf: file, encoding: .utf8)
                for match in source.matches(of: #/"(?<key>[a-z]+(?:_[a-z]+)+)"/#) {
                    used.insert(String(match.key))
                }
                for match in source.matches(of: #/(?:Line|words)\("(?<key>[a-z]+)"/#) {
                    used.insert(String(match.key))
                }
            }
        }
        XCTAssertGreaterThan(used.count, 150)
        XCTAssertEqual(used.filter { words[$0] == nil }.sorted(), [])
    }

    func testGapsAreFilled() throws {
        let table = try iosWords("en")
        let words = Words(
            locale: Locale(identifier: "en_GB"), zone: TimeZone(identifier: "UTC")!
        ) { table[$0] }
        XCTAssertEqual(
            words(Line("sos_status_handed", .line(Line("channel_sms")))),
            "Given to the network (text message), not confirmed.")
        XCTAssertEqual(
            words(Line("here_level", .text("Be alert"), .number(1), .number(5))),
            "Be alert (level 1 of 5)")
        XCTAssertEqual(
            words(Line("here_candidates", .countries(["CH", "FR"]))),
            "Near a border, or disputed. It may be: Switzerland / France")
        XCTAssertEqual(words(Line("here_age", .age(ms: 7_200_000))), "As of 2 h ago")
        XCTAssertTrue(words(Line("me_erase_received", .time(0))).contains("1970"))
        XCTAssertEqual(words(Line("qqq")), "qqq")
    }

    func testAgesAreNeverNewerThanTheyAre() {
        let table: [(Int64, Line)] = [
            (-5, Line("age_now")), (59_999, Line("age_now")),
            (60_000, Line("age_minutes", .number(1))),
            (3_599_999, Line("age_minutes", .number(59))),
            (3_600_000, Line("age_hours", .number(1))),
            (172_799_999, Line("age_hours", .number(47))),
            (172_800_000, Line("age_days", .number(2))),
        ]
        for (ms, line) in table { XCTAssertEqual(Line.age(ms: ms), line) }
    }

    private var demo: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
    }

    private func iosWords(_ language: String) throws -> [String: String] {
        let file = demo.appendingPathComponent("App/\(language).lproj/Localizable.strings")
        let list = try PropertyListSerialization.propertyList(
            from: Data(contentsOf: file), format: nil)
        return try XCTUnwrap(list as? [String: String])
    }

    private func androidWords(_ folder: String) throws -> [String: String] {
        let file = demo.deletingLastPathComponent()
            .appendingPathComponent("android-demo/src/main/res/\(folder)/strings.xml")
        let reader = StringsReader()
        let parser = XMLParser(data: try Data(contentsOf: file))
        parser.delegate = reader
        XCTAssertTrue(parser.parse())
        return reader.words.mapValues {
            $0.replacing(#/\\u(?<code>[0-9a-f]{4})/#) { match in
                UInt32(match.code, radix: 16).flatMap(Unicode.Scalar.init).map(String.init) ?? ""
            }
            .replacing(#/%(?<gap>\d)\$s/#) { "%\($0.gap)$@" }
            .replacing(#/\\(?<character>['"])/#) { String($0.character) }
        }
    }

    private func gaps(_ text: String) -> [String] {
        text.matches(of: #/%\d\$[@d]/#).map { String($0.output) }.sorted()
    }
}

/// Reads the texts of an Android `strings.xml`.
private final class StringsReader: NSObject, XMLParserDelegate {
    var words: [String: String] = [:]
    private var key: String?

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) {
        key = element == "string" ? attributes["name"] : nil
        if let key { words[key] = "" }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if let key { words[key, default: ""] += text }
    }

    func parser(
        _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        key = nil
    }
}
