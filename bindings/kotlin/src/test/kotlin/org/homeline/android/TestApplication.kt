package org.homeline.android

import android.app.Application
import java.nio.file.Path
import org.homeline.BlockingHomeline
import org.homeline.Stage

/** A host's application: as the README tells to write one. */
class TestApplication : Application(), HomelineHost {
    private val opened = lazy {
        val config = Stage.config(Path.of(HomelineStorage.directory(this)))
        BlockingHomeline.open(config, KeystoreVault(this))
    }

    override fun homeline(): BlockingHomeline = opened.value

    /** Robolectric ends each application after its test. */
    override fun onTerminate() {
        if (opened.isInitialized()) opened.value.close()
        super.onTerminate()
    }
}
