package org.homeline.demo

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.EditText
import android.widget.Spinner
import android.widget.Switch
import java.io.ByteArrayOutputStream
import org.homeline.EraseRequest
import org.homeline.Purpose
import org.homeline.Stage
import org.homeline.TravelerKind
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowAlertDialog

/** The registration, the contacts, the consents, and the traveler's own data. */
class MeScreenTest : Screens() {
    private fun field(id: Int) = activity.part<EditText>(id)

    private fun click(id: Int) {
        activity.part<View>(id).performClick()
        pass(50)
    }

    @Before
    fun openMe() = tab(R.id.tab_me)

    private fun register() {
        field(R.id.me_name).setText("李伟")
        field(R.id.me_phone).setText("+8613800138000")
        activity.part<Spinner>(R.id.me_kind).setSelection(2)
        pass(50)
        field(R.id.me_place).setText("Boğaziçi")
        click(R.id.me_save)
        activity.shows("Registered on this phone.")
    }

    @Test
    fun `registered, it is on the phone, and stays there without consent`() {
        register()
        val traveler = checkNotNull(call { it.registration.traveler() })
        assertEquals("李伟", traveler.name)
        assertEquals(TravelerKind.Student("Boğaziçi"), traveler.kind)
        tab(R.id.tab_outbox)
        session.courier.wake()
        activity.shows("The registration stays here: you have not consented to send it.")
    }

    @Test
    fun `a wrong number is said at its field, and nothing typed is lost`() {
        field(R.id.me_contact_name).setText("王芳")
        field(R.id.me_contact_phone).setText("139 0013 9000 x")
        click(R.id.me_contact_add)
        until("the field says so") { field(R.id.me_contact_phone).error != null }
        assertTrue("+" in field(R.id.me_contact_phone).error)
        assertEquals("王芳", field(R.id.me_contact_name).text.toString())
        field(R.id.me_contact_phone).setText("+8613900139000")
        click(R.id.me_contact_add)
        until("it is added") { field(R.id.me_contact_name).text.isEmpty() }
        assertNull(field(R.id.me_contact_phone).error)
        activity.shows("Mother or father\n+8613900139000")
        activity.root.onScreen().first { it.contentDescription == "Remove 王芳" }.performClick()
        activity.shows("Nobody yet.")
    }

    @Test
    fun `a consent is given with the text that stands there, and taken back`() {
        register()
        val switch = activity.root.onScreen().filterIsInstance<Switch>().first()
        assertTrue("my consulate can find me" in switch.text)
        switch.performClick()
        until("it is given") { call { it.consents.inForce(Purpose.REGISTER) } }
        val consent = call { it.consents.list() }.single()
        assertEquals(MeModel.TEXT_VERSION, consent.textVersion)
        assertEquals("en", consent.language)
        activity.shows("text of ${MeModel.TEXT_VERSION}")
        switch.performClick()
        until("it is withdrawn") { !call { it.consents.inForce(Purpose.REGISTER) } }
        assertNotNull(call { it.consents.list() }.single().withdrawnMs)
    }

    @Test
    fun `the traveler says where the export goes`() {
        register()
        click(R.id.me_export)
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val target = Uri.parse("content://documents/homeline.json")
        val written = ByteArrayOutputStream()
        shadowOf(activity.contentResolver).registerOutputStream(target, written)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(target))
        activity.shows("Written.")
        assertTrue("李伟" in written.toString())
    }

    @Test
    fun `erase says what it means, and is proved in the end`() {
        register()
        Stage.link("down")
        click(R.id.me_erase)
        val dialog = ShadowAlertDialog.getLatestAlertDialog()
        assertTrue("for good" in shadowOf(dialog).message)
        dialog.getButton(AlertDialog.BUTTON_NEGATIVE).performClick()
        pass(50)
        assertNotNull(call { it.registration.traveler() })
        click(R.id.me_erase)
        ShadowAlertDialog.getLatestAlertDialog().getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        activity.shows("Erased here. The ministry has not been told yet.")
        assertNull(call { it.registration.traveler() })
        assertEquals("", field(R.id.me_name).text.toString())
        Stage.link("up")
        call { it.networkChanged() }
        session.courier.wake()
        activity.shows("Erased here, and at the ministry: proved by its receipt")
        assertTrue(call { it.state() }.eraseRequest is EraseRequest.Received)
    }
}
