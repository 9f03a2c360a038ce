import HomelineKit

/// Groups: texts that go from one phone to another.
struct GroupVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "create_group": create,
            "invite": {
                try await player.keep(groups().invitation(group: player.named($0, "to")), as: $0)
            },
            "invitation": invitation,
            "join": {
                let entry await = try groups().join(
                    text: player.named($0, "text"), textVersion: $0.required("text_version"))
                try player.keep(entry, as: $0)
            },
            "leave": {
                try await player.keep(groups().leave(group: player.named($0, "group")), as: $0)
            },
            "alter": alter,
            "add_text": {
                let outcome = try await groups().add(text: player.named($0, "text"))
                try $0.expect("outcome", snake(outcome))
            },
            "add_by_hand": {
                let outcome = try await groups().addByHand(
                    group: player.named($0, "to"), traveler: person($0.child("person")))
                try expect(snake(outcome), is: $0.required("outcome"))
            },
            "members": {
                let members = try await groups().members(group: player.named($0, "of"))
                try expect(members.map(\.name), is: $0.required("names"))
            },
            "groups": {
                try await expect(groups().list().map { snake($0.state) }, is: $0.required("states"))
            },
            "close_group": { try await groups().close(group: player.named($0, "of")) },
        ]
    }

    private func groups() throws -> Groups {
        try player.home().groups
    }

    private func create(_ step: Step) async throws {
        let given = try step.child("details")
        let details = GroupDetails(
            name: try given.required("name"),
            kind: try named(given.required("kind")),
            agency: try given.optional("agency"),
            firstDay: try given.optional("first_day"),
            lastDay: try given.optional("last_day"))
        try await player.keep(groups().create(details), as: step)
    }

    private func invitation(_ step: Step) async throws {
        let view = try await groups().readInvitation(text: player.named(step, "text"))
        try step.expect("name", view.details.name)
        try step.expect("state", snake(view.state))
        try step.expect("shares", view.shares.map { snake($0) })
    }

    /// Somebody changes one letter in the middle of a text.
    private func alter(_ step: Step) async throws {
        var text = Array(try player.named(step, "text"))
        let middle = text.count / 2
        text[middle] = text[middle] == "A" ? "B" : "A"
        try player.keep(String(text), as: step)
    }
}
