package org.homeline

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.assertThrows

/** What the verbs of the scenarios do; `tests/scenarios` speaks them. */
class Verbs(private val phone: Phone) {
    /** Ids of the reports by the names that the scenario gave them. */
    private val reports = mutableMapOf<String, String>()

    /** Does what the step says, and fails unless it ends as the step says. */
    fun perform(step: Step) {
        val field = step.textOrNull("invalid")
        val error = step.textOrNull("error")
        if (field != null) {
            val thrown = assertThrows<HomelineException.Invalid> { act(step) }
            assertEquals(field, thrown.field)
            assertEquals(step.text("problem"), snake(thrown.problem))
        } else if (error != null) {
            assertEquals(error, snake(assertThrows<HomelineException> { act(step) }))
        } else {
            act(step)
        }
        assertEquals(emptySet<String>(), step.neverRead, "keys that no verb knows")
    }

    private fun act(step: Step) {
        when (val verb = step.text("do")) {
            "link" -> Stage.link(step.text("to"))
            "open", "reopen_from_disk" -> {
                phone.open()
                record(step, phone.home.state())
            }
            "reopen" -> record(step, phone.home.reopen())
            "lock_record" -> phone.vault.recordLocked = true
            "unlock_record" -> phone.vault.recordLocked = false
            "register" -> register(step.child("traveler"))
            "traveler" -> traveler(step)
            "add_contact" -> addContact(step)
            "contacts" -> assertEquals(step.int("count"), contacts { list().size })
            "consent" -> consent(step)
            "record_fix" -> recordFix(step)
            "press" -> press(step)
            "cancel" -> sos { cancel(report(step)) }
            "status" -> status(step)
            "network_changed" -> phone.home.networkChanged()
            "sync" -> sync(step)
            "desk" -> desk(step)
            "acknowledge" -> acknowledge(step)
            else -> throw AssertionError("unknown verb `$verb`")
        }
    }

    private fun record(step: Step, state: HomeState) =
        assertEquals(step.text("record"), snake(state.record))

    private fun register(traveler: Step) {
        val kind = when (val kind = traveler.text("kind")) {
            "short_trip" -> TravelerKind.ShortTrip
            "long_stay" -> TravelerKind.LongStay
            "student" -> TravelerKind.Student(traveler.text("school"))
            "posted_worker" -> TravelerKind.PostedWorker(traveler.text("employer"))
            "crew" -> TravelerKind.Crew()
            else -> throw AssertionError("unknown kind `$kind`")
        }
        val given = Traveler(
            name = traveler.text("name"),
            kind = kind,
            phone = traveler.textOrNull("phone"),
            documents = listOfNotNull(traveler.textOrNull("document")?.let { TravelDocument(number = it) }),
        )
        registration { save(given) }
    }

    private fun traveler(step: Step) {
        val traveler = checkNotNull(registration { traveler() }) { "no traveler" }
        step.textOrNull("name")?.let { assertEquals(it, traveler.name) }
        step.textOrNull("phone")?.let { assertEquals(it, traveler.phone) }
        step.textOrNull("document")?.let { assertEquals(it, traveler.documents.first().number) }
    }

    private fun addContact(step: Step) {
        val relation = Relation.valueOf(step.text("relation").uppercase())
        contacts { add(Contact(step.text("name"), step.text("phone"), relation)) }
    }

    private fun consent(step: Step) {
        val purpose = Purpose.valueOf(step.text("purpose").uppercase())
        phone.home.consents().use { it.give(purpose, step.text("text_version")) }
    }

    private fun recordFix(step: Step) {
        val fix = Fix(
            position = Position.Wgs84(step.double("latitude"), step.double("longitude")),
            timeMs = System.currentTimeMillis(),
            accuracyM = step.doubleOrNull("accuracy_m"),
            source = FixSource.GNSS,
        )
        phone.home.whereabouts().use { it.record(fix) }
    }

    private fun press(step: Step) {
        val request = SosRequest(
            kind = SosKind.valueOf(step.text("kind").uppercase()),
            note = step.text("note"),
            countdownS = step.intOrNull("countdown_s")?.toUInt() ?: 0u,
        )
        val report = sos { press(request) }
        step.textOrNull("same_as")?.let { assertEquals(reports[it], report) }
        reports[step.text("as")] = report
    }

    private fun status(step: Step) {
        val status = sos { status(report(step)) }
        val state = status.state
        assertEquals(step.text("state"), snake(state))
        step.intOrNull("attempts")?.let { assertEquals(it.toUInt(), status.attempts) }
        step.textOrNull("officer")?.let {
            assertEquals(it, (state as ReportState.Acknowledged).officer)
        }
        step.booleanOrNull("known_at_ministry")?.let {
            assertEquals(it, (state as ReportState.Cancelled).knownAtMinistryMs != null)
        }
    }

    private fun sync(step: Step) {
        val outcome = phone.home.sync(deadlineMs = 20_000u)
        assertEquals(step.text("stopped"), snake(outcome.stopped))
        step.intOrNull("waiting")?.let { assertEquals(it.toUInt(), outcome.waiting) }
        step.intOrNull("parked")?.let { assertEquals(it.toUInt(), outcome.parked) }
    }

    private fun desk(step: Step) {
        val cases = Stage.cases(report(step))
        assertEquals(step.int("cases"), cases.size)
        step.textOrNull("state")?.let { assertEquals(it, cases.single().text("state")) }
        step.textOrNull("kind")?.let { assertEquals(it, cases.single().text("kind")) }
        step.textOrNull("traveler")?.let {
            assertEquals(it, cases.single().getValue("traveler").jsonObject.text("name"))
        }
        step.intOrNull("contacts")?.let {
            assertEquals(it, cases.single().getValue("contacts").jsonArray.size)
        }
    }

    private fun acknowledge(step: Step) {
        val case = Stage.cases(report(step)).single().text("id")
        Stage.acknowledge(case, step.text("officer"), step.text("mission"))
    }

    private fun report(step: Step) = reports.getValue(step.text("of"))

    private fun <T> registration(call: Registration.() -> T) = phone.home.registration().use(call)

    private fun <T> contacts(call: Contacts.() -> T) = phone.home.contacts().use(call)

    private fun <T> sos(call: Sos.() -> T) = phone.home.sos().use(call)
}

private fun JsonObject.text(key: String) = getValue(key).jsonPrimitive.content

/** The name of an enum's value or of a sealed class's case, as the scenarios write it. */
private fun snake(value: Any): String = when (value) {
    is Enum<*> -> value.name.lowercase()
    else -> value.javaClass.simpleName.replace(Regex("(?<=[a-z])(?=[A-Z])"), "_").lowercase()
}
