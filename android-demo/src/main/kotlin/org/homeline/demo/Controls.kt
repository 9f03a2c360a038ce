package org.homeline.demo

import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.EditText
import android.widget.Spinner

/** Fills a spinner with [words], and calls [chosen] with the place of the one that is chosen. */
fun Spinner.choices(words: List<String>, first: Int, chosen: (Int) -> Unit) {
    adapter = ArrayAdapter(context, R.layout.choice, words)
    setSelection(first)
    onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
        override fun onItemSelected(parent: AdapterView<*>?, view: View?, position: Int, id: Long) = chosen(position)

        override fun onNothingSelected(parent: AdapterView<*>?) = Unit
    }
}

/** Calls [changed] with the text after each change of it. */
fun EditText.onText(changed: (String) -> Unit) = addTextChangedListener(object : TextWatcher {
    override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(text: Editable) = changed(text.toString())
})

/** What was typed, or null where nothing was. */
fun EditText.textOrNull(): String? = text.toString().trim().ifEmpty { null }
