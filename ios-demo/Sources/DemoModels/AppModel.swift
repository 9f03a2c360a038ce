// What the four screens share: the open library, the banners above them, and who is told of
// a change.
import Foundation
import HomelineKit
import Observation

@MainActor
@Observable
public final class AppModel {
    public let home: Homeline
    public let sos: SosModel
    public let here: HereModel
    public let me: MeModel
    public let outbox: OutboxModel
    /// What does not work now; empty where all is well.
    public private(set) var banners: [Banner] = []

    /// - Parameter language: that the app shows (BCP 47).
    public init(_ home: Homeline, language: String) {
        self.home = home
        sos = SosModel(home)
        here = HereModel(home)
        me = MeModel(home, language: language)
        outbox = OutboxModel(home)
    }

    /// Shows what there is, and again after each change. Ends with its task.
    public func follow() async {
        for await topic in home.changes(.sos, .record, .whereabouts, .sync, .packs) {
            await refresh(topic)
        }
    }

    /// Asks anew for what `topic` is about.
    public func refresh(_ topic: Topic) async {
        await refreshBanners()
        for screen in screens(topic) { await screen.refresh() }
    }

    private func screens(_ topic: Topic) -> [any Screen] {
        switch topic {
        case .sos: [sos, outbox]
        case .record: [me, here, outbox]
        case .whereabouts: [here, sos, outbox]
        case .packs: [here, sos]
        case .sync: [sos, here, me, outbox]
        }
    }

    /// The button of a banner.
    public func perform(_ action: Banner.Action) async {
        switch action {
        case .startNew: _ = try? await home.startNewRecord()
        case .dismiss: _ = try? await home.dismissRecoveries()
        }
        await refreshBanners()
        await me.refresh()
    }

    private func refreshBanners() async {
        do {
            banners = Banner.all(try await home.state())
        } catch {
            banners = [Banner(line: Line(error), action: nil)]
        }
    }
}

/// A screen that can be asked to show what is true now.
@MainActor
protocol Screen {
    func refresh() async
}

extension SosModel: Screen {}
extension HereModel: Screen {}
extension MeModel: Screen {}
extension OutboxModel: Screen {}
