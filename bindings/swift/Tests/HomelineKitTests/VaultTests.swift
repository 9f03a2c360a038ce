import Foundation
import XCTest

@testable import HomelineKit

/// The decisions of the Keychain vault. The Keychain and the Secure Enclave are played by
/// `PlayedKeys`: what they really answer was not seen here.
final class VaultTests: XCTestCase {
    private let secret = Data(repeating: 7, count: 32)

    func testStatusSaysWhatIsToBeDone() {
        let table: [(status: Int32, error: VaultError)] = [
            (-25300, .KeyLost), (-26275, .KeyLost), (-25308, .Locked), (-25291, .Locked),
            (-25293, .Failed), (-34018, .Failed), (-50, .Failed), (1, .Failed),
        ]
        for row in table {
            XCTAssertEqual(KeychainStatus.vaultError(row.status), row.error, "\(row.status)")
        }
    }

    func testSecretComesBackForItsPurposeOnly() throws {
        for kind in [WrappedSecret.Kind.keychain, .enclave] {
            let logic = VaultLogic(keys: PlayedKeys(makes: kind))
            let wrapped = try logic.wrap(.record, secret)
            XCTAssertEqual(wrapped.range(of: secret), nil)
            XCTAssertEqual(try logic.unwrap(.record, wrapped), secret)
            _ = try logic.wrap(.device, secret)
            XCTAssertThrowsError(try logic.unwrap(.device, wrapped)) {
                XCTAssertEqual($0 as? VaultError, .KeyLost)
            }
        }
    }

    func testKeyThatIsGoneOrAnotherIsLost() throws {
        let keys = PlayedKeys()
        let wrapped = try VaultLogic(keys: keys).wrap(.record, secret)
        let another = PlayedKeys()
        _ = try VaultLogic(keys: another).wrap(.record, secret)
        keys.loseAll()
        for keys in [keys, another] {
            XCTAssertThrowsError(try VaultLogic(keys: keys).unwrap(.record, wrapped)) {
                XCTAssertEqual($0 as? VaultError, .KeyLost)
            }
            // Told by its name: a key is never tried on what another has sealed.
            XCTAssertEqual(keys.opened, 0)
        }
    }

    func testWhatTheVaultNeverWrappedIsNeverASecret() throws {
        let logic = VaultLogic(keys: PlayedKeys())
        var wrapped = try logic.wrap(.record, secret)
        var wrongs = [Data(), Data([1]), Data(repeating: 0, count: 60), wrapped.dropLast()]
        wrapped[wrapped.count - 1] ^= 1
        wrongs.append(wrapped)
        for wrong in wrongs {
            XCTAssertThrowsError(try logic.unwrap(.record, wrong)) {
                XCTAssertEqual($0 as? VaultError, .KeyLost)
            }
        }
    }

    func testNoSecondKeyIsMadeWhileTheKeychainIsLocked() throws {
        let keys = PlayedKeys()
        let wrapped = try VaultLogic(keys: keys).wrap(.record, secret)
        keys.fail(with: KeychainStatus.interactionNotAllowed)
        XCTAssertThrowsError(try VaultLogic(keys: keys).wrap(.record, secret)) {
            XCTAssertEqual($0 as? VaultError, .Locked)
        }
        XCTAssertEqual(keys.made, 1)
        keys.fail(with: nil)
        XCTAssertEqual(try VaultLogic(keys: keys).unwrap(.record, wrapped), secret)
    }

    func testBeforeTheFirstUnlockAPressIsReceivedAndTheRecordOpensAfterIt() async throws {
        let directory = try temporaryDirectory()
        let keys = PlayedKeys()
        try await saveTraveler(directory, keys)
        keys.fail(with: KeychainStatus.interactionNotAllowed)
        let home = try await openHome(in: directory, vault: PlayedVault(keys))
        let locked = try await home.state()
        XCTAssertEqual(locked.record, .locked)
        try await assertReceived(home)
        keys.fail(with: nil)
        let unlocked = try await home.reopen()
        XCTAssertEqual(unlocked.record, .open)
        let traveler = try await home.registration.traveler()
        XCTAssertEqual(traveler?.name, "李伟")
    }

    func testOnANewPhoneTheKeyIsLostAndNothingIsDeletedAndAPressIsReceived() async throws {
        let directory = try temporaryDirectory()
        try await saveTraveler(directory, PlayedKeys())
        let home = try await openHome(in: directory, vault: PlayedVault(PlayedKeys()))
        let lost = try await home.state()
        XCTAssertEqual(lost.record, .keyLost)
        try await assertReceived(home)
        let fresh = try await home.startNewRecord()
        XCTAssertEqual(fresh.record, .open)
        XCTAssertFalse(fresh.setAside.isEmpty)
    }

    private func saveTraveler(_ directory: URL, _ keys: PlayedKeys) async throws {
        let home = try await openHome(in: directory, vault: PlayedVault(keys))
        try await home.registration.save(Traveler(name: "李伟", kind: .shortTrip))
        _ = try await home.pause()
    }

    private func assertReceived(_ home: Homeline) async throws {
        let report = try await home.sos.press(SosRequest(kind: .medical))
        _ = try await home.sync(deadline: .seconds(20))
        XCTAssertEqual(try Stage.running().cases(of: report).count, 1)
    }
}

/// A vault over `PlayedKeys`, as `KeychainVault` is over the Keychain.
private final class PlayedVault: KeyVault {
    private let logic: VaultLogic<PlayedKeys>

    init(_ keys: PlayedKeys) { logic = VaultLogic(keys: keys) }

    func wrap(purpose: KeyPurpose, secret: Data) throws -> Data {
        try logic.wrap(purpose, secret)
    }

    func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data {
        try logic.unwrap(purpose, wrapped)
    }
}

/// Stands for the Keychain: keys in memory, which seal with a `FileVault` each.
private final class PlayedKeys: WrappingKeys, @unchecked Sendable {
    private let lock = NSLock()
    private let makes: WrappedSecret.Kind
    private var keys: [KeyPurpose: (key: NamedKey, vault: FileVault)] = [:]
    private var status: Int32?
    private(set) var made = 0
    private(set) var opened = 0

    init(makes: WrappedSecret.Kind = .enclave) { self.makes = makes }

    func fail(with status: Int32?) { lock.withLock { self.status = status } }

    func loseAll() { lock.withLock { keys = [:] } }

    func find(_ purpose: KeyPurpose) throws -> NamedKey? {
        try lock.withLock {
            if let status { throw KeychainFailure(status: status) }
            return keys[purpose]?.key
        }
    }

    func make(_ purpose: KeyPurpose) throws -> NamedKey {
        let name = Data(UUID().uuidString.utf8.prefix(WrappedSecret.nameLength))
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        let vault = try FileVault.open(path: file.path)
        try FileManager.default.removeItem(at: file)
        return lock.withLock {
            made += 1
            let key = NamedKey(kind: makes, name: name)
            keys[purpose] = (key, vault)
            return key
        }
    }

    func seal(_ secret: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data {
        guard let vault = lock.withLock({ keys[purpose]?.vault }) else {
            throw KeychainFailure(status: KeychainStatus.itemNotFound)
        }
        return try vault.wrap(purpose: purpose, secret: secret)
    }

    func open(_ sealed: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data? {
        let vault = lock.withLock {
            opened += 1
            return keys[purpose]?.vault
        }
        return try? vault?.unwrap(purpose: purpose, wrapped: sealed)
    }
}
