package org.homeline

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The Kotlin of the README, as it stands there (a Rust test compares them). */
class ReadmeTest {
    @Test
    fun `ten lines press an SOS`(@TempDir directory: Path) {
        Stage.link("up")
        val config = Stage.config(directory.resolve("home"))
        val path = directory.resolve("vault.key").toString()
        // README
        val home = Homeline.open(config, FileVault.open(path))
        home.registration().save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
        home.contacts().add(Contact("王芳", "+8613900139000", Relation.PARENT))
        val here = Position.Wgs84(latitude = 41.0082, longitude = 28.9784)
        home.whereabouts().record(Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS))

        val report = home.sos().press(SosRequest(kind = SosKind.MEDICAL, note = "摔伤了"))
        println(home.sos().status(report).state)    // Stored: on disk, nothing has left the phone
        val outcome = home.sync(deadlineMs = 30_000u) // offline? outcome.stopped says so, nothing throws
        println(home.sos().status(report).state)    // Received(caseId=C-…): proved by a signed receipt
        // README
        assertEquals(SyncStop.DONE, outcome.stopped)
        assertTrue(home.sos().status(report).state is ReportState.Received)
        home.close()
    }
}
