package org.homeline.demo

import android.content.Intent
import android.widget.EditText
import android.widget.Spinner
import kotlin.time.Duration.Companion.minutes
import org.homeline.NetworkState
import org.homeline.ReportState
import org.homeline.SosKind
import org.homeline.Stage
import org.homeline.SyncStop
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowAlertDialog

/** The story of an SOS, as the traveler sees it. */
class SosScreenTest : Screens() {
    private fun reports() = call { it.sos.reports() }

    private fun countdownEnds() {
        app.clock.ahead += 1.minutes
        pass(1_000)
    }

    @Test
    fun `local emergency numbers come first, and one touch opens the dialler`() {
        call { it.whereabouts.record(istanbul) }
        activity.shows("Turkey")
        val words = activity.words()
        assertTrue(words.indexOf("112") in 0 until words.indexOf("Ask your consulate"))
        assertTrue(words.indexOf("does not replace the local emergency number") < words.indexOf("Hold to ask"))
        activity.touch("Police")
        val intent = shadowOf(activity).nextStartedActivity
        assertEquals(Intent.ACTION_DIAL, intent.action)
        assertEquals("tel:155", intent.data.toString())
    }

    @Test
    fun `a finger that lifts too soon presses nothing, and is told so`() {
        activity.hold(HoldButton.HOLD_MS / 2)
        activity.shows("Released too soon")
        assertTrue(reports().isEmpty())
    }

    @Test
    fun `held, it counts down, and cancel leaves nothing behind`() {
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        assertEquals(1, reports().size)
        assertFalse(activity.hold().isShown)
        activity.touch("Cancel")
        activity.shows("Hold to ask for assistance")
        assertTrue(reports().isEmpty())
    }

    @Test
    fun `offline it stays on the phone, and with the network it is received, with evidence`() {
        Stage.link("down")
        app.phone.network = NetworkState.DISCONNECTED
        activity.part<Spinner>(R.id.sos_kind).setSelection(1)
        activity.part<EditText>(R.id.sos_note).setText("摔伤了")
        pass(50)
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        countdownEnds()
        activity.shows("On this phone. Nothing has left it yet.")
        activity.shows("no connection")
        activity.shows("there is no network")
        val report = reports().single()
        assertEquals(SosKind.MEDICAL, report.kind)
        assertEquals("摔伤了", report.note)
        assertTrue(app.phone.scheduled > 0)

        Stage.link("up")
        app.phone.network = NetworkState.VALIDATED
        call { it.networkChanged() }
        session.courier.wake()
        activity.shows("Received by the ministry, case C-")
        activity.shows("Signed receipt of the ministry, verified.")
        assertEquals(1, Stage.cases(report.report).size)
    }

    @Test
    fun `handed over without a receipt is not called received`() {
        // The phone has introduced itself before: now the report itself leaves.
        until("a pass") { session.courier.view.value.last?.stopped == SyncStop.DONE }
        Stage.link("swallow")
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        countdownEnds()
        activity.shows("Given to the network (the internet), not confirmed.")
        assertFalse("Received" in activity.words())
    }

    @Test
    fun `a sign-in page that answers 200 proves nothing`() {
        Stage.link("portal")
        app.phone.network = NetworkState.CAPTIVE
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        countdownEnds()
        activity.shows("Sign in to this network, or leave it")
        assertFalse("Received" in activity.words())
        assertFalse("Given to the network" in activity.words())
    }

    @Test
    fun `pressed twice is one report`() {
        val button = activity.hold()
        button.performClick()
        button.performClick()
        activity.shows("On this phone. It counts down")
        button.performClick()
        pass(200)
        assertEquals(1, reports().size)
    }

    @Test
    fun `a screen reader clicks instead of holding`() {
        activity.hold().performClick()
        activity.shows("On this phone. It counts down")
        assertTrue("double-tap" in activity.hold().contentDescription)
    }

    @Test
    fun `a phone turned in the countdown loses nothing`() {
        Stage.link("down")
        activity.part<EditText>(R.id.sos_note).setText("mid-sentence")
        pass(50)
        controller.recreate()
        pass(100)
        assertEquals("mid-sentence", activity.part<EditText>(R.id.sos_note).text.toString())
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        controller.recreate()
        activity.shows("On this phone. It counts down")
        assertEquals("mid-sentence", reports().single().note)
        activity.touch("Cancel")
        activity.shows("Hold to ask for assistance")
        assertTrue(reports().isEmpty())
    }

    @Test
    fun `killed in the countdown, it was pressed`() {
        Stage.link("down")
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        end()
        app.restart()
        open()
        activity.shows("On this phone. It counts down")
        Stage.link("up")
        countdownEnds()
        activity.shows("Received by the ministry, case C-")
    }

    @Test
    fun `taken back after it was sent, the ministry learns of it`() {
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        countdownEnds()
        activity.shows("Received by the ministry")
        val report = reports().single().report
        activity.touch("I no longer need assistance")
        val dialog = ShadowAlertDialog.getLatestAlertDialog()
        dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        until("the ministry knows it") {
            (call { it.sos.status(report) }.state as? ReportState.Cancelled)?.knownAtMinistryMs != null
        }
        // It is over: the next one can be made.
        activity.shows("Hold to ask for assistance")
    }

    @Test
    fun `the officer who took the case is named`() {
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
        countdownEnds()
        activity.shows("Received by the ministry, case C-")
        val report = reports().single().report
        val case = (call { it.sos.status(report) }.state as ReportState.Received).caseId
        Stage.acknowledge(checkNotNull(case), "Wang", "Istanbul")
        session.courier.wake()
        activity.shows("Wang of Istanbul has taken case $case")
    }
}
