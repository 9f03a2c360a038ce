package org.homeline

import kotlin.io.path.absolutePathString
import kotlin.io.path.deleteExisting
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** Files that follow a report. */
class AttachmentVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "attach" to ::attach,
        "attachments" to ::list,
        // What the platform says of the link of now.
        "link_cost" to { step -> attachments { linkIs(named(step.text("cost"))) } },
        "send_over" to { step ->
            val over = named<SendOver>(step.text("over"))
            assertTrue(attachments { setSendOver(player.named(step, "of"), over) })
        },
        "remove_attachment" to { step ->
            val removed = attachments { remove(player.named(step, "of")) }
            assertEquals(step.boolean("removed"), removed)
        },
        "desk_attachment" to ::desk,
    )

    /** A file is attached and deleted at once; or what is in memory. */
    private suspend fun attach(step: Step) {
        val report = player.named(step, "to")
        val bytes = noise(step.int("bytes"))
        val info = AttachmentInfo(
            mediaType = step.text("media_type"),
            name = step.textOrNull("name"),
            sendOver = step.textOrNull("over")?.let { named<SendOver>(it) },
        )
        val id = if (step.booleanOrNull("in_memory") == true) {
            attachments { attachBytes(report, bytes, info) }
        } else {
            val file = player.phone.file
            file.writeBytes(bytes)
            try {
                attachments { attachFile(report, file.absolutePathString(), info) }
            } finally {
                file.deleteExisting()
            }
        }
        player.namedOrNull(step, "same_as")?.let { assertEquals(it, id) }
        player.keep(step, id)
    }

    /** The attachments of a report, in the order in which they were attached. */
    private suspend fun list(step: Step) {
        val list = attachments { list(player.named(step, "of")) }
        assertEquals(step.texts("states"), list.map { snake(it.state) })
        step.expect("names", list.mapNotNull { it.name })
    }

    /** The file at the desk: the traveler's, to the last byte; without `bytes`, none is whole. */
    private suspend fun desk(step: Step) {
        val file = Stage.attachment(player.named(step, "of"))
        assertArrayEquals(step.intOrNull("bytes")?.let(::noise), file)
    }

    private suspend fun <T> attachments(call: suspend Attachments.() -> T) = player.home.attachments.call()
}

/** The file of so many bytes: each player makes its own, and compares. */
private fun noise(length: Int): ByteArray {
    var state = 7
    return ByteArray(length) {
        state = state * 1_664_525 + 1_013_904_223
        (state ushr 24).toByte()
    }
}
