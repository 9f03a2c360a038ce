// The app: opens Homeline once, wires the platform to it, and shows the four screens.
import DemoModels
import HomelineKit
import SwiftUI

@main
struct DemoApp: App {
    @UIApplicationDelegateAdaptor private var delegate: AppDelegate
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            RootView(session: delegate.session)
        }
        .onChange(of: phase) { _, new in
            switch new {
            case .active: Task { await delegate.session.inFront() }
            case .background: delegate.session.background.leavesFront()
            default: break
            }
        }
    }
}

/// Here because iOS starts the app in the background too, with no screen: for a task, or
/// for a position.
@MainActor
final class AppDelegate: NSObject, UIApplicationDelegate {
    let session = Session()

    func application(
        _ application: UIApplication,
        didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        // Without the names in Info.plist iOS runs nothing in the background: the app
        // still works, and the Outbox screen says when it ran last.
        _ = session.background.register()
        Task { await session.start() }
        return true
    }
}

/// The four screens, or why there are none.
struct RootView: View {
    let session: Session
    private let words = Words.app

    var body: some View {
        switch session.state {
        case .opening:
            ProgressView(words("loading"))
        case .failed(let line):
            ContentUnavailableView(
                words(line), systemImage: "exclamationmark.triangle",
                description: Text(words("promise")))
        case .open(let model, let platform):
            Screens(model: model, platform: platform)
        }
    }
}

private struct Screens: View {
    let model: AppModel
    let platform: Platform
    private let words = Words.app

    var body: some View {
        TabView {
            SosScreen(model: model.sos, platform: platform, banners: banners)
                .tabItem { Label(words("tab_sos"), systemImage: "sos") }
            HereScreen(model: model.here, platform: platform, banners: banners)
                .tabItem { Label(words("tab_here"), systemImage: "mappin.and.ellipse") }
            MeScreen(model: model.me, platform: platform, banners: banners)
                .tabItem { Label(words("tab_me"), systemImage: "person.crop.circle") }
            OutboxScreen(model: model.outbox, banners: banners)
                .tabItem { Label(words("tab_outbox"), systemImage: "tray.full") }
        }
        .task { await model.follow() }
    }

    private var banners: BannerList {
        BannerList(banners: model.banners) { action in
            Task { await model.perform(action) }
        }
    }
}
