package org.homeline

/** A process that does nothing but load the library: prints the milliseconds that it took. */
fun main() {
    val began = System.nanoTime()
    uniffiEnsureInitialized()
    println((System.nanoTime() - began) / 1e6)
}
