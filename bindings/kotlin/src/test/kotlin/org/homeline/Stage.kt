package org.homeline

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublisher
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import java.time.Duration
import java.util.HexFormat
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put

/**
 * The real ministry behind a network that a test can break. `tests/with-stage`
 * starts it and says in `HOMELINE_STAGE` where everything is.
 */
object Stage {
    private val values: JsonObject by lazy {
        val line = checkNotNull(System.getenv("HOMELINE_STAGE")) {
            "HOMELINE_STAGE is not set: run tests/kotlin"
        }
        Json.parseToJsonElement(line).jsonObject
    }

    // 1.1 on purpose: the default adds `Upgrade: h2c` to each request.
    private val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()

    /** The config of a phone of [languages] that keeps its files in [directory]. */
    fun config(directory: Path, languages: List<String> = emptyList()) = Config(
        directory = directory.toString(),
        ministryUrl = text("ministry_url"),
        anchors = listOf(bytes("anchor")),
        sealingKey = bytes("sealing_key"),
        tlsRoots = listOf(bytes("tls_root")),
        hotline = Hotline(text("hotline_from_home"), text("hotline_from_abroad")),
        languages = languages,
    )

    /** The same of an app that knows all channels of the ministry from the beginning. */
    fun withChannels(config: Config) = config.copy(
        smsNumbers = values.getValue("sms_numbers").jsonArray.map { it.jsonPrimitive.content },
        datagram = text("datagram"),
        receiptKeys = values.getValue("receipt_keys").jsonArray
            .map { HexFormat.of().parseHex(it.jsonPrimitive.content) },
    )

    /** Gives the ministry a text message; the text that comes back, or an empty one. */
    fun deliverText(text: String): String =
        post("${text("control")}/sms", BodyPublishers.ofString(text))

    /** The file of the attachment [id] as the duty officer gets it, if it is whole. */
    fun attachment(id: String): ByteArray? {
        val request = request("${text("desk")}/desk/api/attachments/$id").GET()
        val answer = client.send(request.build(), BodyHandlers.ofByteArray())
        return if (answer.statusCode() == 404) null else checked(answer)
    }

    /** The ministry publishes [items], in place of those that it had in [pack]. */
    fun publish(pack: String, items: JsonElement) {
        post("${text("control")}/packs/$pack", BodyPublishers.ofString(items.toString()))
    }

    /** The newest version of [pack] as a file, signed by the ministry. */
    fun packFile(pack: String): ByteArray {
        val request = request("${text("control")}/packs/$pack").GET()
        return checked(client.send(request.build(), BodyHandlers.ofByteArray()))
    }

    /** Changes the network: `up`, `down`, `portal`, `packets` and so on. */
    fun link(network: String) {
        post("${text("control")}/link/$network", BodyPublishers.noBody())
    }

    /** The cases that the duty officer sees for [report]. */
    fun cases(report: String): List<JsonObject> {
        val answer = send(request("${text("desk")}/desk/api/cases").GET())
        return Json.parseToJsonElement(answer).jsonObject.getValue("cases").jsonArray
            .map(JsonElement::jsonObject)
            .filter { it.getValue("report").jsonPrimitive.content == report }
    }

    /** The group [id] as the duty officer sees it, if it was uploaded. */
    fun group(id: String): JsonObject? {
        val answer = send(request("${text("desk")}/desk/api/groups").GET())
        return Json.parseToJsonElement(answer).jsonArray
            .map(JsonElement::jsonObject)
            .find { it.getValue("id").jsonPrimitive.content == id }
    }

    /** The duty officer takes [case]. */
    fun acknowledge(case: String, officer: String, mission: String) {
        val body = buildJsonObject {
            put("officer", officer)
            put("mission", mission)
        }
        post(
            "${text("desk")}/desk/api/cases/$case/acknowledge",
            BodyPublishers.ofString(body.toString()),
        )
    }

    private fun post(url: String, body: BodyPublisher) = send(request(url).POST(body))

    private fun request(url: String) = HttpRequest.newBuilder(URI.create(url))
        .timeout(Duration.ofSeconds(10))
        .header("Authorization", "Bearer ${text("desk_token")}")
        .header("Content-Type", "application/json")

    private fun send(request: HttpRequest.Builder): String =
        checked(client.send(request.build(), BodyHandlers.ofString()))

    private fun <T> checked(answer: HttpResponse<T>): T {
        check(answer.statusCode() in 200..299) { "${answer.uri()}: ${answer.statusCode()}" }
        return answer.body()
    }

    private fun text(key: String) = values.getValue(key).jsonPrimitive.content

    private fun bytes(key: String) = HexFormat.of().parseHex(text(key))
}
