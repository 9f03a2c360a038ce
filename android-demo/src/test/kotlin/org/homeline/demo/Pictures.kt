package org.homeline.demo

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.View
import android.widget.ScrollView
import java.io.File

/** Lays the window out as a phone would, as high as its page needs. */
fun Activity.layOut(): View {
    val width = resources.displayMetrics.widthPixels
    val page = part<ScrollView>(R.id.page)
    val exact = View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY)
    val free = View.MeasureSpec.makeMeasureSpec(0, View.MeasureSpec.UNSPECIFIED)
    val all = page.getChildAt(0)
    val inside = width - page.paddingLeft - page.paddingRight
    all.measure(View.MeasureSpec.makeMeasureSpec(inside, View.MeasureSpec.EXACTLY), free)
    val tabs = part<View>(R.id.tabs)
    tabs.measure(exact, free)
    val below = part<View>(R.id.below)
    below.measure(exact, free)
    val belowHeight = if (below.visibility == View.VISIBLE) below.measuredHeight else 0
    val height = all.measuredHeight + page.paddingBottom + belowHeight + tabs.measuredHeight
    val root = part<View>(android.R.id.content)
    root.measure(exact, View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY))
    root.layout(0, 0, width, height)
    return root
}

/** Draws the whole page into target/screenshots/[name].png. */
fun Activity.picture(name: String) {
    val root = layOut()
    val bitmap = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
    root.draw(Canvas(bitmap))
    val file = File(checkNotNull(System.getProperty("screenshots")), "$name.png")
    file.parentFile.mkdirs()
    file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 90, it) }
}
