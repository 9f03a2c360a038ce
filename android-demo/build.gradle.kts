// The demo app for a phone. On the JVM, pom.xml compiles and tests the same sources.
plugins {
    id("com.android.application")
    // Of the library beside it: named here, or Gradle does not know which version is loaded.
    id("com.android.library") apply false
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.homeline.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.homeline.demo"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }

    buildTypes {
        release {
            // The keep rules come with the library (consumer-rules.pro).
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    // Coroutines for Android come with it.
    implementation(project(":homeline"))
}
