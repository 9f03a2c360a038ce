package org.homeline.demo

import kotlinx.coroutines.CoroutineScope
import org.homeline.Homeline

/** Homeline, opened, and the models of the screens: one of each in the process. */
class Session(val home: Homeline, val phone: Phone, scope: CoroutineScope) {
    val courier = Courier(home, phone, scope)
    val state = StateModel(home, scope)
    val sos = SosModel(home, scope, phone, courier)
    val here = HereModel(home, scope, phone, courier)
    val me = MeModel(home, scope, courier)
    val outbox = OutboxModel(home, scope, courier)

    /** Each reads what it shows, now and whenever it has changed. */
    fun start() = listOf(state, sos, here, me, outbox).forEach { it.start() }
}
