package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.homeline.Help
import org.homeline.Homeline
import org.homeline.HomelineException
import org.homeline.NextStep
import org.homeline.Place
import org.homeline.ReportState
import org.homeline.ReportStatus
import org.homeline.ReportSummary
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.StorageProblem
import org.homeline.Topic

/** Where the traveler stands with the SOS. */
sealed interface SosStage {
    /** Nothing is pressed. */
    data object Ready : SosStage

    /** It is being written: some milliseconds. */
    data object Pressing : SosStage

    /** It could not be written: call these numbers now. */
    data class NotStored(val problem: StorageProblem, val call: List<String>) : SosStage

    /** A report is on disk; its [status] with all evidence, and what to try next. */
    data class Pressed(val status: ReportStatus, val steps: List<NextStep>) : SosStage
}

/** What the screen "SOS" shows. */
data class SosView(
    val help: Help? = null,
    val kind: SosKind = SosKind.OTHER,
    val note: String = "",
    val stage: SosStage = SosStage.Ready,
    /** Seconds until it is sent; null where nothing counts down. */
    val secondsLeft: Long? = null,
    val failure: HomelineException? = null,
)

/** The screen "SOS": one report at a time, the newest, until it is over. */
class SosModel(home: Homeline, scope: CoroutineScope, private val phone: Phone, private val courier: Courier) :
    ScreenModel<SosView>(home, scope, SosView(), Topic.SOS, Topic.PACKS, Topic.WHEREABOUTS, Topic.SYNC) {

    /** The report that the traveler has put behind, and with it all before. */
    private var behind: String? = null
    private var ticking: Job? = null

    override suspend fun read(): (SosView) -> SosView {
        val help = readable { home.helpAt(Place.Here) }
        // Where even the list cannot be read, what was shown stays.
        val reports = readable { home.sos.reports() } ?: return { it.copy(help = help ?: it.help) }
        val status = open(reports)?.let { readable { home.sos.status(it.report) } }
        val steps = status?.let { readable { home.sos.nextSteps(it.report, phone.conditions()) } }.orEmpty()
        countDown(status?.state)
        return { before ->
            val stage = when {
                status != null -> SosStage.Pressed(status, steps)
                before.stage is SosStage.Pressed -> SosStage.Ready
                else -> before.stage
            }
            before.copy(help = help ?: before.help, stage = stage, secondsLeft = secondsLeft(status?.state))
        }
    }

    fun choose(kind: SosKind) = show { it.copy(kind = kind) }

    fun write(note: String) = show { it.copy(note = note) }

    /**
     * The button was held. Nothing happens where a report is shown already: a second one is
     * asked for by [another]. When the stage is `Pressed`, the report is on disk.
     */
    fun press() {
        val view = view.value
        if (view.stage is SosStage.Pressing || view.stage is SosStage.Pressed) return
        show { it.copy(stage = SosStage.Pressing, failure = null) }
        scope.launch {
            try {
                val report = home.sos.press(
                    SosRequest(
                        kind = view.kind,
                        note = view.note.trim(),
                        batteryPercent = phone.conditions().batteryPercent,
                        countdownS = COUNTDOWN_S,
                    ),
                )
                phone.pressed()
                show { it.copy(note = "") }
                refresh()
                courier.wake()
                // A better position follows as an update: the press does not wait for it.
                phone.fix()?.let { home.sos.updatePosition(report, it) }
            } catch (failure: HomelineException.NotStored) {
                show { it.copy(stage = SosStage.NotStored(failure.problem, failure.call)) }
            } catch (failure: HomelineException) {
                show { it.copy(failure = failure) }
                refresh()
            }
        }
    }

    /** In the countdown nothing stays of it; later the ministry learns that it was taken back. */
    fun cancel() = withReport { home.sos.cancel(it) }

    /** Lets a refused report wait again. */
    fun tryAgain() = withReport { home.sos.tryAgain(it) }

    /** Sends the short form in one packet, and waits a few seconds for its receipt. */
    fun sendPacket() = withReport { home.sos.sendDatagram(it) }

    /** The text message that would carry the report: its number and text; null where there is none. */
    suspend fun textMessage(): Pair<String, String>? {
        val stage = view.value.stage as? SosStage.Pressed ?: return null
        val part = readable { home.sos.smsPlan(stage.status.report) }?.parts?.firstOrNull() ?: return null
        return part.number to part.text
    }

    /** Puts the report that is shown behind, so that another can be made. It goes on being sent. */
    fun another() {
        (view.value.stage as? SosStage.Pressed)?.let { behind = it.status.report }
        show { it.copy(stage = SosStage.Ready, failure = null) }
        scope.launch { refresh() }
    }

    private fun withReport(action: suspend (String) -> Unit) {
        val stage = view.value.stage as? SosStage.Pressed ?: return
        show { it.copy(failure = null) }
        act({ failure -> show { it.copy(failure = failure) } }) {
            action(stage.status.report)
            courier.wake()
        }
    }

    /** The newest report, unless it is over. It is on disk: also after a kill or a reboot. */
    private fun open(reports: List<ReportSummary>) =
        reports.firstOrNull()?.takeUnless { it.report == behind || isOver(it) }

    private fun isOver(report: ReportSummary) = when (val state = report.state) {
        is ReportState.Closed -> true
        is ReportState.Cancelled -> state.knownAtMinistryMs != null
        // The ministry has it: on the next bad day the button must be there, not an old report.
        is ReportState.Received, is ReportState.Acknowledged ->
            report.pressedMs?.let { phone.now() - it > SHOWN_MS } ?: false
        else -> false
    }

    private fun secondsLeft(state: ReportState?): Long? = (state as? ReportState.Countdown)
        ?.let { ((it.untilMs - phone.now() + 999) / 1_000).coerceAtLeast(0) }

    /** Reads the report once a second while it counts down, and lets it go when that is over. */
    private fun countDown(state: ReportState?) {
        if (state !is ReportState.Countdown || ticking?.isActive == true) return
        ticking = scope.launch {
            do {
                delay(TICK_MS)
                refresh()
            } while (secondsLeft(pressedState()) != null)
            courier.wake()
        }
    }

    private fun pressedState() = (view.value.stage as? SosStage.Pressed)?.status?.state

    private companion object {
        /** Long enough to read what was pressed, short enough for a bad moment. */
        const val COUNTDOWN_S = 10u
        const val TICK_MS = 500L

        /** A day. The screen "Outbox" lists every report. */
        const val SHOWN_MS = 24 * 3_600_000L
    }
}
