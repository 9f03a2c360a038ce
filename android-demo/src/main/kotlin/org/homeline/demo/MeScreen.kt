package org.homeline.demo

import android.app.AlertDialog
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.Spinner
import android.widget.Switch
import android.widget.TextView
import org.homeline.Consent
import org.homeline.Contact
import org.homeline.EraseRequest
import org.homeline.HomelineException
import org.homeline.Purpose
import org.homeline.Relation
import org.homeline.Traveler
import org.homeline.TravelerKind

/** Draws "Me". [export] asks where the file shall go. */
class MeScreen(
    private val root: View,
    private val model: MeModel,
    private val words: Words,
    export: () -> Unit,
) {
    private val registered = root.part<TextView>(R.id.me_registered)
    private val name = root.part<EditText>(R.id.me_name)
    private val latinName = root.part<EditText>(R.id.me_latin_name)
    private val phone = root.part<EditText>(R.id.me_phone)
    private val birthDate = root.part<EditText>(R.id.me_birth_date)
    private val kind = root.part<Spinner>(R.id.me_kind)
    private val placeBlock = root.part<View>(R.id.me_place_block)
    private val placeLabel = root.part<TextView>(R.id.me_place_label)
    private val place = root.part<EditText>(R.id.me_place)
    private val result = root.part<TextView>(R.id.me_result)
    private val contacts = root.part<ViewGroup>(R.id.me_contacts)
    private val contactName = root.part<EditText>(R.id.me_contact_name)
    private val contactPhone = root.part<EditText>(R.id.me_contact_phone)
    private val contactRelation = root.part<Spinner>(R.id.me_contact_relation)
    private val consents = root.part<ViewGroup>(R.id.me_consents)
    private val erased = root.part<TextView>(R.id.me_erased)
    private val exportResult = root.part<TextView>(R.id.me_export_result)

    /** What the fields were filled with last: what is being typed is not overwritten. */
    private var filled: Traveler? = null
    private var shownDone = model.view.value.done
    private val switches = mutableMapOf<Purpose, View>()

    init {
        kind.choices(KINDS.map { words.of(it.word) }, 0) { showPlace() }
        contactRelation.choices(Relation.entries.map(words::relation), 0) {}
        root.part<View>(R.id.me_save).setOnClickListener { save() }
        root.part<View>(R.id.me_contact_add).setOnClickListener { add() }
        root.part<View>(R.id.me_export).setOnClickListener { export() }
        root.part<View>(R.id.me_erase).setOnClickListener { confirmErase() }
        for (purpose in Purpose.entries) {
            val row = consents.inflate(R.layout.consent)
            row.part<Switch>(R.id.consent_switch).text = words.consent(purpose)
            consents.addView(row)
            switches[purpose] = row
        }
        showPlace()
    }

    fun render(view: MeView) {
        if (view.isRead) fill(view.traveler)
        registered.showText(
            view.card?.let { words.of(R.string.me_card, it.card.number) }
                ?: words.of(if (view.traveler == null) R.string.me_not_registered else R.string.me_registered_here),
        )
        contacts.showItems(
            view.contacts.map { saved ->
                val contact = saved.contact
                val remove = words.of(R.string.me_contact_remove, contact.name)
                Item(
                    contact.name,
                    words.relation(contact.relation) + "\n" + contact.phone,
                    listOf(ItemAction(words.of(R.string.action_remove), remove) { model.remove(saved) }),
                )
            }.ifEmpty { listOf(Item(words.of(R.string.me_contacts_none))) },
        )
        switches.forEach { (purpose, row) -> show(row, purpose, view.consents[purpose]) }
        erased.showText(erased(view.erased))
        show(view.done)
    }

    private fun show(row: View, purpose: Purpose, consent: Consent?) {
        val switch = row.part<Switch>(R.id.consent_switch)
        // Without the listener: to show a state is not to change it.
        switch.setOnCheckedChangeListener(null)
        switch.isChecked = consent != null
        switch.setOnCheckedChangeListener { _, given ->
            if (given) model.give(purpose, words.language) else model.withdraw(purpose)
        }
        row.part<TextView>(R.id.consent_since).showText(
            consent?.let { words.of(R.string.me_consent_given, words.time(it.givenMs), it.textVersion) }
                ?: words.of(R.string.me_consent_not_given),
        )
    }

    private fun show(done: Done?) {
        val field = ((done as? Done.Failed)?.failure as? HomelineException.Invalid)
        FIELDS.forEach { (name, id) ->
            root.part<EditText>(id).error = field?.takeIf { it.field == name }?.let(words::invalid)
        }
        result.showText(
            when (done) {
                Done.Saved, Done.ContactAdded -> words.of(R.string.saved)
                is Done.Failed -> words.failure(done.failure)
                else -> null
            },
        )
        exportResult.showText(
            when (done) {
                Done.Exported -> words.of(R.string.me_export_done)
                Done.NotWritten -> words.of(R.string.me_export_failed)
                else -> null
            },
        )
        // Once: the next one may be typed already.
        if (done == Done.ContactAdded && done != shownDone) {
            contactName.setText("")
            contactPhone.setText("")
        }
        shownDone = done
    }

    private fun fill(traveler: Traveler?) {
        if (traveler == filled) return
        filled = traveler
        name.setText(traveler?.name)
        latinName.setText(traveler?.latinName)
        phone.setText(traveler?.phone)
        birthDate.setText(traveler?.birthDate)
        kind.setSelection(KINDS.indexOfFirst { it.matches(traveler?.kind) }.coerceAtLeast(0))
        place.setText(
            when (val why = traveler?.kind) {
                is TravelerKind.Student -> why.school
                is TravelerKind.PostedWorker -> why.employer
                else -> null
            },
        )
    }

    private fun showPlace() {
        val label = KINDS[kind.selectedItemPosition.coerceAtLeast(0)].place
        placeBlock.setShown(label != null)
        placeLabel.showText(label?.let { words.of(it) })
    }

    /** What the screen has no field for stays as it was. */
    private fun save() {
        val before = filled ?: Traveler(name = "", kind = TravelerKind.ShortTrip)
        model.save(
            before.copy(
                name = name.text.toString().trim(),
                latinName = latinName.textOrNull(),
                phone = phone.textOrNull(),
                birthDate = birthDate.textOrNull(),
                kind = KINDS[kind.selectedItemPosition].of(before.kind, place.text.toString().trim()),
            ),
        )
    }

    private fun add() = model.add(
        Contact(
            name = contactName.text.toString().trim(),
            phone = contactPhone.text.toString().trim(),
            relation = Relation.entries[contactRelation.selectedItemPosition],
        ),
    )

    private fun confirmErase() {
        AlertDialog.Builder(root.context)
            .setTitle(R.string.me_erase_title)
            .setMessage(R.string.me_erase_hint)
            .setPositiveButton(R.string.me_erase_confirm) { _, _ -> model.erase() }
            .setNegativeButton(R.string.action_cancel, null)
            .show()
    }

    private fun erased(request: EraseRequest): String? = when (request) {
        EraseRequest.Absent -> null
        EraseRequest.Waiting -> words.of(R.string.me_erase_waiting)
        is EraseRequest.Received -> words.of(R.string.me_erase_received, words.time(request.atMs))
        EraseRequest.Refused -> words.of(R.string.me_erase_refused)
    }

    private companion object {
        /** The fields that Homeline names in `Invalid`. */
        val FIELDS = mapOf(
            "traveler.name" to R.id.me_name,
            "traveler.latin_name" to R.id.me_latin_name,
            "traveler.phone" to R.id.me_phone,
            "traveler.birth_date" to R.id.me_birth_date,
            "traveler.school" to R.id.me_place,
            "traveler.employer" to R.id.me_place,
            "contact.name" to R.id.me_contact_name,
            "contact.phone" to R.id.me_contact_phone,
        )

        val KINDS = listOf(
            KindChoice(R.string.me_kind_short_trip, null, { it is TravelerKind.ShortTrip }) { _, _ ->
                TravelerKind.ShortTrip
            },
            KindChoice(R.string.me_kind_long_stay, null, { it is TravelerKind.LongStay }) { _, _ ->
                TravelerKind.LongStay
            },
            KindChoice(R.string.me_kind_student, R.string.me_school, { it is TravelerKind.Student }) { before, place ->
                (before as? TravelerKind.Student)?.copy(school = place) ?: TravelerKind.Student(place)
            },
            KindChoice(
                R.string.me_kind_posted_worker,
                R.string.me_employer,
                { it is TravelerKind.PostedWorker },
            ) { before, place ->
                (before as? TravelerKind.PostedWorker)?.copy(employer = place) ?: TravelerKind.PostedWorker(place)
            },
            KindChoice(R.string.me_kind_crew, null, { it is TravelerKind.Crew }) { before, _ ->
                before as? TravelerKind.Crew ?: TravelerKind.Crew()
            },
        )
    }
}

/** A reason to be abroad: its [word], the label of its [place] if it has one, and how it is made. */
private class KindChoice(
    val word: Int,
    val place: Int?,
    val matches: (TravelerKind?) -> Boolean,
    val of: (before: TravelerKind, place: String) -> TravelerKind,
)
