package org.homeline

import java.nio.file.Files
import java.nio.file.Path

/** Who plays a scenario: the phones in it, and what it has given a name to. */
class Player(private val directory: Path) : AutoCloseable {
    private val phones = mutableMapOf<String, Phone>()

    /** Ids and texts by the names that the scenario gave them. */
    private val names = mutableMapOf<String, String>()

    /** The phone in hand. */
    lateinit var phone: Phone
        private set

    val home: Homeline get() = phone.home

    init {
        take("")
    }

    /** Takes the phone of that name in hand; the others stay as they are. */
    fun take(name: String) {
        phone = phones.getOrPut(name) {
            Phone(Files.createDirectory(directory.resolve("phone-$name")))
        }
    }

    /** Keeps an id or a text under the name that the step has for it, if any. */
    fun keep(step: Step, value: String) {
        step.textOrNull("as")?.let { keep(it, value) }
    }

    fun keep(name: String, value: String) {
        names[name] = value
    }

    /** What the step names under [key]. */
    fun named(step: Step, key: String): String = named(step.text(key))

    fun named(name: String): String = names.getValue(name)

    fun namedOrNull(step: Step, key: String): String? =
        step.textOrNull(key)?.let(names::getValue)

    override fun close() = phones.values.forEach(Phone::close)
}
