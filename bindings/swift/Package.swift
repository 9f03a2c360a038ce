// swift-tools-version: 6.0
//
// The Swift side of Homeline. The compiled Rust core comes to it in one of three forms:
//
//   HOMELINE_LIBRARY      development, and Linux: the directory of the shared library;
//                         ../generate has written the C header into Sources before
//   HOMELINE_XCFRAMEWORK  an XCFramework that ./build-xcframework has made, as a path in
//                         this folder
//   neither               the published XCFramework
import PackageDescription

/// What `./build-xcframework --release URL` writes here: where the published XCFramework
/// is, and its checksum. Empty: nothing is published yet.
let published = (url: "", checksum: "")

let environment = Context.environment
let core: Target
var linking: [LinkerSetting] = []

if let library = environment["HOMELINE_LIBRARY"] {
    core = .systemLibrary(name: "HomelineFFI", path: "Sources/HomelineFFI/Generated")
    linking = [
        .linkedLibrary("homeline_bindings"),
        .unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library]),
    ]
} else if let path = environment["HOMELINE_XCFRAMEWORK"] {
    core = .binaryTarget(name: "HomelineFFI", path: path)
} else if !published.url.isEmpty {
    core = .binaryTarget(
        name: "HomelineFFI", url: published.url, checksum: published.checksum)
} else {
    fatalError("set HOMELINE_LIBRARY or HOMELINE_XCFRAMEWORK: see README.md")
}

let package = Package(
    name: "Homeline",
    // `Duration` is of iOS 16.
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "HomelineKit", targets: ["HomelineKit"])],
    targets: [
        core,
        .target(
            name: "HomelineKit",
            dependencies: ["HomelineFFI"],
            resources: [.copy("PrivacyInfo.xcprivacy")],
            linkerSettings: linking
        ),
        .testTarget(
            name: "HomelineKitTests",
            dependencies: ["HomelineKit"]
        ),
    ],
    swiftLanguageModes: [.v6]
)
