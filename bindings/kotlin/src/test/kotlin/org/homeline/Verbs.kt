package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.assertThrows

/** A verb of the scenarios: it does what the step says, and fails unless all is as it says. */
typealias Verb = suspend (Step) -> Unit

/** What the verbs of the scenarios do; `tests/scenarios` speaks them. */
class Verbs(player: Player) {
    private val verbs: Map<String, Verb> =
        FlowVerbs(player).all + RecordVerbs(player).all + TripVerbs(player).all +
            GroupVerbs(player).all + PhonesVerbs(player).all + paperVerbs +
            WhereaboutsVerbs(player).all + SosVerbs(player).all + ChannelVerbs(player).all +
            RelayVerbs(player).all + AttachmentVerbs(player).all + AbroadVerbs(player).all +
            AlertVerbs(player).all + DeskVerbs(player).all

    /** Does what the step says, and fails unless it ends as the step says. */
    suspend fun perform(step: Step) {
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

    private suspend fun act(step: Step) {
        val verb = step.text("do")
        (verbs[verb] ?: throw AssertionError("unknown verb `$verb`"))(step)
    }
}
