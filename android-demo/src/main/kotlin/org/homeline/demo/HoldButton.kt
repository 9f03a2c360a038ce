package org.homeline.demo

import android.content.Context
import android.os.SystemClock
import android.util.AttributeSet
import android.view.HapticFeedbackConstants
import android.view.MotionEvent
import android.widget.Button

/**
 * A button that must be held for [HOLD_MS]: a pocket does not. Its background is a drawable
 * whose level shows how much of the time has passed.
 *
 * A screen reader, a switch or a keyboard clicks instead: that counts as held, for the
 * countdown behind it can still be cancelled.
 */
class HoldButton(context: Context, attributes: AttributeSet?) : Button(context, attributes) {
    /** It was held long enough. */
    var onHeld: () -> Unit = {}

    /** True when a finger is down, false when it was lifted too soon. */
    var onHolding: (Boolean) -> Unit = {}

    private var downMs: Long? = null

    // By the clock, not an animator: where animations are switched off, those end at once.
    private val step = object : Runnable {
        override fun run() {
            val since = downMs ?: return
            val held = SystemClock.uptimeMillis() - since
            background.level = (held * FULL_LEVEL / HOLD_MS).toInt().coerceAtMost(FULL_LEVEL)
            if (held < HOLD_MS) {
                postDelayed(this, FRAME_MS)
            } else {
                end()
                performHapticFeedback(HapticFeedbackConstants.LONG_PRESS)
                onHeld()
            }
        }
    }

    override fun performClick(): Boolean {
        super.performClick()
        onHeld()
        return true
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (!isEnabled) return super.onTouchEvent(event)
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> begin()
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> release()
            MotionEvent.ACTION_MOVE -> if (!isInside(event)) release()
        }
        return true
    }

    override fun onDetachedFromWindow() {
        end()
        super.onDetachedFromWindow()
    }

    private fun begin() {
        // The page must not scroll away from under a finger that trembles.
        parent?.requestDisallowInterceptTouchEvent(true)
        downMs = SystemClock.uptimeMillis()
        isPressed = true
        onHolding(true)
        step.run()
    }

    private fun release() {
        if (downMs == null) return
        end()
        onHolding(false)
    }

    private fun end() {
        downMs = null
        isPressed = false
        removeCallbacks(step)
        background.level = 0
    }

    private fun isInside(event: MotionEvent) =
        event.x in 0f..width.toFloat() && event.y in 0f..height.toFloat()

    companion object {
        /** Milliseconds: too long for a slip, short enough for a shaking hand. */
        const val HOLD_MS = 2_000L

        private const val FRAME_MS = 16L

        /** What a drawable calls full. */
        private const val FULL_LEVEL = 10_000
    }
}
