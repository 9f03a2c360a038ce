import HomelineKit
import XCTest

/// What the ministry publishes for everybody: where a place is, who helps there, what to
/// do.
struct AbroadVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "publish": { try player.stage.publish($0.required("pack"), $0.required("items")) },
            "packs": packs,
            "add_pack": addPack,
            "locate": locate,
            "help_at": help,
            "search_guides": search,
            "list_guides": list,
            "read_guide": read,
        ]
    }

    /// The packs that the ministry has brought; all others are the library's own.
    private func packs(_ step: Step) async throws {
        let packs = try await player.home().packs.list()
        try expect(packs.map(\.name), is: PackName.allCases)
        let ministry = packs.filter { $0.origin == .ministry }
        try expect(ministry.map { snake($0.name) }, is: step.required("ministry"))
        try expect(packs.filter { $0.version == 0 }.count, is: packs.count - ministry.count)
        if let since: String = try step.optional("since") {
            let newer = try ministry.filter { pack in
                let before = UInt64(try player.named("\(since) \(snake(pack.name))"))
                return try pack.version > XCTUnwrap(before)
            }
            try expect(newer.map { snake($0.name) }, is: step.texts("newer"))
        }
        if let name: String = try step.optional("as") {
            for pack in packs {
                player.keep("\(pack.version)", named: "\(name) \(snake(pack.name))")
            }
        }
    }

    /// A pack comes as a file of the ministry's: with the host app, or from a friend.
    private func addPack(_ step: Step) async throws {
        let name: String = try step.required("pack")
        let file = try player.stage.packFile(name)
        let come = file.prefix(try step.optional("first_bytes") ?? file.count)
        let added = try await player.home().packs.add(file: come)
        try expect(snake(added.name), is: name)
        try expect(added.origin, is: .ministry)
    }

    private func locate(_ step: Step) async throws {
        let found = try await player.home().locate(asked(step))
        try step.expect("basis", snake(found.basis))
        try expect(found.countries, is: step.texts("countries"))
        try expect(found.located.map { snake($0.ground) }, is: step.optional("ground"))
        try step.expect("confidence", found.located.map { snake($0.confidence) })
    }

    /// Who helps at a place. A list that is not there is empty.
    private func help(_ step: Step) async throws {
        let help = try await player.home().helpAt(asked(step))
        try step.expect("basis", snake(help.basis))
        try expect(help.countries, is: step.texts("countries"))
        try expect(help.numbers.map(numbers), is: step.texts("numbers"))
        try step.expect("mobile", help.mobile.numbers)
        try expect(help.responsible.map(\.id), is: step.texts("responsible"))
        try step.expect("mission_name", help.responsible.first?.name?.text)
        try step.expect("phone", help.responsible.first?.phones.first?.number)
        try expect(help.nearest?.id, is: step.optional("nearest"))
        try step.expect("hotline", help.hotline.map { "\(snake($0.from)) \($0.number)" })
        try step.expect("protection", help.protection.map(\.language))
    }

    /// Without a best one: nothing is found.
    private func search(_ step: Step) async throws {
        let found = try await player.home().guides.search(
            query: step.required("query"), place: asked(step),
            situation: step.optional("situation"))
        try expect(found.first?.id, is: step.optional("best"))
        try step.expect("title", found.first?.title)
    }

    private func list(_ step: Step) async throws {
        let found = try await player.home().guides.list(
            place: asked(step), situation: step.optional("situation"))
        try expect(found.map(\.id), is: step.required("ids"))
    }

    private func read(_ step: Step) async throws {
        let guide = try await player.home().guides.read(id: step.required("id"))
        try step.expect("language", guide.language)
        for text in try step.texts("contains") where !guide.body.contains(text) {
            throw Unexpected("no \(text)")
        }
    }
}

/// The place that the step asks about: where the traveler is, unless it says another.
func asked(_ step: Step) throws -> Place {
    guard let place = try step.optionalChild("place") else { return .here }
    if let code: String = try place.optional("country") { return .country(code: code) }
    return .at(
        position: .wgs84(
            latitude: try place.required("latitude"), longitude: try place.required("longitude")),
        accuracyM: try place.optional("accuracy_m"))
}

/// `TR: general 112, police 155`.
func numbers(_ local: LocalNumbers) -> String {
    let numbers = local.numbers.map { "\(snake($0.service)) \($0.number)" }
    return "\(local.country): \(numbers.joined(separator: ", "))"
}
