package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** Who: the traveler, those registered with them, whom to call, what may leave. */
class RecordVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "register" to { step -> registration { save(person(step.child("traveler"))) } },
        "traveler" to ::traveler,
        "add_dependent" to ::addDependent,
        "dependents" to ::dependents,
        "add_contact" to ::addContact,
        "move_contact" to ::moveContact,
        "contacts" to ::contactList,
        "consent" to ::consent,
        "withdraw" to { step -> consents { withdraw(purpose(step)) } },
        "consent_state" to ::consentState,
        "save_medical_card" to ::saveMedicalCard,
        "medical_card" to ::medicalCard,
    )

    private suspend fun traveler(step: Step) {
        val traveler = registration { traveler() }
        assertEquals(step.booleanOrNull("saved") ?: true, traveler != null)
        if (traveler == null) return
        step.expect("name", traveler.name)
        step.expect("phone", traveler.phone)
        step.expect("kind", snake(traveler.kind))
        val document = traveler.documents.firstOrNull()
        step.expect("document", document?.number)
        step.expect("document_kind", document?.kind?.let(::snake))
        step.expect("issuing_state", document?.issuingState)
        step.expect("expiry_date", document?.expiryDate)
    }

    private suspend fun addDependent(step: Step) {
        val agreed = step.child("agreed")
        val dependent = Dependent(
            person = person(step.child("person")),
            capacity = named(step.text("capacity")),
            agreed = Agreement(named(agreed.text("way")), agreed.text("date")),
        )
        player.keep(step, player.home.dependents.save(dependent))
    }

    private suspend fun dependents(step: Step) {
        val saved = player.home.dependents.list()
        step.expect("names", saved.map { it.person.name })
    }

    private suspend fun addContact(step: Step) {
        val contact = Contact(
            name = step.text("name"),
            phone = step.text("phone"),
            relation = named(step.text("relation")),
            languages = step.texts("languages"),
            mayBeTold = step.texts("may_be_told").map { named<Tell>(it) },
            secondPhone = step.textOrNull("second_phone"),
            email = step.textOrNull("email"),
            note = step.textOrNull("note"),
        )
        player.keep(step, contacts { add(contact) })
    }

    private suspend fun moveContact(step: Step) {
        val id = player.named(step, "of")
        contacts { moveTo(id, step.int("position").toUInt()) }
    }

    private suspend fun contactList(step: Step) {
        val saved = contacts { list() }
        step.expect("count", saved.size)
        step.expect("names", saved.map { it.contact.name })
    }

    private suspend fun consent(step: Step) {
        val given = ConsentGiven(
            purpose = purpose(step),
            textVersion = step.text("text_version"),
            language = step.textOrNull("language") ?: "",
            guardian = step.childOrNull("guardian")?.let {
                Guardian(it.text("name"), it.text("relation"))
            },
            subject = player.namedOrNull(step, "subject"),
        )
        consents { giveAs(given) }
    }

    private suspend fun consentState(step: Step) {
        val inForce = consents { inForce(purpose(step)) }
        assertEquals(step.boolean("in_force"), inForce)
    }

    private suspend fun saveMedicalCard(step: Step) {
        val given = step.child("card")
        val card = MedicalCard(
            bloodGroup = given.textOrNull("blood_group")?.let { named<BloodGroup>(it) },
            allergies = given.texts("allergies"),
            medication = given.texts("medication"),
            conditions = given.texts("conditions"),
            notes = given.textOrNull("notes"),
            languages = given.texts("languages"),
        )
        registration { saveMedicalCard(card) }
    }

    private suspend fun medicalCard(step: Step) {
        val card = registration { medicalCard() }
        assertEquals(step.booleanOrNull("saved") ?: true, card != null)
        if (card == null) return
        step.expect("blood_group", card.bloodGroup?.let(::snake))
        step.expect("allergies", card.allergies)
    }

    private fun purpose(step: Step): Purpose = named(step.text("purpose"))

    private suspend fun <T> registration(call: suspend Registration.() -> T) = player.home.registration.call()

    private suspend fun <T> contacts(call: suspend Contacts.() -> T) = player.home.contacts.call()

    private suspend fun <T> consents(call: suspend Consents.() -> T) = player.home.consents.call()
}
