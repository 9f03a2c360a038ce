package org.homeline.android

import android.app.Activity
import android.app.PendingIntent
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.telephony.SmsManager
import android.telephony.SmsMessage
import java.util.concurrent.ConcurrentHashMap
import org.homeline.HomelineException
import org.homeline.SmsResult

/** Which of the phone's two words a broadcast is. */
internal enum class SmsWord { SENT, DELIVERED }

/** A message of a part: a long part is several. Nothing personal is in it. */
internal data class SmsPiece(
    val report: String,
    val part: Int,
    val sim: Int,
    val index: Int,
    val of: Int,
)

/**
 * Takes the phone's word on each text message, also in a process that was started for it,
 * and tells Homeline: a part is sent, or delivered, when all its messages are, and has
 * failed when one has. A part of several messages whose words come to two processes gets no
 * word: nothing is claimed that was not seen.
 */
class SmsResultReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val (word, piece) = parse(intent) ?: return
        val result = when (word) {
            SmsWord.SENT -> sentResult(resultCode)
            SmsWord.DELIVERED -> deliveredResult(intent) ?: return
        }
        if (!isWholePart(piece, result)) return
        // A write of a few milliseconds; the process may end when this returns.
        val home = HomelineHost.of(context)
        try {
            home.sos().use {
                it.smsResult(piece.report, piece.part.toUInt(), result, piece.sim.toUInt())
            }
        } catch (_: HomelineException) {
            // The report is gone, or the disk is full: the text counts as not sent.
        }
    }

    internal companion object {
        private const val WORD = "word"
        private val good = ConcurrentHashMap<SmsPiece, MutableSet<Int>>()

        fun pendingIntent(context: Context, word: SmsWord, piece: SmsPiece): PendingIntent {
            // The data makes each its own; extras would not.
            val data = Uri.Builder().scheme("homeline-sms").authority(word.name)
                .appendPath(piece.report)
                .appendPath(piece.part.toString())
                .appendPath(piece.sim.toString())
                .appendPath(piece.index.toString())
                .appendPath(piece.of.toString())
                .build()
            val intent = Intent(context, SmsResultReceiver::class.java).setData(data)
            // Mutable, for the phone puts its status report in; nobody but this class gets it.
            val mutable =
                if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) PendingIntent.FLAG_MUTABLE else 0
            return PendingIntent.getBroadcast(context, 0, intent, mutable)
        }

        private fun parse(intent: Intent): Pair<SmsWord, SmsPiece>? {
            val data = intent.data ?: return null
            val word = SmsWord.entries.find { it.name == data.authority } ?: return null
            val path = data.pathSegments
            val numbers = path.drop(1).mapNotNull(String::toIntOrNull)
            if (path.size != 5 || numbers.size != 4) return null
            val (part, sim, index, of) = numbers
            return word to SmsPiece(path[0], part, sim, index, of)
        }

        private fun sentResult(code: Int) = when (code) {
            Activity.RESULT_OK -> SmsResult.SENT
            SmsManager.RESULT_ERROR_NO_SERVICE -> SmsResult.NO_SERVICE
            SmsManager.RESULT_ERROR_RADIO_OFF -> SmsResult.RADIO_OFF
            SmsManager.RESULT_ERROR_LIMIT_EXCEEDED -> SmsResult.LIMIT_EXCEEDED
            else -> SmsResult.FAILED
        }

        /** By 3GPP TS 23.040, 9.2.3.15: below 32 it arrived, below 64 the network still tries. */
        private fun deliveredResult(intent: Intent): SmsResult? {
            val pdu = intent.getByteArrayExtra("pdu") ?: return null
            val report = SmsMessage.createFromPdu(pdu, intent.getStringExtra("format")) ?: return null
            return when (report.status) {
                in 0 until 32 -> SmsResult.DELIVERED
                in 32 until 64 -> null
                else -> SmsResult.FAILED
            }
        }

        /** Whether [result] is the word on the whole part. */
        private fun isWholePart(piece: SmsPiece, result: SmsResult): Boolean {
            if (piece.of == 1) return true
            if (result != SmsResult.SENT && result != SmsResult.DELIVERED) return true
            val key = piece.copy(index = if (result == SmsResult.SENT) 0 else 1)
            val seen = good.getOrPut(key) { ConcurrentHashMap.newKeySet() }
            seen += piece.index
            return seen.size == piece.of
        }
    }
}
