package org.homeline

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update

/**
 * What has changed, counted by topic: a reader that is slow misses none and gets each once.
 * The library calls it on the thread that made the change; it only counts there.
 */
internal class ChangeFeed : ChangeListener {
    private val counts = MutableStateFlow(Topic.entries.associateWith { 0L })

    override fun changed(topic: Topic): Unit =
        counts.update { it + (topic to it.getValue(topic) + 1) }

    /** The topics, each at the start and after its changes. */
    fun of(topics: Set<Topic>): Flow<Topic> = flow {
        val seen = mutableMapOf<Topic, Long>()
        counts.collect { now ->
            topics.filter { seen.put(it, now.getValue(it)) != now.getValue(it) }.forEach { emit(it) }
        }
    }

    /** What [read] gives, at the start and where a change of [topic] makes it another. */
    fun <T> read(topic: Topic, read: suspend () -> T): Flow<T> =
        of(setOf(topic)).map { read() }.distinctUntilChanged()
}
