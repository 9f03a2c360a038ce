package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.homeline.ArrivalNotice
import org.homeline.GuideArticle
import org.homeline.GuideHit
import org.homeline.Help
import org.homeline.Homeline
import org.homeline.Place
import org.homeline.PlaceAlerts
import org.homeline.Topic

/** How the search for a position goes. */
enum class Locating { IDLE, LOOKING, REFUSED, NOTHING }

/** What the screen "Here" shows. */
data class HereView(
    val help: Help? = null,
    val alerts: PlaceAlerts? = null,
    val arrival: ArrivalNotice? = null,
    val words: String = "",
    val guides: List<GuideHit> = emptyList(),
    val locating: Locating = Locating.IDLE,
)

/** The screen "Here". Everything on it is on the phone, and needs no network. */
class HereModel(home: Homeline, scope: CoroutineScope, private val phone: Phone, private val courier: Courier) :
    ScreenModel<HereView>(home, scope, HereView(), Topic.PACKS, Topic.WHEREABOUTS, Topic.RECORD) {

    override suspend fun read(): (HereView) -> HereView {
        val help = readable { home.helpAt(Place.Here) }
        val alerts = readable { home.alerts.at(Place.Here) }
        val arrival = readable { home.alerts.arrival() }
        val guides = find(view.value.words)
        return { it.copy(help = help, alerts = alerts, arrival = arrival, guides = guides) }
    }

    /** Looks for a position. It stays on the phone without a consent. */
    fun locate() {
        if (!phone.mayLocate()) {
            show { it.copy(locating = Locating.REFUSED) }
            return
        }
        show { it.copy(locating = Locating.LOOKING) }
        scope.launch {
            val found = if (phone.fix() == null) Locating.NOTHING else Locating.IDLE
            show { it.copy(locating = found) }
            refresh()
        }
    }

    /** The traveler has read the arrival notice. */
    fun arrivalRead() = act({}) { home.alerts.arrivalShown() }

    /** Searches the guides; without words all that fit the place. */
    fun search(words: String) {
        show { it.copy(words = words) }
        scope.launch {
            val guides = find(words)
            show { if (it.words == words) it.copy(guides = guides) else it }
        }
    }

    /** A guide, to be read. */
    suspend fun guide(id: String): GuideArticle? = readable { home.guides.read(id) }

    /** Fetches what the ministry has published since. */
    fun fetch() = courier.wake()

    private suspend fun find(words: String): List<GuideHit> = readable {
        if (words.isBlank()) home.guides.list(Place.Here) else home.guides.search(words, Place.Here)
    }.orEmpty()
}
