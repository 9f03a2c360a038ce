package org.homeline.android

import android.Manifest.permission.SEND_SMS
import android.app.Activity
import android.app.PendingIntent
import android.content.Intent
import android.os.Looper
import android.telephony.SmsManager
import android.telephony.SubscriptionManager
import org.homeline.Evidence
import org.homeline.HomelineException
import org.homeline.ReportState
import org.homeline.SmsAnswer
import org.homeline.SmsObstacle
import org.homeline.SmsResult
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.Stage
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowSmsManager
import org.robolectric.shadows.ShadowSubscriptionManager

/** Texts as Android is asked to send them; its words come back by the manifest's receiver. */
@RunWith(OnAndroid::class)
class SmsSenderTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication
    private val home = HomelineHost.of(app)
    private val sender = SmsSender(app, home)

    /** Robolectric has no messages service for "the SIM of the settings" without a number. */
    @Before
    fun simOfTheSettings() = ShadowSubscriptionManager.setDefaultSmsSubscriptionId(SIM)

    @Test
    fun example() {
        shadowOf(app).grantPermissions(SEND_SMS) // Asked for by the host, where its store allows.
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        val tell = when (val handover = SmsSender(app, home).send(report)) {
            is SmsHandover.Sending -> "${handover.parts} text is on its way"
            is SmsHandover.TravelerSends -> {
                handover.intents.forEach(app::startActivity)
                "press send, please"
            }
            is SmsHandover.Impossible -> "no text: ${handover.obstacle}"
        }
        assertEquals("1 text is on its way", tell)
        val text = checkNotNull(sent().parts).single()
        // What the network would do: to the ministry, and its receipt back.
        val receipt = Stage.deliverText(text)
        val answer = home.sos().use { it.smsReceived(receipt) }
        assertEquals(report, (answer as SmsAnswer.Receipt).report)
        assertEquals(1, Stage.cases(report).size)
    }

    @Test
    fun `the phone's word on each text is in the status, and proves nothing more`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val report = press()
        assertEquals(SmsHandover.Sending(1), sender.send(report))
        word(sent().sentIntents.single(), Activity.RESULT_OK)
        assertEquals(listOf(SmsResult.SENT), results(report))
        assertTrue(state(report) is ReportState.Handed)
        // Sent a moment ago: no second one yet.
        assertEquals(SmsHandover.Sending(0), sender.send(report))
        // A delivery report that says nothing is no delivery.
        word(sent().deliveryIntents.single(), Activity.RESULT_OK)
        assertEquals(listOf(SmsResult.SENT), results(report))
    }

    @Test
    fun `each failure has its name`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val words = mapOf(
            SmsManager.RESULT_ERROR_NO_SERVICE to SmsResult.NO_SERVICE,
            SmsManager.RESULT_ERROR_RADIO_OFF to SmsResult.RADIO_OFF,
            SmsManager.RESULT_ERROR_LIMIT_EXCEEDED to SmsResult.LIMIT_EXCEEDED,
            SmsManager.RESULT_ERROR_GENERIC_FAILURE to SmsResult.FAILED,
        )
        for ((code, result) in words) {
            val report = press("$code")
            sender.send(report)
            word(sent().sentIntents.last(), code)
            assertEquals(listOf(result), results(report).takeLast(1))
        }
    }

    @Test
    fun `a status report of the network is a delivery only where it says so`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val report = press()
        sender.send(report)
        val delivery = sent().deliveryIntents.single()
        word(delivery, Activity.RESULT_OK, statusReport(0x30))
        assertEquals(emptyList<SmsResult>(), results(report))
        word(delivery, Activity.RESULT_OK, statusReport(0x00))
        assertEquals(listOf(SmsResult.DELIVERED), results(report))
        word(delivery, Activity.RESULT_OK, statusReport(0x46))
        assertEquals(listOf(SmsResult.DELIVERED, SmsResult.FAILED), results(report))
    }

    @Test
    fun `a long note is sent when all its messages are, and has failed when one has`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val report = press("脚断了，在山谷里。".repeat(30))
        assertTrue(sender.send(report) is SmsHandover.Sending)
        val messages = sent().sentIntents // Of the last part.
        assertTrue("${messages.size}", messages.size > 1)
        messages.dropLast(1).forEach { word(it, Activity.RESULT_OK) }
        word(messages.first(), Activity.RESULT_OK) // Told twice.
        assertEquals(emptyList<SmsResult>(), results(report))
        word(messages.last(), Activity.RESULT_OK)
        assertEquals(listOf(SmsResult.SENT), results(report))
        word(messages.last(), SmsManager.RESULT_ERROR_RADIO_OFF)
        assertEquals(SmsResult.RADIO_OFF, results(report).last())
    }

    @Test
    fun `refused, the traveler's own app gets the text, and nobody says that it was sent`() {
        val report = press()
        val handover = sender.send(report) as SmsHandover.TravelerSends
        val intent = handover.intents.single()
        assertEquals(Intent.ACTION_SENDTO, intent.action)
        assertEquals("smsto", intent.data?.scheme)
        val text = checkNotNull(intent.getStringExtra("sms_body"))
        assertNull(shadowOf(manager(SIM)).lastSentMultipartTextMessageParams)
        assertEquals(ReportState.Stored, state(report))
        // The traveler has pressed send.
        home.sos().use { it.smsReceived(Stage.deliverText(text)) }
        assertTrue(state(report) is ReportState.Received)
    }

    @Test
    fun `by the SIM that was named`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val report = press()
        sender.send(report, subscription = 7)
        assertNull(shadowOf(manager(SIM)).lastSentMultipartTextMessageParams)
        word(sent(7).sentIntents.single(), Activity.RESULT_OK)
        assertEquals(listOf(SmsResult.SENT), results(report))
    }

    @Test
    fun `a phone that sends for no app leaves it to the traveler`() {
        shadowOf(app).grantPermissions(SEND_SMS)
        val report = press()
        val handover = sender.send(report, SubscriptionManager.INVALID_SUBSCRIPTION_ID)
        assertTrue(handover is SmsHandover.TravelerSends)
        assertEquals(ReportState.Stored, state(report))
    }

    @Test
    fun `what cannot be sent says why`() {
        val counting = home.sos().use { it.press(SosRequest(SosKind.MEDICAL, countdownS = 60u)) }
        assertEquals(SmsHandover.Impossible(SmsObstacle.COUNTING_DOWN), sender.send(counting))
        assertThrows(HomelineException.NotFound::class.java) { sender.send("no such report") }
    }

    private fun press(note: String = "") =
        home.sos().use { it.press(SosRequest(SosKind.MEDICAL, note = note)) }

    private fun state(report: String) = home.sos().use { it.status(report) }.state

    private fun results(report: String) = home.sos().use { it.status(report) }.events
        .mapNotNull { (it.evidence as? Evidence.Sms)?.result }

    private fun manager(sim: Int): SmsManager =
        app.service<SmsManager>().createForSubscriptionId(sim)

    private fun sent(sim: Int = SIM): ShadowSmsManager.TextMultipartParams =
        checkNotNull(shadowOf(manager(sim)).lastSentMultipartTextMessageParams)

    /** The phone's word, as it comes: by a broadcast to the receiver of the manifest. */
    private fun word(intent: PendingIntent, code: Int, pdu: ByteArray? = null) {
        val broadcast = Intent(shadowOf(intent).savedIntent)
        if (pdu != null) broadcast.putExtra("pdu", pdu).putExtra("format", "3gpp")
        app.sendOrderedBroadcast(broadcast, null, null, null, code, null, null)
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** An SMS-STATUS-REPORT with [status], by 3GPP TS 23.040, 9.2.2.3. */
    private fun statusReport(status: Int): ByteArray {
        val number = byteArrayOf(0x04, 0x91.toByte(), 0x21, 0x43)
        val time = byteArrayOf(0x62, 0x11, 0x62, 0x30, 0x00, 0x00, 0x00)
        return byteArrayOf(0x00, 0x02, 0x01) + number + time + time + byteArrayOf(status.toByte())
    }

    private companion object {
        const val SIM = 3
    }
}
