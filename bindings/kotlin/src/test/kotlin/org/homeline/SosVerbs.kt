package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull

/** A press, and what this phone knows of it. */
class SosVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "press" to ::press,
        "cancel" to { step -> sos { cancel(player.named(step, "of")) } },
        "status" to ::status,
        // This phone's own reports, the newest first.
        "reports" to { step ->
            assertEquals(step.texts("states"), sos { reports() }.map { snake(it.state) })
        },
        "parked" to ::parked,
        // The parked item of that kind waits again.
        "try_again" to { step ->
            val item = player.home.parked().first { snake(it.kind) == step.text("kind") }
            player.home.tryAgain(item.id)
        },
    )

    private suspend fun press(step: Step) {
        val request = SosRequest(
            kind = named(step.text("kind")),
            note = step.text("note"),
            countdownS = step.intOrNull("countdown_s")?.toUInt() ?: 0u,
        )
        val report = sos { press(request) }
        player.namedOrNull(step, "same_as")?.let { assertEquals(it, report) }
        player.keep(step, report)
    }

    private suspend fun status(step: Step) {
        val status = sos { status(player.named(step, "of")) }
        val state = status.state
        step.expect("state", snake(state))
        step.expect("attempts", status.attempts.toInt())
        step.expect("receipts", status.events.mapNotNull { receipt(it.evidence) })
        if (state is ReportState.Handed) step.expect("channel", snake(state.channel))
        if (state is ReportState.Parked) step.expect("reason", state.reason)
        if (state is ReportState.Acknowledged) step.expect("officer", state.officer)
        if (state is ReportState.Cancelled) {
            step.expect("known_at_ministry", state.knownAtMinistryMs != null)
        }
    }

    /** What proves the report: `full`, or by which channel its short form went. */
    private fun receipt(evidence: Evidence): String? = when (evidence) {
        is Evidence.Receipt -> "full"
        is Evidence.CompactReceipt -> snake(evidence.channel)
        else -> null
    }

    /** What the ministry has refused, in the order in which it was made. */
    private suspend fun parked(step: Step) {
        val parked = player.home.parked()
        assertEquals(step.texts("kinds"), parked.map { snake(it.kind) })
        val (status, reason) = Pair(step.intOrNull("status"), step.textOrNull("reason"))
        parked.forEach { item ->
            assertNotNull(item.sinceMs)
            if (status != null) assertEquals(status, item.status?.toInt())
            if (reason != null) assertEquals(reason, item.reason)
        }
    }

    private suspend fun <T> sos(call: suspend Sos.() -> T) = player.home.sos.call()
}
