package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** Single packets, text messages, and what to try next. */
class ChannelVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        // One packet, and the wait for its receipt.
        "send_datagram" to { step ->
            val outcome = sos { sendDatagram(player.named(step, "of")) }
            assertEquals(step.text("outcome"), snake(outcome))
        },
        "sms_plan" to ::plan,
        // What the platform says of a part that it was handed.
        "sms_result" to { step ->
            val result = named<SmsResult>(step.text("result"))
            sos { smsResult(player.named(step, "of"), step.int("part").toUInt(), result) }
        },
        "deliver_sms" to ::deliver,
        "sms_received" to { step ->
            val answer = sos { smsReceived(player.named(step, "text")) }
            assertEquals(step.text("answer"), snake(answer))
        },
        "next_steps" to ::nextSteps,
    )

    /** The text of part 2 of the plan `plan` is kept as `plan 2`. */
    private suspend fun plan(step: Step) {
        val plan = sos { smsPlan(player.named(step, "of")) }
        assertEquals(step.textOrNull("obstacle"), plan.obstacle?.let(::snake))
        assertEquals(step.texts("next"), plan.parts.map { snake(it.next) })
        assertTrue(plan.plain.length <= 70, plan.plain)
        step.textOrNull("plain")?.let { assertTrue(plan.plain.startsWith(it), plan.plain) }
        val name = step.textOrNull("as")
        plan.parts.forEach { part ->
            if (part.part == 1u) assertEquals(Pair(1u, 160), Pair(part.messages, part.text.length))
            assertTrue(part.next == SmsNext.Enough || part.number.startsWith("+"))
            if (name != null) player.keep("$name ${part.part}", part.text)
        }
    }

    /** The gateway brings a text to the ministry; `as`: the text that comes back. */
    private suspend fun deliver(step: Step) {
        val reply = Stage.deliverText(player.named(step, "text"))
        assertEquals(step.textOrNull("as") != null, reply.isNotEmpty(), "a text comes back")
        player.keep(step, reply)
    }

    /** What to try next for a report, the most urgent first. */
    private suspend fun nextSteps(step: Step) {
        val conditions = conditions(step.child("conditions"))
        val steps = sos { nextSteps(player.named(step, "of"), conditions) }
        assertEquals(step.texts("actions"), steps.map { snake(it.action) })
        step.expect("why", steps.map { snake(it.why) })
        val inAMinute = System.currentTimeMillis() + 60_000
        step.expect("later", steps.filter { it.fromMs > inAMinute }.map { snake(it.action) })
        step.expect("cautions", steps.flatMap { it.cautions }.map(::snake))
    }

    /** What a scenario does not say is as on a phone in a city, and rules nothing out. */
    private fun conditions(step: Step) = Conditions(
        network = case(step, "network", NetworkState.VALIDATED),
        // The phone has come to this network just now.
        networkSinceMs = if (step.booleanOrNull("new_network") == true) {
            System.currentTimeMillis() + 1
        } else {
            null
        },
        cost = case(step, "cost", DataCost.FREE),
        sms = case(step, "sms", SmsAbility.POSSIBLE),
        smsAttemptsLeft = step.intOrNull("sms_attempts_left")?.toUInt(),
        satellite = case(step, "satellite", SatelliteLink.ABSENT),
        neighbours = case(step, "neighbours", Neighbours.ABSENT),
        voice = case(step, "voice", VoiceAbility.POSSIBLE),
        batteryPercent = step.intOrNull("battery_percent")?.toUByte(),
    )

    private inline fun <reified T : Enum<T>> case(step: Step, key: String, otherwise: T): T =
        step.textOrNull(key)?.let { named<T>(it) } ?: otherwise

    private suspend fun <T> sos(call: suspend Sos.() -> T) = player.home.sos.call()
}
