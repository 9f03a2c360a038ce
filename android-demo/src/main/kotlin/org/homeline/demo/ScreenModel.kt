package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.homeline.Homeline
import org.homeline.HomelineException
import org.homeline.Topic

/**
 * What the models of the screens share. A model reads everything anew from Homeline whenever
 * one of its [topics] has changed; it keeps nothing that is not on disk but what the traveler
 * is typing. It lives as long as the process, so that a turned phone loses nothing.
 */
abstract class ScreenModel<V>(
    protected val home: Homeline,
    protected val scope: CoroutineScope,
    first: V,
    private vararg val topics: Topic,
) {
    private val shown = MutableStateFlow(first)

    /** One at a time: what was read first must not be shown last. */
    private val reading = Mutex()

    /** What the screen shows. */
    val view: StateFlow<V> = shown.asStateFlow()

    /** Follows the changes. To be called once. */
    fun start() {
        scope.launch { home.changes(*topics).conflate().collect { refresh() } }
    }

    /** Reads everything anew. */
    suspend fun refresh() = reading.withLock { shown.update(read()) }

    /** Runs [action] while nothing is read: half of what it does is not shown. */
    protected suspend fun unseen(action: suspend () -> Unit) = reading.withLock { action() }

    /** Reads what the screen shows, and says how to put it into the view. */
    protected abstract suspend fun read(): (V) -> V

    protected fun show(change: (V) -> V) = shown.update(change)

    /** Runs [action]; a failure goes to [failed]; the screen is read anew either way. */
    protected fun act(failed: (HomelineException) -> Unit, action: suspend () -> Unit): Job = scope.launch {
        try {
            action()
        } catch (failure: HomelineException) {
            failed(failure)
        }
        refresh()
    }
}

/**
 * The answer of [read], or null where it cannot be read now: locked, key lost, damaged. Why is
 * in the banner of the window ([StateModel]), and the screen shows what it can.
 */
suspend fun <T> readable(read: suspend () -> T): T? = try {
    read()
} catch (_: HomelineException) {
    null
}
