package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** A press, and what this phone knows of it. */
class SosVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "press" to ::press,
        "cancel" to { step -> sos { cancel(player.named(step, "of")) } },
        "status" to ::status,
    )

    private fun press(step: Step) {
        val request = SosRequest(
            kind = named(step.text("kind")),
            note = step.text("note"),
            countdownS = step.intOrNull("countdown_s")?.toUInt() ?: 0u,
        )
        val report = sos { press(request) }
        player.namedOrNull(step, "same_as")?.let { assertEquals(it, report) }
        player.keep(step, report)
    }

    private fun status(step: Step) {
        val status = sos { status(player.named(step, "of")) }
        val state = status.state
        step.expect("state", snake(state))
        step.expect("attempts", status.attempts.toInt())
        if (state is ReportState.Acknowledged) step.expect("officer", state.officer)
        if (state is ReportState.Cancelled) {
            step.expect("known_at_ministry", state.knownAtMinistryMs != null)
        }
    }

    private fun <T> sos(call: Sos.() -> T) = player.home.sos().use(call)
}
