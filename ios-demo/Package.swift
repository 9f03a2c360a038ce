// swift-tools-version: 6.0
//
// The iOS demo without its screens: what they show and what their buttons do. It knows no
// SwiftUI, so that it is tested on Linux too, with the real library. `project.yml` makes
// the app of it.
import PackageDescription

let package = Package(
    name: "HomelineDemo",
    // Observation is of iOS 17.
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "DemoModels", targets: ["DemoModels"])],
    dependencies: [.package(name: "Homeline", path: "../bindings/swift")],
    targets: [
        .target(
            name: "DemoModels",
            dependencies: [.product(name: "HomelineKit", package: "Homeline")]
        ),
        .testTarget(name: "DemoModelsTests", dependencies: ["DemoModels"]),
    ],
    swiftLanguageModes: [.v6]
)
