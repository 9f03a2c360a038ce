package org.homeline.android

import android.Manifest.permission.ACCESS_NETWORK_STATE
import android.Manifest.permission.RECEIVE_BOOT_COMPLETED
import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.net.NetworkCapabilities
import java.util.concurrent.TimeUnit
import org.homeline.Activity
import org.homeline.HangingTransport
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.Stage
import org.homeline.SyncOutcome
import org.homeline.SyncStop
import org.homeline.WakeCause
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The jobs as Android is asked for them, and what they do when it runs them. */
@RunWith(OnAndroid::class)
class SyncJobTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication
    private val scheduler = app.service<JobScheduler>()
    private val service = Robolectric.buildService(SyncJobService::class.java).create().get()

    @Test
    fun example() {
        Stage.link("up")
        val home = HomelineHost.of(app)
        SyncJob.now(app) // In Application.onCreate.
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        SyncJob.pressed(app) // And the app is gone.

        start(SyncJob.URGENT_ID)
        assertEquals(1, Stage.cases(report).size)
        assertFalse(shadowOf(service).isRescheduleNeeded)
        assertEquals(Activity.Active, home.health().activity)
        assertNotNull(pending(SyncJob.REGULAR_ID))
    }

    @Test
    fun `a job waits for any network, and outlives the phone's start`() {
        grant(ACCESS_NETWORK_STATE, RECEIVE_BOOT_COMPLETED)
        SyncJob.now(app)
        val job = checkNotNull(pending(SyncJob.REGULAR_ID))
        assertTrue(job.isPersisted)
        assertFalse(job.isExpedited)
        val network = checkNotNull(job.requiredNetwork)
        assertTrue(network.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET))
        // Where Android's own servers are blocked, no network is ever validated.
        assertFalse(network.hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED))
    }

    @Test
    fun `without a permission a job goes by time`() {
        SyncJob.now(app)
        val job = checkNotNull(pending(SyncJob.REGULAR_ID))
        assertNull(job.requiredNetwork)
        assertFalse(job.isPersisted)
    }

    @Test
    fun `after a press the job is expedited, or an ordinary one where Android refuses`() {
        SyncJob.pressed(app)
        assertTrue(checkNotNull(pending(SyncJob.URGENT_ID)).isExpedited)
        SyncJob.cancel(app)
        assertNull(pending(SyncJob.URGENT_ID))
        shadowOf(scheduler).failExpeditedJob(true)
        SyncJob.pressed(app)
        assertFalse(checkNotNull(pending(SyncJob.URGENT_ID)).isExpedited)
    }

    @Test
    fun `with no network the report waits, and so does the job`() {
        Stage.link("down")
        val home = HomelineHost.of(app)
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        start(SyncJob.URGENT_ID)
        assertTrue(shadowOf(service).isRescheduleNeeded)
        val next = checkNotNull(pending(SyncJob.REGULAR_ID)).minLatencyMillis
        assertTrue("$next", next in 1..15 * 60_000L)
        assertTrue(Stage.cases(report).isEmpty())
        val health = home.health()
        assertEquals(WakeCause.SCHEDULE, health.lastCause)
        assertNotNull(health.nextWakeMs)
    }

    @Test
    fun `a job that Android stops ends its pass, and asks to come again`() {
        val network = HangingTransport()
        app.transport = network
        HomelineHost.of(app).sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        val parameters = parameters(SyncJob.REGULAR_ID)
        assertTrue(service.onStartJob(parameters))
        assertTrue(network.begun.await(20, TimeUnit.SECONDS))
        assertTrue(service.onStopJob(parameters))
        assertTrue(network.cancelled.await(20, TimeUnit.SECONDS))
        awaitIdle()
        assertFalse(shadowOf(service).isJobFinished)
        assertNull(pending(SyncJob.REGULAR_ID))
    }

    @Test
    fun `a second job waits behind the first, and one that is stopped there does nothing`() {
        val network = HangingTransport()
        app.transport = network
        HomelineHost.of(app).sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        val first = parameters(SyncJob.REGULAR_ID)
        val second = parameters(SyncJob.URGENT_ID)
        service.onStartJob(first)
        assertTrue(network.begun.await(20, TimeUnit.SECONDS))
        service.onStartJob(second)
        assertTrue(service.onStopJob(second))
        // The first one goes on.
        assertEquals(1L, network.cancelled.count)
        service.onStopJob(first)
        awaitIdle()
        assertEquals(1, network.exchanges)
        assertFalse(service.onStopJob(second))
    }

    @Test
    fun `a network that comes and goes does not stop the pass that runs`() {
        val network = HangingTransport()
        app.transport = network
        HomelineHost.of(app).sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        service.onStartJob(parameters(SyncJob.REGULAR_ID))
        assertTrue(network.begun.await(20, TimeUnit.SECONDS))
        SyncJob.now(app)
        assertNull(pending(SyncJob.REGULAR_ID))
        HomelineHost.of(app).cancelSync()
        awaitIdle()
        // At its end, and at once.
        assertEquals(0L, checkNotNull(pending(SyncJob.REGULAR_ID)).minLatencyMillis)
    }

    @Test
    fun `a press during an urgent pass makes it come again`() {
        val network = HangingTransport()
        app.transport = network
        HomelineHost.of(app).sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        service.onStartJob(parameters(SyncJob.URGENT_ID))
        assertTrue(network.begun.await(20, TimeUnit.SECONDS))
        SyncJob.pressed(app)
        assertNull(pending(SyncJob.URGENT_ID))
        HomelineHost.of(app).cancelSync()
        awaitIdle()
        assertTrue(shadowOf(service).isRescheduleNeeded)
    }

    @Test
    fun `the app in front is noted, and a job is asked for`() {
        SyncJob.foreground(app)
        assertEquals(WakeCause.FOREGROUND, HomelineHost.of(app).health().lastCause)
        assertNotNull(pending(SyncJob.REGULAR_ID))
    }

    @Test
    fun `the next pass is when the last one asked for it`() {
        val hour = 3_600_000L
        val cases = listOf(
            outcome(SyncStop.OFFLINE, 40_000L) to 40_000L,
            outcome(SyncStop.DONE, -5L) to 0L,
            outcome(SyncStop.DONE, 90 * hour) to 6 * hour,
            outcome(SyncStop.DONE, null) to 6 * hour,
            outcome(SyncStop.ALREADY_RUNNING, null) to 60_000L,
            null to 15 * 60_000L,
        )
        for ((outcome, expected) in cases) assertEquals(expected, SyncJob.nextDelayMs(outcome))
    }

    private fun start(id: Int) {
        assertTrue(service.onStartJob(parameters(id)))
        awaitIdle()
        assertTrue(shadowOf(service).isJobFinished)
    }

    private fun awaitIdle() {
        SyncJobService.ONE_AT_A_TIME.submit {}.get(60, TimeUnit.SECONDS)
    }

    private fun pending(id: Int): JobInfo? = scheduler.getPendingJob(id)

    private fun grant(vararg permissions: String) = shadowOf(app).grantPermissions(*permissions)

    private fun outcome(stopped: SyncStop, nextMs: Long?) =
        SyncOutcome(0u, 0u, 0u, 0u, 0u, false, 0u, stopped, nextMs)

    /** As Android makes them; the constructor is not in its SDK. */
    private fun parameters(id: Int) = JobParameters(
        null, null, id, null, null, null, 0, false, false, false, null, null, null,
    )
}
