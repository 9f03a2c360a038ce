package org.homeline.android

import android.app.Application
import java.nio.file.Path
import org.homeline.BlockingHomeline
import org.homeline.Stage
import org.homeline.Transport

/** A host's application, as the README tells to write one; anew for each test. */
class TestApplication : Application(), HomelineHost {
    /** Set before the first call: a network of the test's own. */
    var transport: Transport? = null

    private val opened = lazy {
        val config = Stage.withChannels(Stage.config(Path.of(HomelineStorage.directory(this))))
        BlockingHomeline.open(config, KeystoreVault(this), transport)
    }

    override fun onCreate() {
        super.onCreate()
        FakeKeystore.install()
        DirectBootReceiver.watchUnlock(this)
    }

    override fun homeline(): BlockingHomeline = opened.value

    override fun onTerminate() {
        if (opened.isInitialized()) opened.value.close()
        super.onTerminate()
    }
}
