package org.homeline.android

import android.content.Context
import org.homeline.BlockingHomeline

/**
 * What the host's `Application` implements, so that the parts which the system makes by
 * itself (a job, a receiver) find the one object that the app has open.
 *
 * Android may make the application before the first unlock after a reboot: open Homeline in
 * it with [HomelineStorage.directory] and a [KeystoreVault], which both work then.
 *
 * @sample org.homeline.android.HomelineHostTest.example
 */
interface HomelineHost {
    /** The open Homeline; called on any thread, and always the same object. */
    fun homeline(): BlockingHomeline

    companion object {
        /**
         * The Homeline of the app that [context] belongs to.
         *
         * Throws `IllegalStateException` where its `Application` is not a [HomelineHost].
         */
        @JvmStatic
        fun of(context: Context): BlockingHomeline {
            val host = context.applicationContext as? HomelineHost
                ?: error("the Application does not implement HomelineHost")
            return host.homeline()
        }
    }
}
