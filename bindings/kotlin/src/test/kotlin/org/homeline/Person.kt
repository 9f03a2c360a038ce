package org.homeline

import java.time.Year

/** A person, as the scenarios write one. */
fun person(step: Step) = Traveler(
    name = step.text("name"),
    kind = when (val kind = step.text("kind")) {
        "short_trip" -> TravelerKind.ShortTrip
        "long_stay" -> TravelerKind.LongStay
        "student" -> TravelerKind.Student(
            school = step.text("school"),
            programme = step.textOrNull("programme"),
            guardian = step.childOrNull("guardian")?.let(::reachable),
        )
        "posted_worker" -> TravelerKind.PostedWorker(
            employer = step.text("employer"),
            project = step.textOrNull("project"),
            liaison = step.childOrNull("liaison")?.let(::reachable),
        )
        "crew" -> TravelerKind.Crew(vessel = step.textOrNull("vessel"))
        else -> throw AssertionError("unknown kind `$kind`")
    },
    phone = step.textOrNull("phone"),
    documents = step.children("documents").map(::document),
    latinName = step.textOrNull("latin_name"),
    birthDate = step.textOrNull("birth_date") ?: step.intOrNull("age")?.let(::yearOfBirth),
    nationality = step.textOrNull("nationality"),
    languages = step.texts("languages"),
    email = step.textOrNull("email"),
)

/** In place of a date of birth: somebody of about [age] years. */
private fun yearOfBirth(age: Int) = Year.now().minusYears(age.toLong()).toString()

private fun reachable(step: Step) = Reachable(step.text("name"), step.textOrNull("phone"))

private fun document(step: Step) = TravelDocument(
    number = step.text("number"),
    mrz = step.textOrNull("mrz"),
    kind = step.textOrNull("kind")?.let { named<DocumentKind>(it) },
    issuingState = step.textOrNull("issuing_state"),
    expiryDate = step.textOrNull("expiry_date"),
)
