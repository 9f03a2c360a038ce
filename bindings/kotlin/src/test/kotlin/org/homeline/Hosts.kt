package org.homeline

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** Text that must not come back: what a host's exception says is not ours to show. */
const val SECRET = "passport E12345678"

/** A vault that fails as [failure] says, for every key. */
class FailingVault(private val failure: () -> Nothing) : KeyVault {
    override fun wrap(purpose: KeyPurpose, secret: ByteArray): ByteArray = failure()

    override fun unwrap(purpose: KeyPurpose, wrapped: ByteArray): ByteArray = failure()
}

/** A network that fails as [failure] says, and counts how often it was asked. */
class FailingTransport(private val failure: () -> Nothing) : Transport {
    var exchanges = 0
        private set

    override fun exchange(request: HttpRequest): HttpResponse {
        exchanges += 1
        failure()
    }

    override fun cancel(): Boolean = failure()
}

/** The system's clocks, the one on the wall moved by [wallShiftMs]. */
class ShiftedClock : Clock {
    @Volatile
    var wallShiftMs = 0L

    override fun read() = ClockReading(
        wallMs = System.currentTimeMillis() + wallShiftMs,
        monotonicMs = System.nanoTime() / 1_000_000,
        bootId = "boot",
    )
}

/** A network that answers nothing until it is told to stop. */
class HangingTransport : Transport {
    val begun = CountDownLatch(1)
    val cancelled = CountDownLatch(1)

    @Volatile
    var exchanges = 0
        private set

    override fun exchange(request: HttpRequest): HttpResponse {
        exchanges += 1
        begun.countDown()
        cancelled.await(60, TimeUnit.SECONDS)
        throw TransportException.Cancelled()
    }

    override fun cancel(): Boolean {
        cancelled.countDown()
        return true
    }
}
