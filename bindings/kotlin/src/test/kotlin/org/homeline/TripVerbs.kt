package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** Where the traveler should be, and what to look after. */
class TripVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "add_trip" to ::addTrip,
        "current_stay" to ::currentStay,
        "reminders" to ::reminders,
    )

    private suspend fun addTrip(step: Step) {
        val given = step.child("trip")
        val trip = Trip(
            title = given.textOrNull("title"),
            departs = given.text("departs"),
            returns = given.textOrNull("returns"),
            stays = given.children("stays").map(::stay),
        )
        player.keep(step, player.home.trips.save(trip))
    }

    private fun stay(step: Step) = Stay(
        country = step.text("country"),
        place = step.text("place"),
        from = step.text("from"),
        to = step.text("to"),
        lodging = step.textOrNull("lodging"),
        companions = step.texts("companions"),
    )

    /** Without a place: there is no stay now. */
    private suspend fun currentStay(step: Step) {
        val current = player.home.trips.currentStay()
        step.expect("certainty", current?.certainty?.let(::snake))
        step.expect("country", current?.stay?.country)
        assertEquals(step.textOrNull("place"), current?.stay?.place)
    }

    private suspend fun reminders(step: Step) {
        val reminders = player.home.registration.reminders()
        assertEquals(step.texts("kinds"), reminders.map { snake(it.kind) })
    }
}
