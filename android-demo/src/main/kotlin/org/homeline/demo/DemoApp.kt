package org.homeline.demo

import android.app.Application
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.homeline.BlockingHomeline
import org.homeline.Config
import org.homeline.Homeline
import org.homeline.KeyVault
import org.homeline.android.DirectBootReceiver
import org.homeline.android.HomelineHost
import org.homeline.android.KeystoreVault

/** Opens Homeline once in the process, before the first unlock too. */
open class DemoApp : Application(), HomelineHost {
    /** Lives as long as the process. */
    protected lateinit var scope: CoroutineScope
        private set

    /** Homeline, open: some milliseconds after the start. */
    private lateinit var home: Deferred<Homeline>

    /** Homeline and the models of the screens. */
    lateinit var session: Deferred<Session>
        private set

    override fun onCreate() {
        super.onCreate()
        scope = MainScope()
        home = scope.async(Dispatchers.IO) { open(config()) }
        session = scope.async {
            val home = home.await()
            Session(home, phone(home), scope).also { it.start() }
        }
        DirectBootReceiver.watchUnlock(this)
    }

    /** For what the system makes by itself: a job, a receiver. Waits until Homeline is open. */
    override fun homeline(): BlockingHomeline = runBlocking { home.await() }.blocking

    protected open suspend fun open(config: Config): Homeline = Homeline.open(config, vault())

    protected open fun config(): Config = Ministry.config(this)

    protected open fun vault(): KeyVault = KeystoreVault(this)

    protected open fun phone(home: Homeline): Phone = AndroidPhone(this, home)
}
