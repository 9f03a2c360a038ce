package org.homeline.demo

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** The words of both languages, and the manifest, as they stand in their files. */
class WordsTest {
    private fun strings(folder: String): Map<String, String> {
        val file = File("src/main/res/$folder/strings.xml")
        val nodes = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).getElementsByTagName("string")
        return (0 until nodes.length).map(nodes::item)
            .associate { it.attributes.getNamedItem("name").nodeValue to it.textContent }
    }

    private val english = strings("values")
    private val chinese = strings("values-zh")

    @Test
    fun `both languages have the same words with the same places`() {
        assertEquals(english.keys, chinese.keys)
        val places = Regex("""%\d\$[sd]""")
        for ((key, text) in english) {
            fun of(words: String) = places.findAll(words).map { it.value }.toSet()
            assertEquals(key, of(text), of(chinese.getValue(key)))
        }
    }

    @Test
    fun `it asks for assistance, and does not promise rescue`() {
        val promises = Regex("rescue|救援|营救", RegexOption.IGNORE_CASE)
        for (words in listOf(english, chinese)) {
            for ((key, text) in words - RESCUE_SERVICES) assertTrue("$key: $text", promises !in text)
        }
        assertTrue("does not replace the local emergency number" in english.getValue("promise"))
        assertTrue("不能代替当地报警和急救电话" in chinese.getValue("promise"))
    }

    @Test
    fun `the manifest asks for what is explained, and nothing else`() {
        val manifest = File("src/main/AndroidManifest.xml").readText()
        val asked = Regex("uses-permission android:name=\"android.permission.(\\w+)\"").findAll(manifest)
            .map { it.groupValues[1] }.toSet()
        assertEquals(
            setOf(
                "INTERNET", "ACCESS_NETWORK_STATE", "RECEIVE_BOOT_COMPLETED",
                "ACCESS_COARSE_LOCATION", "ACCESS_FINE_LOCATION",
            ),
            asked,
        )
        assertTrue("android:dataExtractionRules" in manifest && "android:fullBackupContent" in manifest)
    }

    private companion object {
        /** Others do that: the local services that a number leads to. */
        val RESCUE_SERVICES = setOf("sos_service_mountain_rescue", "sos_service_coast_guard")
    }
}
