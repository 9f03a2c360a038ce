import HomelineKit

/// Several phones of one traveler.
struct PhonesVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "link_code": { try await player.keep(phones().linkCode(), as: $0) },
            "link_phone": { try await phones().link(code: player.named($0, "code")) },
            "link_state": { try await expect(snake(phones().state()), is: $0.required("state")) },
            "phones": {
                try await expect(phones().list().map { snake($0.whose) }, is: $0.required("kinds"))
            },
            // What this phone tells of the other's changes, the newest first.
            "merged": {
                let merged = try await phones().merged()
                try expect(merged.map { snake($0.outcome) }, is: $0.required("outcomes"))
            },
            "dismiss_merged": { _ in try await phones().dismiss(id: .max) },
        ]
    }

    private func phones() throws -> Phones {
        try player.home().phones
    }
}
