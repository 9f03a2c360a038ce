package org.homeline.android

import android.Manifest.permission.ACCESS_NETWORK_STATE
import android.Manifest.permission.RECEIVE_BOOT_COMPLETED
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import android.net.NetworkCapabilities
import android.net.NetworkRequest
import android.os.Build
import org.homeline.SyncOutcome
import org.homeline.SyncStop
import org.homeline.WakeCause

/**
 * Runs `sync` in the background by Android's own JobScheduler: when there is a network, one
 * pass at a time, each shorter than the platform allows, and the next at the moment that the
 * last one asked for. [SyncJobService] is what the platform starts.
 *
 * The platform decides when: a phone that lies still (Doze), an app that is seldom opened, a
 * battery saver or a maker's own may hold a job back for hours. `health` tells by how much.
 * While the app is in front the host calls `sync` itself.
 *
 * Permissions, none of which is asked of the traveler: `INTERNET`; `ACCESS_NETWORK_STATE`
 * (without it a job does not wait for the network but tries by time);
 * `RECEIVE_BOOT_COMPLETED` (without it jobs are forgotten when the phone is switched off,
 * until the app is opened).
 *
 * It uses the job ids [REGULAR_ID] and [URGENT_ID].
 *
 * @sample org.homeline.android.SyncJobTest.example
 */
object SyncJob {
    /** Of the job that runs by time and network. */
    const val REGULAR_ID = 0x484F4D45

    /** Of the job after a press. */
    const val URGENT_ID = 0x484F4D46

    /** A pass as soon as there is a network: at each start of the app, and after a change. */
    @JvmStatic
    fun now(context: Context) = after(context, 0)

    /** The traveler has opened the app: call it from a background thread. */
    @JvmStatic
    fun foreground(context: Context) {
        HomelineHost.of(context).woke(WakeCause.FOREGROUND)
        now(context)
    }

    /**
     * After a press, beside the host's own `sync`: a job that outlives the app and, from
     * API 31 on, starts at once and in Doze too, as long as the app's share of such jobs lasts.
     */
    @JvmStatic
    fun pressed(context: Context) {
        val urgent = job(context, URGENT_ID)
            .setBackoffCriteria(URGENT_BACKOFF_MS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            val expedited = urgent.setExpedited(true).build()
            if (scheduler(context).schedule(expedited) == JobScheduler.RESULT_SUCCESS) return
            // The share is used up: an ordinary one is held back only by Doze.
            urgent.setExpedited(false)
        }
        scheduler(context).schedule(urgent.build())
    }

    /** Forgets both jobs: after `erase`, once its request has left. */
    @JvmStatic
    fun cancel(context: Context) {
        scheduler(context).cancel(REGULAR_ID)
        scheduler(context).cancel(URGENT_ID)
    }

    internal fun after(context: Context, delayMs: Long) {
        scheduler(context).schedule(job(context, REGULAR_ID).setMinimumLatency(delayMs).build())
    }

    /**
     * When the next pass is due, milliseconds from now; [outcome] is `null` where the last
     * could not even begin.
     */
    internal fun nextDelayMs(outcome: SyncOutcome?): Long {
        if (outcome == null) return NO_PASS_MS
        val otherwise = when (outcome.stopped) {
            // The app runs one itself; what it leaves is seen after it.
            SyncStop.ALREADY_RUNNING -> ALREADY_RUNNING_MS
            else -> REFRESH_MS
        }
        return (outcome.nextMs ?: otherwise).coerceIn(0, REFRESH_MS)
    }

    private fun job(context: Context, id: Int): JobInfo.Builder {
        val service = ComponentName(context, SyncJobService::class.java)
        return JobInfo.Builder(id, service).apply {
            if (context.isGranted(ACCESS_NETWORK_STATE)) requireNetwork()
            if (context.isGranted(RECEIVE_BOOT_COMPLETED)) setPersisted(true)
        }
    }

    /**
     * Any network, also one that Android could not validate: where its servers are blocked,
     * none is ever validated, and `setRequiredNetworkType` would wait for ever.
     */
    private fun JobInfo.Builder.requireNetwork() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) {
            setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
            return
        }
        val request = NetworkRequest.Builder()
            .addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
            .removeCapability(NetworkCapabilities.NET_CAPABILITY_NOT_VPN)
        setRequiredNetwork(request.build())
    }

    private fun scheduler(context: Context): JobScheduler = context.service()

    /** The longest that the feed of alerts goes unasked. */
    private const val REFRESH_MS = 6 * 3_600_000L
    private const val NO_PASS_MS = 15 * 60_000L
    private const val ALREADY_RUNNING_MS = 60_000L

    /** The least that the platform takes. */
    private const val URGENT_BACKOFF_MS = 10_000L
}
