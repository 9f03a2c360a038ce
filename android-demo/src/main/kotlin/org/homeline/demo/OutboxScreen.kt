package org.homeline.demo

import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import org.homeline.Activity
import org.homeline.Health
import org.homeline.PauseCause
import org.homeline.Waiting

/** Draws "Outbox". */
class OutboxScreen(
    private val root: View,
    private val model: OutboxModel,
    private val words: Words,
) {
    private val sosWords = SosWords(words)
    private val waiting = root.part<TextView>(R.id.outbox_waiting)
    private val why = root.part<TextView>(R.id.outbox_why)
    private val send = root.part<Button>(R.id.outbox_sync)
    private val failure = root.part<TextView>(R.id.outbox_failure)
    private val parked = root.part<ViewGroup>(R.id.outbox_parked)
    private val reports = root.part<ViewGroup>(R.id.outbox_reports)
    private val health = root.part<TextView>(R.id.outbox_health)

    init {
        send.setOnClickListener { model.send() }
    }

    fun render(view: OutboxView, courier: CourierView) {
        waiting.showText(
            when (val outbox = view.state?.outbox) {
                is Waiting.Known -> if (outbox.waiting == 0u) {
                    words.of(R.string.outbox_nothing)
                } else {
                    words.of(R.string.outbox_waiting, outbox.waiting.toInt())
                }
                is Waiting.Unavailable -> words.of(R.string.state_outbox_unavailable, words.problem(outbox.problem))
                null -> null
            },
        )
        why.showText(why(view.health, courier))
        send.text = words.of(if (courier.running) R.string.outbox_sync_running else R.string.outbox_sync)
        failure.showText((view.failure ?: courier.failure)?.let(words::failure))
        parked(view)
        reports.showItems(
            view.reports.map { report ->
                Item(
                    report.kind?.let(words::kind) ?: words.of(R.string.outbox_report_kind_unknown),
                    listOfNotNull(
                        sosWords.status(report.state),
                        report.pressedMs?.let { words.of(R.string.outbox_report_pressed, words.time(it)) },
                    ).joinToString("\n"),
                )
            }.ifEmpty { listOf(Item(words.of(R.string.outbox_reports_none))) },
        )
        health.showText(view.health?.let { health(it, view.state?.clockOffsetMs) })
    }

    /** Since when it waits, how the last pass ended, when the next one is. */
    private fun why(health: Health?, courier: CourierView): String? {
        val last = courier.last
        val next = courier.nextMs?.let { words.of(R.string.outbox_next, words.exactTime(it)) }
            ?: words.of(R.string.outbox_next_on_change)
        return listOfNotNull(
            health?.oldestUnsentMs?.let { words.of(R.string.outbox_since, words.time(it)) },
            last?.let { words.stop(it.stopped) },
            last?.let { words.of(R.string.outbox_sync_done, it.sent.toInt(), it.waiting.toInt()) },
            last?.takeIf { it.withoutConsent }?.let { words.of(R.string.outbox_without_consent) },
            when (health?.pause?.cause) {
                PauseCause.RETURNED -> words.of(R.string.outbox_pause_returned)
                PauseCause.STAND_BY -> words.of(R.string.stop_busy)
                PauseCause.NOT_AUTHORIZED -> words.of(R.string.stop_not_authorized)
                null -> null
            },
            next.takeIf { last != null },
        ).distinct().joinToString("\n").ifEmpty { null }
    }

    private fun parked(view: OutboxView) {
        val any = view.parked.isNotEmpty()
        root.part<View>(R.id.outbox_parked_title).setShown(any)
        root.part<View>(R.id.outbox_parked_hint).setShown(any)
        parked.showItems(
            view.parked.map { item ->
                val what = words.parked(item.kind)
                val since = item.sinceMs
                val status = item.status
                val line = if (since != null && status != null) {
                    words.of(R.string.outbox_parked_line, what, words.time(since), status.toInt())
                } else {
                    words.of(R.string.outbox_parked_line_old, what)
                }
                val again = words.of(R.string.outbox_try_again, what)
                Item(line, null, listOf(ItemAction(again) { model.tryAgain(item) }))
            },
        )
    }

    private fun health(health: Health, offsetMs: Long?): String = listOfNotNull(
        health.lastWokeMs?.let { words.of(R.string.outbox_health_woke, words.time(it)) }
            ?: words.of(R.string.outbox_health_never),
        (health.activity as? Activity.Late)?.let {
            health.nextWakeMs?.let { due -> words.of(R.string.outbox_health_overdue, words.time(due)) }
        },
        health.lastReceiptMs?.let { words.of(R.string.outbox_health_receipt, words.time(it)) }
            ?: words.of(R.string.outbox_health_no_receipt),
        health.lastFixAgeMs?.let { words.of(R.string.outbox_health_position, words.age(it)) }
            ?: words.of(R.string.outbox_health_no_position),
        health.whereaboutsThinned.takeIf { it > 0u }?.let { words.of(R.string.outbox_thinned, it.toInt()) },
        offsetMs?.let { kotlin.math.abs(it) / MINUTE_MS }?.takeIf { it > 0 }
            ?.let { words.of(R.string.outbox_health_clock, it) },
    ).joinToString("\n")

    private companion object {
        const val MINUTE_MS = 60_000L
    }
}
