package org.homeline.android

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.location.Location
import android.location.LocationManager
import android.location.LocationManager.GPS_PROVIDER
import android.location.LocationManager.NETWORK_PROVIDER
import android.os.SystemClock
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import org.homeline.Fix
import org.homeline.FixFlag
import org.homeline.FixOrigin
import org.homeline.FixSource
import org.homeline.GapCause
import org.homeline.Position
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.TrackItem
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(OnAndroid::class)
class LocationSourceTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication
    private val home = HomelineHost.of(app)
    private val source = LocationSource(app, home)
    private val manager = app.service<LocationManager>()
    private val located = LinkedBlockingQueue<Fix>()

    @After
    fun close() = source.close()

    @Test
    fun example() {
        phoneAllows(ACCESS_FINE_LOCATION)
        shadowOf(manager).simulateLocation(location(GPS_PROVIDER, 41.0082))
        LocationSource(app, home).use { source ->
            // At once, with the position of a minute ago, and with a better one when it comes.
            val request = SosRequest(SosKind.MEDICAL, fix = source.lastKnown())
            val report = home.sos().use { it.press(request) }
            source.start(everyMs = 5_000) { fix ->
                home.sos().use { it.updatePosition(report, fix) }
                located.add(fix)
            }
            shadowOf(manager).simulateLocation(location(GPS_PROVIDER, 41.0083))
            nextFix()
        }
        assertEquals(41.0083, latitude(checkNotNull(home.whereabouts().use { it.last() }).fix), 1e-6)
    }

    @Test
    fun `a position has all that the platform says of it`() {
        phoneAllows(ACCESS_FINE_LOCATION)
        start()
        val gnss = location(GPS_PROVIDER, 41.0).apply {
            accuracy = 4.5f
            altitude = 1_200.0
            speed = 3f
            bearing = 90f
        }
        shadowOf(manager).simulateLocation(gnss)
        val fix = nextFix()
        assertEquals(Position.Wgs84(41.0, 28.9784), fix.position)
        assertEquals(FixSource.GNSS, fix.source)
        assertEquals(FixOrigin.DEVICE, fix.origin)
        assertEquals(gnss.time, fix.timeMs)
        assertEquals(gnss.time, fix.gnssTimeMs)
        val said = listOf(fix.accuracyM, fix.altitudeM, fix.speedMps, fix.headingDeg)
        assertEquals(listOf(4.5, 1_200.0, 3.0, 90.0), said)

        shadowOf(manager).simulateLocation(location(NETWORK_PROVIDER, 41.1))
        val network = nextFix()
        assertEquals(FixSource.NETWORK, network.source)
        // The time of a network is the phone's own.
        assertNull(network.gnssTimeMs)
        assertNull(network.accuracyM)
        assertNull(network.altitudeM)
    }

    @Test
    fun `a position that an app made up is marked, and never shown as current`() {
        phoneAllows(ACCESS_FINE_LOCATION)
        start()
        shadowOf(manager).simulateLocation(location(GPS_PROVIDER, 41.0).apply { isMock = true })
        val fix = nextFix()
        assertEquals(FixOrigin.MOCK, fix.origin)
        assertNull(fix.gnssTimeMs)
        val kept = home.whereabouts().use { it.list(0, Long.MAX_VALUE, 10u) }.single()
        assertTrue(FixFlag.MOCK in kept.flags)
        assertNull(home.whereabouts().use { it.last() })
    }

    @Test
    fun `the last known position is the newest of all providers`() {
        assertNull(source.lastKnown())
        phoneAllows(ACCESS_FINE_LOCATION)
        assertNull(source.lastKnown())
        val older = location(GPS_PROVIDER, 41.0).apply { elapsedRealtimeNanos -= 60_000_000_000 }
        shadowOf(manager).simulateLocation(older)
        shadowOf(manager).simulateLocation(location(NETWORK_PROVIDER, 41.1))
        assertEquals(41.1, latitude(checkNotNull(source.lastKnown())), 1e-6)
    }

    @Test
    fun `refused, it says so, and the record knows why there is a hole`() {
        phoneAllows()
        record()
        assertEquals(LocationStart.NOT_PERMITTED, source.start(1_000))
        assertEquals(GapCause.NO_PERMISSION, cause())
    }

    @Test
    fun `switched off, it says so, and the record knows why there is a hole`() {
        phoneAllows(ACCESS_FINE_LOCATION)
        shadowOf(manager).setLocationEnabled(false)
        record()
        assertEquals(LocationStart.SWITCHED_OFF, source.start(1_000))
        assertEquals(GapCause.LOCATION_OFF, cause())
    }

    @Test
    fun `with the approximate permission the satellites are not asked`() {
        phoneAllows(ACCESS_COARSE_LOCATION)
        start()
        assertTrue(shadowOf(manager).getLocationRequests(GPS_PROVIDER).isEmpty())
        assertEquals(1, shadowOf(manager).getLocationRequests(NETWORK_PROVIDER).size)
        source.close()
        assertTrue(shadowOf(manager).getLocationRequests(NETWORK_PROVIDER).isEmpty())
    }

    private fun phoneAllows(vararg permissions: String) {
        shadowOf(app).grantPermissions(*permissions)
        shadowOf(manager).setLocationEnabled(true)
        shadowOf(manager).setProviderEnabled(GPS_PROVIDER, true)
        shadowOf(manager).setProviderEnabled(NETWORK_PROVIDER, true)
    }

    private fun start() = assertEquals(LocationStart.RUNNING, source.start(1_000, located::add))

    private fun location(provider: String, latitude: Double) = Location(provider).apply {
        this.latitude = latitude
        longitude = 28.9784
        time = System.currentTimeMillis()
        elapsedRealtimeNanos = SystemClock.elapsedRealtimeNanos() + latitude.toLong()
    }

    private fun nextFix(): Fix = checkNotNull(located.poll(20, TimeUnit.SECONDS))

    private fun latitude(fix: Fix) = (fix.position as Position.Wgs84).latitude

    private fun record() {
        val here = Position.Wgs84(41.0, 28.9784)
        val fix = Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS)
        home.whereabouts().use { it.record(fix) }
    }

    /** Why there is a hole after the last position. */
    private fun cause(): GapCause? {
        record()
        val track = home.whereabouts().use { it.track(0, Long.MAX_VALUE, 10u) }
        return track.filterIsInstance<TrackItem.Gap>().single().gap.cause
    }
}
