package org.homeline.android

import android.app.job.JobScheduler
import android.content.Intent
import android.os.Looper
import android.os.UserManager
import org.homeline.RecordState
import org.homeline.WakeCause
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The start of the phone, told by broadcasts to the receiver of the manifest. */
@RunWith(OnAndroid::class)
class DirectBootReceiverTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication

    @Test
    fun example() {
        // The phone has started, and nobody has unlocked it yet.
        unlocked(false)
        DirectBootReceiver.watchUnlock(app) // In Application.onCreate.
        val home = HomelineHost.of(app)
        broadcast(Intent.ACTION_LOCKED_BOOT_COMPLETED)
        assertEquals(RecordState.Locked, home.state().record)
        assertEquals(WakeCause.BOOT, home.health().lastCause)
        assertNotNull(pendingJob())

        unlocked(true)
        broadcast(Intent.ACTION_USER_UNLOCKED)
        assertEquals(RecordState.Open, home.state().record)
    }

    @Test
    fun `after the unlock the record opens without a receiver of the process`() {
        unlocked(false)
        val home = HomelineHost.of(app)
        assertEquals(RecordState.Locked, home.state().record)
        unlocked(true)
        broadcast(Intent.ACTION_BOOT_COMPLETED)
        assertEquals(RecordState.Open, home.state().record)
        assertNotNull(pendingJob())
    }

    @Test
    fun `an unlocked phone is not watched, and another broadcast does nothing`() {
        val before = shadowOf(app).registeredReceivers.size
        DirectBootReceiver.watchUnlock(app)
        assertEquals(before, shadowOf(app).registeredReceivers.size)
        DirectBootReceiver().onReceive(app, Intent(Intent.ACTION_TIME_CHANGED))
        assertNull(pendingJob())
    }

    private fun unlocked(now: Boolean) = shadowOf(app.service<UserManager>()).setUserUnlocked(now)

    private fun broadcast(action: String) {
        app.sendBroadcast(Intent(action))
        shadowOf(Looper.getMainLooper()).idle()
        val working = Thread.getAllStackTraces().keys.filter { it.name == "homeline-boot" }
        assertTrue("nobody was woken by $action", working.isNotEmpty() || pendingJob() != null)
        working.forEach { it.join(20_000) }
    }

    private fun pendingJob() = app.service<JobScheduler>().getPendingJob(SyncJob.REGULAR_ID)
}
