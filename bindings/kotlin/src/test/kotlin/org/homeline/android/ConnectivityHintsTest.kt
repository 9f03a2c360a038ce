package org.homeline.android

import android.Manifest.permission.ACCESS_NETWORK_STATE
import android.app.job.JobScheduler
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.net.NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_METERED
import android.net.NetworkCapabilities.NET_CAPABILITY_VALIDATED
import android.net.NetworkCapabilities.TRANSPORT_SATELLITE
import org.homeline.AttachmentInfo
import org.homeline.DataCost
import org.homeline.NetworkState
import org.homeline.SatelliteLink
import org.homeline.SendOver
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.Stage
import org.homeline.SyncStop
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities

/** What the network's callbacks come to; the callbacks are called as Android calls them. */
@RunWith(OnAndroid::class)
class ConnectivityHintsTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication
    private val home = HomelineHost.of(app)
    private val hints = ConnectivityHints(app, home)
    private val manager = app.service<ConnectivityManager>()
    private val wifi: Network = ShadowNetwork.newInstance(1)
    private val cell: Network = ShadowNetwork.newInstance(2)

    @After
    fun close() = hints.close()

    @Test
    fun example() {
        grant()
        ConnectivityHints(app, home).use { hints ->
            hints.start() // Where the app begins; no permission is asked of the traveler.
            android(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_METERED)
            val conditions = PhoneConditions(app).now(hints.link)
            assertEquals(NetworkState.VALIDATED, conditions.network)
            assertEquals(DataCost.FREE, conditions.cost)
        }
    }

    @Test
    fun `each state of a network, and since when it has been so`() {
        start()
        assertEquals(NetworkState.DISCONNECTED, hints.link.network)
        android(wifi, NET_CAPABILITY_CAPTIVE_PORTAL)
        assertEquals(NetworkState.CAPTIVE, hints.link.network)
        android(wifi)
        assertEquals(NetworkState.UNVALIDATED, hints.link.network)
        android(wifi, NET_CAPABILITY_VALIDATED)
        val validated = hints.link
        assertEquals(NetworkState.VALIDATED, validated.network)
        assertEquals(DataCost.METERED, validated.cost)
        assertNotNull(validated.sinceMs)
        // Its signal, and what it costs, are no other network.
        Thread.sleep(5)
        android(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_METERED)
        assertEquals(validated.copy(cost = DataCost.FREE), hints.link)
        callback().onLost(cell)
        assertEquals(NetworkState.VALIDATED, hints.link.network)
        callback().onLost(wifi)
        assertEquals(NetworkState.DISCONNECTED, hints.link.network)
    }

    @Test
    fun `a satellite is a thin link`() {
        start()
        val satellite = capabilities().also { shadowOf(it).addTransportType(TRANSPORT_SATELLITE) }
        callback().onCapabilitiesChanged(cell, satellite)
        assertEquals(SatelliteLink.THIN, hints.link.satellite)
        android(wifi)
        assertEquals(SatelliteLink.ABSENT, hints.link.satellite)
    }

    @Test
    fun `a network that returns makes a waiting SOS due, and asks for a job`() {
        start()
        Stage.link("down")
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        assertEquals(SyncStop.OFFLINE, home.sync(20_000u).stopped)
        // The back-off is random, and grows with each attempt.
        while (nextAttemptMs(report) < System.currentTimeMillis() + 2_000) {
            Thread.sleep(50)
            home.sync(20_000u)
        }
        SyncJob.cancel(app)
        android(wifi)
        assertTrue(nextAttemptMs(report) <= System.currentTimeMillis())
        assertNotNull(pendingJob())
        SyncJob.cancel(app)
        // The same network with another signal is no reason.
        android(wifi)
        assertNull(pendingJob())
    }

    @Test
    fun `a photo that may cost nothing waits for a link that costs nothing`() {
        Stage.link("up")
        start()
        android(cell, NET_CAPABILITY_VALIDATED)
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        val info = AttachmentInfo("image/jpeg", sendOver = SendOver.UNMETERED_LINK)
        val photo = ByteArray(300_000) { it.toByte() }
        home.attachments().use { it.attachBytes(report, photo, info) }
        assertEquals(1u, home.sync(20_000u).attachments)
        android(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_METERED)
        assertEquals(0u, home.sync(20_000u).attachments)
    }

    @Test
    fun `without the permission nobody knows the network, and it is tried`() {
        assertFalse(hints.start())
        assertEquals(NetworkState.UNVALIDATED, hints.link.network)
        assertNull(hints.link.sinceMs)
        assertTrue(shadowOf(manager).networkCallbacks.isEmpty())
    }

    @Test
    fun `closed, it watches no more, and may begin again`() {
        start()
        assertTrue(hints.start())
        assertEquals(1, shadowOf(manager).networkCallbacks.size)
        android(wifi)
        hints.close()
        hints.close()
        assertTrue(shadowOf(manager).networkCallbacks.isEmpty())
        assertNull(hints.link.sinceMs)
        assertTrue(hints.start())
    }

    private fun grant() = shadowOf(app).grantPermissions(ACCESS_NETWORK_STATE)

    private fun start() {
        grant()
        assertTrue(hints.start())
    }

    private fun android(network: Network, vararg capabilities: Int) =
        callback().onCapabilitiesChanged(network, capabilities(*capabilities))

    private fun callback() = shadowOf(manager).networkCallbacks.single()

    private fun capabilities(vararg capabilities: Int): NetworkCapabilities =
        ShadowNetworkCapabilities.newInstance().also { made ->
            shadowOf(made).removeCapability(NET_CAPABILITY_NOT_METERED)
            capabilities.forEach { shadowOf(made).addCapability(it) }
        }

    private fun nextAttemptMs(report: String) =
        checkNotNull(home.sos().use { it.status(report) }.nextAttemptMs)

    private fun pendingJob() = app.service<JobScheduler>().getPendingJob(SyncJob.REGULAR_ID)
}
