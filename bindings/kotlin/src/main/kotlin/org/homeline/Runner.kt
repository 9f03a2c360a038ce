package org.homeline

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** How long a cancelled call may need until it hears of it, asked again and again. */
private const val ASK_AGAIN_MS = 50L

/**
 * Runs a call that only touches the disk: to its end, with its result, whatever becomes of the
 * coroutine. The outer context is there because a change of dispatcher alone would throw at the
 * end of the call.
 */
internal suspend fun <T> onDisk(call: () -> T): T =
    withContext(NonCancellable) { withContext(Dispatchers.IO) { call() } }

/** Runs the calls of one [Homeline]. */
internal class Runner(private val blocking: BlockingHomeline) {
    suspend fun <T> local(call: () -> T): T = onDisk(call)

    /** Runs a call that waits for the network: a cancellation ends it, and waits for its end. */
    suspend fun <T> network(call: () -> T): T = coroutineScope {
        val running = async(Dispatchers.IO) { call() }
        try {
            running.await()
        } catch (cancelled: CancellationException) {
            withContext(NonCancellable) {
                // Again, for a pass that had not begun when it was cancelled hears nothing.
                while (!running.isCompleted) {
                    onDisk { blocking.cancelSync() }
                    withTimeoutOrNull(ASK_AGAIN_MS) { running.join() }
                }
            }
            throw cancelled
        }
    }
}
