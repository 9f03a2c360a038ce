package org.homeline.demo

import org.homeline.AttemptResult
import org.homeline.CaseState
import org.homeline.Channel
import org.homeline.Evidence
import org.homeline.NextAction
import org.homeline.NextStep
import org.homeline.ReportEvent
import org.homeline.ReportState
import org.homeline.SmsResult
import org.homeline.StepCaution
import org.homeline.StepReason

/** A report in words: its state, its evidence, what to try next. Never more than is proved. */
class SosWords(private val words: Words) {
    /** The one honest line. */
    fun status(state: ReportState): String = when (state) {
        is ReportState.Countdown -> words.of(R.string.sos_status_countdown, words.exactTime(state.untilMs))
        is ReportState.Stored -> words.of(R.string.sos_status_stored)
        is ReportState.Handed -> words.of(R.string.sos_status_handed, channel(state.channel))
        is ReportState.Received -> {
            val at = words.time(state.receivedMs)
            state.caseId?.let { words.of(R.string.sos_status_received, it, at) }
                ?: words.of(R.string.sos_status_received_no_case, at)
        }
        is ReportState.Acknowledged -> words.of(
            R.string.sos_status_acknowledged, state.caseId, state.officer, state.mission, words.time(state.atMs),
        )
        is ReportState.Closed -> words.of(R.string.sos_status_closed, state.caseId, words.time(state.atMs))
        is ReportState.Cancelled -> state.knownAtMinistryMs
            ?.let { words.of(R.string.sos_status_cancelled_known, words.time(it)) }
            ?: words.of(R.string.sos_status_cancelled_waiting)
        is ReportState.Parked -> words.of(R.string.sos_status_parked, state.status.toInt())
    }

    /** One event: when, and what it is. */
    fun evidence(event: ReportEvent): String {
        val what = evidence(event.evidence)
        val often = if (event.times > 1u) {
            words.of(R.string.sos_evidence_times, what, event.times.toInt(), words.exactTime(event.lastWallMs))
        } else {
            what
        }
        return words.of(R.string.sos_evidence_line, words.exactTime(event.wallMs), often)
    }

    private fun evidence(evidence: Evidence): String = when (evidence) {
        is Evidence.CountdownStarted -> words.of(R.string.evidence_countdown)
        is Evidence.Stored -> words.of(R.string.evidence_stored)
        is Evidence.Attempt -> words.of(
            if (evidence.carried) R.string.evidence_attempt else R.string.evidence_attempt_before,
            channel(evidence.channel),
            result(evidence.result),
        )
        is Evidence.Sms -> words.of(
            when (evidence.result) {
                SmsResult.SENT -> R.string.evidence_sms_sent
                SmsResult.DELIVERED -> R.string.evidence_sms_delivered
                else -> R.string.evidence_sms_failed
            },
            evidence.part.toInt(),
        )
        is Evidence.Receipt, is Evidence.CompactReceipt -> words.of(R.string.evidence_receipt)
        is Evidence.UpdateReceipt -> words.of(R.string.evidence_update_receipt)
        is Evidence.UpdateStored -> words.of(R.string.evidence_update_stored)
        is Evidence.CancelStored -> words.of(R.string.evidence_cancel_stored)
        is Evidence.CancelReceipt -> words.of(R.string.evidence_cancel_receipt)
        is Evidence.CaseNews -> when (evidence.state) {
            CaseState.ACKNOWLEDGED ->
                words.of(R.string.evidence_case_acknowledged, evidence.officer, evidence.mission)
            CaseState.CLOSED -> words.of(R.string.evidence_case_closed)
        }
        is Evidence.Refused -> words.of(R.string.evidence_refused, evidence.status.toInt())
        is Evidence.TriedAgain -> words.of(R.string.evidence_tried_again)
    }

    private fun result(result: AttemptResult): String = words.of(
        when (result) {
            is AttemptResult.NoConnection -> R.string.attempt_no_connection
            is AttemptResult.NotTrusted -> R.string.attempt_not_trusted
            is AttemptResult.NoAnswer -> R.string.attempt_no_answer
            is AttemptResult.NotTheMinistry -> R.string.attempt_not_the_ministry
            is AttemptResult.Busy -> R.string.attempt_busy
            is AttemptResult.NotAuthorized -> R.string.attempt_not_authorized
            is AttemptResult.BadReceipt -> R.string.attempt_bad_receipt
            is AttemptResult.KeyRetired -> R.string.attempt_key_retired
        },
    )

    fun channel(channel: Channel): String = words.of(
        when (channel) {
            Channel.HTTPS -> R.string.channel_https
            Channel.DATAGRAM -> R.string.channel_datagram
            Channel.SMS -> R.string.channel_sms
            Channel.RELAY -> R.string.channel_relay
        },
    )

    fun action(action: NextAction): String = words.of(
        when (action) {
            NextAction.CALL_LOCAL_EMERGENCY -> R.string.next_action_call_local
            NextAction.CALL_HOTLINE -> R.string.next_action_call_hotline
            NextAction.SEND_BY_DATA -> R.string.next_action_data
            NextAction.SEND_DATAGRAM -> R.string.next_action_datagram
            NextAction.SEND_SMS -> R.string.next_action_sms
            NextAction.HAND_TO_NEIGHBOUR -> R.string.next_action_neighbour
            NextAction.SIGN_IN_AT_PORTAL -> R.string.next_action_portal
        },
    )

    /** Why a step is worth a try, from when on, and what to know before. */
    fun why(step: NextStep, nowMs: Long): String {
        val from = step.fromMs.takeIf { it > nowMs }?.let { words.of(R.string.next_from, words.exactTime(it)) }
        return (listOfNotNull(reason(step.why), from) + step.cautions.map(::caution)).joinToString("\n")
    }

    private fun reason(reason: StepReason): String = words.of(
        when (reason) {
            StepReason.HELP_ON_THE_SPOT -> R.string.why_help_on_the_spot
            StepReason.DATA_AVAILABLE -> R.string.why_data_available
            StepReason.MINISTRY_BUSY -> R.string.why_ministry_busy
            StepReason.NO_NETWORK -> R.string.why_no_network
            StepReason.PORTAL_IN_THE_WAY -> R.string.why_portal
            StepReason.TLS_BLOCKED -> R.string.why_tls_blocked
            StepReason.NO_ANSWER_BY_DATA -> R.string.why_no_answer
            StepReason.DATA_NOT_ACCEPTED -> R.string.why_not_accepted
            StepReason.NETWORK_IN_DOUBT -> R.string.why_network_in_doubt
            StepReason.SATELLITE_THIN -> R.string.why_satellite_thin
            StepReason.BATTERY_LOW -> R.string.why_battery_low
            StepReason.NEIGHBOUR_NEAR -> R.string.why_neighbour_near
            StepReason.NO_PROOF_YET -> R.string.why_no_proof
            StepReason.REFUSED -> R.string.why_refused
            StepReason.WHOLE_REPORT_WAITS -> R.string.why_whole_report_waits
            StepReason.CANCELLATION_WAITS -> R.string.why_cancellation_waits
        },
    )

    private fun caution(caution: StepCaution): String = words.of(
        when (caution) {
            StepCaution.METERED -> R.string.caution_metered
            StepCaution.ROAMING -> R.string.caution_roaming
            StepCaution.BATTERY_LOW -> R.string.caution_battery_low
        },
    )
}
