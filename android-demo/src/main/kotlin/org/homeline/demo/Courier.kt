package org.homeline.demo

import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.homeline.Homeline
import org.homeline.HomelineException
import org.homeline.SyncOutcome

/** A pass of `sync`: whether one runs, how the last one ended, and when the next is due. */
data class CourierView(
    val running: Boolean = false,
    val last: SyncOutcome? = null,
    /** Milliseconds UTC; null: when the network changes, or something new is there. */
    val nextMs: Long? = null,
    val failure: HomelineException? = null,
)

/**
 * Sends while the app is in front: one pass at once, the next when Homeline says so, or when
 * [wake] is called. While the app is not in front the library's `SyncJob` does it.
 */
class Courier(private val home: Homeline, private val phone: Phone, private val scope: CoroutineScope) {
    private val shown = MutableStateFlow(CourierView())
    private val wakes = Channel<Unit>(Channel.CONFLATED)
    private var running: Job? = null

    /** What it does. */
    val view: StateFlow<CourierView> = shown.asStateFlow()

    /** The app has come to the front. */
    fun start() {
        if (running?.isActive == true) return
        running = scope.launch {
            while (true) {
                val wait = pass()
                if (wait == null) wakes.receive() else withTimeoutOrNull(wait) { wakes.receive() }
            }
        }
    }

    /** The app is no longer in front: the pass ends, and what it proved stays. */
    fun stop() {
        running?.cancel()
        running = null
        phone.schedule()
    }

    /** Something new waits, or the network has changed. */
    fun wake() {
        phone.schedule()
        wakes.trySend(Unit)
    }

    /** One pass; how long to wait after it, in milliseconds. */
    private suspend fun pass(): Long? {
        shown.value = shown.value.copy(running = true)
        try {
            val outcome = home.sync(deadline = 60.seconds)
            val wait = outcome.nextMs?.coerceAtLeast(SHORTEST_WAIT_MS)
            shown.value = CourierView(last = outcome, nextMs = wait?.let { phone.now() + it })
            return wait
        } catch (failure: HomelineException) {
            shown.value = CourierView(failure = failure)
            return RETRY_MS
        } finally {
            shown.value = shown.value.copy(running = false)
        }
    }

    private companion object {
        /** Whatever the outcome says: not a busy loop. */
        const val SHORTEST_WAIT_MS = 500L

        /** After a failure of the files: a full disk may have room again. */
        const val RETRY_MS = 30_000L
    }
}
