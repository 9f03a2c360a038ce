package org.homeline.android

import com.sun.jna.Callback
import com.sun.jna.Native
import com.sun.jna.Structure
import java.io.File
import java.lang.reflect.Modifier
import java.util.zip.ZipFile
import javax.xml.parsers.DocumentBuilderFactory
import org.homeline.BlockingHomeline
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.w3c.dom.Element

/**
 * What the Android build says, read: there is no Gradle and no SDK here to run it. It holds
 * that build to what `pom.xml` compiles and tests.
 */
class PackagingTest {
    private val gradle = File("build.gradle.kts").readText()

    @Test
    fun `four ABIs for Android 8 and later`() {
        for (abi in listOf("arm64-v8a", "armeabi-v7a", "x86_64", "x86")) {
            assertTrue("\"$abi\"" in gradle, abi)
        }
        assertTrue("minSdk = 26" in gradle)
        assertTrue("compileSdk = 36" in gradle)
        assertTrue("namespace = \"org.homeline\"" in gradle)
    }

    @Test
    fun `pages of 16 KB`() {
        assertTrue("-Wl,-z,max-page-size=16384" in File("../build.rs").readText())
    }

    @Test
    fun `both builds take the same versions`() {
        val pom = File("pom.xml").readText()
        fun version(name: String) =
            checkNotNull(Regex("<$name>(.*)</$name>").find(pom)).groupValues[1]
        assertTrue("net.java.dev.jna:jna:${version("jna.version")}@aar" in gradle)
        assertTrue("kotlinx-coroutines-android:${version("coroutines.version")}" in gradle)
        assertTrue("org.jetbrains.kotlin.android\") version \"${version("kotlin.version")}" in gradle)
    }

    @Test
    fun `the manifest asks for nothing, and what it names is there and closed`() {
        val manifest = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File("src/main/AndroidManifest.xml"))
        assertEquals(0, manifest.getElementsByTagName("uses-permission").length)
        val components = listOf("service", "receiver").flatMap { tag ->
            val found = manifest.getElementsByTagName(tag)
            (0 until found.length).map { found.item(it) as Element }
        }
        assertEquals(3, components.size)
        for (component in components) {
            val name = component.getAttribute("android:name")
            assertTrue(File(classes(), name.replace('.', '/') + ".class").isFile, name)
            assertEquals("false", component.getAttribute("android:exported"), name)
            assertEquals("true", component.getAttribute("android:directBootAware"), name)
        }
    }

    @Test
    fun `each keep rule keeps something, and what is reached by name is kept`() {
        val rules = File("consumer-rules.pro").readLines()
            .filter { it.startsWith("-keep") }
            .map(::Rule)
        val all = classesOfApp()
        for (rule in rules) assertTrue(all.any(rule::keeps), "keeps nothing: $rule")
        val byName = all.filter { type ->
            type.name.startsWith("com.sun.jna.") ||
                Structure::class.java.isAssignableFrom(type) ||
                Callback::class.java.isAssignableFrom(type) ||
                type.declaredMethods.any { Modifier.isNative(it.modifiers) }
        }
        assertTrue(byName.any { it.name.startsWith("org.homeline.") })
        for (type in byName) assertTrue(rules.any { it.keeps(type) }, "not kept: ${type.name}")
    }

    /** `-keep class NAME { *; }` or `-keep class * extends NAME { *; }`. */
    private class Rule(private val text: String) {
        private val words = text.split(' ')
        private val pattern = words[2]
        private val above = words.getOrNull(4)?.takeIf { words[3] in setOf("extends", "implements") }

        init {
            check(text.endsWith(" { *; }") && words[1] == "class") { "not read: $text" }
        }

        fun keeps(type: Class<*>): Boolean {
            val named = when {
                pattern == "*" -> true
                pattern.endsWith(".**") -> type.name.startsWith(pattern.removeSuffix("**"))
                else -> type.name == pattern
            }
            return named && (above == null || isBelow(type, Class.forName(above)))
        }

        private fun isBelow(type: Class<*>, above: Class<*>) =
            type != above && above.isAssignableFrom(type)

        override fun toString() = text
    }

    private fun classes() =
        File(BlockingHomeline::class.java.protectionDomain.codeSource.location.toURI())

    /** What is in the library and in JNA, less what JNA has for a desktop's windows. */
    private fun classesOfApp(): List<Class<*>> {
        val own = classes().resolve("org/homeline").list().orEmpty()
            .filter { it.endsWith(".class") }
            .map { "org.homeline." + it }
        val jna = ZipFile(File(Native::class.java.protectionDomain.codeSource.location.toURI()))
            .use { zip -> zip.entries().asSequence().map { it.name }.toList() }
            .filter { it.startsWith("com/sun/jna/") && it.endsWith(".class") }
            .map { it.replace('/', '.') }
        return (own + jna).map { name ->
            Class.forName(name.removeSuffix(".class"), false, javaClass.classLoader)
        }
    }
}
