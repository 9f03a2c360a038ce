package org.homeline.android

/**
 * Which jobs run in this process. The platform stops a running job when its id is scheduled
 * anew, and a network that comes and goes would stop each pass: so the wish is kept, and
 * fulfilled at the end of the pass.
 */
internal object RunningJobs {
    private val running = mutableSetOf<Int>()
    private val again = mutableSetOf<Int>()

    /** Runs [schedule], or notes that the job [id], which runs, shall come again. */
    @Synchronized
    fun orElse(id: Int, schedule: () -> Unit) {
        if (id in running) again += id else schedule()
    }

    @Synchronized
    fun begin(id: Int) {
        running += id
        again -= id
    }

    /** Ends the job [id]; [reschedule] is told whether it shall come again at once. */
    @Synchronized
    fun end(id: Int, reschedule: (Boolean) -> Unit) {
        running -= id
        reschedule(again.remove(id))
    }
}
