package org.homeline.android

import android.content.Context
import java.io.File

/**
 * Where Homeline's files lie on an Android phone.
 *
 * They are in device-protected storage, so that an SOS is stored before the first unlock
 * after a reboot too: what lies there is encrypted by Homeline itself, the record under a
 * key that [KeystoreVault] keeps back until then. They are in its `no_backup` folder, which
 * neither a cloud backup nor a transfer to another phone takes; the library's
 * `homeline_data_extraction_rules.xml` and `homeline_full_backup.xml` say the same once more.
 *
 * No permission is used.
 *
 * @sample org.homeline.android.HomelineStorageTest.example
 */
object HomelineStorage {
    /** The directory for `Config.directory`; Homeline makes it. */
    @JvmStatic
    fun directory(context: Context): String =
        File(context.createDeviceProtectedStorageContext().noBackupFilesDir, NAME).path

    internal const val NAME = "homeline"
}
