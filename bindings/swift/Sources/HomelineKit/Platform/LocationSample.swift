// What CoreLocation says, as plain values, and what Homeline makes of it.
import Foundation

/// A `CLLocation`, field by field. A negative number is CoreLocation's "not known".
///
/// CoreLocation reports WGS-84 everywhere. In mainland China the maps of MapKit are drawn
/// in GCJ-02, some hundred metres off: a place that the traveler picked on such a map is
/// `Position.gcj02`, never a sample of this type.
public struct LocationSample: Sendable, Equatable {
    /// Degrees, WGS-84.
    public var latitude: Double
    /// Degrees, WGS-84.
    public var longitude: Double
    /// Radius in metres; negative where the position itself is not known.
    public var horizontalAccuracy: Double
    /// Metres above the ellipsoid (`ellipsoidalAltitude`).
    public var altitude: Double
    /// Metres; not above zero where the altitude is not known.
    public var verticalAccuracy: Double
    /// Metres a second.
    public var speed: Double
    /// Degrees from true north.
    public var course: Double
    /// When it was measured.
    public var time: Date
    /// `isSimulatedBySoftware`; absent where iOS does not tell.
    public var isSimulated: Bool?

    /// A sample of which only the position is known.
    public init(latitude: Double, longitude: Double, horizontalAccuracy: Double, time: Date) {
        self.latitude = latitude
        self.longitude = longitude
        self.horizontalAccuracy = horizontalAccuracy
        self.time = time
        altitude = 0
        verticalAccuracy = -1
        speed = -1
        course = -1
    }

    /// The fix; `nil` where there is no position in it. iOS says "radius of uncertainty"
    /// and no percentage, so none is claimed.
    public func fix(batteryPercent: UInt8? = nil) -> Fix? {
        guard horizontalAccuracy >= 0, horizontalAccuracy.isFinite,
            abs(latitude) <= 90, abs(longitude) <= 180
        else { return nil }
        return Fix(
            position: .wgs84(latitude: latitude, longitude: longitude),
            timeMs: time.millisecondsUTC,
            accuracyM: horizontalAccuracy > 0 ? horizontalAccuracy : nil,
            source: .fused,
            altitudeM: verticalAccuracy > 0 && altitude.isFinite ? altitude : nil,
            speedMps: speed >= 0 && speed.isFinite ? speed : nil,
            headingDeg: course >= 0 && course < 360 ? course : nil,
            batteryPercent: batteryPercent,
            origin: isSimulated.map { $0 ? .mock : .device })
    }
}

/// A `CLVisit`: a place where the phone stayed. An end that iOS does not know is
/// `distantPast` or `distantFuture`.
public struct VisitSample: Sendable, Equatable {
    public var latitude: Double
    public var longitude: Double
    public var horizontalAccuracy: Double
    public var arrival: Date
    public var departure: Date

    public init(
        latitude: Double, longitude: Double, horizontalAccuracy: Double, arrival: Date,
        departure: Date
    ) {
        self.latitude = latitude
        self.longitude = longitude
        self.horizontalAccuracy = horizontalAccuracy
        self.arrival = arrival
        self.departure = departure
    }

    /// The last moment that the phone is known to have been there, as a fix; `nil` where
    /// iOS knows neither end.
    public func fix() -> Fix? {
        let known = [departure, arrival].first { $0 != .distantPast && $0 != .distantFuture }
        guard let time = known else { return nil }
        return LocationSample(
            latitude: latitude, longitude: longitude,
            horizontalAccuracy: horizontalAccuracy, time: time
        ).fix()
    }
}

/// What iOS lets the app know of where the phone is.
public struct LocationAccess: Sendable, Equatable {
    /// `CLAuthorizationStatus`, with its numbers.
    public enum Authorization: Int32, Sendable, CaseIterable {
        case notDetermined, restricted, denied, always, whenInUse
    }

    public var servicesEnabled: Bool
    public var authorization: Authorization
    /// The traveler gave an approximate position only.
    public var isReduced: Bool

    public init(servicesEnabled: Bool, authorization: Authorization, isReduced: Bool) {
        self.servicesEnabled = servicesEnabled
        self.authorization = authorization
        self.isReduced = isReduced
    }

    /// Whether positions may come at all.
    public var isAllowed: Bool {
        servicesEnabled && (authorization == .always || authorization == .whenInUse)
    }

    /// Why no positions will come; `nil` where they may.
    public var gap: GapCause? {
        if !servicesEnabled { return .locationOff }
        return isAllowed ? nil : .noPermission
    }

    /// For `reportPermissions`.
    public var permissions: [PermissionReport] {
        [
            PermissionReport(permission: .location, state: whileInFront),
            PermissionReport(permission: .backgroundLocation, state: atAnyTime),
        ]
    }

    private var whileInFront: PermissionState {
        switch authorization {
        case .notDetermined: .notAsked
        case .denied: .denied
        case .restricted: .unavailable
        case .always, .whenInUse: isReduced ? .limited : .granted
        }
    }

    /// iOS does not tell whether it asked for "always": what is not given counts as denied.
    private var atAnyTime: PermissionState {
        switch authorization {
        case .notDetermined: .notAsked
        case .restricted: .unavailable
        case .denied, .whenInUse: .denied
        case .always: isReduced ? .limited : .granted
        }
    }

    /// What a failure of CoreLocation (`CLError`) means for the record; `nil` where the
    /// next position may come all the same.
    public static func gap(ofError code: Int) -> GapCause? {
        switch code {
        case 0, 2: .noSignal  // locationUnknown, network
        case 1: .noPermission  // denied
        default: nil
        }
    }
}

extension Date {
    /// Milliseconds UTC since 1970; a date beyond all calendars is cut, never a crash.
    public var millisecondsUTC: Int64 {
        let milliseconds = (timeIntervalSince1970 * 1000).rounded()
        return Int64(exactly: milliseconds) ?? (milliseconds > 0 ? .max : .min)
    }
}
