package org.homeline.android

import android.app.job.JobParameters
import android.app.job.JobService
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import org.homeline.HomelineException
import org.homeline.SyncOutcome
import org.homeline.SyncStop
import org.homeline.WakeCause

/** What the platform starts for [SyncJob]; hosts do not touch it. */
class SyncJobService : JobService() {
    private val passes = ConcurrentHashMap<Int, Pass>()

    override fun onStartJob(parameters: JobParameters): Boolean {
        val pass = Pass(parameters)
        passes[parameters.jobId] = pass
        ONE_AT_A_TIME.execute(pass)
        return true
    }

    /** The platform takes its time back: what was sent and proved stays so. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        val pass = passes.remove(parameters.jobId)
        pass?.stop()
        // Without a pass it has ended and asked for its next time.
        return pass != null
    }

    private inner class Pass(private val parameters: JobParameters) : Runnable {
        private val home = HomelineHost.of(this@SyncJobService)

        @Volatile
        private var stopped = false

        @Volatile
        private var inSync = false

        override fun run() {
            val outcome = if (stopped) null else sync()
            // Whoever removes it ends it: this, or `onStopJob`.
            if (!passes.remove(parameters.jobId, this)) return
            val delayMs = SyncJob.nextDelayMs(outcome)
            SyncJob.after(this@SyncJobService, delayMs)
            quietly { home.woke(WakeCause.SCHEDULE, delayMs) }
            jobFinished(parameters, isUrgent() && !isSettled(outcome))
        }

        fun stop() {
            stopped = true
            if (!inSync) return
            home.cancelSync()
            // It may have come before the pass began: again, until the pass has seen it.
            AGAIN.schedule(::stop, AGAIN_MS, TimeUnit.MILLISECONDS)
        }

        private fun sync(): SyncOutcome? = quietly {
            home.woke(WakeCause.SCHEDULE)
            inSync = true
            try {
                if (stopped) null else home.sync(DEADLINE_MS.toULong())
            } finally {
                inSync = false
            }
        }

        private fun isUrgent() = parameters.jobId == SyncJob.URGENT_ID

        private fun isSettled(outcome: SyncOutcome?) =
            outcome?.stopped == SyncStop.DONE && outcome.waiting == 0u
    }

    private companion object {
        /** A job has ten minutes; one is left for the end of the last request. */
        const val DEADLINE_MS = 9 * 60_000L
        const val AGAIN_MS = 50L

        /** A second job waits behind the first: what it has to send goes with the first. */
        val ONE_AT_A_TIME = Executors.newSingleThreadExecutor { daemon("homeline-sync", it) }
        val AGAIN = Executors.newSingleThreadScheduledExecutor { daemon("homeline-stop", it) }

        fun daemon(name: String, action: Runnable) =
            Thread(action, name).apply { isDaemon = true }

        /** `null` where the files cannot be read or written: the next time may be better. */
        fun <T> quietly(action: () -> T): T? = try {
            action()
        } catch (_: HomelineException) {
            null
        }
    }
}
