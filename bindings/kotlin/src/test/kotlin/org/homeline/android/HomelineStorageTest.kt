package org.homeline.android

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.w3c.dom.Element

@RunWith(OnAndroid::class)
class HomelineStorageTest {
    private val context = RuntimeEnvironment.getApplication()

    @Test
    fun example() {
        val directory = File(HomelineStorage.directory(context))
        HomelineHost.of(context) // Opens it there.
        assertTrue(directory.resolve("outbox.db").isFile)
        val device = context.createDeviceProtectedStorageContext()
        assertTrue(directory.startsWith(device.noBackupFilesDir))
        assertFalse(directory.startsWith(context.dataDir))
    }

    @Test
    fun `the backup rules exclude every file of Homeline's, by both ways out`() {
        val home = HomelineHost.of(context)
        assertTrue(home.state().setAside.isEmpty())
        val device = context.createDeviceProtectedStorageContext()
        val own = setOf(
            "device_root" to File(HomelineStorage.directory(context)).relativeTo(device.dataDir).path,
            "root" to File(context.noBackupFilesDir, "homeline.credential")
                .also { assertTrue(it.isFile) }
                .relativeTo(context.dataDir).path,
        )
        assertEquals(own, excluded("homeline_data_extraction_rules.xml", "cloud-backup"))
        assertEquals(own, excluded("homeline_data_extraction_rules.xml", "device-transfer"))
        assertEquals(own, excluded("homeline_full_backup.xml", "full-backup-content"))
    }

    private fun excluded(file: String, section: String): Set<Pair<String, String>> {
        val document = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File("src/main/res/xml/$file"))
        val rules = (document.getElementsByTagName(section).item(0) as Element)
            .getElementsByTagName("exclude")
        return (0 until rules.length).map { rules.item(it) as Element }
            .map { it.getAttribute("domain") to it.getAttribute("path") }
            .toSet()
    }
}
