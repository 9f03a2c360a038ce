package org.homeline.demo

import android.content.Context
import android.util.Base64
import java.io.FileNotFoundException
import org.homeline.Config
import org.homeline.Hotline
import org.homeline.android.HomelineStorage
import org.json.JSONObject

/** Which ministry the app talks to: `assets/ministry.json`, see the README. Nothing in it is secret. */
object Ministry {
    /** The config for Homeline in [context]. */
    fun config(context: Context): Config {
        val values = try {
            context.assets.open("ministry.json").use { JSONObject(it.reader().readText()) }
        } catch (missing: FileNotFoundException) {
            throw IllegalStateException("There is no assets/ministry.json: see android-demo/README.md", missing)
        }
        return Config(
            directory = HomelineStorage.directory(context),
            ministryUrl = values.getString("ministry_url"),
            anchors = listOf(hex(values.getString("anchor"))),
            sealingKey = hex(values.getString("sealing_key")),
            tlsRoots = listOf(Base64.decode(values.getString("tls_root"), Base64.DEFAULT)),
            hotline = Hotline(values.getString("hotline_from_home"), values.getString("hotline_from_abroad")),
            languages = languages(context),
        )
    }

    /** The languages of the phone, the preferred one first. */
    fun languages(context: Context): List<String> = with(context.resources.configuration.locales) {
        (0 until size()).map { get(it).toLanguageTag() }
    }

    private fun hex(text: String) = text.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
}
