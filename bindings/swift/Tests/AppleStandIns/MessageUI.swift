// A stand-in: see README.md.
import UIKit

public enum MessageComposeResult: Int, Sendable {
    case cancelled, sent, failed
}

@MainActor
public protocol MFMessageComposeViewControllerDelegate: AnyObject {
    func messageComposeViewController(
        _ controller: MFMessageComposeViewController,
        didFinishWith result: MessageComposeResult)
}

@MainActor
public final class MFMessageComposeViewController: UIViewController {
    public class func canSendText() -> Bool { false }
    public weak var messageComposeDelegate: (any MFMessageComposeViewControllerDelegate)?
    public var recipients: [String]?
    public var body: String?
}
