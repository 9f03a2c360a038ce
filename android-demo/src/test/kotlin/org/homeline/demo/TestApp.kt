package org.homeline.demo

import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.job
import kotlinx.coroutines.runBlocking
import org.homeline.Clock
import org.homeline.ClockReading
import org.homeline.Conditions
import org.homeline.Config
import org.homeline.DataCost
import org.homeline.FileVault
import org.homeline.Fix
import org.homeline.Homeline
import org.homeline.KeyPurpose
import org.homeline.KeyVault
import org.homeline.Neighbours
import org.homeline.NetworkState
import org.homeline.SatelliteLink
import org.homeline.SmsAbility
import org.homeline.Stage
import org.homeline.VaultException
import org.homeline.VoiceAbility
import org.homeline.android.HomelineStorage

/**
 * The app, with the real library and the real ministry. What belongs to the phone is played:
 * the key store, the clocks, the network's state, the receiver of positions, the scheduler.
 */
class TestApp : DemoApp() {
    val vault by lazy { TestVault(FileVault.open(noBackupFilesDir.resolve("vault.key").path)) }
    val clock = TestClock()
    val phone = TestPhone(clock)

    override fun vault(): KeyVault = vault

    override fun phone(home: Homeline): Phone = phone.also { it.home = home }

    override fun config(): Config =
        // It knows the number for text messages before it was ever online.
        Stage.withChannels(Stage.config(Path.of(HomelineStorage.directory(this)), Ministry.languages(this)))

    override suspend fun open(config: Config) = Homeline.open(config, vault(), null, clock)

    /** The process dies, and the app is started again with the same files. */
    fun restart() {
        end()
        onCreate()
    }

    override fun onTerminate() {
        end()
        super.onTerminate()
    }

    private fun end() {
        val opened = session
        until("Homeline is open") { opened.isCompleted }
        val work = scope.coroutineContext.job
        work.cancel()
        until("what runs has ended") { work.isCompleted }
        runBlocking { opened.await().home.close() }
    }
}

/** Keeps keys as [real] does, unless it plays locked or lost. */
class TestVault(private val real: KeyVault) : KeyVault {
    @Volatile
    var plays: (KeyPurpose) -> VaultException? = { null }

    override fun wrap(purpose: KeyPurpose, secret: ByteArray): ByteArray {
        plays(purpose)?.let { throw it }
        return real.wrap(purpose, secret)
    }

    override fun unwrap(purpose: KeyPurpose, wrapped: ByteArray): ByteArray {
        plays(purpose)?.let { throw it }
        return real.unwrap(purpose, wrapped)
    }
}

/** The clocks of this machine, moved on by [ahead]. */
class TestClock : Clock {
    @Volatile
    var ahead = 0.minutes

    fun now() = System.currentTimeMillis() + ahead.inWholeMilliseconds

    override fun read() = ClockReading(
        wallMs = now(),
        monotonicMs = System.nanoTime() / 1_000_000 + ahead.inWholeMilliseconds,
        bootId = "boot",
    )
}

/** A phone that is told what it is like. */
class TestPhone(private val clock: TestClock) : Phone {
    lateinit var home: Homeline
    var network = NetworkState.VALIDATED
    var mayLocate = true
    var fix: Fix? = null

    /** How often the app asked to be run in the background. */
    var scheduled = 0
        private set

    override fun conditions() = Conditions(
        network = network,
        cost = DataCost.FREE,
        sms = SmsAbility.POSSIBLE,
        satellite = SatelliteLink.ABSENT,
        neighbours = Neighbours.ABSENT,
        voice = VoiceAbility.POSSIBLE,
    )

    override fun mayLocate() = mayLocate

    override suspend fun fix() = fix.takeIf { mayLocate }?.also { home.whereabouts.record(it) }

    override fun now() = clock.now()

    override fun pressed() = schedule()

    override fun schedule() {
        scheduled += 1
    }
}
