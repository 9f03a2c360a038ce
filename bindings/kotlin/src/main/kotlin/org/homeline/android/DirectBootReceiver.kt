package org.homeline.android

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.UserManager
import kotlin.concurrent.thread
import org.homeline.HomelineException
import org.homeline.WakeCause

/**
 * Wakes Homeline when the phone has started: before the first unlock, so that what was
 * pressed before the reboot leaves, and after it, so that the record opens.
 *
 * Permission: `RECEIVE_BOOT_COMPLETED`, which is never asked of the traveler. Without it
 * Homeline wakes when the app is opened the next time, and what waits waits until then.
 *
 * The first unlock is not told to a receiver of a manifest: [watchUnlock] in
 * `Application.onCreate` is for it.
 *
 * @sample org.homeline.android.DirectBootReceiverTest.example
 */
class DirectBootReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val cause = when (intent.action) {
            Intent.ACTION_LOCKED_BOOT_COMPLETED, Intent.ACTION_BOOT_COMPLETED -> WakeCause.BOOT
            // Part of the same start.
            Intent.ACTION_USER_UNLOCKED -> WakeCause.BOOT
            else -> return
        }
        val pending: PendingResult? = goAsync()
        thread(name = "homeline-boot") {
            try {
                wake(context.applicationContext, cause)
            } finally {
                pending?.finish()
            }
        }
    }

    companion object {
        /**
         * Where the phone was not unlocked since it started: opens the record as soon as it
         * is. To be called in `Application.onCreate`.
         */
        @JvmStatic
        fun watchUnlock(context: Context) {
            val app = context.applicationContext
            if (app.service<UserManager>().isUserUnlocked) return
            app.registerReceiver(DirectBootReceiver(), IntentFilter(Intent.ACTION_USER_UNLOCKED))
        }

        private fun wake(context: Context, cause: WakeCause) {
            val home = HomelineHost.of(context)
            try {
                home.reopen()
                home.woke(cause)
            } catch (_: HomelineException) {
                // `state` says what is wrong with the files; what waits is sent all the same.
            }
            SyncJob.now(context)
        }
    }
}
