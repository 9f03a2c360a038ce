import HomelineKit

/// What the duty officer has.
struct DeskVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        ["desk": desk, "desk_group": group, "acknowledge": acknowledge]
    }

    private func desk(_ step: Step) async throws {
        let cases = try player.stage.cases(of: player.named(step, "of"))
        try expect(cases.count, is: step.required("cases"))
        guard let first = cases.first else { return }
        try step.expect("state", first.state)
        try step.expect("kind", first.kind)
        try step.expect("traveler", first.traveler?.name)
        try step.expect("traveler_kind", first.traveler?.kind.kind)
        try step.expect("dependents", (first.dependents ?? []).map(\.name))
        try step.expect("contacts", first.contacts.count)
        try step.expect("contact_names", first.contacts.map(\.name))
        try step.expect("stay", first.stay?.stay?.place)
        try step.expect("blood_group", first.medical?.card.bloodGroup)
        try step.expect("allergies", first.medical?.card.allergies)
        try step.expect("note", first.note)
        try step.expect("times_received", first.timesReceived)
        try step.expect("attachments", (first.attachments ?? []).count)
        try step.expect("compact", first.compact?.channel)
        try step.expect("texts", (first.compact?.texts ?? []).compactMap(\.text))
        if let place = try Degrees(step) {
            let position = first.position.map { Degrees($0.latitude, $0.longitude) }
            try expect(position?.micro, is: place.micro)
        }
    }

    private func group(_ step: Step) async throws {
        let group = try player.stage.group(player.named(step, "of"))
        try expect(group != nil, is: step.optional("uploaded") ?? true)
        guard let group else { return }
        try step.expect("name", group.name)
        try step.expect("members", group.members.map(\.name))
        try step.expect("left", group.left)
        try step.expect("unverified", group.unverified)
    }

    private func acknowledge(_ step: Step) async throws {
        guard let first = try player.stage.cases(of: player.named(step, "of")).first else {
            throw Unexpected("no case")
        }
        try player.stage.acknowledge(
            first.id, officer: step.required("officer"), mission: step.required("mission"))
    }
}
