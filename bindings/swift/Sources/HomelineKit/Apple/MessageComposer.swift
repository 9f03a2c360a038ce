// The message composer of iOS for a report's text message. iOS sends nothing silently: the
// traveler presses send, or the report waits. What an answer means is in `MessageTurn`.
#if canImport(MessageUI) && os(iOS)
    import Foundation
    import MessageUI
    import UIKit

    /// Shows the text messages of a report one by one, and tells Homeline what became of
    /// each.
    ///
    /// ```swift
    /// if case .waitsForTraveler = try await composer.turn(of: report) {
    ///     try await composer.present(report, over: viewController)
    /// }
    /// ```
    @MainActor
    public final class MessageComposer: NSObject {
        private let home: Homeline
        private var answered: CheckedContinuation<MessageAnswer, Never>?

        public init(_ home: Homeline) {
            self.home = home
        }

        /// Whether a composer can be shown: `false` on a tablet, without a SIM, or where a
        /// restriction forbids it.
        public var canSend: Bool { MFMessageComposeViewController.canSendText() }

        /// Where the report stands with its text message now.
        ///
        /// Errors: `NotFound`, `Storage`.
        public func turn(of report: String) async throws -> MessageTurn {
            let plan = try await home.sos.smsPlan(report: report, sim: 0)
            return MessageTurn(plan: plan, canSend: canSend)
        }

        /// Shows the composer with what is next, waits until the traveler has closed it,
        /// and tells Homeline. `nil`: there was nothing to show, see `turn`.
        ///
        /// Errors: `NotFound`, `Storage`.
        public func present(
            _ report: String, over controller: UIViewController
        ) async throws -> MessageAnswer? {
            guard answered == nil, case .waitsForTraveler(let part) = try await turn(of: report)
            else { return nil }
            let composer = MFMessageComposeViewController()
            composer.recipients = [part.number]
            composer.body = part.text
            composer.messageComposeDelegate = self
            controller.present(composer, animated: true)
            let answer = await withCheckedContinuation { answered = $0 }
            if let result = answer.result {
                try await home.sos.smsResult(
                    report: report, part: part.part, result: result, sim: 0)
            }
            return answer
        }
    }

    extension MessageComposer: MFMessageComposeViewControllerDelegate {
        nonisolated public func messageComposeViewController(
            _ controller: MFMessageComposeViewController,
            didFinishWith result: MessageComposeResult
        ) {
            let answer = MessageAnswer(rawValue: result.rawValue) ?? .failed
            // MessageUI calls on the main thread.
            MainActor.assumeIsolated {
                controller.dismiss(animated: true)
                answered?.resume(returning: answer)
                answered = nil
            }
        }
    }
#endif
