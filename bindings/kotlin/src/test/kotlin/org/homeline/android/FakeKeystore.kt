package org.homeline.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.StrongBoxUnavailableException
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.Security
import java.security.UnrecoverableKeyException
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

/**
 * A fake of the platform only: Robolectric has no Android Keystore. Keys lie in memory, so
 * nothing here proves what hardware does: that a key cannot be taken out, that it is there
 * before the first unlock, that a StrongBox keeps it.
 */
object FakeKeystore {
    const val PROVIDER = "AndroidKeyStore"

    /** The keys by alias. */
    val keys: MutableMap<String, Key> = Collections.synchronizedMap(mutableMapOf())

    /** How each key was asked for. */
    val specifications: MutableMap<String, KeyGenParameterSpec> =
        Collections.synchronizedMap(mutableMapOf())

    /** What the next look-ups fail with. */
    @Volatile
    var failure: UnrecoverableKeyException? = null

    @Volatile
    var hasRoomInStrongBox = true

    /** A key store of a new phone. */
    fun install() {
        keys.clear()
        specifications.clear()
        failure = null
        hasRoomInStrongBox = true
        Security.removeProvider(PROVIDER)
        Security.addProvider(FakeProvider())
    }

    private class FakeProvider : Provider(PROVIDER, "1", "keys in memory") {
        init {
            putService(Maker("KeyStore", PROVIDER, ::InMemory))
            putService(Maker("KeyGenerator", "AES", ::Generator))
        }

        private inner class Maker(type: String, name: String, private val make: () -> Any) :
            Service(this, type, name, FakeKeystore::class.java.name, null, null) {
            override fun newInstance(parameter: Any?): Any = make()
        }
    }

    private class Generator : KeyGeneratorSpi() {
        private var specification: KeyGenParameterSpec? = null

        override fun engineInit(parameters: AlgorithmParameterSpec, random: SecureRandom?) {
            specification = parameters as KeyGenParameterSpec
        }

        override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()

        override fun engineInit(bits: Int, random: SecureRandom?) =
            throw UnsupportedOperationException()

        override fun engineGenerateKey(): SecretKey {
            val asked = checkNotNull(specification)
            if (asked.isStrongBoxBacked && !hasRoomInStrongBox) throw StrongBoxUnavailableException()
            val bytes = ByteArray(asked.keySize / 8).also(SecureRandom()::nextBytes)
            val key = SecretKeySpec(bytes, "AES")
            keys[asked.keystoreAlias] = key
            specifications[asked.keystoreAlias] = asked
            return key
        }
    }

    private class InMemory : KeyStoreSpi() {
        override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

        override fun engineGetKey(alias: String, password: CharArray?): Key? {
            failure?.let { throw it }
            return keys[alias]
        }

        override fun engineDeleteEntry(alias: String) {
            keys.remove(alias)
        }

        override fun engineContainsAlias(alias: String) = alias in keys

        override fun engineAliases() = Collections.enumeration(keys.keys.toList())

        override fun engineSize() = keys.size

        override fun engineIsKeyEntry(alias: String) = alias in keys

        override fun engineIsCertificateEntry(alias: String) = false

        override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null

        override fun engineGetCertificate(alias: String): Certificate? = null

        override fun engineGetCreationDate(alias: String): Date? = null

        override fun engineGetCertificateAlias(certificate: Certificate): String? = null

        override fun engineSetKeyEntry(
            alias: String,
            key: Key,
            password: CharArray?,
            chain: Array<Certificate>?,
        ) = throw UnsupportedOperationException()

        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) =
            throw UnsupportedOperationException()

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate) =
            throw UnsupportedOperationException()

        override fun engineStore(stream: OutputStream?, password: CharArray?) =
            throw UnsupportedOperationException()
    }
}
