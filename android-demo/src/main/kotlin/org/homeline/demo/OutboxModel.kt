package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import org.homeline.Health
import org.homeline.HomeState
import org.homeline.Homeline
import org.homeline.HomelineException
import org.homeline.ParkedItem
import org.homeline.ReportSummary
import org.homeline.Topic

/** What the screen "Outbox" shows. */
data class OutboxView(
    val state: HomeState? = null,
    val health: Health? = null,
    val parked: List<ParkedItem> = emptyList(),
    val reports: List<ReportSummary> = emptyList(),
    val failure: HomelineException? = null,
)

/** The screen "Outbox": what waits, why, and since when. */
class OutboxModel(home: Homeline, scope: CoroutineScope, private val courier: Courier) :
    ScreenModel<OutboxView>(home, scope, OutboxView(), Topic.SOS, Topic.SYNC, Topic.RECORD, Topic.WHEREABOUTS) {

    override suspend fun read(): (OutboxView) -> OutboxView {
        val state = readable { home.state() }
        val health = readable { home.health() }
        val parked = readable { home.parked() }.orEmpty()
        val reports = readable { home.sos.reports() }.orEmpty()
        return { it.copy(state = state, health = health, parked = parked, reports = reports) }
    }

    /** Tries to send now. */
    fun send() = act({ failure -> show { it.copy(failure = failure) } }) {
        show { it.copy(failure = null) }
        // To touch "send now" is to say that the network may be another one.
        home.networkChanged()
        courier.wake()
    }

    /** Lets a refused item wait again. */
    fun tryAgain(item: ParkedItem) = act({ failure -> show { it.copy(failure = failure) } }) {
        show { it.copy(failure = null) }
        home.tryAgain(item.id)
        courier.wake()
    }
}
