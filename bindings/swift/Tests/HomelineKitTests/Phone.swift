import Foundation
import HomelineKit

/// A phone: a directory, a vault that can be locked, and Homeline in it.
final class Phone {
    let vault: LockableVault
    private let stage: Stage
    private let directory: URL
    private var opened: Homeline?

    init(stage: Stage, directory: URL) throws {
        let key = directory.appendingPathComponent("vault.key")
        vault = LockableVault(try FileVault.open(path: key.path))
        self.stage = stage
        self.directory = directory
    }

    /// A file in this phone, beside those of Homeline.
    var file: URL { directory.appendingPathComponent("file") }

    func home() throws -> Homeline {
        guard let opened else { throw Unexpected("not open") }
        return opened
    }

    /// Opens Homeline, as a new process would; `channels`: in an app that knows all
    /// channels of the ministry from the beginning; `languages`: those of the phone.
    func open(channels: Bool, languages: [String]) async throws {
        opened = nil
        let files = directory.appendingPathComponent("home")
        let config = try stage.config(
            directory: files, channels: channels, languages: languages)
        opened = try await Homeline.open(config: config, vault: vault)
    }
}

/// A vault that can keep the record's key back, as before the first unlock.
final class LockableVault: KeyVault, @unchecked Sendable {
    private let vault: any KeyVault
    private let lock = NSLock()
    private var locked = false

    init(_ vault: any KeyVault) { self.vault = vault }

    func setRecordLocked(_ locked: Bool) {
        lock.withLock { self.locked = locked }
    }

    func wrap(purpose: KeyPurpose, secret: Data) throws -> Data {
        try requireUnlocked(purpose)
        return try vault.wrap(purpose: purpose, secret: secret)
    }

    func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data {
        try requireUnlocked(purpose)
        return try vault.unwrap(purpose: purpose, wrapped: wrapped)
    }

    private func requireUnlocked(_ purpose: KeyPurpose) throws {
        if purpose == .record && lock.withLock({ locked }) { throw VaultError.Locked }
    }
}
