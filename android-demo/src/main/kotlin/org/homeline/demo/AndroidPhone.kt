package org.homeline.demo

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import org.homeline.Conditions
import org.homeline.DataCost
import org.homeline.Fix
import org.homeline.Neighbours
import org.homeline.NetworkState
import org.homeline.SatelliteLink
import org.homeline.SmsAbility
import org.homeline.VoiceAbility

/** The phone that the app runs on. */
class AndroidPhone(private val context: Context) : Phone {
    override fun conditions() = Conditions(
        network = network(),
        cost = DataCost.FREE,
        sms = SmsAbility.POSSIBLE,
        satellite = SatelliteLink.ABSENT,
        neighbours = Neighbours.ABSENT,
        voice = VoiceAbility.POSSIBLE,
    )

    override fun mayLocate() = listOf(
        Manifest.permission.ACCESS_FINE_LOCATION,
        Manifest.permission.ACCESS_COARSE_LOCATION,
    ).any { context.checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }

    override suspend fun fix(): Fix? = null

    override fun now() = System.currentTimeMillis()

    override fun schedule() = Unit

    private fun network(): NetworkState {
        val manager = context.getSystemService(ConnectivityManager::class.java)
        val found = manager.getNetworkCapabilities(manager.activeNetwork) ?: return NetworkState.DISCONNECTED
        return when {
            found.hasCapability(NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL) -> NetworkState.CAPTIVE
            found.hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED) -> NetworkState.VALIDATED
            else -> NetworkState.UNVALIDATED
        }
    }
}
