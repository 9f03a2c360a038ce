package org.homeline.demo

import android.view.View
import kotlinx.coroutines.runBlocking
import org.homeline.Fix
import org.homeline.FixSource
import org.homeline.Homeline
import org.homeline.Position
import org.homeline.Stage
import org.junit.After
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.android.controller.ActivityController

/** A test of the app: its window is open, and the network is up. */
@RunWith(ScreenRunner::class)
abstract class Screens {
    lateinit var controller: ActivityController<MainActivity>
    val activity: MainActivity get() = controller.get()
    val session: Session get() = runBlocking { app.session.await() }
    val home: Homeline get() = session.home

    @Before
    fun begin() {
        Stage.link("up")
        arrange()
        open()
    }

    /** What must be so before the window opens. */
    open fun arrange() = Unit

    @After
    fun end() {
        controller.pause().stop().destroy()
    }

    fun open() {
        until("Homeline is open") { app.session.isCompleted }
        controller = Robolectric.buildActivity(MainActivity::class.java).setup()
        until("the first answer") { session.sos.view.value.help != null && session.me.view.value.isRead }
    }

    /** Runs what the host would call, and lets the screens follow. */
    fun <T> call(action: suspend (Homeline) -> T): T = runBlocking { action(home) }.also { pass(100) }

    fun tab(id: Int) {
        activity.part<View>(id).performClick()
        pass(50)
    }

    /** In Istanbul, now. */
    val istanbul get() = Fix(Position.Wgs84(41.0082, 28.9784), app.clock.now(), 12.0, FixSource.GNSS)
}
