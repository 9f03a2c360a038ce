package org.homeline

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals

/** What the duty officer has. */
class DeskVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "desk" to ::desk,
        "desk_group" to ::group,
        "acknowledge" to ::acknowledge,
    )

    private suspend fun desk(step: Step) {
        val cases = Stage.cases(player.named(step, "of"))
        assertEquals(step.int("cases"), cases.size)
        val case = cases.firstOrNull() ?: return
        step.expect("state", case.text("state"))
        step.expect("kind", case.text("kind"))
        val traveler = case["traveler"] as? JsonObject
        step.expect("traveler", traveler?.text("name"))
        step.expect("traveler_kind", (traveler?.get("kind") as? JsonObject)?.text("kind"))
        step.expect("dependents", case.list("dependents").map { it.jsonObject.text("name") })
        val contacts = case.list("contacts")
        step.expect("contacts", contacts.size)
        step.expect("contact_names", contacts.map { it.jsonObject.text("name") })
        val stay = (case["stay"] as? JsonObject)?.get("stay") as? JsonObject
        step.expect("stay", stay?.text("place"))
        val card = (case["medical"] as? JsonObject)?.getValue("card")?.jsonObject
        step.expect("blood_group", card?.text("blood_group"))
        step.expect("allergies", card?.list("allergies").orEmpty().map { it.jsonPrimitive.content })
        step.expect("note", case.text("note"))
        step.expect("times_received", case.getValue("times_received").jsonPrimitive.int)
        step.expect("attachments", case.list("attachments").size)
        val compact = case["compact"] as? JsonObject
        step.expect("compact", compact?.text("channel"))
        val texts = compact?.list("texts").orEmpty().map { it.jsonObject.text("text") }
        step.expect("texts", texts)
        place(step)?.let { assertEquals(micro(it), micro(position(case))) }
    }

    private fun position(case: JsonObject): Pair<Double, Double> {
        val position = case.getValue("position").jsonObject
        val degrees = { key: String -> position.getValue(key).jsonPrimitive.double }
        return Pair(degrees("latitude"), degrees("longitude"))
    }

    private suspend fun group(step: Step) {
        val group = Stage.group(player.named(step, "of"))
        assertEquals(step.booleanOrNull("uploaded") ?: true, group != null)
        if (group == null) return
        step.expect("name", group.text("name"))
        step.expect("members", group.list("members").map { it.jsonObject.text("name") })
        step.expect("left", group.getValue("left").jsonPrimitive.int)
        step.expect("unverified", group.getValue("unverified").jsonPrimitive.int)
    }

    private suspend fun acknowledge(step: Step) {
        val case = Stage.cases(player.named(step, "of")).single().text("id")
        Stage.acknowledge(case, step.text("officer"), step.text("mission"))
    }
}

private fun JsonObject.text(key: String) = getValue(key).jsonPrimitive.content

/** A list that is left out where it is empty. */
private fun JsonObject.list(key: String): List<JsonElement> = this[key]?.jsonArray.orEmpty()
