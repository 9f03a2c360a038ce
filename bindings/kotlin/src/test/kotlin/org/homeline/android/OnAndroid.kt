package org.homeline.android

import java.io.File
import org.homeline.BlockingHomeline
import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Runs a test with Android's classes as Robolectric has them, and with the real library.
 *
 * Robolectric loads each class anew for its sandbox. The library has one set of callbacks a
 * process, so the generated classes, JNA and Kotlin stay those of the other tests.
 */
class OnAndroid(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration {
        val shared = InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquirePackage("com.sun.jna")
            .doNotAcquirePackage("kotlin.")
            .doNotAcquirePackage("kotlinx.")
        val classes = File(BlockingHomeline::class.java.protectionDomain.codeSource.location.toURI())
        classes.resolve("org/homeline").list().orEmpty()
            .filter { it.endsWith(".class") }
            .forEach { shared.doNotAcquireClass("org.homeline." + it.removeSuffix(".class")) }
        return shared.build()
    }
}
