// The vault of a phone: its keys lie in the Keychain, in the Secure Enclave where there
// is one. What they mean is decided in `VaultLogic`; here is only what asks iOS.
#if canImport(Security) && canImport(CryptoKit)
    import CryptoKit
    import Foundation
    import Security

    /// A `KeyVault` of the iOS Keychain.
    ///
    /// Its keys are readable after the first unlock since the phone was started, and stay
    /// on this device: no backup and no new phone has them. What Homeline's `state` says
    /// then is `keyLost`; before the first unlock it is `locked`. The SOS works in both.
    ///
    /// iOS has no key for an app before the first unlock, of neither purpose: a press of
    /// that time is sealed with keys that live in memory only, and the standing envelope
    /// beside it says who calls.
    ///
    /// ```swift
    /// let home = try await Homeline.open(config: config, vault: KeychainVault())
    /// ```
    public final class KeychainVault: KeyVault {
        private let logic: VaultLogic<KeychainKeys>

        /// - Parameters:
        ///   - service: names the keys in the Keychain; another one for each directory of
        ///     Homeline in the same app.
        ///   - accessGroup: a Keychain group that the app shares with its extensions.
        public init(service: String = "org.homeline.vault", accessGroup: String? = nil) {
            logic = VaultLogic(keys: KeychainKeys(service: service, accessGroup: accessGroup))
        }

        /// Errors: `VaultError`.
        public func wrap(purpose: KeyPurpose, secret: Data) throws -> Data {
            try logic.wrap(purpose, secret)
        }

        /// Errors: `VaultError`.
        public func unwrap(purpose: KeyPurpose, wrapped: Data) throws -> Data {
            try logic.unwrap(purpose, wrapped)
        }
    }

    /// The Keychain behind `WrappingKeys`.
    struct KeychainKeys: WrappingKeys {
        let service: String
        let accessGroup: String?

        private static let ecies = SecKeyAlgorithm
            .eciesEncryptionCofactorVariableIVX963SHA256AESGCM

        func find(_ purpose: KeyPurpose) throws -> NamedKey? {
            if let name = try enclaveKey(purpose)?.name {
                return NamedKey(kind: .enclave, name: name)
            }
            return try keychainKey(purpose).map { NamedKey(kind: .keychain, name: $0.name) }
        }

        func make(_ purpose: KeyPurpose) throws -> NamedKey {
            let name = Data(SymmetricKey(size: .bits128).withUnsafeBytes(Array.init))
            if SecureEnclave.isAvailable {
                try makeEnclaveKey(purpose, name)
                return NamedKey(kind: .enclave, name: name)
            }
            try makeKeychainKey(purpose, name)
            return NamedKey(kind: .keychain, name: name)
        }

        func seal(_ secret: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data {
            let bound = Self.binding(purpose, key.name)
            switch key.kind {
            case .keychain:
                guard let found = try keychainKey(purpose) else { throw Self.missing }
                let box = try AES.GCM.seal(secret, using: found.key, authenticating: bound)
                guard let combined = box.combined else { throw Self.failed }
                return combined
            case .enclave:
                guard let found = try enclaveKey(purpose),
                    let publicKey = SecKeyCopyPublicKey(found.key)
                else { throw Self.missing }
                // ECIES has no associated data: the binding is sealed with the secret.
                var error: Unmanaged<CFError>?
                guard
                    let sealed = SecKeyCreateEncryptedData(
                        publicKey, Self.ecies, (bound + secret) as CFData, &error)
                else { throw Self.failure(error) }
                return sealed as Data
            }
        }

        func open(_ sealed: Data, with key: NamedKey, for purpose: KeyPurpose) throws -> Data? {
            let bound = Self.binding(purpose, key.name)
            switch key.kind {
            case .keychain:
                guard let found = try keychainKey(purpose) else { throw Self.missing }
                guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
                return try? AES.GCM.open(box, using: found.key, authenticating: bound)
            case .enclave:
                guard let found = try enclaveKey(purpose) else { throw Self.missing }
                var error: Unmanaged<CFError>?
                guard
                    let opened = SecKeyCreateDecryptedData(
                        found.key, Self.ecies, sealed as CFData, &error)
                else {
                    let failure = Self.failure(error)
                    // What this chip did not seal; a locked phone says something else.
                    let foreign = [KeychainStatus.decode, KeychainStatus.parameter]
                    if foreign.contains(failure.status) { return nil }
                    throw failure
                }
                let plain = opened as Data
                return plain.starts(with: bound) ? Data(plain.dropFirst(bound.count)) : nil
            }
        }

        // MARK: the Secure Enclave

        private func enclaveKey(_ purpose: KeyPurpose) throws -> (key: SecKey, name: Data)? {
            var query = common(kSecClassKey)
            query[kSecAttrLabel] = label(purpose)
            query[kSecAttrTokenID] = kSecAttrTokenIDSecureEnclave
            query[kSecReturnRef] = true
            query[kSecReturnAttributes] = true
            guard let found = try copy(query) else { return nil }
            guard let name = found[kSecAttrApplicationTag] as? Data,
                let reference = found[kSecValueRef]
            else { throw Self.failed }
            // The class of the query is that of a key: what it returns is a `SecKey`.
            return (key: reference as! SecKey, name: name)
        }

        private func makeEnclaveKey(_ purpose: KeyPurpose, _ name: Data) throws {
            var error: Unmanaged<CFError>?
            guard
                let access = SecAccessControlCreateWithFlags(
                    nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage,
                    &error)
            else { throw Self.failure(error) }
            var kept: [CFString: Any] = [
                kSecAttrIsPermanent: true,
                kSecAttrApplicationTag: name,
                kSecAttrAccessControl: access,
            ]
            kept[kSecAttrAccessGroup] = accessGroup
            let attributes: [CFString: Any] = [
                kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
                kSecAttrKeySizeInBits: 256,
                kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
                kSecAttrLabel: label(purpose),
                kSecPrivateKeyAttrs: kept,
            ]
            guard SecKeyCreateRandomKey(attributes as CFDictionary, &error) != nil else {
                throw Self.failure(error)
            }
        }

        // MARK: a key in the Keychain

        private func keychainKey(
            _ purpose: KeyPurpose
        ) throws -> (key: SymmetricKey, name: Data)? {
            var query = common(kSecClassGenericPassword)
            query[kSecAttrService] = service
            query[kSecAttrAccount] = label(purpose)
            query[kSecReturnData] = true
            query[kSecReturnAttributes] = true
            guard let found = try copy(query) else { return nil }
            guard let name = found[kSecAttrGeneric] as? Data,
                let bytes = found[kSecValueData] as? Data
            else { throw Self.failed }
            return (key: SymmetricKey(data: bytes), name: name)
        }

        private func makeKeychainKey(_ purpose: KeyPurpose, _ name: Data) throws {
            var item = common(kSecClassGenericPassword)
            item[kSecAttrService] = service
            item[kSecAttrAccount] = label(purpose)
            item[kSecAttrGeneric] = name
            item[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            item[kSecValueData] = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            let status = SecItemAdd(item as CFDictionary, nil)
            guard status == errSecSuccess else { throw KeychainFailure(status: status) }
        }

        // MARK: both

        private func common(_ itemClass: CFString) -> [CFString: Any] {
            var query: [CFString: Any] = [
                kSecClass: itemClass,
                kSecUseDataProtectionKeychain: true,
                kSecAttrSynchronizable: false,
            ]
            query[kSecAttrAccessGroup] = accessGroup
            return query
        }

        private func copy(_ query: [CFString: Any]) throws -> [CFString: Any]? {
            var result: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &result)
            if status == errSecItemNotFound { return nil }
            guard status == errSecSuccess, let found = result as? [CFString: Any] else {
                throw KeychainFailure(status: status)
            }
            return found
        }

        private func label(_ purpose: KeyPurpose) -> String {
            switch purpose {
            case .record: "\(service).record"
            case .device: "\(service).device"
            }
        }

        private static func binding(_ purpose: KeyPurpose, _ name: Data) -> Data {
            Data([purpose == .record ? 1 : 2]) + name
        }

        private static let missing = KeychainFailure(status: KeychainStatus.itemNotFound)
        /// A status that no table knows: the vault's `Failed`.
        private static let failed = KeychainFailure(status: 1)

        private static func failure(_ error: Unmanaged<CFError>?) -> KeychainFailure {
            guard let error = error?.takeRetainedValue() else { return failed }
            return KeychainFailure(status: Int32(truncatingIfNeeded: CFErrorGetCode(error)))
        }
    }
#endif
