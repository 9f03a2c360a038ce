package org.homeline.android

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.content.Context
import android.location.Location
import android.location.LocationListener
import android.location.LocationManager
import android.os.Build
import android.os.Bundle
import android.os.HandlerThread
import org.homeline.BlockingHomeline
import org.homeline.Fix
import org.homeline.FixOrigin
import org.homeline.FixSource
import org.homeline.GapCause
import org.homeline.HomelineException
import org.homeline.Position

/** What [LocationSource.start] came to. */
enum class LocationStart {
    /** Positions come as the phone has them. */
    RUNNING,

    /** The traveler has not allowed it: the record notes why there is a hole. */
    NOT_PERMITTED,

    /** Location is switched off in the settings: the record notes why there is a hole. */
    SWITCHED_OFF,
}

/** Told of each position, on a background thread, after it was recorded. */
fun interface FixListener {
    fun located(fix: Fix)
}

/**
 * Positions by the framework's `LocationManager`, so that phones without Google's services
 * have them too: satellites, networks, and the phone's own mixture where it has one.
 *
 * Android's contract is WGS-84 (a position in a shifted datum, which a map of mainland China
 * gives, is `Position.Gcj02` and comes from nowhere here). A position that an app made up is
 * marked `FixOrigin.MOCK`. The time is the provider's; that of satellites is their own.
 *
 * Permissions: `ACCESS_COARSE_LOCATION` or `ACCESS_FINE_LOCATION`, asked for by the host;
 * with the first alone positions are approximate, to some kilometres. In the background
 * `ACCESS_BACKGROUND_LOCATION`, or a foreground service of the host. Refused, [lastKnown] is
 * `null`, [start] says so, and `press` takes the last position that the record has.
 *
 * @sample org.homeline.android.LocationSourceTest.example
 */
class LocationSource(
    context: Context,
    private val home: BlockingHomeline,
) : AutoCloseable {
    private val context = context.applicationContext
    private val manager = context.service<LocationManager>()
    private var running: Running? = null

    /**
     * The newest position that any provider remembers, at once and without switching anything
     * on: for a press. `null` where there is none, or it is not permitted.
     */
    fun lastKnown(): Fix? {
        if (!isPermitted()) return null
        return providers()
            .mapNotNull(::lastKnownOf)
            .maxByOrNull { it.elapsedRealtimeNanos }
            ?.let(::fix)
    }

    /**
     * Records what comes from now on, at most one position in [everyMs] milliseconds a
     * provider, and tells [listener]. Called again it changes the interval.
     */
    @JvmOverloads
    @Synchronized
    fun start(everyMs: Long, listener: FixListener = FixListener {}): LocationStart {
        close()
        if (!isPermitted()) {
            noteGap(GapCause.NO_PERMISSION)
            return LocationStart.NOT_PERMITTED
        }
        if (!isSwitchedOn()) {
            noteGap(GapCause.LOCATION_OFF)
            return LocationStart.SWITCHED_OFF
        }
        val thread = HandlerThread("homeline-location").apply { start() }
        val running = Running(thread, listener)
        return try {
            for (provider in providers()) {
                manager.requestLocationUpdates(provider, everyMs, 0f, running, thread.looper)
            }
            this.running = running
            LocationStart.RUNNING
        } catch (_: SecurityException) {
            // Taken back between the question and the call.
            running.stop()
            noteGap(GapCause.NO_PERMISSION)
            LocationStart.NOT_PERMITTED
        }
    }

    /** Stops; [start] may be called again. */
    @Synchronized
    override fun close() {
        running?.stop()
        running = null
    }

    private inner class Running(
        private val thread: HandlerThread,
        private val listener: FixListener,
    ) : LocationListener {
        override fun onLocationChanged(location: Location) {
            val fix = fix(location)
            try {
                home.whereabouts().use { it.record(fix) }
            } catch (_: HomelineException) {
                // Before the first unlock it serves a press all the same; a full disk says
                // so at the next call that the traveler makes.
            }
            listener.located(fix)
        }

        override fun onProviderDisabled(provider: String) {
            if (!isSwitchedOn()) noteGap(GapCause.LOCATION_OFF)
        }

        override fun onProviderEnabled(provider: String) = Unit

        @Deprecated("Called up to API 28, where it is abstract")
        override fun onStatusChanged(provider: String, status: Int, extras: Bundle?) = Unit

        fun stop() {
            manager.removeUpdates(this)
            thread.quitSafely()
        }
    }

    private fun isPermitted() =
        context.isGranted(ACCESS_FINE_LOCATION) || context.isGranted(ACCESS_COARSE_LOCATION)

    private fun isSwitchedOn() = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
        manager.isLocationEnabled
    } else {
        providers().any(manager::isProviderEnabled)
    }

    /** Those that this phone has and that the permission is enough for. */
    private fun providers(): List<String> {
        // GPS needs the precise permission before API 31.
        val wanted = if (context.isGranted(ACCESS_FINE_LOCATION)) SOURCES.keys else SOURCES.keys - GPS
        return manager.allProviders.filter(wanted::contains)
    }

    private fun lastKnownOf(provider: String): Location? = try {
        manager.getLastKnownLocation(provider)
    } catch (_: SecurityException) {
        null
    }

    private fun fix(location: Location): Fix {
        val source = SOURCES[location.provider] ?: FixSource.FUSED
        val origin = if (location.isMadeUp()) FixOrigin.MOCK else FixOrigin.DEVICE
        return Fix(
            position = Position.Wgs84(location.latitude, location.longitude),
            timeMs = location.time,
            accuracyM = location.accuracy.toDouble().takeIf { location.hasAccuracy() },
            source = source,
            altitudeM = location.altitude.takeIf { location.hasAltitude() },
            speedMps = location.speed.toDouble().takeIf { location.hasSpeed() },
            headingDeg = location.bearing.toDouble().takeIf { location.hasBearing() },
            gnssTimeMs = location.time.takeIf {
                source == FixSource.GNSS && origin == FixOrigin.DEVICE
            },
            batteryPercent = batteryPercent(context),
            origin = origin,
        )
    }

    private fun noteGap(cause: GapCause) {
        try {
            home.whereabouts().use { it.noteGap(cause) }
        } catch (_: HomelineException) {
            // The hole is there without its cause.
        }
    }

    private companion object {
        const val GPS = LocationManager.GPS_PROVIDER

        /** `FUSED_PROVIDER` is public since API 31 and there before. */
        val SOURCES = mapOf(
            GPS to FixSource.GNSS,
            LocationManager.NETWORK_PROVIDER to FixSource.NETWORK,
            "fused" to FixSource.FUSED,
        )

        fun Location.isMadeUp() = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            isMock
        } else {
            @Suppress("DEPRECATION")
            isFromMockProvider
        }
    }
}
