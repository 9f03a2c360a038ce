package org.homeline.demo

import android.app.Activity
import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.provider.Settings

/** Leads out of the app: to the dialler, a message, the settings. Needs no permission. */
class Dialler(private val activity: Activity) {
    /** Opens the dialler with [number]; the traveler calls. Without one, says the number. */
    fun dial(number: String) = open(Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null))) {
        activity.getString(R.string.no_dialer, number)
    }

    /** Opens the traveler's message app. Whether it is sent nobody tells us: it proves nothing. */
    fun message(number: String, text: String) = open(
        Intent(Intent.ACTION_SENDTO, Uri.fromParts("smsto", number, null)).putExtra("sms_body", text),
    ) { activity.getString(R.string.no_messages) }

    /** Opens the settings of the wireless network: to sign in, or to leave it. */
    fun network() = open(Intent(Settings.ACTION_WIFI_SETTINGS)) { activity.getString(R.string.next_action_portal) }

    private fun open(intent: Intent, otherwise: () -> String) = try {
        activity.startActivity(intent)
    } catch (_: ActivityNotFoundException) {
        AlertDialog.Builder(activity).setMessage(otherwise()).setPositiveButton(R.string.action_close, null).show()
        Unit
    }
}
