package org.homeline

import org.junit.jupiter.api.Assertions.assertEquals

/** Zones of documents; they need no phone. */
val paperVerbs = mapOf<String, Verb>("read_mrz" to ::read, "scan_mrz" to ::scan)

private suspend fun read(step: Step) {
    val mrz = readMrz(step.text("text"))
    step.expect("format", snake(mrz.format))
    step.expect("document_code", mrz.documentCode)
    step.expect("issuing_state", mrz.issuingState)
    step.expect("number", mrz.number)
    step.expect("nationality", mrz.nationality)
    step.expect("surname", mrz.surname)
    step.expect("given_names", mrz.givenNames)
    step.expect("birth_date", day(mrz.birthDate))
    step.expect("sex", snake(mrz.sex))
    step.expect("expiry_date", day(mrz.expiryDate))
    step.expect("optional_data", mrz.optionalData)
}

/** `YYYY-MM-DD`, with 0 for what is unknown. */
private fun day(date: MrzDate): String {
    val numbers = listOf(date.year?.toInt(), date.month?.toInt(), date.day?.toInt())
    return "%04d-%02d-%02d".format(*numbers.map { it ?: 0 }.toTypedArray())
}

private suspend fun scan(step: Step) {
    val scan = scanMrz(step.text("text"))
    assertEquals(step.texts("faults"), scan.faults.map { it.field })
    assertEquals(step.textOrNull("suggestion"), scan.suggestion)
}
