package org.homeline

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.measureTime
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/**
 * What a call costs through the facade, printed as JSON for `tests/run figures`: the same calls,
 * as often, as in `core/examples/figures.rs` and `CostTests.swift`. Here it runs with a few rounds,
 * against the library without optimisation, so that it keeps working; nothing of it is asserted.
 */
class CostTest {
    /** Not in memory, where the platform's folder for temporary files may be. */
    @TempDir
    lateinit var directory: Path

    private val rounds = System.getenv("HOMELINE_COST_ROUNDS")?.toInt() ?: 5

    @Test
    fun `what a press, a status and a list of a thousand fixes cost`() = runBlocking {
        val vault = FileVault.open(directory.resolve("vault.key").toString())
        Homeline.open(Stage.config(directory.resolve("home")), vault).use { home ->
            val request = SosRequest(SosKind.MEDICAL, onRepeat = OnRepeat.NEW_REPORT)
            val report = home.sos.press(request)
            home.whereabouts.recordAll(List(1_000) { minute ->
                val place = Position.Wgs84(41.0, 29.0 + minute / 1_000.0)
                Fix(place, minute * 60_000L, source = FixSource.GNSS)
            })
            show("kotlin_press_us", median(rounds) { home.sos.press(request) })
            show("kotlin_status_us", median(rounds * 10) { home.sos.status(report) })
            show("kotlin_list1000_us", median(rounds) {
                assertEquals(1_000, home.whereabouts.list(0, Long.MAX_VALUE, 1_000u).size)
            })
        }
    }

    @Test
    fun `what it takes to load the library the first time`() {
        val java = ProcessHandle.current().info().command().orElse("java")
        val samples = List(if (rounds < 100) 1 else 11) {
            val process = ProcessBuilder(
                java, "-Djna.library.path=${System.getProperty("jna.library.path")}",
                "-cp", System.getProperty("java.class.path"), "org.homeline.FirstLoadKt",
            ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
            val said = process.inputStream.bufferedReader().readText()
            assertTrue(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0)
            said.trim().toDouble()
        }
        show("kotlin_first_load_ms", samples.sorted()[samples.size / 2])
    }

    private inline fun median(rounds: Int, call: () -> Unit): Double {
        // A virtual machine compiles what runs often.
        val warmUp = if (this.rounds < 100) 1 else 2_000.coerceAtMost(rounds)
        val samples = List(warmUp + rounds) { measureTime(call).inWholeNanoseconds / 1e3 }
        return samples.drop(warmUp).sorted()[rounds / 2]
    }

    private fun show(name: String, value: Double) = println("""{"name": "$name", "value": $value}""")
}
