package org.homeline.android

import android.app.Application
import org.homeline.ReportState
import org.homeline.SosKind
import org.homeline.SosRequest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(OnAndroid::class)
class HomelineHostTest {
    @Test
    fun example() {
        // In an activity, a service or a receiver; `TestApplication` is the host's application.
        val context = RuntimeEnvironment.getApplication()
        val home = HomelineHost.of(context)
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        assertEquals(ReportState.Stored, home.sos().use { it.status(report) }.state)
        assertSame(home, HomelineHost.of(context))
    }

    @Test
    @Config(application = Application::class)
    fun `an application that is no host is told so`() {
        assertThrows(IllegalStateException::class.java) {
            HomelineHost.of(RuntimeEnvironment.getApplication())
        }
    }
}
