package org.homeline

import java.nio.file.Path
import java.time.LocalDate
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The example of each class: what stands between the marks is in its documentation. */
class ExamplesTest {
    @TempDir
    lateinit var directory: Path

    private lateinit var home: Homeline

    @BeforeEach
    fun open() = runBlocking {
        val vault = FileVault.open(directory.resolve("vault.key").toString())
        home = Homeline.open(Stage.config(directory.resolve("home")), vault)
        Stage.link("up")
    }

    @AfterEach
    fun close() = home.close()

    @Test
    fun sos() = runBlocking {
        // Example: Sos
        val report = home.sos.press(SosRequest(kind = SosKind.MEDICAL, note = "摔伤了"))
        home.sync(deadline = 30.seconds)
        val status = home.sos.status(report)
        println(status.state) // Received: proved by a signed receipt
        // End
        assertTrue(status.state is ReportState.Received)
    }

    @Test
    fun registration() = runBlocking {
        // Example: Registration
        home.registration.save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
        val saved = home.registration.traveler()
        // End
        assertEquals("李伟", saved?.name)
    }

    @Test
    fun contacts() = runBlocking {
        // Example: Contacts
        val id = home.contacts.add(Contact("王芳", "+8613900139000", Relation.PARENT))
        home.contacts.moveTo(id, position = 0u) // the first to be called
        val contacts = home.contacts.list()
        // End
        assertEquals(listOf("王芳"), contacts.map { it.contact.name })
    }

    @Test
    fun whereabouts() = runBlocking {
        // Example: Whereabouts
        val here = Position.Wgs84(latitude = 41.0082, longitude = 28.9784)
        home.whereabouts.record(Fix(here, System.currentTimeMillis(), 12.0, FixSource.GNSS))
        val last = home.whereabouts.last() // with its age
        // End
        assertEquals(here, last?.fix?.position)
    }

    @Test
    fun alerts() = runBlocking {
        // Example: Alerts
        val here = home.alerts.at(Place.Here) // the level and the alerts, as of when
        home.alerts.markRead(here.alerts.map { AlertReference(it.sender, it.identifier, it.sentMs) })
        val arrived = home.alerts.arrival() // isNew once, when the phone has crossed a border
        // End
        assertTrue(here.alerts.isEmpty())
        assertEquals(null, arrived)
    }

    @Test
    fun attachments() = runBlocking {
        val report = home.sos.press(SosRequest(SosKind.MEDICAL))
        val photo = byteArrayOf(1, 2, 3)
        // Example: Attachments
        val info = AttachmentInfo(mediaType = "image/jpeg")
        home.attachments.attachBytes(report, photo, info) // sealed, and sent after the report
        home.sync(deadline = 30.seconds)
        val sent = home.attachments.list(report)
        // End
        assertEquals(1, sent.size)
    }

    @Test
    fun consents() = runBlocking {
        // Example: Consents
        home.consents.give(Purpose.WHEREABOUTS, textVersion = "2026-1") // of the text that was shown
        val given = home.consents.inForce(Purpose.WHEREABOUTS)
        home.consents.withdraw(Purpose.WHEREABOUTS)
        // End
        assertTrue(given)
    }

    @Test
    fun dependents() = runBlocking {
        val today = LocalDate.now().toString()
        // Example: Dependents
        val child = Traveler(name = "李小明", kind = TravelerKind.ShortTrip)
        val agreed = Agreement(way = AgreementWay.GUARDIAN, date = today)
        home.dependents.save(Dependent(child, Capacity.GUARDIAN, agreed))
        val travelAlong = home.dependents.list()
        // End
        assertEquals(listOf("李小明"), travelAlong.map { it.person.name })
    }

    @Test
    fun groups() = runBlocking {
        // Example: Groups
        val group = home.groups.create(GroupDetails(name = "丝路团", kind = GroupKind.TOUR))
        val invitation = home.groups.invitation(group) // text, or the content of a QR code
        val details = home.groups.readInvitation(invitation) // on a member's phone
        // End
        assertEquals("丝路团", details.details.name)
    }

    @Test
    fun guides() = runBlocking {
        // Example: Guides
        val found = home.guides.search("护照", Place.Here) // words of any length
        val guide = home.guides.read(found.first().id)
        // End
        assertEquals("lost-passport", guide.id)
    }

    @Test
    fun packs() = runBlocking {
        val shipped = Stage.packFile("missions")
        // Example: Packs
        home.packs.add(shipped) // a signed file that the app brings along, for the first start
        val packs = home.packs.list() // with their versions and ages
        // End
        assertTrue(packs.isNotEmpty())
    }

    @Test
    fun phones() = runBlocking {
        home.registration.save(Traveler(name = "李伟", kind = TravelerKind.ShortTrip))
        // Example: Phones
        val code = home.phones.linkCode() // shown on this phone, read by the traveler's other one
        val phones = home.phones.list()
        // End
        assertTrue(code.isNotEmpty())
        assertTrue(phones.isEmpty())
    }

    @Test
    fun relay() = runBlocking {
        home.sos.press(SosRequest(SosKind.MEDICAL))
        // Example: Relay
        val parcel = home.relay.export() // sealed; for another traveler's phone to carry
        home.relay.import(parcel) // on that phone
        val carried = home.relay.status()
        // End
        assertNotNull(carried)
        assertTrue(parcel.isNotEmpty())
    }

    @Test
    fun trips() = runBlocking {
        val (first, last) = LocalDate.now().let { Pair("$it", "${it.plusDays(7)}") }
        // Example: Trips
        val stay = Stay(country = "TR", place = "İstanbul", from = first, to = last)
        home.trips.save(Trip(departs = first, returns = last, stays = listOf(stay)))
        val today = home.trips.currentStay()
        // End
        assertEquals("TR", today?.stay?.country)
    }

    @Test
    fun homeline() = runBlocking {
        val report = home.sos.press(SosRequest(SosKind.MEDICAL))
        // Example: Homeline
        val outcome = home.sync(deadline = 30.seconds) // offline? outcome.stopped says so
        val received = home.statuses(report).first { it.state is ReportState.Received }
        // End
        assertEquals(SyncStop.DONE, outcome.stopped)
        assertNotNull(received)
    }
}
