package org.homeline.android

import android.Manifest.permission.ACCESS_BACKGROUND_LOCATION
import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.Manifest.permission.POST_NOTIFICATIONS
import android.Manifest.permission.SEND_SMS
import android.app.NotificationManager
import android.content.Context
import android.content.pm.PackageManager
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import android.telephony.TelephonyManager
import org.homeline.Conditions
import org.homeline.Neighbours
import org.homeline.Permission
import org.homeline.PermissionReport
import org.homeline.PermissionState
import org.homeline.SmsAbility
import org.homeline.VoiceAbility

/**
 * What this phone can do now, as `sos.nextSteps` asks it, and what it allows, as
 * `reportPermissions` takes it.
 *
 * No permission is used: what Android tells nobody but a holder of `READ_PHONE_STATE` is
 * left out.
 *
 * @sample org.homeline.android.PhoneConditionsTest.example
 */
class PhoneConditions(context: Context) {
    private val context = context.applicationContext
    /** `null` where a phone cannot call at all. */
    private val telephony = context.getSystemService(TelephonyManager::class.java)
        ?.takeIf { hasFeature() }

    /**
     * The conditions of now. [link] is from [ConnectivityHints]; [neighbours] and
     * [smsAttemptsLeft] are known to the host alone.
     */
    @JvmOverloads
    fun now(
        link: Link,
        neighbours: Neighbours = Neighbours.ABSENT,
        smsAttemptsLeft: UInt? = null,
    ) = Conditions(
        network = link.network,
        networkSinceMs = link.sinceMs,
        cost = link.cost,
        sms = sms(),
        smsAttemptsLeft = smsAttemptsLeft,
        satellite = link.satellite,
        neighbours = neighbours,
        voice = voice(),
        batteryPercent = batteryPercent(context),
    )

    /**
     * The permissions as they stand. Android does not tell "not asked yet" from "refused";
     * both are `DENIED`.
     */
    fun permissions(): List<PermissionReport> = listOf(
        PermissionReport(Permission.LOCATION, location()),
        PermissionReport(Permission.BACKGROUND_LOCATION, backgroundLocation()),
        PermissionReport(Permission.BACKGROUND_WORK, backgroundWork()),
        PermissionReport(Permission.NOTIFICATIONS, notifications()),
        PermissionReport(Permission.SMS, smsPermission()),
    )

    private fun sms(): SmsAbility = when {
        telephony == null || telephony.simState == TelephonyManager.SIM_STATE_ABSENT ->
            SmsAbility.NO_SIM
        !context.isGranted(SEND_SMS) && !SmsSender.hasComposer(context) ->
            SmsAbility.NO_PERMISSION
        telephony.networkOperator.isNullOrEmpty() -> SmsAbility.NO_SERVICE
        telephony.isNetworkRoaming -> SmsAbility.ROAMING
        else -> SmsAbility.POSSIBLE
    }

    private fun voice(): VoiceAbility = when {
        telephony == null || telephony.phoneType == TelephonyManager.PHONE_TYPE_NONE ->
            VoiceAbility.IMPOSSIBLE
        telephony.simState != TelephonyManager.SIM_STATE_READY -> VoiceAbility.EMERGENCY_ONLY
        else -> VoiceAbility.POSSIBLE
    }

    private fun location() = when {
        context.isGranted(ACCESS_FINE_LOCATION) -> PermissionState.GRANTED
        context.isGranted(ACCESS_COARSE_LOCATION) -> PermissionState.LIMITED
        else -> PermissionState.DENIED
    }

    private fun backgroundLocation() = when {
        // Before API 29 the one permission is for both.
        Build.VERSION.SDK_INT < Build.VERSION_CODES.Q -> location()
        context.isGranted(ACCESS_BACKGROUND_LOCATION) -> location()
        else -> PermissionState.DENIED
    }

    private fun backgroundWork(): PermissionState {
        val power = context.service<PowerManager>()
        return if (power.isIgnoringBatteryOptimizations(context.packageName)) {
            PermissionState.GRANTED
        } else {
            PermissionState.LIMITED
        }
    }

    private fun notifications(): PermissionState {
        val manager = context.service<NotificationManager>()
        val granted = Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU ||
            context.isGranted(POST_NOTIFICATIONS)
        return if (granted && manager.areNotificationsEnabled()) {
            PermissionState.GRANTED
        } else {
            PermissionState.DENIED
        }
    }

    private fun smsPermission() = when {
        telephony == null -> PermissionState.UNAVAILABLE
        context.isGranted(SEND_SMS) -> PermissionState.GRANTED
        // The traveler's own app sends it, by the traveler's hand.
        SmsSender.hasComposer(context) -> PermissionState.LIMITED
        else -> PermissionState.DENIED
    }

    private fun hasFeature() =
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_TELEPHONY)
}

/** Charge of the battery in percent; absent where the phone does not tell. */
internal fun batteryPercent(context: Context): UByte? {
    val manager = context.service<BatteryManager>()
    val percent = manager.getIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY)
    return if (percent in 0..100) percent.toUByte() else null
}

/** A service that every Android phone has. */
internal inline fun <reified T : Any> Context.service(): T =
    checkNotNull(getSystemService(T::class.java))

internal fun Context.isGranted(permission: String) =
    checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED
