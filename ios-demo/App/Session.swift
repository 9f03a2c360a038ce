// The one open Homeline of the app, and what of the platform feeds it.
import DemoModels
import Foundation
import HomelineKit
import Observation
import UIKit

/// What the platform tells and does.
@MainActor
final class Platform {
    let location: LocationSource
    let messages: MessageComposer
    let hints: ConnectivityHints
    let background: BackgroundSync

    init(
        _ home: Homeline, background: BackgroundSync, changed: @escaping @Sendable () -> Void
    ) {
        self.background = background
        location = LocationSource(home)
        messages = MessageComposer(home)
        hints = ConnectivityHints(home, changed: changed)
    }

    /// What the next steps of a report are computed from.
    func conditions() async -> Conditions? {
        let since = await hints.since
        return await hints.path?.conditions(
            since: since, canSendText: messages.canSend, batteryPercent: location.battery)
    }
}

@MainActor
@Observable
final class Session {
    enum State {
        case opening
        case failed(Line)
        case open(AppModel, Platform)
    }

    private(set) var state = State.opening
    @ObservationIgnored private(set) var background: BackgroundSync!
    @ObservationIgnored private var opening: Task<Homeline, any Error>?

    init() {
        background = BackgroundSync { [weak self] in
            guard let self else { throw CancellationError() }
            return try await self.home()
        }
    }

    /// Opens Homeline and shows the screens.
    func start() async {
        do {
            let home = try await home()
            let platform = Platform(home, background: background) { [weak self] in
                Task { await self?.networkCame() }
            }
            await platform.hints.start()
            let language = Bundle.main.preferredLocalizations.first ?? "en"
            let model = AppModel(home, language: language)
            state = .open(model, platform)
            await model.me.refresh()
            platform.location.follow(consent: model.me.sendsWhereabouts)
        } catch {
            state = .failed(Line(error))
        }
    }

    /// The app is in front.
    func inFront() async {
        _ = try? await background.inFront()
    }

    private func networkCame() async {
        if case .open(let model, let platform) = state,
            let conditions = await platform.conditions()
        {
            model.sos.conditions = conditions
        }
        if UIApplication.shared.applicationState == .active { await inFront() }
    }

    /// The one `Homeline`; opened once, by whoever asks first.
    private func home() async throws -> Homeline {
        if let opening { return try await opening.value }
        let task = Task { try await Self.open() }
        opening = task
        do {
            return try await task.value
        } catch {
            opening = nil  // the next one tries again
            throw error
        }
    }

    private static func open() async throws -> Homeline {
        let config = try Ministry.config()
        let directory = URL(fileURLWithPath: config.directory, isDirectory: true)
        // Where it fails, Homeline opens all the same, and says what does not work.
        try? FileProtection.apply(to: directory)
        let home = try await Homeline.open(config: config, vault: KeychainVault())
        try? FileProtection.apply(to: directory)
        return home
    }
}

extension LocationSource {
    /// Positions in the background only under the traveler's consent to send them.
    func follow(consent isGiven: Bool) {
        if isGiven {
            askForBackground()
            startInBackground()
        } else {
            stopInBackground()
        }
    }
}

/// Which ministry the app talks to: `ministry.json` of the bundle, see README.md. Nothing
/// in it is secret.
enum Ministry {
    private struct Values: Decodable {
        let ministryUrl: String
        let anchor: String
        let sealingKey: String
        let tlsRoot: String
        let hotlineFromHome: String
        let hotlineFromAbroad: String
    }

    static func config() throws -> Config {
        guard let file = Bundle.main.url(forResource: "ministry", withExtension: "json") else {
            fatalError("ministry.json is not in the bundle: see ios-demo/README.md")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let values = try decoder.decode(Values.self, from: Data(contentsOf: file))
        let support = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil,
            create: true
        ).appendingPathComponent("homeline")
        return Config(
            directory: support.path,
            ministryUrl: values.ministryUrl,
            anchors: [bytes(values.anchor)],
            sealingKey: bytes(values.sealingKey),
            tlsRoots: Data(base64Encoded: values.tlsRoot).map { [$0] } ?? [],
            hotline: Hotline(
                fromHome: values.hotlineFromHome, fromAbroad: values.hotlineFromAbroad),
            languages: Locale.preferredLanguages)
    }

    private static func bytes(_ hex: String) -> Data {
        var rest = Substring(hex)
        var bytes = Data()
        while let byte = UInt8(rest.prefix(2), radix: 16), !rest.isEmpty {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

extension Words {
    /// Those of the app's bundle, in the language that iOS has chosen.
    static let app = Words(locale: .current) {
        Bundle.main.localizedString(forKey: $0, value: nil, table: nil)
    }
}
