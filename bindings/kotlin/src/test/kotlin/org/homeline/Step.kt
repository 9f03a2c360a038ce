package org.homeline

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

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

    fun int(key: String): Int = required(key).int

    fun intOrNull(key: String): Int? = optional(key)?.int

    fun double(key: String): Double = required(key).double

    fun doubleOrNull(key: String): Double? = optional(key)?.double

    fun booleanOrNull(key: String): Boolean? = optional(key)?.boolean

    fun child(key: String): Step {
        unread -= key
        return Step(fields.getValue(key).jsonObject).also(children::add)
    }

    override fun toString() = fields.toString()

    private fun required(key: String) = checkNotNull(optional(key)) { "no `$key` in $this" }

    private fun optional(key: String): JsonPrimitive? {
        unread -= key
        return fields[key]?.jsonPrimitive
    }
}
