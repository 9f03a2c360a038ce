package org.homeline.demo

import android.content.Context
import java.text.DateFormat
import java.util.Date
import java.util.Locale
import org.homeline.AsOf
import org.homeline.EmergencyService
import org.homeline.HomelineException
import org.homeline.LocalMissionPhone
import org.homeline.ParkedKind
import org.homeline.PhonePurpose
import org.homeline.Problem
import org.homeline.Purpose
import org.homeline.Relation
import org.homeline.SosKind
import org.homeline.StorageProblem
import org.homeline.SyncStop

/** What the library says, in the words of `strings.xml`. `SosWords` has those of a report. */
class Words(private val context: Context, private val now: () -> Long) {
    private val locale: Locale get() = context.resources.configuration.locales[0]

    /** The language of the words (BCP 47). */
    val language: String get() = of(R.string.language)

    fun of(word: Int, vararg arguments: Any): String = context.getString(word, *arguments)

    /** A moment, by the phone's time zone. */
    fun time(ms: Long): String = DateFormat
        .getDateTimeInstance(DateFormat.MEDIUM, DateFormat.SHORT, locale).format(Date(ms))

    /** The same with seconds: for evidence. */
    fun exactTime(ms: Long): String = DateFormat
        .getDateTimeInstance(DateFormat.MEDIUM, DateFormat.MEDIUM, locale).format(Date(ms))

    /** How long ago something was. */
    fun age(ms: Long): String = when {
        ms < MINUTE_MS -> of(R.string.age_now)
        ms < HOUR_MS -> of(R.string.age_minutes, ms / MINUTE_MS)
        ms < DAY_MS -> of(R.string.age_hours, ms / HOUR_MS)
        else -> of(R.string.age_days, ms / DAY_MS)
    }

    /** How long ago the moment [ms] was. A moment in the future was just now: clocks differ. */
    fun ago(ms: Long): String = age((now() - ms).coerceAtLeast(0))

    fun age(asOf: AsOf): String = asOf.ageMs?.let { of(R.string.here_age, age(it)) } ?: of(R.string.here_age_unknown)

    /** A country by its two letters. */
    fun country(code: String): String = Locale("", code).getDisplayCountry(locale)

    fun service(service: EmergencyService): String = when (service) {
        EmergencyService.General -> of(R.string.sos_service_general)
        EmergencyService.Police -> of(R.string.sos_service_police)
        EmergencyService.Ambulance -> of(R.string.sos_service_ambulance)
        EmergencyService.Fire -> of(R.string.sos_service_fire)
        EmergencyService.CoastGuard -> of(R.string.sos_service_coast_guard)
        EmergencyService.MountainRescue -> of(R.string.sos_service_mountain_rescue)
        EmergencyService.TouristPolice -> of(R.string.sos_service_tourist_police)
        is EmergencyService.Other -> service.word
    }

    fun phone(phone: LocalMissionPhone): String {
        val purpose = when (val purpose = phone.purpose) {
            PhonePurpose.Emergency -> of(R.string.here_phone_emergency)
            PhonePurpose.Consular -> of(R.string.here_phone_consular)
            PhonePurpose.Reception -> of(R.string.here_phone_reception)
            is PhonePurpose.Other -> purpose.word
        }
        val hours = if (phone.roundTheClock) of(R.string.here_phone_day_and_night) else phone.hours?.text
        return listOfNotNull(purpose, hours).joinToString(" · ")
    }

    fun kind(kind: SosKind): String = of(
        when (kind) {
            SosKind.MEDICAL -> R.string.sos_kind_medical
            SosKind.CRIME -> R.string.sos_kind_crime
            SosKind.ACCIDENT -> R.string.sos_kind_accident
            SosKind.DISASTER -> R.string.sos_kind_disaster
            SosKind.CONFLICT -> R.string.sos_kind_conflict
            SosKind.DETAINED -> R.string.sos_kind_detained
            SosKind.LOST -> R.string.sos_kind_lost
            SosKind.OTHER -> R.string.sos_kind_other
        },
    )

    fun relation(relation: Relation): String = of(
        when (relation) {
            Relation.PARENT -> R.string.relation_parent
            Relation.PARTNER -> R.string.relation_partner
            Relation.CHILD -> R.string.relation_child
            Relation.SIBLING -> R.string.relation_sibling
            Relation.RELATIVE -> R.string.relation_relative
            Relation.FRIEND -> R.string.relation_friend
            Relation.EMPLOYER -> R.string.relation_employer
            Relation.SCHOOL -> R.string.relation_school
            Relation.OTHER -> R.string.relation_other
        },
    )

    /** The whole text that the traveler consents to: [MeModel.TEXT_VERSION] names it. */
    fun consent(purpose: Purpose): String = of(
        when (purpose) {
            Purpose.REGISTER -> R.string.me_consent_register
            Purpose.WHEREABOUTS -> R.string.me_consent_whereabouts
            Purpose.WHEREABOUTS_IN_CRISIS -> R.string.me_consent_crisis
            Purpose.FAMILY -> R.string.me_consent_family
            Purpose.EMPLOYER_OR_SCHOOL -> R.string.me_consent_employer
            Purpose.MEDIA -> R.string.me_consent_media
            Purpose.MEDICAL -> R.string.me_consent_medical
        },
    )

    fun problem(problem: StorageProblem): String = of(
        when (problem) {
            StorageProblem.FULL -> R.string.problem_full
            StorageProblem.NO_PERMISSION -> R.string.problem_no_permission
            StorageProblem.DAMAGED -> R.string.problem_damaged
            StorageProblem.TOO_NEW -> R.string.problem_too_new
            StorageProblem.BUSY -> R.string.problem_busy
            StorageProblem.IO -> R.string.problem_io
        },
    )

    /** Why an action failed, and what to do. It names no value that the traveler typed. */
    fun failure(failure: HomelineException): String = when (failure) {
        is HomelineException.Invalid -> invalid(failure)
        is HomelineException.NotStored -> of(R.string.sos_not_stored, problem(failure.problem))
        is HomelineException.Locked -> of(R.string.state_locked)
        is HomelineException.KeyLost -> of(R.string.state_key_lost)
        is HomelineException.Storage -> when (failure.problem) {
            StorageProblem.TOO_NEW -> of(R.string.state_update_needed)
            else -> of(R.string.state_unavailable, problem(failure.problem))
        }
        is HomelineException.NotFound -> of(R.string.error_not_found)
        is HomelineException.Closed -> of(R.string.state_closed)
        is HomelineException.Bug -> of(R.string.error_bug)
    }

    /** What is wrong with a field. */
    fun invalid(failure: HomelineException.Invalid): String = of(
        when (failure.problem) {
            Problem.EMPTY -> R.string.invalid_empty
            Problem.TOO_LONG -> R.string.invalid_too_long
            Problem.TOO_MANY -> R.string.invalid_too_many
            Problem.DUPLICATE -> R.string.invalid_duplicate
            else -> when {
                failure.field.endsWith("phone") -> R.string.invalid_phone
                failure.field == GUARDIAN -> R.string.me_consent_guardian
                else -> R.string.invalid_other
            }
        },
    )

    fun stop(stop: SyncStop): String = of(
        when (stop) {
            SyncStop.DONE -> R.string.stop_done
            SyncStop.OFFLINE -> R.string.stop_offline
            SyncStop.NOT_THE_MINISTRY -> R.string.stop_not_the_ministry
            SyncStop.BUSY -> R.string.stop_busy
            SyncStop.NOT_AUTHORIZED -> R.string.stop_not_authorized
            SyncStop.DEADLINE -> R.string.stop_deadline
            SyncStop.CANCELLED -> R.string.stop_cancelled
            SyncStop.ALREADY_RUNNING -> R.string.stop_already_running
        },
    )

    fun parked(kind: ParkedKind): String = of(
        when (kind) {
            ParkedKind.REPORT -> R.string.parked_report
            ParkedKind.REPORT_POSITION -> R.string.parked_report_position
            ParkedKind.REPORT_CANCELLATION -> R.string.parked_report_cancellation
            ParkedKind.WHO_CALLS -> R.string.parked_who_calls
            ParkedKind.MEDICAL_CARD -> R.string.parked_medical_card
            ParkedKind.REGISTRATION -> R.string.parked_registration
            ParkedKind.POSITIONS -> R.string.parked_positions
            ParkedKind.GROUP -> R.string.parked_group
            ParkedKind.GROUP_LEAVE -> R.string.parked_group_leave
            ParkedKind.ERASE_REQUEST -> R.string.parked_erase_request
            ParkedKind.ATTACHMENT -> R.string.parked_attachment
        },
    )

    private companion object {
        const val MINUTE_MS = 60_000L
        const val HOUR_MS = 60 * MINUTE_MS
        const val DAY_MS = 24 * HOUR_MS

        /** The field of a consent that only a guardian can give. */
        const val GUARDIAN = "consent.guardian"
    }
}
