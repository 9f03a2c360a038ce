// Positions from CoreLocation. What they mean is in `LocationSample` and `LocationAccess`.
#if canImport(CoreLocation) && os(iOS)
    import CoreLocation
    import Foundation
    import UIKit

    /// Brings positions to Homeline: significant changes and visits in the background, one
    /// good position for an SOS. It asks for no permission by itself: the app does, when
    /// the traveler can see why.
    ///
    /// Datum: CoreLocation speaks WGS-84, in mainland China too; see `LocationSample`.
    ///
    /// Refused, reduced or switched off: `access` says so, Homeline is told
    /// (`reportPermissions`, a gap in the track), and everything else goes on.
    @MainActor
    public final class LocationSource: NSObject {
        private let home: Homeline
        private let manager = CLLocationManager()
        private var waiting: [CheckedContinuation<Fix?, Never>] = []

        /// What iOS allows now.
        public private(set) var access: LocationAccess

        /// Called when `access` has changed.
        public var accessChanged: (() -> Void)?

        /// Make it on the main thread, also when iOS starts the app in the background for
        /// a position: it arrives only at a delegate that is there.
        public init(_ home: Homeline) {
            self.home = home
            access = LocationAccess(
                servicesEnabled: true, authorization: .notDetermined, isReduced: false)
            super.init()
            manager.delegate = self
            UIDevice.current.isBatteryMonitoringEnabled = true
        }

        /// Asks for positions while the app is in front.
        public func ask() { manager.requestWhenInUseAuthorization() }

        /// Asks for positions at any time: only after the consent to send whereabouts, and
        /// after "while in use" was given. iOS asks once; later the settings decide.
        public func askForBackground() { manager.requestAlwaysAuthorization() }

        /// Significant changes and visits from now on. They outlive the app: iOS starts it
        /// again for each.
        public func startInBackground() {
            manager.startMonitoringSignificantLocationChanges()
            manager.startMonitoringVisits()
        }

        /// Ends what `startInBackground` began.
        public func stopInBackground() {
            manager.stopMonitoringSignificantLocationChanges()
            manager.stopMonitoringVisits()
        }

        /// One position, as good as can be had in about ten seconds; `nil` where none can:
        /// refused, switched off, no sky. Never wait for it before a press: press, then pass
        /// it to `updatePosition`.
        public func current() async -> Fix? {
            guard access.isAllowed else { return nil }
            return await withCheckedContinuation { continuation in
                waiting.append(continuation)
                if waiting.count == 1 {
                    manager.desiredAccuracy = kCLLocationAccuracyBest
                    manager.requestLocation()
                }
            }
        }

        private func answer(_ fix: Fix?) {
            let waited = waiting
            waiting = []
            for continuation in waited { continuation.resume(returning: fix) }
        }

        /// Charge of the battery in percent; `nil` where iOS does not tell.
        public var battery: UInt8? {
            let level = UIDevice.current.batteryLevel
            return level < 0 ? nil : UInt8((min(level, 1) * 100).rounded())
        }

        private func took(_ samples: [LocationSample]) async {
            let charge = battery
            let fixes = samples.compactMap { $0.fix(batteryPercent: charge) }
            answer(fixes.last)
            // Locked before the first unlock: the fix still serves a press.
            if !fixes.isEmpty { try? await home.whereabouts.recordAll(fixes: fixes) }
        }

        private func took(_ visit: VisitSample) async {
            guard let fix = visit.fix() else { return }
            try? await home.whereabouts.record(fix)
        }

        private func changed(to access: LocationAccess) async {
            self.access = access
            accessChanged?()
            try? await home.reportPermissions(reports: access.permissions)
            if let gap = access.gap {
                answer(nil)
                try? await home.whereabouts.noteGap(gap)
            }
        }

        private func failed(_ code: Int) async {
            answer(nil)
            if let gap = LocationAccess.gap(ofError: code) {
                try? await home.whereabouts.noteGap(gap)
            }
        }
    }

    // CoreLocation calls on the thread that made the manager, which is the main one.
    extension LocationSource: CLLocationManagerDelegate {
        nonisolated public func locationManager(
            _ manager: CLLocationManager, didUpdateLocations locations: [CLLocation]
        ) {
            let samples = locations.map(LocationSample.init)
            Task { @MainActor in await took(samples) }
        }

        nonisolated public func locationManager(
            _ manager: CLLocationManager, didVisit visit: CLVisit
        ) {
            let sample = VisitSample(
                latitude: visit.coordinate.latitude, longitude: visit.coordinate.longitude,
                horizontalAccuracy: visit.horizontalAccuracy, arrival: visit.arrivalDate,
                departure: visit.departureDate)
            Task { @MainActor in await took(sample) }
        }

        nonisolated public func locationManagerDidChangeAuthorization(
            _ manager: CLLocationManager
        ) {
            let status = manager.authorizationStatus.rawValue
            let isReduced = manager.accuracyAuthorization == .reducedAccuracy
            // `locationServicesEnabled` may block: never on the main thread.
            Task.detached {
                let access = LocationAccess(
                    servicesEnabled: CLLocationManager.locationServicesEnabled(),
                    authorization: .init(rawValue: status) ?? .denied, isReduced: isReduced)
                await self.changed(to: access)
            }
        }

        nonisolated public func locationManager(
            _ manager: CLLocationManager, didFailWithError error: any Error
        ) {
            let code = (error as? CLError)?.code.rawValue ?? 0
            Task { @MainActor in await failed(code) }
        }
    }

    extension LocationSample {
        /// From what CoreLocation says.
        init(_ location: CLLocation) {
            self.init(
                latitude: location.coordinate.latitude,
                longitude: location.coordinate.longitude,
                horizontalAccuracy: location.horizontalAccuracy, time: location.timestamp)
            altitude = location.ellipsoidalAltitude
            verticalAccuracy = location.verticalAccuracy
            speed = location.speed
            course = location.course
            isSimulated = location.sourceInformation?.isSimulatedBySoftware
        }
    }
#endif
