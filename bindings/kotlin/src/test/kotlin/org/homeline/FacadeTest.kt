package org.homeline

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** What the facade adds to the calls: cancellation, changes as flows, closing. */
class FacadeTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a press is stored though its coroutine was cancelled before it ran`() = runBlocking {
        open().use { home ->
            // The scope is gone while the press waits for its thread, as when a screen is turned.
            val pressing = launch(start = CoroutineStart.UNDISPATCHED) { press(home) }
            pressing.cancelAndJoin()
            assertEquals(1, home.sos.reports().size)
        }
    }

    @Test
    fun `a cancelled coroutine ends its pass`() = runBlocking {
        val network = HangingTransport()
        open(network).use { home ->
            press(home)
            val passing = launch(Dispatchers.Default) { home.sync(deadline = 10.minutes) }
            assertTrue(network.begun.await(10, TimeUnit.SECONDS))
            withTimeout(10.seconds) { passing.cancelAndJoin() }
            assertEquals(0, network.cancelled.count)
            assertEquals(ReportState.Stored, home.sos.status(home.sos.reports().first().report).state)
        }
    }

    @Test
    fun `a press does not wait for a pass`() = runBlocking {
        val network = HangingTransport()
        open(network).use { home ->
            press(home)
            val passing = launch(Dispatchers.Default) { home.sync(deadline = 10.minutes) }
            assertTrue(network.begun.await(10, TimeUnit.SECONDS))
            withTimeout(10.seconds) { home.sos.press(SosRequest(SosKind.DETAINED, note = "another")) }
            assertTrue(passing.isActive)
            passing.cancelAndJoin()
        }
    }

    @Test
    fun `changes come once at the start and once after each change`() = runBlocking {
        open().use { home ->
            val told = Channel<Topic>(Channel.UNLIMITED)
            val reading = launch { home.changes(Topic.SOS, Topic.RECORD).collect { told.send(it) } }
            assertEquals(setOf(Topic.SOS, Topic.RECORD), setOf(told.receive(), told.receive()))
            press(home)
            assertEquals(Topic.SOS, withTimeout(10.seconds) { told.receive() })
            home.whereabouts.record(Fix(Position.Wgs84(1.0, 2.0), 1_000, 12.0, FixSource.GNSS))
            home.registration.save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
            assertEquals(Topic.RECORD, withTimeout(10.seconds) { told.receive() })
            reading.cancelAndJoin()
        }
    }

    @Test
    fun `a slow reader misses no topic`() = runBlocking {
        open().use { home ->
            press(home)
            repeat(200) { home.whereabouts.record(Fix(Position.Wgs84(1.0, 2.0), it * 60_000L, 12.0, FixSource.GNSS)) }
            val seen = home.changes().take(Topic.entries.size).toList()
            assertEquals(Topic.entries.toSet(), seen.toSet())
        }
    }

    @Test
    fun `the statuses of a report come until it is received`() = runBlocking {
        Stage.link("up")
        open().use { home ->
            val report = press(home)
            val syncing = launch { home.sync(deadline = 30.seconds) }
            val received = withTimeout(30.seconds) {
                home.statuses(report).first { it.state is ReportState.Received }
            }
            assertTrue(received.events.isNotEmpty())
            syncing.join()
        }
    }

    @Test
    fun `the statuses of a report that is none end with an error`() = runBlocking {
        open().use { home ->
            assertThrows<HomelineException.NotFound> {
                home.statuses("01890000-0000-7000-8000-000000000000").first()
            }
        }
        Unit
    }

    @Test
    fun `closed twice, it is closed, and says so`() = runBlocking {
        val home = open()
        home.close()
        home.close()
        assertThrows<IllegalStateException> { home.state() }
        Unit
    }

    private suspend fun open(transport: Transport? = null): Homeline {
        val vault = FileVault.open(directory.resolve("vault.key").toString())
        return Homeline.open(Stage.config(directory.resolve("home")), vault, transport)
    }

    private suspend fun press(home: Homeline) = home.sos.press(SosRequest(SosKind.MEDICAL))
}
