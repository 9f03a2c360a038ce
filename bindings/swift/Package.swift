// swift-tools-version: 6.0
//
// The Swift side of Homeline. Two things are put in place before `swift test`
// (tests/swift does both): what ../generate writes into Sources, and
// HOMELINE_LIBRARY, the directory of the shared library.
import PackageDescription

guard let library = Context.environment["HOMELINE_LIBRARY"] else {
    fatalError("HOMELINE_LIBRARY must name the directory of libhomeline_bindings.so")
}

let package = Package(
    name: "Homeline",
    products: [.library(name: "HomelineKit", targets: ["HomelineKit"])],
    targets: [
        // The C header and its module map, both generated.
        .systemLibrary(name: "HomelineFFI", path: "Sources/HomelineFFI/Generated"),
        .target(
            name: "HomelineKit",
            dependencies: ["HomelineFFI"],
            linkerSettings: [
                .linkedLibrary("homeline_bindings"),
                .unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library]),
            ]
        ),
        .testTarget(name: "HomelineKitTests", dependencies: ["HomelineKit"]),
    ],
    swiftLanguageModes: [.v6]
)
