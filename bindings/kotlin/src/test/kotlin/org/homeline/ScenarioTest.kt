package org.homeline

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** Every scenario of the project, through the generated API. */
class ScenarioTest {
    @TestFactory
    fun scenarios(@TempDir directory: Path): List<DynamicTest> {
        val files = Path.of("../../tests/scenarios").listDirectoryEntries("*.json").sorted()
        assertTrue(files.isNotEmpty(), "no scenarios")
        return files.map { file ->
            dynamicTest(file.nameWithoutExtension) {
                val phones = Files.createDirectory(directory.resolve(file.nameWithoutExtension))
                Player(phones).use { runBlocking { play(file, Verbs(it)) } }
            }
        }
    }

    private suspend fun play(file: Path, verbs: Verbs) {
        val scenario = Json.parseToJsonElement(file.readText()).jsonObject
        val name = scenario.getValue("name").jsonPrimitive.content
        scenario.getValue("steps").jsonArray.forEachIndexed { index, fields ->
            val step = Step(fields.jsonObject)
            try {
                verbs.perform(step)
            } catch (error: Throwable) {
                throw AssertionError("$name, step ${index + 1}, $step: ${error.message}", error)
            }
        }
    }
}
