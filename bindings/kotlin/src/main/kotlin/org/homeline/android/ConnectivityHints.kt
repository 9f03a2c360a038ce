package org.homeline.android

import android.Manifest.permission.ACCESS_NETWORK_STATE
import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Build
import android.os.Handler
import android.os.HandlerThread
import org.homeline.BlockingHomeline
import org.homeline.DataCost
import org.homeline.HomelineException
import org.homeline.NetworkState
import org.homeline.SatelliteLink

/** The network as Android has it now. */
data class Link(
    val network: NetworkState,
    /** Since when, milliseconds UTC by the phone's clock; absent where nobody told. */
    val sinceMs: Long?,
    val cost: DataCost,
    val satellite: SatelliteLink,
)

/**
 * Tells Homeline of the network while the app's process lives: what the link costs
 * (`attachments.linkIs`), and that it has become better (`networkChanged`), so that a
 * waiting SOS is due at once and the next pass is scheduled. Where the process does not
 * live, [SyncJob] waits for the network by itself.
 *
 * Permission: `ACCESS_NETWORK_STATE`, which is never asked of the traveler. Without it
 * [start] returns `false`, [link] is `UNVALIDATED` (nobody knows, so it is tried), and
 * nothing else changes.
 *
 * @sample org.homeline.android.ConnectivityHintsTest.example
 */
class ConnectivityHints(
    context: Context,
    private val home: BlockingHomeline,
) : AutoCloseable {
    private val context = context.applicationContext
    private val manager = context.service<ConnectivityManager>()
    private var watched: Watched? = null

    /** The network of now. */
    @Volatile
    var link = UNKNOWN
        private set

    /** Begins to watch; `false` where that is not permitted. Again is no error. */
    @Synchronized
    fun start(): Boolean {
        if (watched != null) return true
        if (!context.isGranted(ACCESS_NETWORK_STATE)) return false
        val thread = HandlerThread("homeline-network").apply { start() }
        link = NO_NETWORK
        watched = Watched(thread, Callback()).also {
            manager.registerDefaultNetworkCallback(it.callback, Handler(thread.looper))
        }
        return true
    }

    /** Stops watching; [link] is what nobody knows then. */
    @Synchronized
    override fun close() {
        val watched = watched ?: return
        manager.unregisterNetworkCallback(watched.callback)
        watched.thread.quitSafely()
        this.watched = null
        link = UNKNOWN
    }

    private class Watched(
        val thread: HandlerThread,
        val callback: ConnectivityManager.NetworkCallback,
    )

    private inner class Callback : ConnectivityManager.NetworkCallback() {
        private var current: Network? = null

        override fun onCapabilitiesChanged(network: Network, now: NetworkCapabilities) {
            val before = link
            val sinceMs = if (network == current && now.state() == before.network) {
                before.sinceMs
            } else {
                System.currentTimeMillis()
            }
            val better = network != current || now.state() > before.network
            current = network
            link = Link(now.state(), sinceMs, now.cost(), now.satellite())
            tell(link.cost, better)
        }

        override fun onLost(network: Network) {
            if (network != current) return
            current = null
            link = NO_NETWORK.copy(sinceMs = System.currentTimeMillis())
        }
    }

    private fun tell(cost: DataCost, better: Boolean) {
        try {
            home.attachments().use { it.linkIs(cost) }
            if (better) home.networkChanged()
        } catch (_: HomelineException) {
            // A hint: where the disk is full or the record locked, the next pass comes by its time.
        }
        if (better) SyncJob.now(context)
    }

    private companion object {
        val UNKNOWN =
            Link(NetworkState.UNVALIDATED, null, DataCost.FREE, SatelliteLink.ABSENT)
        val NO_NETWORK = UNKNOWN.copy(network = NetworkState.DISCONNECTED)
    }
}

private fun NetworkCapabilities.state() = when {
    hasCapability(NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL) -> NetworkState.CAPTIVE
    hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED) -> NetworkState.VALIDATED
    else -> NetworkState.UNVALIDATED
}

private fun NetworkCapabilities.cost(): DataCost {
    // A metered subscription may cost nothing for an hour (API 30).
    val free = hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED) ||
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.R &&
        hasCapability(NetworkCapabilities.NET_CAPABILITY_TEMPORARILY_NOT_METERED)
    return if (free) DataCost.FREE else DataCost.METERED
}

private fun NetworkCapabilities.satellite(): SatelliteLink {
    val satellite = Build.VERSION.SDK_INT >= Build.VERSION_CODES.VANILLA_ICE_CREAM &&
        hasTransport(NetworkCapabilities.TRANSPORT_SATELLITE)
    return if (satellite) SatelliteLink.THIN else SatelliteLink.ABSENT
}
