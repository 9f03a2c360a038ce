import HomelineKit

/// Who: the traveler, those registered with them, whom to call, what may leave.
struct RecordVerbs {
    let player: Player

    init(_ player: Player) { self.player = player }

    var all: [String: Verb] {
        [
            "register": {
                try await player.home().registration.save(person($0.child("traveler")))
            },
            "traveler": traveler,
            "add_dependent": addDependent,
            "dependents": {
                let saved = try await player.home().dependents.list()
                try $0.expect("names", saved.map(\.person.name))
            },
            "add_contact": addContact,
            "move_contact": {
                try await player.home().contacts.moveTo(
                    id: player.named($0, "of"), position: $0.required("position"))
            },
            "contacts": {
                let saved = try await player.home().contacts.list()
                try $0.expect("count", saved.count)
                try $0.expect("names", saved.map(\.contact.name))
            },
            "consent": consent,
            "withdraw": { try await player.home().consents.withdraw(purpose($0)) },
            "consent_state": {
                let inForce = try await player.home().consents.inForce(purpose($0))
                try expect(inForce, is: $0.required("in_force"))
            },
            "save_medical_card": saveMedicalCard,
            "medical_card": medicalCard,
        ]
    }

    private func traveler(_ step: Step) async throws {
        let traveler = try await player.home().registration.traveler()
        try expect(traveler != nil, is: step.optional("saved") ?? true)
        guard let traveler else { return }
        try step.expect("name", traveler.name)
        try step.expect("phone", traveler.phone)
        try step.expect("kind", snake(traveler.kind))
        let document = traveler.documents.first
        try step.expect("document", document?.number)
        try step.expect("document_kind", document?.kind.map { snake($0) })
        try step.expect("issuing_state", document?.issuingState)
        try step.expect("expiry_date", document?.expiryDate)
    }

    private func addDependent(_ step: Step) async throws {
        let agreed = try step.child("agreed")
        let dependent = Dependent(
            person: try person(step.child("person")),
            capacity: try named(step.required("capacity")),
            agreed: Agreement(
                way: try named(agreed.required("way")),
                date: try agreed.required("date")))
        try await player.keep(player.home().dependents.save(dependent), as: step)
    }

    private func addContact(_ step: Step) async throws {
        let contact = Contact(
            name: try step.required("name"),
            phone: try step.required("phone"),
            relation: try named(step.required("relation")),
            languages: try step.texts("languages"),
            mayBeTold: try step.texts("may_be_told").map { try named($0) },
            secondPhone: try step.optional("second_phone"),
            email: try step.optional("email"),
            note: try step.optional("note"))
        try await player.keep(player.home().contacts.add(contact), as: step)
    }

    private func consent(_ step: Step) async throws {
        let subject: String? = try step.optional("subject")
        let given = ConsentGiven(
            purpose: try purpose(step),
            textVersion: try step.required("text_version"),
            language: try step.optional("language") ?? "",
            guardian: try step.optionalChild("guardian").map {
                Guardian(name: try $0.required("name"), relation: try $0.required("relation"))
            },
            subject: try subject.map(player.named))
        try await player.home().consents.giveAs(given)
    }

    private func saveMedicalCard(_ step: Step) async throws {
        let given = try step.child("card")
        let bloodGroup: String? = try given.optional("blood_group")
        let card = MedicalCard(
            bloodGroup: try bloodGroup.map { try named($0) },
            allergies: try given.texts("allergies"),
            medication: try given.texts("medication"),
            conditions: try given.texts("conditions"),
            notes: try given.optional("notes"),
            languages: try given.texts("languages"))
        try await player.home().registration.saveMedicalCard(card)
    }

    private func medicalCard(_ step: Step) async throws {
        let card = try await player.home().registration.medicalCard()
        try expect(card != nil, is: step.optional("saved") ?? true)
        guard let card else { return }
        try step.expect("blood_group", card.bloodGroup.map { snake($0) })
        try step.expect("allergies", card.allergies)
    }

    private func purpose(_ step: Step) throws -> Purpose {
        try named(step.required("purpose"))
    }
}
