package org.homeline.demo

import kotlin.time.Duration.Companion.minutes
import org.homeline.NetworkState
import org.homeline.Stage
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** What waits, why, and since when. */
class OutboxScreenTest : Screens() {
    private fun press() {
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        app.clock.ahead += 1.minutes
        pass(1_000)
    }

    @Test
    fun `offline it says what waits and why, and sends it when it can`() {
        Stage.link("down")
        app.phone.network = NetworkState.DISCONNECTED
        press()
        tab(R.id.tab_outbox)
        activity.shows("Waiting to be sent: ")
        activity.shows("The ministry cannot be reached.")
        activity.shows("The oldest waits since ")
        activity.shows("Something else")
        Stage.link("up")
        activity.shows("Send now")
        activity.touch("Send now")
        activity.shows("Nothing waits.")
        activity.shows("Received by the ministry, case C-")
        activity.shows("The ministry’s last receipt: ")
    }

    @Test
    fun `what the ministry refused is kept, and can be sent again`() {
        Stage.link("refusing")
        press()
        tab(R.id.tab_outbox)
        activity.shows("Refused by the ministry")
        activity.shows("SOS report, refused ")
        Stage.link("up")
        activity.touch("Try again: SOS report")
        activity.shows("Received by the ministry, case C-")
        assertFalse("Look at each" in activity.words())
    }

    @Test
    fun `it says whether the library really runs`() {
        tab(R.id.tab_outbox)
        activity.shows("Last ran ")
        activity.shows("No position is known.")
        assertTrue("No report." in activity.words())
    }
}
