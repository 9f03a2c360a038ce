package org.homeline

import kotlin.time.Duration
import kotlinx.coroutines.flow.Flow

/**
 * The line home. One long-lived object for a host app: open it once, where the process begins, and
 * keep it. Its calls may come from any thread. They run on `Dispatchers.IO` and wait for nothing
 * but the disk, save [sync] and [Sos.sendDatagram].
 *
 * A call that only touches the disk runs to its end once it was asked for, also when its coroutine
 * is cancelled: a press is never dropped because a screen was turned. Every call fails with a
 * [HomelineException], sorted by what the caller should do.
 *
 * ```kotlin
 * // README
 * val home = Homeline.open(config, FileVault.open(path))
 * home.registration.save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
 * home.contacts.add(Contact("王芳", "+8613900139000", Relation.PARENT))
 * val here = Position.Wgs84(latitude = 41.0082, longitude = 28.9784)
 * home.whereabouts.record(Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS))
 *
 * val report = home.sos.press(SosRequest(kind = SosKind.MEDICAL, note = "摔伤了"))
 * println(home.sos.status(report).state)      // Stored: on disk, nothing has left the phone
 * val outcome = home.sync(deadline = 30.seconds) // offline? outcome.stopped says so, nothing throws
 * println(home.sos.status(report).state)      // Received(caseId=C-…): proved by a signed receipt
 * // README
 * ```
 *
 * Java calls the same through [blocking]: `BlockingHomeline.open(…)` and the services of that object.
 */
public class Homeline private constructor(blocking: BlockingHomeline) :
    HomelineCalls(blocking), AutoCloseable {
    private val feed = ChangeFeed().also(blocking::setListener)

    /**
     * Runs one pass of at most [deadline] over the network. Being offline is an outcome, not an
     * error. A cancelled coroutine ends the pass, and waits until it has ended; what the pass has
     * sent and proved stays so.
     *
     * @throws HomelineException as the blocking call.
     */
    public suspend fun sync(deadline: Duration): SyncOutcome {
        val deadlineMs = deadline.inWholeMilliseconds.coerceAtLeast(0).toULong()
        return runner.network { blocking.sync(deadlineMs) }
    }

    /**
     * Ends a running pass of [sync], whoever began it. What it has sent and proved stays so.
     */
    public suspend fun cancelSync(): Unit = runner.local { blocking.cancelSync() }

    /**
     * What changes, after its commit: of [topics], or of all where none is named. Each topic comes
     * once at the start, so that a reader who renders on each has no gap, and then after each
     * change; changes that come faster than they are read come as one.
     *
     * A listener that is set on [blocking] takes the place of this one.
     */
    public fun changes(vararg topics: Topic): Flow<Topic> =
        feed.of(topics.toSet().ifEmpty { Topic.entries.toSet() })

    /**
     * The status of a report now, and after each change of it.
     *
     * @throws HomelineException `NotFound` where there is no such report.
     */
    public fun statuses(report: String): Flow<ReportStatus> =
        feed.read(Topic.SOS) { sos.status(report) }

    /**
     * Ends a running pass and closes the files. A call after it throws `IllegalStateException`.
     * For a pause, as while the app is suspended, use [pause] and [reopen].
     */
    override fun close() {
        try {
            blocking.cancelSync()
        } catch (_: IllegalStateException) {
            return // closed already
        }
        parts.forEach(AutoCloseable::close)
        blocking.close()
    }

    public companion object {
        /**
         * Opens the files in `config.directory`, or makes them. A vault that is locked or has lost
         * its key is no error: [state] says `Locked` or `KeyLost`, and a press works.
         *
         * @param config the ministry, its keys, and where the files are
         * @param vault keeps the keys: `KeystoreVault` on Android
         * @param transport how bytes leave; the built-in HTTPS where absent
         * @param clock the clocks; the system's where absent
         * @throws HomelineException `Invalid` for a config that cannot be, `Storage` where no file can be made
         */
        public suspend fun open(
            config: Config,
            vault: KeyVault,
            transport: Transport? = null,
            clock: Clock? = null,
        ): Homeline = onDisk { Homeline(BlockingHomeline.open(config, vault, transport, clock)) }
    }
}
