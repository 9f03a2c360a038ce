package org.homeline.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.os.UserManager
import android.security.KeyStoreException
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.UnrecoverableKeyException
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.homeline.KeyPurpose
import org.homeline.KeyVault
import org.homeline.VaultException

/**
 * Wraps Homeline's secrets with AES-256-GCM keys that never leave the Android Keystore, one
 * for each purpose.
 *
 * | purpose | key | at hand |
 * | --- | --- | --- |
 * | `DEVICE` | Keystore | as soon as the phone has started |
 * | `RECORD` | Keystore, in a StrongBox where the phone has one, over a key in credential-protected storage | after the first unlock |
 *
 * The Keystore alone would give the record's key before the first unlock too. So what it
 * wraps is sealed once more, by a key in a file that the phone cannot read before the
 * traveler has entered the PIN. `setUnlockedDeviceRequired` is not asked for: it takes the
 * key back each time the screen goes dark, and with it every position of the night.
 * The device's key is not in a StrongBox, which takes a tenth of a second and more: an app
 * that was just started must be able to press.
 *
 * A key that is gone (a restored backup, another phone, the app's data cleared) is
 * `VaultException.KeyLost`; [unwrap] never makes another in its place. Whatever else the
 * Keystore fails with is `Failed`, at which nothing is moved or deleted.
 *
 * No permission is used. Thread-safe; a call may take a tenth of a second.
 *
 * @sample org.homeline.android.KeystoreVaultTest.example
 */
class KeystoreVault(context: Context) : KeyVault {
    private val context = context.applicationContext
    private val credentialKey = CredentialKey(this.context)

    override fun wrap(purpose: KeyPurpose, secret: ByteArray): ByteArray = guarded(purpose) {
        val inner = when (purpose) {
            KeyPurpose.DEVICE -> secret
            KeyPurpose.RECORD -> seal(credentialKey.loadOrCreate(), purpose, secret)
        }
        byteArrayOf(VERSION) + seal(loadOrCreate(purpose), purpose, inner)
    }

    override fun unwrap(purpose: KeyPurpose, wrapped: ByteArray): ByteArray = guarded(purpose) {
        if (wrapped.firstOrNull() != VERSION) throw VaultException.KeyLost()
        val key = load(purpose) ?: throw VaultException.KeyLost()
        val inner = unseal(key, purpose, wrapped.copyOfRange(1, wrapped.size))
        when (purpose) {
            KeyPurpose.DEVICE -> inner
            KeyPurpose.RECORD -> {
                val credential = credentialKey.load() ?: throw VaultException.KeyLost()
                unseal(credential, purpose, inner)
            }
        }
    }

    /**
     * Deletes the record's keys: no copy of its files can be read any more, not even with
     * this phone in hand. To be called right before `erase`, which goes on by itself.
     *
     * Errors: `VaultException.Locked` before the first unlock, `Failed`.
     */
    @Throws(VaultException::class)
    fun deleteRecordKey() = guarded(KeyPurpose.RECORD) {
        credentialKey.delete()
        keystore().deleteEntry(alias(KeyPurpose.RECORD))
    }

    private fun load(purpose: KeyPurpose): SecretKey? =
        keystore().getKey(alias(purpose), null) as SecretKey?

    private fun loadOrCreate(purpose: KeyPurpose): SecretKey = synchronized(LOCK) {
        val existing = try {
            load(purpose)
        } catch (error: UnrecoverableKeyException) {
            // For good: nothing that it has wrapped can be read, so another takes its place.
            if (error.isLost()) null else throw error
        }
        existing ?: create(purpose)
    }

    private fun create(purpose: KeyPurpose): SecretKey {
        if (purpose == KeyPurpose.RECORD && hasStrongBox()) {
            try {
                return generate(specification(purpose).setIsStrongBoxBacked(true).build())
            } catch (_: StrongBoxUnavailableException) {
                // It is full, or does not take AES-256: the phone's other hardware does.
            }
        }
        return generate(specification(purpose).build())
    }

    private fun hasStrongBox() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)

    /** Runs [action]; what fails leaves as one of the three cases, without its text. */
    private fun <T> guarded(purpose: KeyPurpose, action: () -> T): T {
        if (purpose == KeyPurpose.RECORD && !isUserUnlocked()) throw VaultException.Locked()
        return try {
            action()
        } catch (error: GeneralSecurityException) {
            throw error.asVaultException()
        } catch (_: IOException) {
            throw VaultException.Failed()
        }
    }

    private fun isUserUnlocked() =
        context.service<UserManager>().isUserUnlocked

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val VERSION: Byte = 1

        /** Of the whole process: two vaults must not make one key twice. */
        val LOCK = Any()

        fun keystore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

        fun alias(purpose: KeyPurpose) = when (purpose) {
            KeyPurpose.RECORD -> "org.homeline.record"
            KeyPurpose.DEVICE -> "org.homeline.device"
        }

        fun specification(purpose: KeyPurpose) = KeyGenParameterSpec.Builder(
            alias(purpose),
            KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT,
        )
            .setKeySize(256)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)

        fun generate(specification: KeyGenParameterSpec): SecretKey =
            KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
                .apply { init(specification) }
                .generateKey()

        fun seal(key: SecretKey, purpose: KeyPurpose, plain: ByteArray): ByteArray {
            // The key store chooses the nonce; it refuses one that is given.
            val cipher = Cipher.getInstance(TRANSFORMATION).apply {
                init(Cipher.ENCRYPT_MODE, key)
                updateAAD(alias(purpose).toByteArray())
            }
            return cipher.iv + cipher.doFinal(plain)
        }

        fun unseal(key: SecretKey, purpose: KeyPurpose, sealed: ByteArray): ByteArray {
            if (sealed.size < NONCE_BYTES) throw VaultException.KeyLost()
            val cipher = Cipher.getInstance(TRANSFORMATION).apply {
                init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_BYTES))
                updateAAD(alias(purpose).toByteArray())
            }
            return cipher.doFinal(sealed, NONCE_BYTES, sealed.size - NONCE_BYTES)
        }

        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}

/**
 * The key store says "gone for good" with no cause (it drops it), and "not now" with one.
 */
private fun UnrecoverableKeyException.isLost() = cause == null

private fun GeneralSecurityException.asVaultException(): VaultException = when {
    // The blob is of another key: that key is gone.
    this is AEADBadTagException -> VaultException.KeyLost()
    this is KeyPermanentlyInvalidatedException -> VaultException.KeyLost()
    this is UnrecoverableKeyException && isLost() -> VaultException.KeyLost()
    this is UserNotAuthenticatedException -> VaultException.Locked()
    Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU &&
        (cause as? KeyStoreException)?.requiresUserAuthentication() == true ->
        VaultException.Locked()
    else -> VaultException.Failed()
}
