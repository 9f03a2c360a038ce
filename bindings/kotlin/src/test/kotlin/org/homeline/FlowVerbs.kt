package org.homeline

import kotlin.time.Duration.Companion.seconds
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue

/** The network, the phones, and what happens to Homeline as a whole. */
class FlowVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "link" to { Stage.link(it.text("to")) },
        "phone" to { player.take(it.text("name")) },
        // Two clocks are no nearer to each other than a request takes.
        "wait" to { Thread.sleep(it.int("ms").toLong()) },
        "open" to ::open,
        "reopen_from_disk" to ::open,
        "reopen" to { record(it, player.home.reopen()) },
        "lock_record" to { player.phone.vault.recordLocked = true },
        "unlock_record" to { player.phone.vault.recordLocked = false },
        "network_changed" to { player.home.networkChanged() },
        "sync" to ::sync,
        "export" to ::export,
        "erase" to { record(it, player.home.erase()) },
        "erase_request" to {
            assertEquals(it.text("state"), snake(player.home.state().eraseRequest))
        },
    )

    private suspend fun open(step: Step) {
        player.phone.open(
            channels = step.booleanOrNull("channels") ?: false,
            languages = step.texts("languages"),
        )
        record(step, player.home.state())
    }

    private fun record(step: Step, state: HomeState) =
        assertEquals(step.text("record"), snake(state.record))

    private suspend fun sync(step: Step) {
        val outcome = player.home.sync(deadline = 20.seconds)
        assertEquals(step.text("stopped"), snake(outcome.stopped))
        step.expect("sent", outcome.sent.toInt())
        step.expect("waiting", outcome.waiting.toInt())
        step.expect("parked", outcome.parked.toInt())
        step.expect("without_consent", outcome.withoutConsent)
    }

    private suspend fun export(step: Step) {
        val export = player.home.export()
        step.texts("contains").forEach { assertTrue(it in export.json, "no $it") }
        step.texts("lacks").forEach { assertFalse(it in export.json + export.summary, it) }
        step.texts("summary").forEach { assertTrue(it in export.summary, "no $it") }
    }
}
