package org.homeline.android

import android.os.UserManager
import java.io.File
import java.nio.file.Path
import java.security.UnrecoverableKeyException
import org.homeline.BlockingHomeline
import org.homeline.KeyPurpose
import org.homeline.RecordState
import org.homeline.SosKind
import org.homeline.SosRequest
import org.homeline.Stage
import org.homeline.Traveler
import org.homeline.TravelerKind
import org.homeline.VaultException
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The vault over a fake key store: see [FakeKeystore] for what that leaves unproved. */
@RunWith(OnAndroid::class)
class KeystoreVaultTest {
    private val context = RuntimeEnvironment.getApplication()
    private val vault = KeystoreVault(context)
    private val secret = ByteArray(32) { it.toByte() }
    private val record = "org.homeline.record"

    @Before
    fun newPhone() = FakeKeystore.install()

    @Test
    fun example() {
        val config = Stage.config(Path.of(HomelineStorage.directory(context)))
        BlockingHomeline.open(config, KeystoreVault(context)).use { home ->
            home.registration().use { it.save(Traveler("李伟", kind = TravelerKind.ShortTrip)) }
            assertEquals(RecordState.Open, home.state().record)
        }
        // The next process.
        BlockingHomeline.open(config, KeystoreVault(context)).use { home ->
            assertEquals("李伟", home.registration().use { it.traveler() }?.name)
        }
    }

    @Test
    fun `a secret comes back, and another purpose's does not`() {
        for (purpose in KeyPurpose.entries) {
            val wrapped = vault.wrap(purpose, secret)
            assertFalse(wrapped.asList().windowed(8).contains(secret.asList().take(8)))
            assertArrayEquals(secret, vault.unwrap(purpose, wrapped))
            val other = KeyPurpose.entries.first { it != purpose }
            vault.wrap(other, secret)
            assertThrows(VaultException.KeyLost::class.java) { vault.unwrap(other, wrapped) }
        }
        assertNotEquals(FakeKeystore.keys[record], FakeKeystore.keys["org.homeline.device"])
    }

    @Test
    fun `a blob that was changed or cut is no secret`() {
        val wrapped = vault.wrap(KeyPurpose.RECORD, secret)
        for (index in wrapped.indices) {
            val changed = wrapped.clone().also { it[index] = (it[index] + 1).toByte() }
            val cut = wrapped.copyOf(index)
            for (blob in listOf(changed, cut)) {
                assertThrows(VaultException.KeyLost::class.java) {
                    vault.unwrap(KeyPurpose.RECORD, blob)
                }
            }
        }
    }

    @Test
    fun `a key that is gone is lost, and reading makes no other`() {
        val wrapped = vault.wrap(KeyPurpose.DEVICE, secret)
        FakeKeystore.keys.clear()
        assertThrows(VaultException.KeyLost::class.java) {
            vault.unwrap(KeyPurpose.DEVICE, wrapped)
        }
        assertTrue(FakeKeystore.keys.isEmpty())
    }

    @Test
    fun `a key store that fails once is no lost key, and one that has lost it is`() {
        val wrapped = vault.wrap(KeyPurpose.RECORD, secret)
        FakeKeystore.failure = UnrecoverableKeyException("busy").apply { initCause(Exception()) }
        assertThrows(VaultException.Failed::class.java) { vault.unwrap(KeyPurpose.RECORD, wrapped) }
        assertThrows(VaultException.Failed::class.java) { vault.wrap(KeyPurpose.RECORD, secret) }
        FakeKeystore.failure = UnrecoverableKeyException("invalidated")
        assertThrows(VaultException.KeyLost::class.java) { vault.unwrap(KeyPurpose.RECORD, wrapped) }
        FakeKeystore.failure = null
        assertArrayEquals(secret, vault.unwrap(KeyPurpose.RECORD, wrapped))
    }

    @Test
    fun `an app without its credential storage has lost the record and not the device`() {
        val record = vault.wrap(KeyPurpose.RECORD, secret)
        val device = vault.wrap(KeyPurpose.DEVICE, secret)
        assertTrue(File(context.noBackupFilesDir, "homeline.credential").delete())
        assertThrows(VaultException.KeyLost::class.java) { vault.unwrap(KeyPurpose.RECORD, record) }
        assertArrayEquals(secret, vault.unwrap(KeyPurpose.DEVICE, device))
    }

    @Test
    fun `before the first unlock a press works and the record waits`() {
        Stage.link("up")
        val config = Stage.config(Path.of(HomelineStorage.directory(context)))
        BlockingHomeline.open(config, vault).use { home ->
            home.registration().use { it.save(Traveler("李伟", kind = TravelerKind.ShortTrip)) }
        }
        unlocked(false)
        assertThrows(VaultException.Locked::class.java) { vault.wrap(KeyPurpose.RECORD, secret) }
        BlockingHomeline.open(config, KeystoreVault(context)).use { home ->
            assertEquals(RecordState.Locked, home.state().record)
            val report = home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
            home.sync(20_000u)
            assertEquals(1, Stage.cases(report).size)
            unlocked(true)
            assertEquals(RecordState.Open, home.reopen().record)
            assertEquals("李伟", home.registration().use { it.traveler() }?.name)
        }
    }

    @Test
    fun `a restored copy of the files is a lost key, and the SOS works`() {
        val config = Stage.config(Path.of(HomelineStorage.directory(context)))
        BlockingHomeline.open(config, vault).close()
        FakeKeystore.keys.clear()
        BlockingHomeline.open(config, vault).use { home ->
            assertEquals(RecordState.KeyLost, home.state().record)
            home.sos().use { it.press(SosRequest(SosKind.MEDICAL)) }
            assertEquals(RecordState.Open, home.startNewRecord().record)
        }
    }

    @Test
    fun `the record's key lies in a StrongBox where there is room in one`() {
        shadowOf(context.packageManager).setSystemFeature("android.hardware.strongbox_keystore", true)
        vault.wrap(KeyPurpose.RECORD, secret)
        vault.wrap(KeyPurpose.DEVICE, secret)
        assertTrue(specification(record).isStrongBoxBacked)
        // It would be slow, and a press must not wait.
        assertFalse(specification("org.homeline.device").isStrongBoxBacked)

        FakeKeystore.install()
        FakeKeystore.hasRoomInStrongBox = false
        val wrapped = vault.wrap(KeyPurpose.RECORD, secret)
        assertFalse(specification(record).isStrongBoxBacked)
        assertArrayEquals(secret, vault.unwrap(KeyPurpose.RECORD, wrapped))
        assertFalse(specification(record).isUnlockedDeviceRequired)
    }

    @Test
    fun `a deleted record key opens nothing, and the next one serves`() {
        val old = vault.wrap(KeyPurpose.RECORD, secret)
        vault.deleteRecordKey()
        assertNull(FakeKeystore.keys[record])
        val new = vault.wrap(KeyPurpose.RECORD, secret)
        assertThrows(VaultException.KeyLost::class.java) { vault.unwrap(KeyPurpose.RECORD, old) }
        assertArrayEquals(secret, vault.unwrap(KeyPurpose.RECORD, new))
    }

    private fun specification(alias: String) = checkNotNull(FakeKeystore.specifications[alias])

    private fun unlocked(now: Boolean) =
        shadowOf(context.getSystemService(UserManager::class.java)).setUserUnlocked(now)
}
