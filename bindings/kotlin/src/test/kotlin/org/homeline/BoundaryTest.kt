package org.homeline

import java.nio.file.Path
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
    fun `a defect of the library is a typed error, and the library goes on`() {
        open().use { home ->
            val thrown = assertThrows<HomelineException.Bug> { home.faultPanic() }
            assertEquals("Homeline::fault_panic", thrown.place)
            assertStored(home)
        }
    }

    @Test
    fun `a locked vault locks the record and not the SOS`() {
        open(FailingVault { throw VaultException.Locked() }).use { home ->
            assertEquals(RecordState.Locked, home.state().record)
            assertReceived(home, press(home))
        }
    }

    @Test
    fun `a vault that throws anything else counts as locked, and its words stay outside`() {
        open(FailingVault { throw IllegalStateException(SECRET) }).use { home ->
            assertEquals(RecordState.Locked, home.state().record)
            val thrown = assertThrows<HomelineException.Locked> {
                home.registration().use { it.traveler() }
            }
            assertFalse(thrown.stackTraceToString().contains(SECRET))
            assertStored(home)
        }
    }

    @Test
    fun `a listener that throws does not undo a press`() {
        open().use { home ->
            val told = mutableListOf<Topic>()
            home.setListener(object : ChangeListener {
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
    fun `a transport that throws is no network, and the report is kept`() {
        val transport = FailingTransport { throw IllegalStateException(SECRET) }
        open(transport = transport).use { home ->
            val report = press(home)
            val outcome = home.sync(deadlineMs = 20_000u)
            assertEquals(SyncStop.OFFLINE, outcome.stopped)
            assertTrue(outcome.waiting > 0u)
            assertEquals(1, transport.exchanges)
            val status = home.sos().use { it.status(report) }
            assertEquals(1u, status.attempts)
            assertFalse(status.toString().contains(SECRET))
        }
    }

    @Test
    fun `a report is received though the clock went back three years after the press`() {
        val clock = ShiftedClock()
        open(clock = clock).use { home ->
            val report = press(home)
            clock.wallShiftMs = -3 * 365 * 86_400_000L
            assertReceived(home, report)
        }
    }

    private fun open(
        vault: KeyVault = FileVault.open(directory.resolve("vault.key").toString()),
        transport: Transport? = null,
        clock: Clock? = null,
    ) = Homeline.open(Stage.config(directory.resolve("home")), vault, transport, clock)

    private fun press(home: Homeline) = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }

    private fun assertStored(home: Homeline) {
        val report = press(home)
        assertEquals(ReportState.Stored, home.sos().use { it.status(report) }.state)
    }

    private fun assertReceived(home: Homeline, report: String) {
        Stage.link("up")
        assertEquals(SyncStop.DONE, home.sync(deadlineMs = 20_000u).stopped)
        val state = home.sos().use { it.status(report) }.state
        assertTrue(state is ReportState.Received, "$state")
        assertEquals(1, Stage.cases(report).size)
    }
}
