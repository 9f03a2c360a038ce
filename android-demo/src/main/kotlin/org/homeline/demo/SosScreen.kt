package org.homeline.demo

import android.app.AlertDialog
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.Spinner
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.homeline.CallFrom
import org.homeline.Help
import org.homeline.LocalMission
import org.homeline.NextAction
import org.homeline.NextStep
import org.homeline.ReportState
import org.homeline.SosKind

/** Draws "SOS": its page [root], and [press], which stays in sight below the page. */
class SosScreen(
    private val root: View,
    private val press: View,
    private val model: SosModel,
    private val words: Words,
    private val dialler: Dialler,
    private val now: () -> Long,
    private val courier: Courier,
    private val scope: CoroutineScope,
) {
    private val sosWords = SosWords(words)
    private val kinds = listOf(SosKind.OTHER) + SosKind.entries.filter { it != SosKind.OTHER }
    private val numbers = root.part<ViewGroup>(R.id.sos_numbers)
    private val hotline = root.part<ViewGroup>(R.id.sos_hotline)
    private val ready = root.part<View>(R.id.sos_ready)
    private val kind = root.part<Spinner>(R.id.sos_kind)
    private val note = root.part<EditText>(R.id.sos_note)
    private val hold = press.part<HoldButton>(R.id.sos_hold)
    private val hint = press.part<TextView>(R.id.sos_hint)
    private val notStored = root.part<TextView>(R.id.sos_not_stored)
    private val instead = root.part<ViewGroup>(R.id.sos_instead)
    private val report = root.part<View>(R.id.sos_report)
    private val status = root.part<TextView>(R.id.sos_status)
    private val seconds = root.part<TextView>(R.id.sos_seconds)
    private val statusHint = root.part<TextView>(R.id.sos_status_hint)
    private val cancel = root.part<Button>(R.id.sos_cancel)
    private val failure = root.part<TextView>(R.id.sos_failure)
    private val actions = root.part<ViewGroup>(R.id.sos_actions)
    private val stepsTitle = root.part<View>(R.id.sos_steps_title)
    private val steps = root.part<ViewGroup>(R.id.sos_steps)
    private val evidence = root.part<ViewGroup>(R.id.sos_evidence)

    init {
        kind.choices(kinds.map(words::kind), kinds.indexOf(model.view.value.kind)) { model.choose(kinds[it]) }
        note.setText(model.view.value.note)
        note.onText(model::write)
        hold.onHeld = {
            hint.showText(null)
            model.press()
        }
        hold.onHolding = { down ->
            hint.showText(words.of(if (down) R.string.sos_holding else R.string.sos_released))
        }
        hint.showText(null)
        cancel.setOnClickListener { model.cancel() }
    }

    fun render(view: SosView, courier: CourierView) {
        view.help?.let {
            numbers.showItems(local(it))
            hotline.showItems(it.responsible.mapNotNull(::mission) + hotline(it))
        }
        val pressed = view.stage as? SosStage.Pressed
        ready.setShown(pressed == null)
        press.setShown(pressed == null)
        hold.isEnabled = view.stage !is SosStage.Pressing
        if (view.note.isEmpty() && view.stage !is SosStage.Ready && note.text.isNotEmpty()) note.setText("")
        showNotStored(view.stage as? SosStage.NotStored)
        report.setShown(pressed != null)
        failure.showText(view.failure?.let(words::failure))
        pressed?.let { render(it, view.secondsLeft, courier) }
    }

    private fun render(pressed: SosStage.Pressed, left: Long?, courier: CourierView) {
        val state = pressed.status.state
        status.showText(sosWords.status(state))
        seconds.showText(left?.let { words.of(R.string.sos_countdown, it) })
        cancel.setShown(left != null)
        statusHint.showText(
            when {
                left != null -> words.of(R.string.sos_countdown_hint)
                // Only where something of this report waits: a pass may be about something else.
                courier.running && pressed.status.nextAttemptMs != null -> words.of(R.string.sos_sending)
                else -> next(pressed.status.nextAttemptMs)
            },
        )
        actions.showItems(listOf(Item(null, null, actions(state))).filter { it.actions.isNotEmpty() })
        stepsTitle.setShown(pressed.steps.isNotEmpty())
        steps.showItems(pressed.steps.map { step(it) })
        evidence.showItems(pressed.status.events.map { Item(null, sosWords.evidence(it)) })
    }

    private fun next(ms: Long?): String? = when {
        ms == null -> null
        ms <= now() -> words.of(R.string.sos_next_attempt_now)
        else -> words.of(R.string.sos_next_attempt, words.exactTime(ms))
    }

    private fun actions(state: ReportState): List<ItemAction> = when (state) {
        is ReportState.Countdown -> emptyList()
        is ReportState.Cancelled, is ReportState.Closed -> listOf(another())
        is ReportState.Parked -> listOf(
            ItemAction(words.of(R.string.sos_try_again)) { model.tryAgain() },
            another(),
        )
        else -> listOf(another(), ItemAction(words.of(R.string.sos_cancel_report)) { confirmTakingBack() })
    }

    private fun another() = ItemAction(words.of(R.string.sos_new)) { model.another() }

    private fun confirmTakingBack() {
        AlertDialog.Builder(root.context)
            .setTitle(R.string.sos_cancel_report_title)
            .setMessage(R.string.sos_cancel_report_hint)
            .setPositiveButton(R.string.sos_cancel_report) { _, _ -> model.cancel() }
            .setNegativeButton(R.string.action_close, null)
            .show()
    }

    private fun step(step: NextStep): Item {
        val action = sosWords.action(step.action)
        val why = sosWords.why(step, now())
        val run: (() -> Unit)? = when (step.action) {
            NextAction.CALL_LOCAL_EMERGENCY -> firstLocal()?.let { { dialler.dial(it) } }
            NextAction.CALL_HOTLINE -> firstHotline()?.let { { dialler.dial(it) } }
            NextAction.SEND_BY_DATA -> courier::wake
            NextAction.SEND_DATAGRAM -> model::sendPacket
            NextAction.SEND_SMS -> ::composeMessage
            NextAction.SIGN_IN_AT_PORTAL -> dialler::network
            // The demo has no radio for phones nearby: `home.relay` is where to begin.
            NextAction.HAND_TO_NEIGHBOUR -> null
        }
        return if (run == null) Item(action, why) else Item(null, why, listOf(ItemAction(action, run = run)))
    }

    private fun composeMessage() {
        scope.launch { model.textMessage()?.let { (number, text) -> dialler.message(number, text) } }
    }

    private fun showNotStored(stage: SosStage.NotStored?) {
        notStored.showText(
            stage?.let {
                words.of(R.string.sos_not_stored_title) + "\n" +
                    words.of(R.string.sos_not_stored, words.problem(it.problem))
            },
        )
        instead.showItems(listOfNotNull(stage?.let { Item(null, null, it.call.map(::call)) }))
    }

    private fun local(help: Help): List<Item> = when {
        help.numbers.isEmpty() -> listOf(
            Item(
                words.of(R.string.sos_local_unknown, help.mobile.numbers.joinToString(" / ")),
                help.mobile.source,
                help.mobile.numbers.map(::call),
            ),
        )
        else -> help.numbers.map { country ->
            Item(
                words.country(country.country),
                words.age(country.asOf),
                // One number for several services is one button: the list must stay short.
                country.numbers.groupBy { it.number }.map { (number, answers) ->
                    val services = answers.joinToString(" · ") { words.service(it.service) }
                    val notes = answers.mapNotNull { it.note?.text }.distinct().joinToString("") { "\n" + it }
                    ItemAction("$services  $number$notes", words.of(R.string.action_call, "$services, $number$notes")) {
                        dialler.dial(number)
                    }
                },
            )
        }
    }

    /** The phone of a mission for emergencies, which is its first; "Here" has all of them. */
    private fun mission(mission: LocalMission): Item? = mission.phones.firstOrNull()?.let { phone ->
        val name = mission.name?.text ?: mission.id
        val label = words.phone(phone) + "\n" + phone.number
        val spoken = words.of(R.string.action_call, "$name, ${phone.number}")
        Item(name, words.age(mission.asOf), listOf(ItemAction(label, spoken) { dialler.dial(phone.number) }))
    }

    private fun hotline(help: Help) = listOf(
        Item(
            null,
            null,
            help.hotline.map {
                val from = words.of(
                    if (it.from == CallFrom.HOME) R.string.sos_hotline_home else R.string.sos_hotline_abroad,
                )
                ItemAction("$from  ${it.number}", words.of(R.string.sos_hotline_from, from, it.number)) {
                    dialler.dial(it.number)
                }
            },
        ),
    )

    private fun call(number: String) =
        ItemAction(words.of(R.string.action_call, number), isStrong = true) { dialler.dial(number) }

    private fun firstLocal() = model.view.value.help?.run {
        numbers.firstOrNull()?.numbers?.firstOrNull()?.number ?: mobile.numbers.firstOrNull()
    }

    private fun firstHotline() = model.view.value.help?.hotline?.firstOrNull()?.number
}
