package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** How dangerous it is: alerts at places, the arrival notice, what to notify. */
class AlertVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "alerts_at" to ::at,
        "alerts_in" to { step ->
            val there = alerts { inCountries(step.texts("countries")) }
            assertEquals(step.texts("headlines"), headlines(there))
        },
        "alerts_of_trips" to { step ->
            val stays = alerts { ofTrips() }
            assertEquals(step.texts("stays"), stays.map(::ofStay))
        },
        // Every alert that the phone has, whatever became of it.
        "all_alerts" to { step ->
            val states = alerts { all() }.map { "${it.identifier} ${snake(it.state)}" }
            assertEquals(step.texts("states"), states)
        },
        "arrival" to ::arrival,
        "arrival_shown" to { alerts { arrivalShown() } },
        "plan" to ::plan,
        "plan_shown" to { alerts { planShown() } },
        "mark_read" to { step ->
            val sender = step.text("sender")
            alerts { markRead(step.texts("identifiers").map { AlertReference(sender, it, null) }) }
        },
    )

    /** Without a level: there is none. */
    private suspend fun at(step: Step) {
        val here = alerts { at(asked(step)) }
        assertEquals(step.textOrNull("level"), here.level?.wording?.text)
        assertEquals(step.texts("headlines"), headlines(here))
        step.expect("known", here.asOfMs != null)
    }

    /** Without a country: there is no notice. */
    private suspend fun arrival(step: Step) {
        val notice = alerts { arrival() }
        assertEquals(step.textOrNull("country"), notice?.country)
        if (notice == null) return
        step.expect("is_new", notice.isNew)
        assertEquals(step.texts("passed"), notice.passed)
        step.expect("level", notice.level?.wording?.text)
        step.expect("alerts", notice.alerts.size)
        step.expect("mission", notice.mission?.id)
        step.expect("phone", notice.mission?.phones?.firstOrNull()?.number)
        step.expect("numbers", notice.numbers?.let(::numbers))
        step.expect("hotline", notice.hotline.firstOrNull()?.number)
    }

    private suspend fun plan(step: Step) {
        val plan = alerts { plan(step.texts("countries")) }
        assertEquals(step.texts("show"), plan.show.map(::planned))
        assertEquals(step.texts("withdraw"), plan.withdraw.map { it.identifier })
    }

    /** Why and how loudly; `here` where the traveler is there, `unread` until it was read. */
    private fun planned(planned: PlannedAlert) = listOfNotNull(
        planned.alert.identifier,
        snake(planned.news),
        snake(planned.loudness),
        if (planned.isHere) "here" else null,
        planned.newSinceMs?.let { "unread" },
    ).joinToString(" ")

    /** `Rize: floods, strikes`. */
    private fun ofStay(view: TripAlerts) =
        "${view.stay.place}: ${headlines(view.alerts).joinToString()}"

    private fun headlines(alerts: PlaceAlerts) = alerts.alerts.mapNotNull { it.headline?.text }

    private suspend fun <T> alerts(call: suspend Alerts.() -> T) = player.home.alerts.call()
}
