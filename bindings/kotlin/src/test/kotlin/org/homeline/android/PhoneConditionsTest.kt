package org.homeline.android

import android.Manifest.permission.ACCESS_BACKGROUND_LOCATION
import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.Manifest.permission.POST_NOTIFICATIONS
import android.Manifest.permission.SEND_SMS
import android.content.ComponentName
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageManager.FEATURE_TELEPHONY
import android.os.BatteryManager
import android.telephony.TelephonyManager
import org.homeline.DataCost
import org.homeline.NetworkState
import org.homeline.NextAction
import org.homeline.Permission
import org.homeline.PermissionState
import org.homeline.SatelliteLink
import org.homeline.SmsAbility
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.VoiceAbility
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(OnAndroid::class)
class PhoneConditionsTest {
    private val app = RuntimeEnvironment.getApplication() as TestApplication
    private val telephony = app.service<TelephonyManager>()
    private val offline =
        Link(NetworkState.DISCONNECTED, null, DataCost.FREE, SatelliteLink.ABSENT)

    @Test
    fun example() {
        phone()
        shadowOf(app).grantPermissions(SEND_SMS)
        val home = HomelineHost.of(app)
        val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
        val conditions = PhoneConditions(app)
        home.reportPermissions(conditions.permissions())
        val steps = home.sos().use { it.nextSteps(report, conditions.now(offline)) }
        assertTrue(steps.any { it.action == NextAction.SEND_SMS })
        assertEquals(5, home.health().permissions.size)
    }

    @Test
    fun `what a SIM can do`() {
        assertEquals(SmsAbility.NO_SIM to VoiceAbility.IMPOSSIBLE, now())
        phone()
        assertEquals(SmsAbility.NO_PERMISSION to VoiceAbility.POSSIBLE, now())
        shadowOf(app).grantPermissions(SEND_SMS)
        assertEquals(SmsAbility.POSSIBLE to VoiceAbility.POSSIBLE, now())
        shadowOf(telephony).setIsNetworkRoaming(true)
        assertEquals(SmsAbility.ROAMING to VoiceAbility.POSSIBLE, now())
        shadowOf(telephony).setNetworkOperator("")
        assertEquals(SmsAbility.NO_SERVICE to VoiceAbility.POSSIBLE, now())
        shadowOf(telephony).setSimState(TelephonyManager.SIM_STATE_ABSENT)
        assertEquals(SmsAbility.NO_SIM to VoiceAbility.EMERGENCY_ONLY, now())
    }

    @Test
    fun `a composer stands for the refused permission`() {
        phone()
        assertEquals(PermissionState.DENIED, state(Permission.SMS))
        composer()
        assertEquals(SmsAbility.POSSIBLE, now().first)
        assertEquals(PermissionState.LIMITED, state(Permission.SMS))
    }

    @Test
    fun `the permissions as they stand`() {
        assertEquals(PermissionState.UNAVAILABLE, state(Permission.SMS))
        assertEquals(PermissionState.DENIED, state(Permission.LOCATION))
        assertEquals(PermissionState.DENIED, state(Permission.NOTIFICATIONS))
        assertEquals(PermissionState.LIMITED, state(Permission.BACKGROUND_WORK))
        shadowOf(app).grantPermissions(ACCESS_COARSE_LOCATION, POST_NOTIFICATIONS)
        assertEquals(PermissionState.LIMITED, state(Permission.LOCATION))
        assertEquals(PermissionState.DENIED, state(Permission.BACKGROUND_LOCATION))
        assertEquals(PermissionState.GRANTED, state(Permission.NOTIFICATIONS))
        shadowOf(app).grantPermissions(ACCESS_FINE_LOCATION, ACCESS_BACKGROUND_LOCATION)
        assertEquals(PermissionState.GRANTED, state(Permission.LOCATION))
        assertEquals(PermissionState.GRANTED, state(Permission.BACKGROUND_LOCATION))
    }

    @Test
    fun `the battery, where the phone tells`() {
        val battery = shadowOf(app.service<BatteryManager>())
        battery.setIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY, 7)
        assertEquals(7.toUByte(), PhoneConditions(app).now(offline).batteryPercent)
        battery.setIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY, Int.MIN_VALUE)
        assertEquals(null, PhoneConditions(app).now(offline).batteryPercent)
    }

    private fun phone() {
        shadowOf(app.packageManager).setSystemFeature(FEATURE_TELEPHONY, true)
        shadowOf(telephony).setPhoneType(TelephonyManager.PHONE_TYPE_GSM)
        shadowOf(telephony).setSimState(TelephonyManager.SIM_STATE_READY)
        shadowOf(telephony).setNetworkOperator("28601")
    }

    private fun composer() {
        val activity = ComponentName("org.example.messages", "Compose")
        shadowOf(app.packageManager).addActivityIfNotPresent(activity)
        val filter = IntentFilter(Intent.ACTION_SENDTO).apply {
            addCategory(Intent.CATEGORY_DEFAULT)
            addDataScheme("smsto")
        }
        shadowOf(app.packageManager).addIntentFilterForActivity(activity, filter)
    }

    private fun now() = PhoneConditions(app).now(offline).let { it.sms to it.voice }

    private fun state(permission: Permission) =
        PhoneConditions(app).permissions().single { it.permission == permission }.state
}
