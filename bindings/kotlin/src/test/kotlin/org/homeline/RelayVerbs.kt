package org.homeline

import java.util.HexFormat
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull

/** Bytes of a parcel, and of a bundle before its parcels. */
private const val PARCEL_BYTES = 2_048
private const val BEGIN_BYTES = 4

/** What phones carry for each other, as bytes and as texts to be scanned. */
class RelayVerbs(private val player: Player) {
    val all = mapOf<String, Verb>(
        "relay_export" to ::export,
        "relay_import" to ::importBundle,
        "relay_export_qr" to ::exportQr,
        "relay_import_qr" to ::importQr,
        "relay_status" to ::status,
    )

    /** `parcels`: at most so many; without it, as many as there are. */
    private suspend fun export(step: Step) {
        val limit = step.intOrNull("parcels")?.let { (BEGIN_BYTES + it * PARCEL_BYTES).toULong() }
        val bundle = relay { if (limit == null) export() else export(limit) }
        step.expect("empty", bundle.isEmpty())
        player.keep(step, HexFormat.of().formatHex(bundle))
    }

    private suspend fun importBundle(step: Step) {
        val bundle = bytes(player.named(step, "bundle"))
        expect(step, relay { import(bundle) })
    }

    /** The texts are kept under one name, a line each. */
    private suspend fun exportQr(step: Step) {
        val limit = step.intOrNull("limit")?.toUInt()
        val texts = relay { if (limit == null) exportQr() else exportQr(limit) }
        step.expect("texts", texts.size)
        player.keep(step, texts.joinToString("\n"))
    }

    /** All texts are scanned, the last one first. */
    private suspend fun importQr(step: Step) {
        val texts = player.named(step, "texts").lines().reversed()
        var import: RelayImport? = null
        texts.forEachIndexed { index, text ->
            assertNull(import, "whole before the last text")
            val scan = relay { importQr(text) }
            assertEquals(Pair(index + 1, texts.size), Pair(scan.scanned.toInt(), scan.total.toInt()))
            import = scan.import
        }
        expect(step, checkNotNull(import))
    }

    private fun expect(step: Step, import: RelayImport) {
        step.expect("taken", import.taken.toInt())
        step.expect("known", import.known.toInt())
        step.expect("left_out", import.leftOut.toInt())
        step.expect("receipts", import.receipts.toInt())
    }

    private suspend fun status(step: Step) {
        val status = relay { status() }
        step.expect("own_waiting", status.ownWaiting.toInt())
        step.expect("carried", status.carried.toInt())
        step.expect("passed_on", status.passedOn.toInt())
        step.expect("refused", status.refused.toInt())
    }

    /** Of what is no hexadecimal, the bytes of the text itself. */
    private fun bytes(kept: String): ByteArray =
        runCatching { HexFormat.of().parseHex(kept) }.getOrElse { kept.toByteArray() }

    private suspend fun <T> relay(call: suspend Relay.() -> T) = player.home.relay.call()
}
