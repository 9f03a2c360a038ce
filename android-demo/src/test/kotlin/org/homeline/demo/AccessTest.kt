package org.homeline.demo

import android.view.View
import android.widget.EditText
import android.widget.Spinner
import android.widget.TextView
import kotlin.math.pow
import org.homeline.Contact
import org.homeline.Relation
import org.homeline.SosKind
import org.homeline.SosRequest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.GraphicsMode

/** Everybody can use it: labels, sizes, large type, contrast. Laid out with real fonts. */
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class AccessTest : Screens() {
    private val pages = listOf(R.id.tab_sos, R.id.tab_here, R.id.tab_me, R.id.tab_outbox)

    private fun fill() {
        call { it.whereabouts.record(istanbul) }
        call { it.contacts.add(Contact("Fang", "+8613900139000", Relation.PARENT)) }
        call { it.sos.press(SosRequest(SosKind.MEDICAL, countdownS = 60u)) }
        activity.shows("On this phone. It counts down")
    }

    private fun onEachPage(check: (View) -> Unit) = pages.forEach { page ->
        tab(page)
        activity.layOut()
        activity.root.onScreen().forEach(check)
    }

    private fun checkTouches() {
        val touch = (48 * activity.resources.displayMetrics.density).toInt()
        var touched = 0
        onEachPage { view ->
            if (!view.isClickable && view !is EditText) return@onEachPage
            touched += 1
            val name = if (view.id == View.NO_ID) "$view" else activity.resources.getResourceEntryName(view.id)
            assertTrue("$name is ${view.width} x ${view.height}", view.width >= touch && view.height >= touch)
            assertTrue("$name has no label", label(view).isNotBlank())
        }
        assertTrue("$touched", touched > 30)
    }

    private fun label(view: View): String = when {
        view.contentDescription != null -> view.contentDescription.toString()
        // A field's label is the text that says it is for it.
        view is EditText || view is Spinner -> activity.root.onScreen().filterIsInstance<TextView>()
            .firstOrNull { it.labelFor == view.id }?.text?.toString().orEmpty()
        view is TextView -> view.text.toString()
        else -> ""
    }

    private fun checkNothingIsCut() = onEachPage { view ->
        if (view !is TextView || view.text.isEmpty()) return@onEachPage
        val layout = view.layout
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        assertTrue("\"${view.text}\" needs ${layout.height}, has $room", layout.height <= room)
        assertTrue("\"${view.text}\" has ${layout.lineCount} lines", layout.lineCount <= view.maxLines)
        for (line in 0 until layout.lineCount) assertEquals("\"${view.text}\"", 0, layout.getEllipsisCount(line))
    }

    @Test
    fun `what can be touched is large enough, and says what it does`() {
        checkTouches()
        fill()
        checkTouches()
    }

    @Test
    fun `at twice the size of type nothing is cut`() {
        RuntimeEnvironment.setFontScale(2.0f)
        controller.recreate()
        checkNothingIsCut()
        fill()
        checkNothingIsCut()
        checkTouches()
    }

    @Test
    fun `in Chinese nothing is cut, and nothing is left in English`() {
        RuntimeEnvironment.setQualifiers("+zh-rCN")
        controller.recreate()
        pass(200)
        checkNothingIsCut()
        tab(R.id.tab_me)
        val latin = Regex("[A-Za-z]{3,}").findAll(activity.words()).map { it.value }.toSet()
        // The form of a date is written as everybody writes it.
        assertEquals(setOf("YYYY"), latin)
    }

    @Test
    fun `the pages have headings, and the status speaks by itself`() {
        val headings = pages.map { page ->
            tab(page)
            activity.root.onScreen().count { it.isAccessibilityHeading }
        }
        assertTrue("$headings", headings.all { it >= 2 })
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE, activity.part<View>(R.id.sos_status).accessibilityLiveRegion)
        // It counts each second: that must not be read out.
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_NONE, activity.part<View>(R.id.sos_seconds).accessibilityLiveRegion)
    }

    @Test
    fun `by day the colours stand out`() = checkContrast()

    @Test
    fun `by night the colours stand out`() {
        RuntimeEnvironment.setQualifiers("+night")
        checkContrast()
    }

    private fun checkContrast() {
        for ((text, ground) in PAIRS) {
            val ratio = contrast(app.getColor(text), app.getColor(ground))
            val names = listOf(text, ground).map(app.resources::getResourceEntryName)
            assertTrue("$names: $ratio", ratio >= 4.5)
        }
        // The edge of a control, by which it is known as one.
        assertTrue(contrast(app.getColor(R.color.edge), app.getColor(R.color.paper)) >= 3.0)
    }

    /** WCAG 2.2, "contrast ratio". */
    private fun contrast(one: Int, other: Int): Double {
        val (dark, light) = listOf(luminance(one), luminance(other)).sorted()
        return (light + 0.05) / (dark + 0.05)
    }

    private fun luminance(colour: Int): Double {
        fun part(shift: Int): Double {
            val value = (colour shr shift and 0xFF) / 255.0
            return if (value <= 0.04045) value / 12.92 else ((value + 0.055) / 1.055).pow(2.4)
        }
        return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    private companion object {
        /** Text and what it stands on. */
        val PAIRS = listOf(
            R.color.ink to R.color.paper,
            R.color.ink to R.color.card,
            R.color.faint to R.color.paper,
            R.color.faint to R.color.card,
            R.color.link to R.color.paper,
            R.color.link to R.color.card,
            R.color.on_sos to R.color.sos,
            R.color.on_sos to R.color.sos_held,
            R.color.on_warn to R.color.warn,
        )
    }
}
