package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** What the ministry publishes for everybody: where a place is, who helps there, what to do. */
class AbroadVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "publish" to { step -> Stage.publish(step.text("pack"), step.json("items")) },
        "packs" to ::packs,
        "add_pack" to ::addPack,
        "locate" to ::locate,
        "help_at" to ::help,
        "search_guides" to ::search,
        "list_guides" to ::list,
        "read_guide" to ::read,
    )

    /** The packs that the ministry has brought; all others are the library's own. */
    private suspend fun packs(step: Step) {
        val packs = player.home.packs.list()
        assertEquals(PackName.entries.size, packs.size)
        val (ministry, library) = packs.partition { it.origin == PackOrigin.MINISTRY }
        assertEquals(step.texts("ministry"), ministry.map { snake(it.name) })
        assertTrue(library.all { it.version == 0uL })
        step.textOrNull("since")?.let { since ->
            val newer = ministry.filter {
                it.version > player.named("$since ${snake(it.name)}").toULong()
            }
            assertEquals(step.texts("newer"), newer.map { snake(it.name) })
        }
        step.textOrNull("as")?.let { name ->
            packs.forEach { player.keep("$name ${snake(it.name)}", it.version.toString()) }
        }
    }

    /** A pack comes as a file of the ministry's: with the host app, or from a friend. */
    private suspend fun addPack(step: Step) {
        val file = Stage.packFile(step.text("pack"))
        val come = file.copyOf(step.intOrNull("first_bytes") ?: file.size)
        val added = player.home.packs.add(come)
        assertEquals(step.text("pack"), snake(added.name))
        assertEquals(PackOrigin.MINISTRY, added.origin)
    }

    private suspend fun locate(step: Step) {
        val found = player.home.locate(asked(step))
        step.expect("basis", snake(found.basis))
        assertEquals(step.texts("countries"), found.countries)
        assertEquals(step.textOrNull("ground"), found.located?.ground?.let(::snake))
        step.expect("confidence", found.located?.confidence?.let(::snake))
    }

    /** Who helps at a place. A list that is not there is empty. */
    private suspend fun help(step: Step) {
        val help = player.home.helpAt(asked(step))
        step.expect("basis", snake(help.basis))
        assertEquals(step.texts("countries"), help.countries)
        assertEquals(step.texts("numbers"), help.numbers.map(::numbers))
        step.expect("mobile", help.mobile.numbers)
        assertEquals(step.texts("responsible"), help.responsible.map { it.id })
        val first = help.responsible.firstOrNull()
        step.expect("mission_name", first?.name?.text)
        step.expect("phone", first?.phones?.firstOrNull()?.number)
        assertEquals(step.textOrNull("nearest"), help.nearest?.id)
        step.expect("hotline", help.hotline.map { "${snake(it.from)} ${it.number}" })
        step.expect("protection", help.protection.map { it.language })
    }

    /** Without a best one: nothing is found. */
    private suspend fun search(step: Step) {
        val found = guides { search(step.text("query"), asked(step), step.textOrNull("situation")) }
        assertEquals(step.textOrNull("best"), found.firstOrNull()?.id)
        step.expect("title", found.firstOrNull()?.title)
    }

    private suspend fun list(step: Step) {
        val found = guides { list(asked(step), step.textOrNull("situation")) }
        assertEquals(step.texts("ids"), found.map { it.id })
    }

    private suspend fun read(step: Step) {
        val guide = guides { read(step.text("id")) }
        step.expect("language", guide.language)
        step.texts("contains").forEach { assertTrue(it in guide.body, "no $it") }
    }

    private suspend fun <T> guides(call: suspend Guides.() -> T) = player.home.guides.call()
}

/** The place that the step asks about: where the traveler is, unless it says another. */
fun asked(step: Step): Place {
    val place = step.childOrNull("place") ?: return Place.Here
    place.textOrNull("country")?.let { return Place.Country(it) }
    val position = Position.Wgs84(place.double("latitude"), place.double("longitude"))
    return Place.At(position, place.doubleOrNull("accuracy_m"))
}

/** `TR: general 112, police 155`. */
fun numbers(local: LocalNumbers): String =
    "${local.country}: ${local.numbers.joinToString { "${snake(it.service)} ${it.number}" }}"
