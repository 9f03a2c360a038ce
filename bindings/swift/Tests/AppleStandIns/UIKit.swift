// A stand-in: see README.md.
import Foundation

@MainActor
open class UIViewController: NSObject {
    public func present(_ controller: UIViewController, animated: Bool) {}
    public func dismiss(animated: Bool) {}
}

@MainActor
public final class UIDevice {
    public static let current = UIDevice()
    public var isBatteryMonitoringEnabled = false
    public var batteryLevel: Float { -1 }
}

public struct UIBackgroundTaskIdentifier: Sendable, Hashable {
    public static let invalid = UIBackgroundTaskIdentifier()
}

@MainActor
public final class UIApplication {
    public enum State: Int, Sendable {
        case active, inactive, background
    }

    public static let shared = UIApplication()
    public var applicationState: State { .background }

    public func beginBackgroundTask(
        withName name: String?, expirationHandler handler: (@MainActor @Sendable () -> Void)?
    ) -> UIBackgroundTaskIdentifier { .invalid }

    public func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {}
}
