package org.homeline

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/**
 * Calls and openings without end: what was given to the library comes back, and memory stays. A
 * few of them here; `tests/run figures` makes 100,000 calls and 1,000 openings.
 */
class SoakTest {
    @TempDir
    lateinit var directory: Path

    private val calls = System.getenv("HOMELINE_SOAK_CALLS")?.toInt() ?: 2_000
    private val opens = System.getenv("HOMELINE_SOAK_OPENS")?.toInt() ?: 20

    @Test
    fun `what the library was given comes back`() = runBlocking {
        val before = held()
        repeat(opens) { round ->
            val home = open(round % 10, ShiftedClock())
            home.changes(Topic.SOS).first()
            home.sos.press(SosRequest(SosKind.MEDICAL))
            home.close()
        }
        // The library lets go of a callback on its own thread's time: at once, after a close.
        assertEquals(before, held(), "vaults, clocks and listeners that the library still holds")
    }

    @Test
    fun `memory stays`() = runBlocking {
        val home = open(0, null)
        val report = home.sos.press(SosRequest(SosKind.MEDICAL))
        suspend fun some(count: Int) = repeat(count / 3) {
            home.sos.status(report)
            home.state()
            home.contacts.list()
        }
        some(calls / 4)
        val before = resident()
        some(calls)
        val after = resident()
        home.close()
        println("""{"name": "kotlin_soak_growth_mb", "value": ${(after - before) / 1024.0}}""")
    }

    private suspend fun open(place: Int, clock: Clock?): Homeline {
        val phone = Files.createDirectories(directory.resolve("phone-$place"))
        val vault = LockableVault(FileVault.open(phone.resolve("vault.key").toString()))
        return Homeline.open(Stage.config(phone.resolve("home")), vault, clock = clock)
    }

    /** How many objects of the host the library holds. */
    private fun held() = FfiConverterTypeKeyVault.handleMap.size +
        FfiConverterTypeClock.handleMap.size + FfiConverterTypeChangeListener.handleMap.size

    /**
     * Resident memory of this process, in KB; the heap's unused part left out. It says something
     * where the heap has one size and was touched from the beginning.
     */
    private fun resident(): Long {
        val used = usedHeap()
        val status = File("/proc/self/status").readLines()
        val all = status.first { it.startsWith("RssAnon:") }.filter(Char::isDigit).toLong()
        return all + (used - Runtime.getRuntime().totalMemory()) / 1_024
    }

    /** After collections: JNA frees on one thread, which after many calls is far behind. */
    private fun usedHeap(): Long {
        var used = Long.MAX_VALUE
        while (true) {
            System.gc()
            Thread.sleep(300)
            val now = Runtime.getRuntime().run { totalMemory() - freeMemory() }
            if (now > used - 100_000) return now
            used = now
        }
    }
}
