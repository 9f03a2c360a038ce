// The decisions of the Keychain vault: which key opens a wrapped secret, and what a
// status of the Keychain means. It needs no Apple framework; `KeychainVault` gives it the
// real keys.
import Foundation

/// A status of the Keychain (`OSStatus`), by what it means for a vault.
public enum KeychainStatus {
    static let success: Int32 = 0
    /// `errSecItemNotFound`
    static let itemNotFound: Int32 = -25300
    /// `errSecInteractionNotAllowed`: before the first unlock.
    static let interactionNotAllowed: Int32 = -25308
    /// `errSecNotAvailable`: the Keychain's daemon does not answer yet, early after a boot.
    static let notAvailable: Int32 = -25291
    /// `errSecDuplicateItem`
    static let duplicateItem: Int32 = -25299
    /// `errSecDecode`: the item was made by a chip that is not this one.
    static let decode: Int32 = -26275
    /// `errSecParam`: what the Secure Enclave says to bytes that it cannot open.
    static let parameter: Int32 = -50

    /// The error of a vault for `status`. Only a Keychain that can be read and says that
    /// the item is not there, or cannot be this chip's, counts as a lost key; whatever is
    /// not understood is `Failed`, which deletes nothing.
    public static func vaultError(_ status: Int32) -> VaultError {
        switch status {
        case itemNotFound, decode: .KeyLost
        case interactionNotAllowed, notAvailable: .Locked
        default: .Failed
        }
    }
}

/// A wrapped secret as it lies in the file: `1`, the kind of key, the 16 bytes that name
/// it, and what it sealed.
struct WrappedSecret: Equatable {
    /// What kind of key sealed it.
    enum Kind: UInt8 {
        /// A 256-bit key in the Keychain, AES-GCM.
        case keychain = 1
        /// A P-256 key of the Secure Enclave, ECIES.
        case enclave = 2
    }

    static let version: UInt8 = 1
    static let nameLength = 16

    let kind: Kind
    let name: Data
    let sealed: Data

    var encoded: Data { Data([Self.version, kind.rawValue]) + name + sealed }

    init(kind: Kind, name: Data, sealed: Data) {
        (self.kind, self.name, self.sealed) = (kind, name, sealed)
    }

    /// `nil`: no secret that this vault ever wrapped.
    init?(_ bytes: Data) {
        let bytes = Data(bytes)
        guard bytes.count > 2 + Self.nameLength, bytes[0] == Self.version,
            let kind = Kind(rawValue: bytes[1])
        else { return nil }
        self.init(
            kind: kind,
            name: bytes.subdata(in: 2..<2 + Self.nameLength),
            sealed: bytes.subdata(in: 2 + Self.nameLength..<bytes.count))
    }
}

/// A failure of the Keychain, by its status.
struct KeychainFailure: Error, Equatable {
    let status: Int32
}

/// A key of the Keychain, as far as the vault looks at it.
struct NamedKey: Equatable {
    let kind: WrappedSecret.Kind
    /// 16 random bytes: they tell this key from every other, on any phone.
    let name: Data
}

/// The Keychain, as far as a vault needs it. Every call throws `KeychainFailure`.
protocol WrappingKeys: Sendable {
    /// The key for `purpose`; `nil` where the Keychain can be read and has none.
    func find(_ purpose: KeyPurpose) throws -> NamedKey?
    /// Makes the key for `purpose`, in the Secure Enclave where there is one.
    func make(_ purpose: KeyPurpose) throws -> NamedKey
    /// Seals, bound to `purpose` and to the key's name.
    func seal(_ secret: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data
    /// Opens; `nil` where it is not what this key sealed for `purpose`.
    func open(_ sealed: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data?
}

/// A `KeyVault` over `WrappingKeys`.
struct VaultLogic<Keys: WrappingKeys>: Sendable {
    let keys: Keys

    func wrap(_ purpose: KeyPurpose, _ secret: Data) throws -> Data {
        try vaultErrors {
            // A Keychain that is locked throws here: no second key is ever made for that.
            let key = try keys.find(purpose) ?? keys.make(purpose)
            let sealed = try keys.seal(secret, with: key, for: purpose)
            return WrappedSecret(kind: key.kind, name: key.name, sealed: sealed).encoded
        }
    }

    func unwrap(_ purpose: KeyPurpose, _ wrapped: Data) throws -> Data {
        try vaultErrors {
            guard let wrapped = WrappedSecret(wrapped) else { throw VaultError.KeyLost }
            let key = NamedKey(kind: wrapped.kind, name: wrapped.name)
            guard try keys.find(purpose) == key,
                let secret = try keys.open(wrapped.sealed, with: key, for: purpose)
            else { throw VaultError.KeyLost }
            return secret
        }
    }

    /// Nothing of a failure but its kind crosses over to the library.
    private func vaultErrors<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as VaultError {
            throw error
        } catch let failure as KeychainFailure {
            throw KeychainStatus.vaultError(failure.status)
        } catch {
            throw VaultError.Failed
        }
    }
}
