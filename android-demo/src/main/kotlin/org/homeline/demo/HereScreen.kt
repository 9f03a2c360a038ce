package org.homeline.demo

import android.app.AlertDialog
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.homeline.AlertState
import org.homeline.ArrivalNotice
import org.homeline.Help
import org.homeline.LocalAlert
import org.homeline.LocalLevel
import org.homeline.LocalMission
import org.homeline.PlaceBasis

/** Draws "Here". [ask] asks the traveler for the permission of positions. */
class HereScreen(
    private val root: View,
    private val model: HereModel,
    private val words: Words,
    private val dialler: Dialler,
    private val scope: CoroutineScope,
    ask: () -> Unit,
) {
    private val arrival = root.part<ViewGroup>(R.id.here_arrival)
    private val country = root.part<TextView>(R.id.here_country)
    private val basis = root.part<TextView>(R.id.here_basis)
    private val note = root.part<TextView>(R.id.here_position_note)
    private val level = root.part<TextView>(R.id.here_level)
    private val asOf = root.part<TextView>(R.id.here_as_of)
    private val alerts = root.part<ViewGroup>(R.id.here_alerts)
    private val missions = root.part<ViewGroup>(R.id.here_missions)
    private val search = root.part<EditText>(R.id.here_search)
    private val searchNote = root.part<TextView>(R.id.here_search_note)
    private val guides = root.part<ViewGroup>(R.id.here_guides)

    init {
        root.part<View>(R.id.here_position).setOnClickListener { ask() }
        root.part<View>(R.id.here_refresh).setOnClickListener { model.fetch() }
        search.setText(model.view.value.words)
        search.onText(model::search)
    }

    fun render(view: HereView) {
        arrival.showItems(listOfNotNull(view.arrival?.takeIf { it.isNew }?.let(::arrival)))
        view.help?.let(::place)
        note.showText(locating(view.locating))
        level.showText(view.alerts?.level?.let(::level) ?: words.of(R.string.here_level_none))
        asOf.showText(
            view.alerts?.asOfMs?.let { words.of(R.string.here_alerts_as_of, words.time(it), words.ago(it)) }
                ?: words.of(R.string.here_alerts_never),
        )
        val found = view.alerts?.alerts.orEmpty()
        alerts.showItems(found.map(::alert).ifEmpty { listOf(Item(words.of(R.string.here_alerts_none))) })
        searchNote.showText(
            if (view.words.isNotBlank() && view.guides.isEmpty()) words.of(R.string.here_guides_none) else null,
        )
        guides.showItems(
            view.guides.map { hit ->
                Item(
                    null,
                    excerpt(hit.excerpt) + "\n" + words.of(R.string.here_guide_updated, hit.updated),
                    listOf(ItemAction(hit.title) { read(hit.id) }),
                )
            },
        )
    }

    /** An excerpt is cut to a length: where that is not the end of a sentence, it shows it. */
    private fun excerpt(text: String) = if (text.last() in ".!?。！？") text else "$text…"

    private fun place(help: Help) {
        val names = help.countries.map(words::country)
        country.showText(
            when (names.size) {
                0 -> null
                1 -> names.single()
                else -> words.of(R.string.here_candidates, names.joinToString(" / "))
            },
        )
        basis.showText(
            when (val from = help.basis) {
                is PlaceBasis.LastPosition -> from.ageMs?.let { words.of(R.string.here_basis_position, words.age(it)) }
                    ?: words.of(R.string.here_basis_position_unknown_age)
                PlaceBasis.Stay -> words.of(R.string.here_basis_stay)
                PlaceBasis.Nowhere -> words.of(R.string.here_basis_nowhere)
                PlaceBasis.Given -> null
            },
        )
        val responsible = help.responsible.map { mission(it, null) }
            .ifEmpty { listOf(Item(words.of(R.string.here_mission_none))) }
        val nearest = help.nearest?.let { mission(it, words.of(R.string.here_mission_nearest)) }
        missions.showItems(responsible + listOfNotNull(nearest))
    }

    private fun locating(state: Locating) = when (state) {
        Locating.IDLE -> null
        Locating.LOOKING -> words.of(R.string.here_locating)
        Locating.REFUSED -> words.of(R.string.here_position_refused)
        Locating.NOTHING -> words.of(R.string.here_position_none)
    }

    private fun level(level: LocalLevel): String = level.step
        ?.let { words.of(R.string.here_level, level.wording.text, it.toInt(), level.steps.toInt()) }
        ?: words.of(R.string.here_level_unranked, level.wording.text)

    private fun arrival(notice: ArrivalNotice) = Item(
        words.of(R.string.here_arrival_title, words.country(notice.country)),
        (listOfNotNull(notice.level?.let(::level)) + notice.alerts.mapNotNull { it.headline?.text })
            .joinToString("\n").ifEmpty { null },
        notice.numbers?.numbers.orEmpty().map { number ->
            val service = words.service(number.service)
            ItemAction("$service  ${number.number}", words.of(R.string.action_call, "$service, ${number.number}")) {
                dialler.dial(number.number)
            }
        } + ItemAction(words.of(R.string.here_arrival_seen)) { model.arrivalRead() },
    )

    private fun alert(alert: LocalAlert): Item {
        val until = when (val state = alert.state) {
            is AlertState.Ahead -> words.of(R.string.here_alert_ahead, words.time(state.fromMs))
            else -> alert.expiresMs?.let { words.of(R.string.here_alert_until, words.time(it)) }
                ?: words.of(R.string.here_alert_open)
        }
        val age = words.of(R.string.here_alert_sent, words.ago(alert.sentMs))
        val texts = listOfNotNull(alert.description, alert.instruction).map { it.text }
        val lines = listOfNotNull(alert.level?.let(::level)) + texts + until + age
        return Item(alert.headline?.text ?: alert.identifier, lines.joinToString("\n"))
    }

    private fun mission(mission: LocalMission, above: String?): Item {
        val distance = mission.distanceM?.let { words.of(R.string.here_mission_distance, (it / 1_000).toInt()) }
        val lines = listOfNotNull(above, mission.address?.text, distance, words.age(mission.asOf))
        return Item(
            mission.name?.text ?: mission.id,
            lines.joinToString("\n"),
            mission.phones.map { phone ->
                val purpose = words.phone(phone)
                ItemAction("$purpose\n${phone.number}", words.of(R.string.action_call, "$purpose, ${phone.number}")) {
                    dialler.dial(phone.number)
                }
            },
        )
    }

    private fun read(id: String) {
        scope.launch {
            val guide = model.guide(id) ?: return@launch
            AlertDialog.Builder(root.context)
                .setTitle(guide.title)
                .setMessage(guide.body + "\n\n" + words.age(guide.asOf))
                .setPositiveButton(R.string.action_close, null)
                .show()
        }
    }
}
