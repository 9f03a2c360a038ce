package org.homeline.demo

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.homeline.Conditions
import org.homeline.Fix
import org.homeline.Homeline
import org.homeline.android.ConnectivityHints
import org.homeline.android.LocationSource
import org.homeline.android.LocationStart
import org.homeline.android.PhoneConditions
import org.homeline.android.SyncJob

/** The phone that the app runs on, by the library's adapters. */
class AndroidPhone(private val context: Context, private val home: Homeline) : Phone {
    private val hints = ConnectivityHints(context, home.blocking).apply { start() }
    private val conditions = PhoneConditions(context)
    private val positions = LocationSource(context, home.blocking)

    override fun conditions(): Conditions = conditions.now(hints.link)

    override fun mayLocate() = listOf(
        Manifest.permission.ACCESS_FINE_LOCATION,
        Manifest.permission.ACCESS_COARSE_LOCATION,
    ).any { context.checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }

    // Off the main thread: the platform writes down that there is a hole, and why.
    override suspend fun fix(): Fix? = withContext(Dispatchers.IO) {
        val first = CompletableDeferred<Fix>()
        try {
            when (positions.start(EVERY_MS) { first.complete(it) }) {
                LocationStart.RUNNING -> withTimeoutOrNull(PATIENCE) { first.await() } ?: lastKnown()
                LocationStart.NOT_PERMITTED, LocationStart.SWITCHED_OFF -> null
            }
        } finally {
            positions.close()
        }
    }

    private suspend fun lastKnown(): Fix? = positions.lastKnown()?.also { readable { home.whereabouts.record(it) } }

    override fun now() = System.currentTimeMillis()

    override fun pressed() = SyncJob.pressed(context)

    override fun schedule() = SyncJob.now(context)

    private companion object {
        const val EVERY_MS = 1_000L

        /** A receiver of satellites that was off needs about this long under an open sky. */
        val PATIENCE = 30.seconds
    }
}
