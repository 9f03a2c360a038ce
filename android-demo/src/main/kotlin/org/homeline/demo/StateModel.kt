package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import org.homeline.HomeState
import org.homeline.Homeline
import org.homeline.Topic

/** What works now, for the banner above all screens; null before it is known. */
class StateModel(home: Homeline, scope: CoroutineScope) :
    ScreenModel<HomeState?>(home, scope, null, Topic.SOS, Topic.RECORD, Topic.SYNC) {

    override suspend fun read(): (HomeState?) -> HomeState? {
        val state = readable { home.state() }
        return { before -> state ?: before }
    }

    /** The phone was unlocked for the first time since it started, or files were closed. */
    fun reopen() = act({}) { home.reopen() }

    /** After the key was lost: an empty record beside the old file. */
    fun startNewRecord() = act({}) { home.startNewRecord() }

    /** The traveler has seen what was repaired. */
    fun dismissRecoveries() = act({}) { home.dismissRecoveries() }
}
