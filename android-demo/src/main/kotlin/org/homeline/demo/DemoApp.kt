package org.homeline.demo

import android.app.Application
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import org.homeline.Config
import org.homeline.FileVault
import org.homeline.Homeline
import org.homeline.KeyVault

/** Opens Homeline once in the process, before the first unlock too. */
open class DemoApp : Application() {
    private val scope = MainScope()

    /** Homeline and the models, when it is open: some milliseconds after the start. */
    lateinit var session: Deferred<Session>
        private set

    override fun onCreate() {
        super.onCreate()
        session = scope.async {
            val phone = phone()
            Session(open(config()), phone, scope).also { it.start() }
        }
        // Sent once after a reboot; only to receivers that are registered like this.
        registerReceiver(unlocked, IntentFilter(Intent.ACTION_USER_UNLOCKED))
    }

    protected open suspend fun open(config: Config): Homeline = Homeline.open(config, vault())

    protected open fun config(): Config = Ministry.config(this)

    protected open fun vault(): KeyVault =
        FileVault.open(noBackupFilesDir.resolve("vault.key").path)

    protected open fun phone(): Phone = AndroidPhone(this)

    private val unlocked = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            scope.launch { session.await().state.reopen() }
        }
    }
}
