package org.homeline

import kotlin.math.cos
import kotlin.math.hypot
import kotlin.math.round
import org.junit.jupiter.api.Assertions.assertEquals

private const val DAY_S = 86_400

/** Metres of a degree of latitude. */
private const val DEGREE_M = 111_195.0

/** Where the traveler is. */
class WhereaboutsVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "mode" to { step -> assertEquals(step.text("mode"), snake(whereabouts { mode() })) },
        "set_mode" to { step -> whereabouts { setMode(named(step.text("mode"))) } },
        "record_fix" to ::recordFix,
        "note_gap" to { step -> whereabouts { noteGap(named(step.text("cause"))) } },
        "last_fix" to ::lastFix,
        "track" to ::track,
        "position_in" to ::convert,
    )

    private suspend fun recordFix(step: Step) {
        val secondsAgo =
            (step.intOrNull("seconds_ago") ?: 0) + (step.intOrNull("days_ago") ?: 0) * DAY_S
        val fix = Fix(
            position = Position.Wgs84(step.double("latitude"), step.double("longitude")),
            timeMs = System.currentTimeMillis() - secondsAgo * 1_000L,
            accuracyM = step.doubleOrNull("accuracy_m"),
            source = FixSource.GNSS,
            origin = step.textOrNull("origin")?.let { named<FixOrigin>(it) },
        )
        whereabouts { record(fix) }
    }

    /** Without a place: there is none to show. */
    private suspend fun lastFix(step: Step) {
        val place = whereabouts { last() }?.fix?.position?.let(::degrees)
        assertEquals(place(step)?.let(::micro), place?.let(::micro))
    }

    /** `fix` with its flags, or `gap` with its cause. */
    private suspend fun track(step: Step) {
        val items = whereabouts { track(0, Long.MAX_VALUE, 100u) }.map { item ->
            when (item) {
                is TrackItem.Fix -> (listOf("fix") + item.fix.flags.map(::snake)).joinToString(" ")
                is TrackItem.Gap -> "gap ${snake(item.gap.cause)}"
            }
        }
        assertEquals(step.texts("items"), items)
    }

    /** How far the numbers move, to a metre; 0: not by the last bit. */
    private suspend fun convert(step: Step) {
        val given = checkNotNull(place(step))
        val (latitude, longitude) = given
        val position = when (named<Datum>(step.text("of"))) {
            Datum.WGS84 -> Position.Wgs84(latitude, longitude)
            Datum.GCJ02 -> Position.Gcj02(latitude, longitude)
            Datum.BD09 -> Position.Bd09(latitude, longitude)
        }
        val moved = degrees(positionIn(position, named(step.text("to"))))
        val north = (moved.first - latitude) * DEGREE_M
        val east = (moved.second - longitude) * DEGREE_M * cos(Math.toRadians(latitude))
        assertEquals(step.double("moved_m"), round(hypot(north, east)))
        assertEquals(step.double("moved_m") == 0.0, moved == given)
    }

    private suspend fun <T> whereabouts(call: suspend Whereabouts.() -> T) = player.home.whereabouts.call()
}

/** The place that the step says, if it says one. */
fun place(step: Step): Pair<Double, Double>? {
    val latitude = step.doubleOrNull("latitude")
    val longitude = step.doubleOrNull("longitude")
    return if (latitude == null || longitude == null) null else Pair(latitude, longitude)
}

/** Millionths of a degree, as the record keeps them. */
fun micro(place: Pair<Double, Double>) = "%.6f %.6f".format(place.first, place.second)

private fun degrees(position: Position) = when (position) {
    is Position.Wgs84 -> Pair(position.latitude, position.longitude)
    is Position.Gcj02 -> Pair(position.latitude, position.longitude)
    is Position.Bd09 -> Pair(position.latitude, position.longitude)
}
