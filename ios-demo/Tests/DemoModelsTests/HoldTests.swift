import XCTest

@testable import DemoModels

/// Hold to press, as a table of touches.
final class HoldTests: XCTestCase {
    func testTwoSecondsPressOnce() {
        var hold = Hold()
        hold.touch(at: 10)
        XCTAssertEqual(hold.line, Line("sos_holding"))
        XCTAssertFalse(hold.hold(at: 11))
        XCTAssertEqual(hold.phase, .holding(progress: 0.5))
        XCTAssertTrue(hold.hold(at: 12))
        XCTAssertFalse(hold.hold(at: 13))
        XCTAssertFalse(hold.release(at: 14))
        XCTAssertEqual(hold.phase, .pressed)
    }

    func testReleasedTooSoonPressesNothingAndSaysSo() {
        var hold = Hold()
        hold.touch(at: 10)
        XCTAssertFalse(hold.release(at: 11.9))
        XCTAssertEqual(hold.line, Line("sos_released"))
        XCTAssertFalse(hold.hold(at: 20))
    }

    func testReleaseIsAPressWhereTheTimeWasUp() {
        var hold = Hold()
        hold.touch(at: 10)
        XCTAssertTrue(hold.release(at: 12))
    }

    func testSecondTouchBeginsAnew() {
        var hold = Hold()
        hold.touch(at: 0)
        _ = hold.release(at: 1)
        hold.touch(at: 5)
        XCTAssertFalse(hold.hold(at: 6))
        XCTAssertTrue(hold.hold(at: 7))
    }

    func testFingerThatRestsPressesOnce() {
        var hold = Hold()
        hold.touch(at: 0)
        XCTAssertTrue(hold.hold(at: 2))
        hold.touch(at: 2.1)
        XCTAssertFalse(hold.hold(at: 9))
    }
}
