package org.homeline

import org.junit.platform.engine.TestExecutionResult
import org.junit.platform.launcher.TestExecutionListener
import org.junit.platform.launcher.TestIdentifier
import org.junit.platform.launcher.TestPlan

/** Prints how many tests ran: `mvn -q` hides surefire's own summary. */
class ClosingLine : TestExecutionListener {
    private val results = mutableMapOf<TestExecutionResult.Status, Int>()
    private var skipped = 0

    override fun executionFinished(test: TestIdentifier, result: TestExecutionResult) {
        if (test.isTest) results.merge(result.status, 1, Int::plus)
    }

    override fun executionSkipped(test: TestIdentifier, reason: String) {
        skipped += 1
    }

    override fun testPlanExecutionFinished(plan: TestPlan) {
        val passed = results[TestExecutionResult.Status.SUCCESSFUL] ?: 0
        val failed = results.values.sum() - passed
        println("kotlin: $passed passed, $failed failed, $skipped skipped")
    }
}
