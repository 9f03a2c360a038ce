package org.homeline

/** The name of an enum's value or of a sealed class's case, as the scenarios write it. */
fun snake(value: Any): String = when (value) {
    is Enum<*> -> value.name.lowercase()
    else -> value.javaClass.simpleName.replace(Regex("(?<=[a-z])(?=[A-Z])"), "_").lowercase()
}

/** The value that the scenarios call [name]. */
inline fun <reified T : Enum<T>> named(name: String): T = enumValueOf(name.uppercase())
