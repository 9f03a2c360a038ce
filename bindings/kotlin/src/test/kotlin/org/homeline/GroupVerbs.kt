package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** Groups: texts that go from one phone to another. */
class GroupVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "create_group" to ::create,
        "invite" to { step -> keep(step) { invitation(player.named(step, "to")) } },
        "invitation" to ::invitation,
        "join" to { step ->
            keep(step) { join(player.named(step, "text"), step.text("text_version")) }
        },
        "leave" to { step -> keep(step) { leave(player.named(step, "group")) } },
        "alter" to ::alter,
        "add_text" to ::addText,
        "add_by_hand" to ::addByHand,
        "members" to ::members,
        "groups" to { step ->
            assertEquals(step.texts("states"), groups { list() }.map { snake(it.state) })
        },
        "close_group" to { step -> groups { close(player.named(step, "of")) } },
    )

    private suspend fun create(step: Step) {
        val given = step.child("details")
        val details = GroupDetails(
            name = given.text("name"),
            kind = named(given.text("kind")),
            agency = given.textOrNull("agency"),
            firstDay = given.textOrNull("first_day"),
            lastDay = given.textOrNull("last_day"),
        )
        keep(step) { create(details) }
    }

    private suspend fun invitation(step: Step) {
        val view = groups { readInvitation(player.named(step, "text")) }
        step.expect("name", view.details.name)
        step.expect("state", snake(view.state))
        step.expect("shares", view.shares.map(::snake))
    }

    /** Somebody changes one letter in the middle of a text. */
    private suspend fun alter(step: Step) {
        val text = StringBuilder(player.named(step, "text"))
        val middle = text.length / 2
        text[middle] = if (text[middle] == 'A') 'B' else 'A'
        player.keep(step, text.toString())
    }

    private suspend fun addText(step: Step) {
        val outcome = groups { add(player.named(step, "text")) }
        step.expect("outcome", snake(outcome))
    }

    private suspend fun addByHand(step: Step) {
        val traveler = person(step.child("person"))
        val outcome = groups { addByHand(player.named(step, "to"), traveler) }
        assertEquals(step.text("outcome"), snake(outcome))
    }

    private suspend fun members(step: Step) {
        val members = groups { members(player.named(step, "of")) }
        assertEquals(step.texts("names"), members.map { it.name })
    }

    /** Keeps what the call returns under the step's name for it. */
    private suspend fun keep(step: Step, call: suspend Groups.() -> String) = player.keep(step, groups(call))

    private suspend fun <T> groups(call: suspend Groups.() -> T) = player.home.groups.call()
}
