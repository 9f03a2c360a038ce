import HomelineKit

/// How dangerous it is: alerts at places, the arrival notice, what to notify.
struct AlertVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "alerts_at": at,
            "alerts_in": {
                let there = try await alerts().inCountries(codes: $0.required("countries"))
                try expect(headlines(there), is: $0.texts("headlines"))
            },
            "alerts_of_trips": {
                let stays = try await alerts().ofTrips().map { view in
                    "\(view.stay.place): \(headlines(view.alerts).joined(separator: ", "))"
                }
                try expect(stays, is: $0.required("stays"))
            },
            // Every alert that the phone has, whatever became of it.
            "all_alerts": {
                let states = try await alerts().all().map { "\($0.identifier) \(snake($0.state))" }
                try expect(states, is: $0.required("states"))
            },
            "arrival": arrival,
            "arrival_shown": { _ in try await alerts().arrivalShown() },
            "plan": plan,
            "plan_shown": { _ in try await alerts().planShown() },
            "mark_read": {
                let sender: String = try $0.required("sender")
                let read = try $0.texts("identifiers").map {
                    AlertReference(sender: sender, identifier: $0, sentMs: nil)
                }
                try await alerts().markRead(alerts: read)
            },
        ]
    }

    private func alerts() throws -> Alerts {
        try player.home().alerts
    }

    /// Without a level: there is none.
    private func at(_ step: Step) async throws {
        let here = try await alerts().at(asked(step))
        try expect(here.level?.wording.text, is: step.optional("level"))
        try expect(headlines(here), is: step.texts("headlines"))
        try step.expect("known", here.asOfMs != nil)
    }

    /// Without a country: there is no notice.
    private func arrival(_ step: Step) async throws {
        let notice = try await alerts().arrival()
        try expect(notice?.country, is: step.optional("country"))
        guard let notice else { return }
        try step.expect("is_new", notice.isNew)
        try expect(notice.passed, is: step.texts("passed"))
        try step.expect("level", notice.level?.wording.text)
        try step.expect("alerts", notice.alerts.count)
        try step.expect("mission", notice.mission?.id)
        try step.expect("phone", notice.mission?.phones.first?.number)
        try step.expect("numbers", notice.numbers.map(numbers))
        try step.expect("hotline", notice.hotline.first?.number)
    }

    private func plan(_ step: Step) async throws {
        let plan = try await alerts().plan(countries: step.texts("countries"))
        try expect(plan.show.map(planned), is: step.texts("show"))
        try expect(plan.withdraw.map(\.identifier), is: step.texts("withdraw"))
    }

    /// Why and how loudly; `here` where the traveler is there, `unread` until it was read.
    private func planned(_ planned: PlannedAlert) -> String {
        var words = [planned.alert.identifier, snake(planned.news), snake(planned.loudness)]
        if planned.isHere { words.append("here") }
        if planned.newSinceMs != nil { words.append("unread") }
        return words.joined(separator: " ")
    }

    private func headlines(_ alerts: PlaceAlerts) -> [String] {
        alerts.alerts.compactMap { $0.headline?.text }
    }
}
