package org.homeline.demo

import android.view.ViewGroup
import org.homeline.HomeState
import org.homeline.RecordState
import org.homeline.Waiting

/** Draws what is wrong, above every screen: each bad state has its words, and what can be done. */
class Banner(private val root: ViewGroup, private val model: StateModel, private val words: Words) {
    fun render(state: HomeState?) = root.showItems(
        if (state == null) emptyList() else listOfNotNull(outbox(state.outbox), record(state.record), recovered(state)),
    )

    private fun record(state: RecordState): Item? = when (state) {
        RecordState.Open -> null
        RecordState.Locked -> Item(words.of(R.string.state_locked))
        RecordState.KeyLost -> Item(
            words.of(R.string.state_key_lost),
            null,
            listOf(ItemAction(words.of(R.string.state_key_lost_action)) { model.startNewRecord() }),
        )
        is RecordState.UpdateNeeded -> Item(words.of(R.string.state_update_needed))
        is RecordState.Unavailable -> Item(words.of(R.string.state_unavailable, words.problem(state.problem)))
        RecordState.Closed -> Item(words.of(R.string.state_closed))
    }

    private fun outbox(state: Waiting): Item? = (state as? Waiting.Unavailable)
        ?.let { Item(words.of(R.string.state_outbox_unavailable, words.problem(it.problem))) }

    private fun recovered(state: HomeState): Item? = state.recovered.lastOrNull()?.let {
        Item(
            words.of(R.string.state_recovered, words.time(it.atMs)),
            null,
            listOf(ItemAction(words.of(R.string.state_recovered_action)) { model.dismissRecoveries() }),
        )
    }
}
