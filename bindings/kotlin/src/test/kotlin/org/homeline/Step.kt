package org.homeline

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals

/**
 * One step of a scenario, or an object in it. It knows which of its keys were
 * read: one that nobody asked for is an expectation that nobody checked.
 */
class Step(private val fields: JsonObject) {
    private val unread = fields.keys.toMutableSet()
    private val children = mutableListOf<Step>()

    /** Keys that were never read, those of objects inside included. */
    val neverRead: Set<String> get() = unread + children.flatMap { it.neverRead }

    fun text(key: String): String = required(key).content

    fun textOrNull(key: String): String? = optional(key)?.content

    /** The texts of a list; none where it is not there. */
    fun texts(key: String): List<String> = textsOrNull(key) ?: emptyList()

    fun textsOrNull(key: String): List<String>? =
        element(key)?.jsonArray?.map { it.jsonPrimitive.content }

    fun int(key: String): Int = required(key).int

    fun intOrNull(key: String): Int? = optional(key)?.int

    fun double(key: String): Double = required(key).double

    fun doubleOrNull(key: String): Double? = optional(key)?.double

    fun boolean(key: String): Boolean = required(key).boolean

    fun booleanOrNull(key: String): Boolean? = optional(key)?.boolean

    /** The value as it is, whatever is in it. */
    fun json(key: String): JsonElement = checkNotNull(element(key)) { "no `$key` in $this" }

    fun child(key: String): Step = checkNotNull(childOrNull(key)) { "no `$key` in $this" }

    fun childOrNull(key: String): Step? = element(key)?.let(::childOf)

    /** The objects of a list; none where it is not there. */
    fun children(key: String): List<Step> =
        element(key)?.jsonArray?.map(::childOf) ?: emptyList()

    /** Fails where the step says something else; what it does not say is free. */
    fun expect(key: String, actual: String?) =
        textOrNull(key).let { if (it != null) assertEquals(it, actual, key) }

    fun expect(key: String, actual: Int) =
        intOrNull(key).let { if (it != null) assertEquals(it, actual, key) }

    fun expect(key: String, actual: Boolean) =
        booleanOrNull(key).let { if (it != null) assertEquals(it, actual, key) }

    fun expect(key: String, actual: List<String>) =
        textsOrNull(key).let { if (it != null) assertEquals(it, actual, key) }

    override fun toString() = fields.toString()

    private fun childOf(element: JsonElement) = Step(element.jsonObject).also(children::add)

    private fun required(key: String) = checkNotNull(optional(key)) { "no `$key` in $this" }

    private fun optional(key: String): JsonPrimitive? = element(key)?.jsonPrimitive

    private fun element(key: String): JsonElement? {
        unread -= key
        return fields[key]
    }
}
