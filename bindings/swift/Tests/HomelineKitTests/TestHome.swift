import Foundation
import HomelineKit
import XCTest

extension XCTestCase {
    /// A directory that goes with the test.
    func temporaryDirectory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // Twice: the library may be closing its files at that moment.
        addTeardownBlock {
            for _ in 0..<2 { try? FileManager.default.removeItem(at: directory) }
        }
        return directory
    }

    /// The real library with the real ministry, in `directory`, or in one of its own.
    /// The network is up. It runs where its caller runs.
    func openHome(
        in directory: URL? = nil, vault: (any KeyVault)? = nil, channels: Bool = false,
        languages: [String] = [], isolation: isolated (any Actor)? = #isolation
    ) async throws -> Homeline {
        let directory = try directory ?? temporaryDirectory()
        let stage = try Stage.running()
        try stage.link("up")
        let key = directory.appendingPathComponent("vault.key")
        return try await Homeline.open(
            config: stage.config(
                directory: directory.appendingPathComponent("home"), channels: channels,
                languages: languages),
            vault: vault ?? FileVault.open(path: key.path))
    }
}
