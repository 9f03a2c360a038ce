package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** Several phones of one traveler. */
class PhonesVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "link_code" to { step -> player.keep(step, phones { linkCode() }) },
        "link_phone" to { step -> phones { link(player.named(step, "code")) } },
        "link_state" to { step -> assertEquals(step.text("state"), snake(phones { state() })) },
        "phones" to { step ->
            assertEquals(step.texts("kinds"), phones { list() }.map { snake(it.whose) })
        },
        // What this phone tells of the other's changes, the newest first.
        "merged" to { step ->
            assertEquals(step.texts("outcomes"), phones { merged() }.map { snake(it.outcome) })
        },
        "dismiss_merged" to { phones { dismiss(Long.MAX_VALUE) } },
    )

    private suspend fun <T> phones(call: suspend Phones.() -> T) = player.home.phones.call()
}
