package org.homeline.demo

import android.app.Activity
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView

/** A button of an [Item]. Where [label] does not say it all, [description] does, to a screen reader. */
class ItemAction(
    val label: String,
    val description: String = label,
    val isStrong: Boolean = false,
    val run: () -> Unit,
)

/** One thing of a list, drawn by `item.xml`. */
class Item(val title: String?, val lines: String? = null, val actions: List<ItemAction> = emptyList())

/** What is seen of an item: two that look alike are not drawn twice. */
private fun Item.looks() = listOf(title, lines) + actions.flatMap { listOf(it.label, it.description, it.isStrong) }

/**
 * Shows [items] in this layout, and nothing else. An item that looks as before keeps its view,
 * so that a screen reader keeps its place.
 */
fun ViewGroup.showItems(items: List<Item>) {
    while (childCount > items.size) removeViewAt(childCount - 1)
    items.forEachIndexed { at, item ->
        val before = getChildAt(at)
        val view = if (before?.getTag(R.id.item_title) == item.looks()) {
            before
        } else {
            if (before != null) removeViewAt(at)
            inflate(R.layout.item).also { addView(it, at) }
        }
        view.fill(item)
    }
}

private fun View.fill(item: Item) {
    val buttons = part<ViewGroup>(R.id.item_actions)
    if (getTag(R.id.item_title) != item.looks()) {
        setTag(R.id.item_title, item.looks())
        part<TextView>(R.id.item_title).showText(item.title)
        part<TextView>(R.id.item_lines).showText(item.lines)
        for (action in item.actions) {
            val layout = if (action.isStrong) R.layout.action_strong else R.layout.action
            val button = buttons.inflate(layout) as Button
            button.text = action.label
            button.contentDescription = action.description
            buttons.addView(button)
        }
        if (item.title == null && item.lines == null) {
            // Nothing stands above the first button: no gap.
            (buttons.getChildAt(0)?.layoutParams as? ViewGroup.MarginLayoutParams)?.topMargin = 0
        }
    }
    item.actions.forEachIndexed { at, action ->
        buttons.getChildAt(at).setOnClickListener { action.run() }
    }
}

/** Shows [text], or nothing where there is none. The same text is not said again. */
fun TextView.showText(text: String?) {
    setShown(text != null)
    if (text != null && this.text.toString() != text) this.text = text
}

/** Shows the view, or takes it away. */
fun View.setShown(shown: Boolean) {
    visibility = if (shown) View.VISIBLE else View.GONE
}

/** A view of [layout], for this group. */
fun ViewGroup.inflate(layout: Int): View = LayoutInflater.from(context).inflate(layout, this, false)

/** The view [id] within this one: each layout has those that its screen asks for. */
inline fun <reified T : View> View.part(id: Int): T = checkNotNull(findViewById(id))

/** The view [id] of this window. */
inline fun <reified T : View> Activity.part(id: Int): T = checkNotNull(findViewById(id))
