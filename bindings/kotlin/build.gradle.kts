// The Android library (AAR): the generated API, the facade, the adapters, and the native
// library for four ABIs. `pom.xml` compiles the same sources and tests them on a JVM.
//
// Needs the Android SDK and NDK, Rust with the four targets, and cargo-ndk.

plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.21"
    `maven-publish`
}

// `gradle wrapper` writes the wrapper, of this version. Below the demo there is no such task.
tasks.withType<Wrapper>().configureEach { gradleVersion = "9.1.0" }

group = "org.homeline"
version = "0.1.0"

/** As cargo-ndk and the APK name them. */
val abis = listOf("arm64-v8a", "armeabi-v7a", "x86_64", "x86")
val repository = layout.projectDirectory.dir("../..")
val generated = repository.dir("target/generated/kotlin")
val nativeLibraries = layout.buildDirectory.dir("jniLibs")

android {
    namespace = "org.homeline"
    compileSdk = 36
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += abis }
    }
    sourceSets.named("main") {
        kotlin.srcDir(generated)
        jniLibs.srcDir(nativeLibraries)
    }
    // They run by `pom.xml`, beside a ministry.
    sourceSets.named("test") { kotlin.setSrcDirs(emptyList<String>()) }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    publishing { singleVariant("release") { withSourcesJar() } }
}

kotlin { compilerOptions { jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17 } }

dependencies {
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
}

/** Writes the Kotlin from a library for this computer, which is not stripped yet. */
val generateBindings by tasks.registering(Exec::class) {
    workingDir(repository)
    commandLine("bindings/generate")
    inputs.dir(repository.dir("core/src"))
    inputs.file(repository.file("bindings/uniffi.toml"))
    outputs.dir(generated)
}

/** Builds the library for each ABI; ../build.rs aligns it to pages of 16 KB. */
val buildNativeLibraries by tasks.registering(Exec::class) {
    workingDir(repository)
    commandLine(
        listOf("cargo", "ndk", "--platform", "26", "--output-dir") +
            nativeLibraries.get().asFile.path +
            abis.flatMap { listOf("--target", it) } +
            listOf("build", "--release", "--locked", "--package", "homeline-bindings"),
    )
    inputs.dir(repository.dir("core"))
    inputs.files(repository.file("Cargo.lock"), repository.file("bindings/build.rs"))
    outputs.dir(nativeLibraries)
}

tasks.named("preBuild") { dependsOn(generateBindings, buildNativeLibraries) }

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "homeline"
        afterEvaluate { from(components["release"]) }
    }
}
