package org.homeline.demo

import android.content.Intent
import android.os.UserManager
import java.nio.file.Files
import java.nio.file.Path
import org.homeline.Contact
import org.homeline.EraseRequest
import org.homeline.HomeState
import org.homeline.HomelineException
import org.homeline.KeyPurpose
import org.homeline.RecordState
import org.homeline.Relation
import org.homeline.StorageProblem
import org.homeline.VaultException
import org.homeline.Waiting
import org.homeline.android.HomelineStorage
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** Each bad state has its words on the screen, and the SOS works in it. */
class BadStatesTest : Screens() {
    private fun restart(plays: (KeyPurpose) -> VaultException?) {
        end()
        app.vault.plays = plays
        app.restart()
        open()
    }

    private fun pressWorks() {
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("On this phone. It counts down")
    }

    @Test
    fun `before the first unlock the SOS works, and after it the record is there`() {
        call { it.contacts.add(Contact("Fang", "+8613900139000", Relation.PARENT)) }
        val user = shadowOf(app.getSystemService(UserManager::class.java))
        user.setUserUnlocked(false)
        restart { purpose -> VaultException.Locked().takeIf { purpose == KeyPurpose.RECORD } }
        activity.shows("Unlock the phone once to read what is saved. SOS works now.")
        tab(R.id.tab_me)
        assertFalse("Fang" in activity.words())
        tab(R.id.tab_sos)
        pressWorks()
        app.vault.plays = { null }
        user.setUserUnlocked(true)
        app.sendBroadcast(Intent(Intent.ACTION_USER_UNLOCKED))
        tab(R.id.tab_me)
        activity.shows("Fang")
        until("the banner goes") { "Unlock the phone" !in activity.words() }
    }

    @Test
    fun `a lost key is said, nothing is deleted, and a new record is the traveler's to begin`() {
        call { it.contacts.add(Contact("Fang", "+8613900139000", Relation.PARENT)) }
        restart { purpose -> VaultException.KeyLost().takeIf { purpose == KeyPurpose.RECORD } }
        activity.shows("The key to what was saved is not on this phone")
        pressWorks()
        app.vault.plays = { null }
        activity.touch("Start a new record")
        until("the record is open") { call { it.state() }.record == RecordState.Open }
        until("the banner goes") { "The key to what was saved" !in activity.words() }
        assertTrue(call { it.state() }.setAside.isNotEmpty())
    }

    @Test
    fun `a report that cannot be stored says so at once, with the numbers to call`() {
        val directory = Path.of(HomelineStorage.directory(app))
        session.courier.stop()
        // At once, before anything opens the files again. Where a file stands in place of the
        // directory, nothing can be written, not even by root.
        call {
            it.pause()
            check(directory.toFile().deleteRecursively())
            Files.createFile(directory)
        }
        activity.hold(HoldButton.HOLD_MS + 100)
        activity.shows("NOT saved. Call now.")
        activity.shows("Call +861012308")
        assertTrue(activity.hold().isShown)
    }

    @Test
    fun `every state of the record and every failure has its words`() {
        val words = Words(activity, app.clock::now)
        val banner = Banner(activity.part(R.id.banner), session.state, words)
        fun said(record: RecordState, outbox: Waiting = Waiting.Known(0u, 0u)): String {
            banner.render(HomeState(record, outbox, emptyList(), emptyList(), null, EraseRequest.Absent))
            return activity.words()
        }
        assertTrue("A newer version of this app" in said(RecordState.UpdateNeeded(9u, 8u)))
        assertTrue("cannot be opened: a file is damaged" in said(RecordState.Unavailable(StorageProblem.DAMAGED)))
        assertTrue("Start the app again" in said(RecordState.Closed))
        val full = said(RecordState.Open, Waiting.Unavailable(StorageProblem.FULL))
        assertTrue("A report cannot be stored now: the phone has no space left" in full)
        val failures = StorageProblem.entries.map { HomelineException.Storage(it) } +
            HomelineException.Locked() + HomelineException.KeyLost() + HomelineException.Bug("here")
        assertEquals(failures.size, failures.map(words::failure).toSet().size)
    }
}
