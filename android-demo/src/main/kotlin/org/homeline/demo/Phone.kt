package org.homeline.demo

import org.homeline.Conditions
import org.homeline.Fix

/** What the models need of the phone. The app's is [AndroidPhone]; no Android class is in it. */
interface Phone {
    /** What the phone could send by now. */
    fun conditions(): Conditions

    /** Whether the traveler lets the app have positions. */
    fun mayLocate(): Boolean

    /**
     * A position of now, which Homeline has recorded; null where none comes within half a
     * minute, or none is allowed.
     */
    suspend fun fix(): Fix?

    /** The wall clock, milliseconds UTC. */
    fun now(): Long

    /** An SOS waits to be sent: the platform shall run the app for it soon, also when it is not in front. */
    fun pressed()

    /** The same for anything else that waits. */
    fun schedule()
}
