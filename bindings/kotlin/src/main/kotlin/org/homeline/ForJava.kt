package org.homeline

/**
 * For callers in Java, which cannot write Kotlin's unsigned numbers: what a host needs of them,
 * with plain ones. All else of the blocking objects Java calls as it is.
 *
 * Those that block on the network or the disk say so; call them off the main thread.
 */
public object ForJava {
    /**
     * A request for [BlockingSos.press]. [note] may be empty, [fix] `null`; [countdownSeconds]
     * is from 0 to 60.
     */
    @JvmStatic
    public fun sosRequest(
        kind: SosKind,
        note: String,
        fix: Fix?,
        countdownSeconds: Int,
    ): SosRequest =
        SosRequest(kind, note, fix, countdownS = countdownSeconds.coerceIn(0, 60).toUInt())

    /** A position of [timeMs], milliseconds UTC; [accuracyM] in metres, or `null`. */
    @JvmStatic
    public fun fix(position: Position, timeMs: Long, accuracyM: Double?, source: FixSource): Fix =
        Fix(position, timeMs, accuracyM, source)

    /**
     * One pass of at most [deadlineMs] milliseconds over the network; it blocks as long. Being
     * offline is an outcome, not an error.
     *
     * Errors: as [BlockingHomeline.sync].
     */
    @JvmStatic
    @Throws(HomelineException::class)
    public fun sync(home: BlockingHomeline, deadlineMs: Long): SyncOutcome =
        home.sync(deadlineMs.coerceAtLeast(0).toULong())

    /** How many envelopes wait after a pass. */
    @JvmStatic
    public fun waiting(outcome: SyncOutcome): Int = outcome.waiting.toInt()
}
