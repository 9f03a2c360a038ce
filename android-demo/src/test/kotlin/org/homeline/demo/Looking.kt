package org.homeline.demo

import android.app.Activity
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import java.util.concurrent.TimeUnit
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** Lets the app run until [isSo], half a minute at most. */
fun until(what: String, isSo: () -> Boolean) {
    val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30)
    while (!isSo()) {
        check(System.nanoTime() < end) { "not within 30 s: $what" }
        pass(50)
        Thread.sleep(5)
    }
}

/** Lets [ms] milliseconds pass for the app. */
fun pass(ms: Long) = shadowOf(Looper.getMainLooper()).idleFor(ms, TimeUnit.MILLISECONDS)

val app: TestApp get() = RuntimeEnvironment.getApplication() as TestApp

/** This view and all within it that are on the screen. */
fun View.onScreen(): Sequence<View> = sequence {
    if (visibility != View.VISIBLE) return@sequence
    yield(this@onScreen)
    if (this@onScreen is ViewGroup) {
        for (at in 0 until childCount) yieldAll(getChildAt(at).onScreen())
    }
}

val Activity.root: View get() = part(android.R.id.content)

/** All words on the screen, from top to bottom. */
fun Activity.words(): String = root.onScreen().filterIsInstance<TextView>().joinToString("\n") { it.text }

/** Waits until [words] are on the screen. */
fun Activity.shows(words: String) {
    try {
        until("\"$words\"") { words in words() }
    } catch (missing: IllegalStateException) {
        throw AssertionError("\"$words\" is not on the screen:\n${words()}", missing)
    }
}

/** The button that says [label]. */
fun Activity.button(label: String): Button =
    root.onScreen().filterIsInstance<Button>().firstOrNull { label in it.text }
        ?: throw AssertionError("no button \"$label\":\n${words()}")

/** Touches the button that says [label]. */
fun Activity.touch(label: String) {
    button(label).performClick()
    pass(50)
}

fun Activity.hold(): HoldButton = part(R.id.sos_hold)

/** A finger on the SOS button for [ms] milliseconds. */
fun Activity.hold(ms: Long) {
    val button = hold()
    button.finger(MotionEvent.ACTION_DOWN)
    pass(ms)
    button.finger(MotionEvent.ACTION_UP)
    pass(50)
}

fun View.finger(action: Int) {
    val now = SystemClock.uptimeMillis()
    val event = MotionEvent.obtain(now, now, action, 10f, 10f, 0)
    dispatchTouchEvent(event)
    event.recycle()
}
