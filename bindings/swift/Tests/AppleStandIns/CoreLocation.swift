// A stand-in: see README.md.
import Foundation

public typealias CLLocationAccuracy = Double
public let kCLLocationAccuracyBest: CLLocationAccuracy = -1

public struct CLLocationCoordinate2D: Sendable {
    public var latitude: Double
    public var longitude: Double
}

public final class CLLocationSourceInformation {
    public var isSimulatedBySoftware: Bool { false }
}

open class CLLocation: NSObject {
    public var coordinate: CLLocationCoordinate2D { .init(latitude: 0, longitude: 0) }
    public var horizontalAccuracy: CLLocationAccuracy { -1 }
    public var verticalAccuracy: CLLocationAccuracy { -1 }
    public var ellipsoidalAltitude: Double { 0 }
    public var speed: Double { -1 }
    public var course: Double { -1 }
    public var timestamp: Date { Date() }
    public var sourceInformation: CLLocationSourceInformation? { nil }
}

open class CLVisit: NSObject {
    public var coordinate: CLLocationCoordinate2D { .init(latitude: 0, longitude: 0) }
    public var horizontalAccuracy: CLLocationAccuracy { -1 }
    public var arrivalDate: Date { .distantPast }
    public var departureDate: Date { .distantFuture }
}

public enum CLAuthorizationStatus: Int32, Sendable {
    case notDetermined, restricted, denied, authorizedAlways, authorizedWhenInUse
}

public enum CLAccuracyAuthorization: Int, Sendable {
    case fullAccuracy, reducedAccuracy
}

public struct CLError: Error {
    public enum Code: Int, Sendable {
        case locationUnknown, denied, network
    }

    public var code: Code { .locationUnknown }
}

public protocol CLLocationManagerDelegate: NSObjectProtocol {
    func locationManager(
        _ manager: CLLocationManager, didUpdateLocations locations: [CLLocation])
    func locationManager(_ manager: CLLocationManager, didVisit visit: CLVisit)
    func locationManagerDidChangeAuthorization(_ manager: CLLocationManager)
    func locationManager(_ manager: CLLocationManager, didFailWithError error: any Error)
}

open class CLLocationManager: NSObject {
    public weak var delegate: (any CLLocationManagerDelegate)?
    public var desiredAccuracy: CLLocationAccuracy = 0
    public var authorizationStatus: CLAuthorizationStatus { .notDetermined }
    public var accuracyAuthorization: CLAccuracyAuthorization { .fullAccuracy }
    public class func locationServicesEnabled() -> Bool { true }
    public func requestWhenInUseAuthorization() {}
    public func requestAlwaysAuthorization() {}
    public func requestLocation() {}
    public func startMonitoringSignificantLocationChanges() {}
    public func stopMonitoringSignificantLocationChanges() {}
    public func startMonitoringVisits() {}
    public func stopMonitoringVisits() {}
}
