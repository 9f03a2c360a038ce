package org.homeline.demo

import android.Manifest
import android.content.Intent
import android.widget.EditText
import kotlinx.serialization.json.Json
import org.homeline.Fix
import org.homeline.FixSource
import org.homeline.Position
import org.homeline.Stage
import org.homeline.SyncStop
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowAlertDialog

/** Where the traveler is, what is dangerous there, who helps, and what to do. */
class HereScreenTest : Screens() {
    override fun arrange() = publish()

    private fun inIstanbul() {
        session.courier.wake()
        until("the packs came") {
            session.here.view.value.alerts?.asOfMs != null &&
                session.courier.view.value.run { !running && last?.stopped == SyncStop.DONE }
        }
        Stage.link("down")
        val beijing = Fix(Position.Wgs84(39.9, 116.4), app.clock.now() - 86_400_000, 12.0, FixSource.GNSS)
        call { it.whereabouts.record(beijing) }
        call { it.whereabouts.record(istanbul) }
        tab(R.id.tab_here)
    }

    @Test
    fun `in flight mode it says how dangerous it is, who is responsible, and how old that is`() {
        inIstanbul()
        activity.shows("You have arrived in Turkey")
        activity.shows("Take more precautions (level 2 of 2)")
        activity.shows("Protests in the centre")
        activity.shows("As of ")
        activity.shows("Embassy in Türkiye (example)")
        activity.touch("+903120000000")
        val intent = shadowOf(activity).nextStartedActivity
        assertEquals(Intent.ACTION_DIAL, intent.action)
        assertEquals("+903120000000", intent.data?.schemeSpecificPart)
        activity.touch("I have read this")
        until("the notice goes") { "You have arrived" !in activity.words() }
    }

    @Test
    fun `guides are found by words, and read`() {
        inIstanbul()
        activity.part<EditText>(R.id.here_search).setText("lost passport")
        activity.shows("passport")
        until("the guide") { session.here.view.value.guides.firstOrNull()?.id == "lost-passport" }
        val title = session.here.view.value.guides.first().title
        activity.shows(title)
        activity.touch(title)
        until("it opens") { ShadowAlertDialog.getLatestAlertDialog() != null }
        activity.part<EditText>(R.id.here_search).setText("qqqq")
        activity.shows("Nothing was found for these words.")
    }

    @Test
    fun `a position is asked for at its moment, and refused the screen says what it goes by`() {
        app.phone.mayLocate = false
        tab(R.id.tab_here)
        activity.shows("Not known where you are")
        activity.touch("Use my position")
        val asked = shadowOf(activity).lastRequestedPermission.requestedPermissions.toSet()
        assertEquals(
            setOf(Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.ACCESS_COARSE_LOCATION),
            asked,
        )
        activity.onRequestPermissionsResult(1, emptyArray(), intArrayOf())
        activity.shows("The position is not allowed.")
        assertTrue("Position" !in activity.words())
    }

    @Test
    fun `a position that is allowed decides the country`() {
        app.phone.fix = istanbul
        tab(R.id.tab_here)
        activity.touch("Use my position")
        activity.shows("Turkey")
        activity.shows("by your position of just now")
        assertFalse("Not known where you are" in activity.words())
    }

    companion object {
        /** What the ministry publishes in these tests, and for the screenshots. */
        fun publish() {
            fun publish(pack: String, json: String) = Stage.publish(pack, Json.parseToJsonElement(json))
            publish(
                "levels",
                """[{"id":"be_alert","rank":10,"wording":{"zh-Hans":"注意安全","en":"Be alert"}},
                {"id":"take_precautions","rank":20,
                "wording":{"zh-Hans":"加强安全防范","en":"Take more precautions"}}]""",
            )
            publish(
                "missions",
                """[{"id":"tr-ankara","kind":"embassy","country":"TR",
                "names":{"zh-Hans":"驻土耳其使馆（示例）","en":"Embassy in Türkiye (example)"},
                "address":{"zh-Hans":"安卡拉示例街1号","en":"Example Street 1, Ankara"},
                "position":{"lat":39.87,"lon":32.87},
                "phones":[{"purpose":"emergency","number":"+903120000000","round_the_clock":true},
                {"purpose":"consular","number":"+903120000001"}],
                "district":{"countries":["TR"]},"checked_ms":1795564800000,
                "source":"example of the reference ministry"}]""",
            )
            publish(
                "alerts",
                """[{"identifier":"protests","sender":"mfa",
                "sent_ms":${System.currentTimeMillis() - 7_200_000},
                "status":"actual","type":"alert","level":"take_precautions","areas":[{"countries":["TR"]}],
                "headline":{"zh-Hans":"市中心有示威","en":"Protests in the centre"},
                "description":{"zh-Hans":"塔克西姆广场周围道路封闭。","en":"The streets around Taksim are closed."},
                "instruction":{"zh-Hans":"请绕行，随身携带证件。","en":"Keep away. Carry your papers."}}]""",
            )
        }
    }
}
