package org.homeline.android

import android.content.Context
import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.SecureRandom
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/**
 * An AES-256 key in a file of credential-protected storage: the phone itself cannot read it
 * before the first unlock. It protects nothing alone; see [KeystoreVault].
 */
internal class CredentialKey(private val context: Context) {
    // Asked for at each call: before the first unlock there is no such directory.
    private val file get() = AtomicFile(File(context.noBackupFilesDir, "homeline.credential"))

    /** The key, or `null` where there is none. Throws `IOException`. */
    fun load(): SecretKey? {
        val bytes = try {
            file.readFully()
        } catch (_: FileNotFoundException) {
            return null
        }
        return if (bytes.size == BYTES) SecretKeySpec(bytes, "AES") else null
    }

    /** The key; makes it, and has it on disk, where there is none. Throws `IOException`. */
    fun loadOrCreate(): SecretKey = synchronized(LOCK) { load() ?: create() }

    fun delete() = file.delete()

    private fun create(): SecretKey {
        val bytes = ByteArray(BYTES).also(SecureRandom()::nextBytes)
        val file = file
        val output = file.startWrite()
        try {
            output.write(bytes)
            file.finishWrite(output)
        } catch (error: IOException) {
            file.failWrite(output)
            throw error
        }
        // `finishWrite` only logs that it failed.
        return load() ?: throw IOException("the key was not stored")
    }

    private companion object {
        const val BYTES = 32
        val LOCK = Any()
    }
}
