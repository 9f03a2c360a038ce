package org.homeline

import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** What a failure on one side of the boundary is on the other. */
class BoundaryTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a defect of the library is a typed error, and the library goes on`() = runBlocking {
        open().use { home ->
            val thrown = assertThrows<HomelineException.Bug> { home.blocking.faultPanic() }
            assertEquals("Homeline::fault_panic", thrown.place)
            assertStored(home)
        }
    }

    @Test
    fun `a locked vault locks the record and not the SOS`() = runBlocking {
        open(FailingVault { throw VaultException.Locked() }).use { home ->
            assertEquals(RecordState.Locked, home.state().record)
            assertReceived(home, press(home))
        }
    }

    @Test
    fun `a vault that throws anything else counts as locked, and its words stay outside`() = runBlocking {
        open(FailingVault { throw IllegalStateException(SECRET) }).use { home ->
            assertEquals(RecordState.Locked, home.state().record)
            val thrown = assertThrows<HomelineException.Locked> {
                home.registration.traveler()
            }
            assertFalse(thrown.stackTraceToString().contains(SECRET))
            assertStored(home)
        }
    }

    @Test
    fun `a listener that throws does not undo a press`() = runBlocking {
        open().use { home ->
            val told = mutableListOf<Topic>()
            home.blocking.setListener(object : ChangeListener {
                override fun changed(topic: Topic) {
                    told += topic
                    throw IllegalStateException(SECRET)
                }
            })
            assertStored(home)
            assertEquals(listOf(Topic.SOS), told)
        }
    }

    @Test
    fun `a transport that throws is no network, and the report is kept`() = runBlocking {
        val transport = FailingTransport { throw IllegalStateException(SECRET) }
        open(transport = transport).use { home ->
            val report = press(home)
            val outcome = home.sync(deadline = 20.seconds)
            assertEquals(SyncStop.OFFLINE, outcome.stopped)
            assertTrue(outcome.waiting > 0u)
            assertEquals(1, transport.exchanges)
            val status = home.sos.status(report)
            assertEquals(1u, status.attempts)
            assertFalse(status.toString().contains(SECRET))
        }
    }

    @Test
    fun `a report is received though the clock went back three years after the press`() = runBlocking {
        val clock = ShiftedClock()
        open(clock = clock).use { home ->
            val report = press(home)
            clock.wallShiftMs = -3 * 365 * 86_400_000L
            assertReceived(home, report)
        }
    }

    private suspend fun open(
        vault: KeyVault = FileVault.open(directory.resolve("vault.key").toString()),
        transport: Transport? = null,
        clock: Clock? = null,
    ) = Homeline.open(Stage.config(directory.resolve("home")), vault, transport, clock)

    private suspend fun press(home: Homeline) = home.sos.press(SosRequest(SosKind.MEDICAL))

    private suspend fun assertStored(home: Homeline) {
        val report = press(home)
        assertEquals(ReportState.Stored, home.sos.status(report).state)
    }

    private suspend fun assertReceived(home: Homeline, report: String) {
        Stage.link("up")
        assertEquals(SyncStop.DONE, home.sync(deadline = 20.seconds).stopped)
        val state = home.sos.status(report).state
        assertTrue(state is ReportState.Received, "$state")
        assertEquals(1, Stage.cases(report).size)
    }
}
