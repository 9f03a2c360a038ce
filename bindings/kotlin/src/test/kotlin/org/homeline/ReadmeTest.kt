package org.homeline

import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The Kotlin of the README, as it stands there (a Rust test compares them). */
class ReadmeTest {
    @Test
    fun `ten lines press an SOS`(@TempDir directory: Path) = runBlocking {
        Stage.link("up")
        val config = Stage.config(directory.resolve("home"))
        val path = directory.resolve("vault.key").toString()
        // README
        val home = Homeline.open(config, FileVault.open(path))
        home.registration.save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
        home.contacts.add(Contact("王芳", "+8613900139000", Relation.PARENT))
        val here = Position.Wgs84(latitude = 41.0082, longitude = 28.9784)
        home.whereabouts.record(Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS))

        val report = home.sos.press(SosRequest(kind = SosKind.MEDICAL, note = "摔伤了"))
        println(home.sos.status(report).state)    // Stored: on disk, nothing has left the phone
        val outcome = home.sync(deadline = 30.seconds) // offline? outcome.stopped says so, nothing throws
        println(home.sos.status(report).state)    // Received(caseId=C-…): proved by a signed receipt
        // README
        assertEquals(SyncStop.DONE, outcome.stopped)
        assertTrue(home.sos.status(report).state is ReportState.Received)
        home.close()
    }

    @Test
    fun `who helps and what is dangerous, in flight mode`(@TempDir directory: Path) = runBlocking {
        Stage.link("down")
        val config = Stage.config(directory.resolve("home"))
        val home = Homeline.open(config, FileVault.open(directory.resolve("vault.key").toString()))
        val here = Position.Wgs84(latitude = 41.0082, longitude = 28.9784)
        home.whereabouts.record(Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS))
        // README
        val help = home.helpAt(Place.Here)              // never throws: local numbers, mission, hotline, each with its age
        println(help.numbers.first().numbers.first().number)
        val view = home.alerts.at(Place.Here)         // the level and the alerts, as of when
        val arrived = home.alerts.arrival()           // isNew once, when the phone has crossed a border
        val guides = home.guides.search("护照", Place.Here) // what to do, found by words of any length
        // README
        assertEquals(listOf("TR"), help.countries)
        assertEquals("112", help.numbers.first().numbers.first().number)
        assertTrue(view.alerts.isEmpty())
        assertEquals("TR", arrived?.country)
        assertEquals("lost-passport", guides.first().id)
        home.close()
    }
}
