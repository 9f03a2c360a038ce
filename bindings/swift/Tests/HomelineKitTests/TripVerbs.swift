import HomelineKit

/// Where the traveler should be, and what to look after.
struct TripVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "add_trip": addTrip,
            "current_stay": currentStay,
            "reminders": {
                let reminders = try await player.home().registration.reminders()
                try expect(reminders.map { snake($0.kind) }, is: $0.required("kinds"))
            },
        ]
    }

    private func addTrip(_ step: Step) async throws {
        let given = try step.child("trip")
        let trip = Trip(
            title: try given.optional("title"),
            departs: try given.required("departs"),
            returns: try given.optional("returns"),
            stays: try given.children("stays").map(stay))
        try await player.keep(player.home().trips.save(trip), as: step)
    }

    private func stay(_ step: Step) throws -> Stay {
        Stay(
            country: try step.required("country"),
            place: try step.required("place"),
            from: try step.required("from"),
            to: try step.required("to"),
            lodging: try step.optional("lodging"),
            companions: try step.texts("companions"))
    }

    /// Without a place: there is no stay now.
    private func currentStay(_ step: Step) async throws {
        let current = try await player.home().trips.currentStay()
        try step.expect("certainty", current.map { snake($0.certainty) })
        try step.expect("country", current?.stay?.country)
        try expect(current?.stay?.place, is: step.optional("place"))
    }
}
