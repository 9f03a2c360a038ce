// Which of Homeline's files iOS keeps back until the first unlock. What reads nothing and
// tells nothing is open always: the outbox holds sealed envelopes only.
import Foundation

/// A data protection class of iOS.
public enum ProtectionClass: Sendable, Equatable {
    /// `NSFileProtectionNone`: readable from boot on.
    case open
    /// `NSFileProtectionCompleteUntilFirstUserAuthentication`.
    case untilFirstUnlock

    /// The class of a file in `Config.directory`. The directory itself is `open`, and with
    /// it what comes new into it: a press before the first unlock makes `outbox.db` and its
    /// log. The record and its wrapped key are raised; they are encrypted besides.
    public static func ofFile(_ name: String) -> ProtectionClass {
        name.hasPrefix("record.") ? .untilFirstUnlock : .open
    }
}
