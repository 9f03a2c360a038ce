package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.homeline.Consent
import org.homeline.ConsentGiven
import org.homeline.Contact
import org.homeline.EraseRequest
import org.homeline.Homeline
import org.homeline.HomelineException
import org.homeline.Purpose
import org.homeline.RegistrationCard
import org.homeline.SavedContact
import org.homeline.Topic
import org.homeline.Traveler

/** How an action of the screen "Me" ended. */
sealed interface Done {
    data object Saved : Done
    data object ContactAdded : Done
    data object Exported : Done
    data class Failed(val failure: HomelineException) : Done

    /** The file could not be written where the traveler wanted it. */
    data object NotWritten : Done
}

/** What the screen "Me" shows. */
data class MeView(
    /** False until it was read once: fields must not be filled before. */
    val isRead: Boolean = false,
    val traveler: Traveler? = null,
    val card: RegistrationCard? = null,
    val contacts: List<SavedContact> = emptyList(),
    /** The consents in force, by purpose. */
    val consents: Map<Purpose, Consent> = emptyMap(),
    val erased: EraseRequest = EraseRequest.Absent,
    val done: Done? = null,
)

/** The screen "Me". */
class MeModel(home: Homeline, scope: CoroutineScope, private val courier: Courier) :
    ScreenModel<MeView>(home, scope, MeView(), Topic.RECORD, Topic.SYNC) {

    override suspend fun read(): (MeView) -> MeView {
        val traveler = readable { home.registration.traveler() }
        val card = readable { home.registration.card() }
        val contacts = readable { home.contacts.list() }.orEmpty()
        val consents = readable { home.consents.list() }.orEmpty()
            .filter { it.subject == null && it.withdrawnMs == null }
            .filter { readable { home.consents.inForce(it.purpose) } == true }
            .associateBy { it.purpose }
        val erased = readable { home.state().eraseRequest } ?: EraseRequest.Absent
        return {
            it.copy(
                isRead = true,
                traveler = traveler,
                card = card,
                contacts = contacts,
                consents = consents,
                erased = erased,
            )
        }
    }

    fun save(traveler: Traveler) = act(Done.Saved) { home.registration.save(traveler) }

    fun add(contact: Contact) = act(Done.ContactAdded) { home.contacts.add(contact) }

    fun remove(contact: SavedContact) = act(Done.Saved) { home.contacts.remove(contact.id) }

    /** Gives a consent with the text that was shown in [language] (BCP 47). */
    fun give(purpose: Purpose, language: String) = act(Done.Saved) {
        home.consents.giveAs(ConsentGiven(purpose, TEXT_VERSION, language))
    }

    fun withdraw(purpose: Purpose) = act(Done.Saved) { home.consents.withdraw(purpose) }

    /** Hands everything about the traveler, as JSON, to [write]: false where it could not be written. */
    fun export(write: suspend (String) -> Boolean) = act({ failed(it) }) {
        val written = write(home.export().json)
        show { it.copy(done = if (written) Done.Exported else Done.NotWritten) }
    }

    /**
     * Erases everything, for good. The request to the ministry goes when there is a network. It
     * waits there before all else is gone, and "erased" is not said before that.
     */
    fun erase() = act(null) { unseen { home.erase() } }

    private fun act(done: Done?, action: suspend () -> Unit): Job {
        show { it.copy(done = null) }
        return act({ failed(it) }) {
            action()
            show { it.copy(done = done) }
            courier.wake()
        }
    }

    private fun failed(failure: HomelineException) = show { it.copy(done = Done.Failed(failure)) }

    companion object {
        /** Names the wording of the consents (`me_consent_*`): a change of it is a new version. */
        const val TEXT_VERSION = "2026-11-26"
    }
}
