// A stand-in: see README.md.
import Foundation

public struct SymmetricKeySize: Sendable {
    public static let bits128 = SymmetricKeySize()
    public static let bits256 = SymmetricKeySize()
}

public struct SymmetricKey: Sendable {
    public init(size: SymmetricKeySize) {}
    public init<D: ContiguousBytes>(data: D) {}

    public func withUnsafeBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        try Data().withUnsafeBytes(body)
    }
}

public enum SecureEnclave {
    public static var isAvailable: Bool { false }
}

public enum AES {
    public enum GCM {
        public struct SealedBox {
            public var combined: Data? { nil }
            public init<D: DataProtocol>(combined: D) throws {}
        }

        public static func seal<P: DataProtocol, A: DataProtocol>(
            _ message: P, using key: SymmetricKey, authenticating data: A
        ) throws -> SealedBox { try SealedBox(combined: message) }

        public static func open<A: DataProtocol>(
            _ box: SealedBox, using key: SymmetricKey, authenticating data: A
        ) throws -> Data { Data() }
    }
}
