package org.homeline.android

import android.Manifest.permission.SEND_SMS
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.telephony.SmsManager
import android.telephony.SubscriptionManager
import org.homeline.BlockingHomeline
import org.homeline.SmsNext
import org.homeline.SmsObstacle
import org.homeline.SmsPart
import org.homeline.SmsResult

/** What [SmsSender.send] came to. */
sealed class SmsHandover {
    /**
     * [parts] texts were given to the phone; what becomes of each is in the report's status.
     * 0: the plan asks to wait, or enough were sent.
     */
    data class Sending(val parts: Int) : SmsHandover()

    /**
     * The app may not send. Each of [intents] opens the traveler's own messages app with one
     * text in it: the traveler sends it, or does not. **Nobody reports which**: the status
     * of the report stays as it is until the ministry's receipt.
     */
    class TravelerSends(val intents: List<Intent>) : SmsHandover()

    /** There is no text to send, and why. */
    data class Impossible(val obstacle: SmsObstacle) : SmsHandover()
}

/**
 * Sends a report as text messages, and tells Homeline what the phone says of each part.
 *
 * Permission: `SEND_SMS`. It is a restricted permission: an app store lets few apps have it,
 * and the traveler may refuse it. Where it is not granted, and where the phone refuses to
 * send for an app, [send] returns [SmsHandover.TravelerSends].
 *
 * Text messages cost money: the host asks the traveler first. Call it from a background
 * thread.
 *
 * @sample org.homeline.android.SmsSenderTest.example
 */
class SmsSender(context: Context, private val home: BlockingHomeline) {
    private val context = context.applicationContext

    /**
     * Sends what is to be sent of [report] now, by the SIM [subscription]; left out, by the
     * one that the traveler has chosen for messages.
     *
     * Errors: `HomelineException.NotFound`, `Storage`.
     */
    @JvmOverloads
    fun send(
        report: String,
        subscription: Int = SubscriptionManager.getDefaultSmsSubscriptionId(),
    ): SmsHandover {
        val sim = Sim(subscription)
        val plan = home.sos().use { it.smsPlan(report, sim.number) }
        plan.obstacle?.let { return SmsHandover.Impossible(it) }
        val parts = plan.parts.filter { it.next == SmsNext.SendNow }
        if (!context.isGranted(SEND_SMS)) return travelerSends(parts)
        return try {
            val manager = sim.manager(context)
            parts.forEach { send(manager, report, it, sim) }
            SmsHandover.Sending(parts.size)
        } catch (_: SecurityException) {
            // Taken back between the question and the call.
            travelerSends(parts)
        } catch (_: UnsupportedOperationException) {
            // A tablet, a second user.
            travelerSends(parts)
        }
    }

    private fun send(manager: SmsManager, report: String, part: SmsPart, sim: Sim) {
        val texts = manager.divideMessage(part.text)
        val results = { kind: SmsWord ->
            texts.indices.mapTo(ArrayList()) { index ->
                val piece = SmsPiece(report, part.part.toInt(), sim.number.toInt(), index, texts.size)
                SmsResultReceiver.pendingIntent(context, kind, piece)
            }
        }
        val sent: ArrayList<PendingIntent> = results(SmsWord.SENT)
        val delivered: ArrayList<PendingIntent> = results(SmsWord.DELIVERED)
        try {
            manager.sendMultipartTextMessage(part.number, null, texts, sent, delivered)
        } catch (_: IllegalArgumentException) {
            home.sos().use { it.smsResult(report, part.part, SmsResult.FAILED, sim.number) }
        }
    }

    private fun travelerSends(parts: List<SmsPart>) = SmsHandover.TravelerSends(
        parts.map { part ->
            Intent(Intent.ACTION_SENDTO, Uri.fromParts("smsto", part.number, null))
                .putExtra("sms_body", part.text)
                .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        },
    )

    /** A SIM as Android and Homeline name it: where there is one, it has no number. */
    private class Sim(private val subscription: Int) {
        private val isNamed = subscription != SubscriptionManager.INVALID_SUBSCRIPTION_ID

        val number: UInt = if (isNamed) subscription.toUInt() else 0u

        fun manager(context: Context): SmsManager = when {
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.S -> {
                val manager = context.service<SmsManager>()
                if (isNamed) manager.createForSubscriptionId(subscription) else manager
            }
            isNamed -> @Suppress("DEPRECATION") SmsManager.getSmsManagerForSubscriptionId(subscription)
            else -> @Suppress("DEPRECATION") SmsManager.getDefault()
        }
    }

    internal companion object {
        /** Whether the phone has an app that texts can be written in. */
        fun hasComposer(context: Context): Boolean {
            val intent = Intent(Intent.ACTION_SENDTO, Uri.fromParts("smsto", "", null))
            return intent.resolveActivity(context.packageManager) != null
        }
    }
}
