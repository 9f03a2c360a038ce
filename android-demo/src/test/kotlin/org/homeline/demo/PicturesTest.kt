package org.homeline.demo

import kotlin.time.Duration.Companion.minutes
import org.homeline.Contact
import org.homeline.NetworkState
import org.homeline.Relation
import org.homeline.ReportState
import org.homeline.Stage
import org.homeline.Traveler
import org.homeline.TravelerKind
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Draws every screen into target/screenshots, for somebody to look at. */
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(qualifiers = "w360dp-h740dp-xhdpi")
class PicturesTest : Screens() {
    override fun arrange() = HereScreenTest.publish()

    private fun fill() {
        call { it.registration.save(Traveler("李伟", TravelerKind.Student("Boğaziçi"), phone = "+8613800138000")) }
        call { it.contacts.add(Contact("王芳", "+8613900139000", Relation.PARENT)) }
        session.courier.wake()
        until("the packs came") { session.here.view.value.alerts?.asOfMs != null }
        call { it.whereabouts.record(istanbul) }
        until("the place is known") { session.here.view.value.help?.countries == listOf("TR") }
    }

    private fun status() = (session.sos.view.value.stage as? SosStage.Pressed)?.status

    private fun pictures(kind: String) {
        fill()
        tab(R.id.tab_sos)
        activity.picture("$kind-1-sos-ready")
        tab(R.id.tab_here)
        activity.picture("$kind-2-here")
        tab(R.id.tab_me)
        activity.picture("$kind-3-me")
        Stage.link("down")
        app.phone.network = NetworkState.DISCONNECTED
        tab(R.id.tab_sos)
        activity.hold().performClick()
        until("it counts down") { session.sos.view.value.secondsLeft != null }
        activity.picture("$kind-4-sos-countdown")
        app.clock.ahead += 1.minutes
        until("it was tried") { (status()?.attempts ?: 0u) > 0u }
        activity.picture("$kind-5-sos-offline")
        tab(R.id.tab_outbox)
        activity.picture("$kind-6-outbox")
        Stage.link("up")
        app.phone.network = NetworkState.VALIDATED
        session.outbox.send()
        tab(R.id.tab_sos)
        until("it is received") { status()?.state is ReportState.Received }
        activity.picture("$kind-7-sos-received")
    }

    @Test
    fun `English by day`() = pictures("en-day")

    @Test
    @Config(qualifiers = "zh-rCN-w360dp-h740dp-night-xhdpi")
    fun `Chinese by night`() = pictures("zh-night")

    @Test
    fun `English, large type`() {
        RuntimeEnvironment.setFontScale(2.0f)
        controller.recreate()
        pictures("en-large")
        assertTrue(activity.resources.configuration.fontScale > 1.9f)
    }
}
