package org.homeline

import java.nio.file.Path

/** A phone: a directory, a vault that can be locked, and Homeline in it. */
class Phone(private val directory: Path) : AutoCloseable {
    val vault = LockableVault(FileVault.open(directory.resolve("vault.key").toString()))
    private var opened: Homeline? = null

    val home: Homeline get() = checkNotNull(opened) { "not open" }

    /** A file in this phone, beside those of Homeline. */
    val file: Path get() = directory.resolve("file")

    /**
     * Opens Homeline, as a new process would; [channels]: in an app that knows all
     * channels of the ministry from the beginning; [languages]: those of the phone.
     */
    suspend fun open(channels: Boolean = false, languages: List<String> = emptyList()) {
        close()
        val config = Stage.config(directory.resolve("home"), languages)
        opened = Homeline.open(if (channels) Stage.withChannels(config) else config, vault)
    }

    override fun close() {
        opened?.close()
        opened = null
    }
}

/** A vault that can keep the record's key back, as before the first unlock. */
class LockableVault(private val vault: KeyVault) : KeyVault {
    @Volatile
    var recordLocked = false

    override fun wrap(purpose: KeyPurpose, secret: ByteArray): ByteArray {
        requireUnlocked(purpose)
        return vault.wrap(purpose, secret)
    }

    override fun unwrap(purpose: KeyPurpose, wrapped: ByteArray): ByteArray {
        requireUnlocked(purpose)
        return vault.unwrap(purpose, wrapped)
    }

    private fun requireUnlocked(purpose: KeyPurpose) {
        if (recordLocked && purpose == KeyPurpose.RECORD) throw VaultException.Locked()
    }
}
